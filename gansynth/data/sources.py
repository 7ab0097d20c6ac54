"""Import of published data sets: from their downloads' layouts to one class-folder tree."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gansynth.data.declared_origin import declared_origin
from gansynth.data.folders import ImageFile, Unreadable, failures_of, scan_folders, shown
from gansynth.data.layout import alike_doubts, layout_doubts, refuse_alike
from gansynth.data.mapping import Scheme, Source, find_scheme, find_source, plain_type
from gansynth.data.npz import read_npz, write_png
from gansynth.data.opening import METADATA_FILE, read_metadata, refuse_inside, settled_origins
from gansynth.data.units import warn_of_patients
from gansynth.errors import InputError
from gansynth.files import table_text
from gansynth.files.atomic import link_or_copy, refuse_used, whole_folder, write_text

_COLUMNS = ("file_name", "class", "source", "group", "origin", "cell_type", "original", "split")


@dataclass
class ImportReport:
    """What an import found and made.

    Attributes
    ----------
    out : pathlib.Path
    before : dict of source to dict of cell type to int
        Readable images of each cell type, before grouping.
    after : dict of class to int
        Images of each class in the imported set, sorted by class.
    left_out : dict of cell type to int
        Readable images whose cell type is not a class of the scheme.
    unreadable : list of Unreadable
        Files that could not be read, `path` as "source:path".
    unknown : list of Unreadable
        Files that belong to no cell type of their source.
    """

    out: Path
    before: dict[str, dict[str, int]] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    unknown: list[Unreadable] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "folder": shown(self.out),
            "before": self.before,
            "after": self.after,
            "left_out": self.left_out,
            "unreadable": [{"file": bad.path, "reason": bad.reason} for bad in self.unreadable],
            "unknown": [{"file": bad.path, "reason": bad.reason} for bad in self.unknown],
        }

    def to_text(self) -> str:
        """Return the report as a readable table."""
        lines = ["before merging (source: cell type)"]
        lines += [f"  {n:>7,}  {source}: {kind}" for source, kinds in self.before.items() for kind, n in kinds.items()]
        lines += ["after merging (class)", *(f"  {n:>7,}  {name}" for name, n in self.after.items())]
        lines.append(f"  {sum(self.after.values()):>7,}  in all")
        if self.left_out:
            lines += ["left out (no class of the scheme)", *(f"  {n:>7,}  {kind}" for kind, n in self.left_out.items())]
        for title, files in (("unreadable", self.unreadable), ("of no known cell type", self.unknown)):
            if files:
                lines += [f"{title}: {len(files):,} files", *(f"  {bad.path}: {bad.reason}" for bad in files[:10])]
                lines += [f"  ... and {len(files) - 10:,} more"] * (len(files) > 10)
        return "\n".join(lines)


@dataclass(frozen=True)
class _Image:
    """One readable image of a source: its type, where it is (or its position in an array), and its name."""

    source: str
    kind: str
    original: str
    file: Path | None
    position: int = 0
    split: str = ""
    group: str = ""
    origin: str = "real"


def import_sources(
    sources: Iterable[tuple[str, str | Path]], out: str | Path, scheme: str | int | None = None
) -> ImportReport:
    """Bring downloads of published sets into one class-folder tree with `metadata.csv`.

    Images are hard-linked where the file system allows it, else copied; their bytes are unchanged.
    `out` appears whole or not at all.

    Parameters
    ----------
    sources : iterable of (kind, path)
        Kinds: "pbc", "munich", "bone-marrow", "bloodmnist" (a `.npz` file), "folders" (plain class
        folders).
    out : path-like
        A folder that does not exist or is empty.
    scheme : "8", "11", "12" or None
        The classes (see `schemes.yaml`); None makes every cell type a class.

    Raises
    ------
    InputError
        If a source has not the layout of its kind, nothing is left to import, or `out` is in use.
    """
    wanted = [(find_source(kind), Path(path)) for kind, path in sources]
    if not wanted:
        raise InputError("nothing to import; name at least one source, such as pbc=PATH")
    grouping = find_scheme(scheme)
    out = Path(out)
    _check_out(out, [path for _, path in wanted])
    report = ImportReport(out)
    arrays: dict[str, Any] = {}
    images: list[_Image] = []
    for source, path in wanted:
        name = _name(source, path, report)
        if source.labels:
            found, arrays[name] = _npz_images(source, name, path)
        else:
            found = _file_images(source, name, path, report)
        if not found:
            raise InputError(
                f"{shown(path)}: no image in the layout of '{source.name}' ({source.title}); "
                "check the path, or import it as plain folders (folders=PATH)"
            )
        report.before[name] = dict(sorted(Counter(image.kind for image in found).items()))
        images += found
    rows, placed = _place(images, grouping, report)
    if not rows:
        raise InputError(f"no image belongs to a class of scheme '{scheme}'; choose another, or import without one")
    class_names = sorted({row["class"] for row in rows})
    refuse_alike(class_names, out)
    for doubt in alike_doubts(class_names, out):
        warnings.warn(doubt, stacklevel=3)
    _drop_split_of_some(rows)
    try:
        with whole_folder(out) as folder:
            for image, row in zip(placed, rows, strict=True):
                _put(image, folder / row["file_name"], arrays)
            write_text(folder / METADATA_FILE, table_text(pd.DataFrame(rows, columns=list(_COLUMNS))))
    except OSError as error:
        raise InputError(
            f"{shown(out)}: cannot be written ({error.strerror or error}); check permissions and free space"
        ) from error
    report.after = dict(sorted(Counter(row["class"] for row in rows).items()))
    return report


def _check_out(out: Path, inputs: Sequence[Path]) -> None:
    refuse_used(out)
    for path in inputs:
        refuse_inside(path, out)


def _name(source: Source, path: Path, report: ImportReport) -> str:
    """Return what the source is called in the metadata: its kind or a plain folder's name, never one twice."""
    name = (shown(path.resolve().name) or source.name) if source.name == "folders" else source.name
    numbered = (f"{name}-{k}" for k in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in report.before)


