"""What is in a data set: counts, imbalance, sizes, files left out, duplicates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansynth.data.duplicates import find_duplicates
from gansynth.data.folders import Unreadable, shown
from gansynth.data.opening import read_metadata
from gansynth.data.pack import Pack, open_pack
from gansynth.data.split import SPLITS, SPLITS_FILE, read_splits
from gansynth.data.table_rows import has_table
from gansynth.errors import InputError

_SHOWN = 10


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a data set.

    Attributes
    ----------
    path : str
    counts : dict of str to int
        Readable images per class, sorted by class.
    imbalance : float
        rho, the largest count divided by the smallest.
    sizes : dict of str to int
        "width x height" to the number of images of that size, the most frequent first.
    unreadable : list of Unreadable
        Image files that were left out, and why.
    ignored : list of Unreadable
        Other files, and why they do not count.
    exact : list of list of str
        Groups of files with equal pixels.
    near : list of (str, str, float)
        Pairs of files that show nearly the same picture, and their distance (0 is the same).
    across_classes : int
        Exact groups and near pairs that lie in more than one class: at least one label is wrong.
    splits : dict of str to dict of str to int
        Images per class of each split; empty before splitting.
    splits_problem : str
        Why `splits.csv` does not fit the images; empty where it does.
    metadata_problem : str
        Why `metadata.csv` does not; every other command refuses it then.
    """

    path: str
    counts: dict[str, int]
    imbalance: float
    sizes: dict[str, int]
    unreadable: list[Unreadable]
    ignored: list[Unreadable]
    exact: list[list[str]]
    near: list[tuple[str, str, float]]
    across_classes: int
    splits: dict[str, dict[str, int]]
    splits_problem: str = ""
    metadata_problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the facts as plain values for JSON."""
        return {
            "path": self.path,
            "images": sum(self.counts.values()),
            "classes": self.counts,
            "imbalance_ratio": self.imbalance,
            "sizes": self.sizes,
            "unreadable": [{"file": bad.path, "reason": bad.reason} for bad in self.unreadable],
            "ignored": [{"file": other.path, "reason": other.reason} for other in self.ignored],
            "duplicates": {
                "exact": self.exact,
                "near": [{"files": [a, b], "distance": round(distance, 4)} for a, b, distance in self.near],
                "across_classes": self.across_classes,
            },
            "splits": self.splits,
            "splits_problem": self.splits_problem,
            "metadata_problem": self.metadata_problem,
        }

    def to_text(self) -> str:
        """Return the facts as a readable table."""
        total = sum(self.counts.values())
        width = max(len("class"), *(len(name) for name in self.counts))
        parts = list(self.splits)
        lines = [self.path, f"{'class':<{width}} {'images':>8} {'share':>7}" + "".join(f" {part:>7}" for part in parts)]
        for name, n in self.counts.items():
            divided = "".join(f" {self.splits[part].get(name, 0):>7,}" for part in parts)
            lines.append(f"{name:<{width}} {n:>8,} {n / total:>7.1%}{divided}")
        sums = "".join(f" {sum(self.splits[part].values()):>7,}" for part in parts)
        lines.append(f"{'in all':<{width}} {total:>8,} {'':>7}{sums}")
        lines.append(f"imbalance ratio rho = {self.imbalance:.1f} (largest class / smallest class)")
        sizes = [f"{size} ({n:,})" for size, n in list(self.sizes.items())[:3]]
        more = f" and {len(self.sizes) - 3:,} other sizes" if len(self.sizes) > 3 else ""
        lines.append(f"sizes in pixels: {', '.join(sizes)}{more}")
        lines.append(f"exact duplicates: {len(self.exact):,} groups of files with equal pixels")
        lines += _some([" = ".join(group) for group in self.exact])
        lines.append(f"near duplicates: {len(self.near):,} pairs (under flips and quarter turns)")
        lines += _some([f"{a} ~ {b} (distance {distance:.2f})" for a, b, distance in self.near])
        if self.across_classes:
            lines.append(
                f"duplicates in more than one class: {self.across_classes:,} (at least one label of each is wrong)"
            )
        lines.append(f"unreadable files, left out: {len(self.unreadable):,}")
        lines += _some([f"{bad.path}: {bad.reason}" for bad in self.unreadable])
        if self.ignored:
            lines.append(f"other files, not used: {len(self.ignored):,}")
            lines += _some([f"{other.path}: {other.reason}" for other in self.ignored])
        if self.splits_problem:
            lines.append(f"split not shown: {self.splits_problem}")
        if self.metadata_problem:
            lines.append(f"table of no use: {self.metadata_problem}")
        return "\n".join(lines)


def dataset_info(
    data: str | Path, *, size: int = 128, cache_dir: Path | None = None, progress: bool = False
) -> DatasetInfo:
    """Look at a class-folder tree.

    Parameters
    ----------
    data : path-like
    size : int
        Edge length in pixels at which near duplicates are looked for.
    cache_dir : path-like, optional
        Where decoded images are kept, as in `open_dataset`.
    progress : bool
        Show how far decoding and the search for duplicates are, on standard error.

    Raises
    ------
    InputError
        As `open_dataset`.
    """
    root = Path(data)
    if str(data) == "phantom" and not root.is_dir():
        raise InputError("phantom cells have no files to look at; write some with `gansynth data phantom OUT` first")
    pack = open_pack(root, size, cache_dir=cache_dir, progress=progress)
    names = [pack.class_names[label] for label in pack.labels]
    counts = Counter(names)
    found = find_duplicates(pack.images, pack.sha256, progress=progress)
    groups = [*(group.tolist() for group in found.exact), *found.near.tolist()]
    splits, problem = _splits(root, pack, names)
    return DatasetInfo(
        path=shown(root),
        counts={name: counts[name] for name in pack.class_names},
        imbalance=max(counts.values()) / min(counts.values()),
        sizes=dict(Counter(f"{width} x {height}" for width, height in pack.sizes.tolist()).most_common()),
        unreadable=pack.unreadable,
        ignored=pack.ignored,
        exact=[[pack.paths[i] for i in group] for group in found.exact],
        near=[
            (pack.paths[i], pack.paths[j], float(distance))
            for (i, j), distance in sorted(
                zip(found.near.tolist(), found.distance, strict=True), key=lambda pair: pair[1]
            )
        ],
        across_classes=sum(len({names[i] for i in group}) > 1 for group in groups),
        splits=splits,
        splits_problem=problem,
        metadata_problem=_metadata_problem(root, pack),
    )


def _metadata_problem(root: Path, pack: Pack) -> str:
    try:
        read_metadata(root, pack.paths, [bad.path for bad in (*pack.unreadable, *pack.ignored)])
    except InputError as error:
        return str(error)
    return ""


def _splits(root: Path, pack: Pack, names: list[str]) -> tuple[dict[str, dict[str, int]], str]:
    """Return the images per class of each split, or why the file does not fit: someone who looks wants to see both."""
    try:
        if not has_table(root, SPLITS_FILE, "refuse"):
            return {}, ""
        part = read_splits(root / SPLITS_FILE, pack.paths, [bad.path for bad in (*pack.unreadable, *pack.ignored)])
    except InputError as error:
        return {}, str(error)
    pairs = list(zip(names, part, strict=True))
    return {split: dict(Counter(name for name, its in pairs if its == split)) for split in SPLITS}, ""


def _some(lines: list[str]) -> list[str]:
    more = [f"  ... and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
    return [f"  {line}" for line in lines[:_SHOWN]] + more