def _file_images(source: Source, name: str, root: Path, report: ImportReport) -> list[_Image]:
    scan = scan_folders(root)
    if source.name == "folders":  # the others know how their downloads are laid out
        for doubt in layout_doubts(scan):
            warnings.warn(doubt, stacklevel=3)
    failed = failures_of(scan)
    bad = scan.unreadable + [Unreadable(scan.files[i].path, failed[i]) for i in sorted(failed)]
    report.unreadable += [Unreadable(f"{name}:{file.path}", file.reason) for file in bad]
    files = [file for i, file in enumerate(scan.files) if i not in failed]
    left_out = [one.path for one in (*bad, *scan.ignored)]
    known = read_metadata(root, [file.path for file in files], left_out)
    warn_of_patients(known)
    known["origin"] = settled_origins(known["origin"], [declared_origin(root / file.path) for file in files], root)
    found = []
    for file, group, origin in zip(files, known["group"], known["origin"], strict=True):
        kind = _type_of(source, root, file)
        if kind is None:
            report.unknown.append(Unreadable(f"{name}:{file.path}", f"no cell type of {source.name}"))
        else:
            # Two sources may number their patients alike.
            group = f"{name}:{group}" if group else ""
            found.append(_Image(name, kind, file.path, root / file.path, group=group, origin=origin))
    return found


def _type_of(source: Source, root: Path, file: ImageFile) -> str | None:
    if source.name == "folders":
        return plain_type(file.class_name)
    # The tree's own name counts too: someone may point at one folder of a download.
    return source.cell_type(f"{root.resolve().name}/{file.path}")


def _npz_images(source: Source, name: str, path: Path) -> tuple[list[_Image], Any]:
    pixels, labels, splits = read_npz(path, source.labels)
    return [
        _Image(name, source.labels[label], f"{shown(path.name)}:{split}_{i}", None, i, split)
        for i, (label, split) in enumerate(zip(labels, splits, strict=True))
    ], pixels


def _place(
    images: list[_Image], grouping: Scheme | None, report: ImportReport
) -> tuple[list[dict[str, str]], list[_Image]]:
    """Give each image its class and a file name of its own; count those without a class."""
    rows, placed, taken, left_out = [], [], set(), Counter[str]()
    for image in images:
        group = image.kind if grouping is None else grouping.class_of.get(image.kind)
        # A plain folder may already be called what the scheme's class is called.
        if group is None and grouping is not None and image.kind in grouping.class_of.values():
            group = image.kind
        if group is None:
            left_out[image.kind] += 1
            continue
        name = Path(image.original).name if image.file else f"{image.split}_{image.position:05d}.png"
        # Compared without case: the tree may be copied to a file system that knows none.
        candidates = itertools.chain(
            (name, f"{image.source}_{name}"), (f"{image.source}_{k}_{name}" for k in itertools.count(2))
        )
        candidate = next(one for one in candidates if (group.lower(), one.lower()) not in taken)
        taken.add((group.lower(), candidate.lower()))
        placed.append(image)
        rows.append(
            {
                "file_name": f"{group}/{candidate}",
                "class": group,
                "source": image.source,
                "group": image.group,
                "origin": image.origin,
                "cell_type": image.kind,
                "original": image.original,
                "split": image.split,
            }
        )
    report.left_out = dict(sorted(left_out.items()))
    return rows, placed


def _drop_split_of_some(rows: list[dict[str, str]]) -> None:
    """Leave out a split that only one of several sources came with: it divides a part of the images only."""
    divided = sum(bool(row["split"]) for row in rows)
    if 0 < divided < len(rows):
        for row in rows:
            row["split"] = ""
        warnings.warn(
            f"{divided:,} of {len(rows):,} images came with a split of their own, which is left out; make one for all "
            "with `gansynth data split`",
            stacklevel=3,
        )


def _put(image: _Image, target: Path, arrays: dict[str, Any]) -> None:
    if image.file is None:
        target.parent.mkdir(exist_ok=True)
        write_png(arrays[image.source][image.position], target)
    else:
        link_or_copy(image.file, target)
