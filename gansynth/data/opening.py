"""`open_dataset`: from what a user has (class folders, an imported set, the word "phantom") to a `CellDataset`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pandas as pd

from gansynth.data.dataset import RECORD_COLUMNS, CellDataset
from gansynth.data.pack import open_pack
from gansynth.data.split import SPLITS_FILE, read_splits
from gansynth.data.table_rows import chosen_unmatched, has_table, match_rows, refuse_unmatched
from gansynth.errors import InputError
from gansynth.files import is_named, name_key, open_regular, read_table, shown

METADATA_FILE = "metadata.csv"
ORIGINS = ("real", "synthetic", "phantom")
_JOURNALS = {".generate.jsonl": "generate", ".naturalize.jsonl": "naturalize"}


def open_dataset(
    data: str | Path,
    size: int = 128,
    *,
    cache_dir: Path | None = None,
    progress: bool = False,
    splits: bool = True,
    one_class: str | None = None,
    unmatched: str | None = None,
) -> CellDataset:
    """Open a data set at one image size; its images are decoded the first time only.

    Parameters
    ----------
    data : path-like or "phantom"
        A class-folder tree (`class/image.ext`, deeper folders belong to their class), with or without
        `metadata.csv` (columns `file_name` and any of `source`, `group`, `origin`, `split`; further
        columns are kept in the records) and `splits.csv`; or the word "phantom" for cells that
        gansynth draws itself.
    size : int
        Edge length of the images in pixels; the centre square of each is resized to it.
    cache_dir : path-like, optional
        Where decoded images are kept (`$GANSYNTH_CACHE`, else the user's cache folder).
    progress : bool
        Show how far decoding is, on standard error.
    splits : bool
        False passes over `splits.csv` and `metadata.csv`'s `split`: for making a new split of a data
        set that has changed.
    one_class : str, optional
        Take a folder that holds images and no folders as one class of this name.
    unmatched : {"refuse", "ignore"}, optional
        What becomes of a `metadata.csv` that misses images, or names some that are not there. Default: what the
        environment's `GANSYNTH_UNMATCHED` says, else "refuse": a patient that is not known may straddle the split, and
        a synthetic image count as real.

    Returns
    -------
    CellDataset
        Its images are memory-mapped read-only. Files that cannot be read are left out, with a warning
        that counts them; `dataset_info` names them.

    Raises
    ------
    InputError
        If there is nothing usable at `data`, a class has no readable image, or a table beside the classes does not fit
        the images.
    """
    if str(data) == "phantom" and not Path(data).is_dir():
        from gansynth.data.phantom import phantom_dataset

        return phantom_dataset(size=size)
    root = Path(data)
    pack = open_pack(root, size, cache_dir=cache_dir, progress=progress, one_class=one_class)
    if pack.unreadable:
        warnings.warn(
            f"{root}: {len(pack.unreadable)} unreadable files are left out; `gansynth data info` names them",
            stacklevel=2,
        )
    records = pd.DataFrame({"path": pack.paths, "sha256": pack.sha256})
    left_out = [bad.path for bad in (*pack.unreadable, *pack.ignored)]
    records = records.join(read_metadata(root, pack.paths, left_out, unmatched))
    records["origin"] = settled_origins(records["origin"], pack.origins, root)
    _warn_of_unfinished(root)
    if not splits:
        records["split"] = ""
    elif has_table(root, SPLITS_FILE, "refuse"):
        records["split"] = read_splits(root / SPLITS_FILE, pack.paths, left_out)
    else:
        _refuse_half_split(records, root, unmatched)
    return CellDataset(pack.images, pack.labels, pack.class_names, records)


def count_enlarged(data: str | Path, size: int, *, cache_dir: Path | None = None) -> int:
    """Return how many images of a data set have a shorter edge below `size`: `open_dataset` enlarges them.

    Parameters
    ----------
    data, size, cache_dir
        As for `open_dataset`, which has decoded them.
    """
    if str(data) == "phantom" and not Path(data).is_dir():
        return 0
    return int((open_pack(data, size, cache_dir=cache_dir).sizes.min(axis=1) < size).sum())


def settled_origins(said: Iterable[str], declared: Sequence[str], root: Path) -> list[str]:
    """Return the origin of each image from what the table and what the image's own file say.

    A file that says it is synthetic is believed, whatever a table says: the table may have been lost, copied or edited,
    and the file was marked when it was made.

    Parameters
    ----------
    said : iterable of str
        By `metadata.csv`; "" where it says nothing.
    declared : sequence of str
        By the file (see `declared_origin`).
    root : pathlib.Path
        Of the data set, for the warning.
    """
    settled, disputed = [], 0
    for table, own in zip(said, declared, strict=True):
        disputed += own == "synthetic" and table not in ("", own)
        settled.append(own if own == "synthetic" else table or own or "real")
    if disputed:
        warnings.warn(
            f"{shown(root)}: {disputed:,} images are synthetic by their own text and not by {METADATA_FILE}; they "
            "count as synthetic",
            stacklevel=3,
        )
    return settled


def _warn_of_unfinished(root: Path) -> None:
    for journal, command in _JOURNALS.items():
        # The table comes last; one of the two keeps its journal beside it.
        if is_named(root / journal) and not is_named(root / METADATA_FILE):
            warnings.warn(
                f"{shown(root)}: `gansynth {command}` has not finished this folder; continue it with --resume",
                stacklevel=3,
            )


def _refuse_half_split(records: pd.DataFrame, root: Path, unmatched: str | None) -> None:
    """Refuse a column `split` that knows only some of the images: a new split would be made over it."""
    without = int((records["split"] == "").sum())
    if 0 < without < len(records) and chosen_unmatched(unmatched) == "refuse":
        raise InputError(
            f"{shown(root / METADATA_FILE)}: {without:,} of {len(records):,} images have no split, such as "
            f"'{records['path'][records['split'] == ''].iloc[0]}'; complete the column split, or make a new split with "
            "`gansynth data split`"
        )


def _with_known_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns are called as they are read: "Group" is a group, unless there is another "group"."""
    known = (*RECORD_COLUMNS, "class", "model_sha256")
    spelled = {name_key(str(column)): column for column in reversed(table.columns)}
    return table.rename(
        columns={spelled[name]: name for name in known if name in spelled and name not in table.columns}
    )


def _warn_of_other_classes(table: pd.DataFrame, paths: list[str], file: Path) -> None:
    """Say where the column `class` is not the image's folder: somebody may have corrected labels in the table."""
    if "class" not in table.columns:
        return
    homes = [path.split("/")[0] if "/" in path else "" for path in paths]
    other = [
        (path, said)
        for path, home, said in zip(paths, homes, table["class"], strict=True)
        if home and said and name_key(said) != name_key(home)
    ]
    if other:
        path, said = other[0]
        warnings.warn(
            f"{shown(file)}: calls {len(other):,} of {len(paths):,} images otherwise than their folders do, such as "
            f"'{path}' ('{said}'); the folder counts: move the files if the table is right",
            stacklevel=4,
        )


def refuse_inside(data: str | Path, out: str | Path) -> None:
    """Refuse an output folder inside a data set: it would become one of its classes, or part of one.

    Parameters
    ----------
    data : path-like or "phantom"
    out : path-like
        Where something is to be written.

    Raises
    ------
    InputError
        If `out` is `data` or lies in it.
    """
    # realpath: a link to itself has no end, which whoever writes there says.
    root, place = Path(data), Path(os.path.realpath(out))
    if root.is_dir() and root.resolve() in (place, *place.parents):
        raise InputError(
            f"{shown(out)}: lies inside {shown(root)}, where every folder is a class; choose a folder outside it"
        )


def refuse_beside_classes(images: Path, class_names: Collection[str], out: str | Path) -> None:
    """Refuse an output folder inside the data set of which one class folder, or a file in it, was named.

    Parameters
    ----------
    images : pathlib.Path
    class_names : collection of str
        A data set is taken for one where at least two of its folders are called like these.
    out : path-like

    Raises
    ------
    InputError
        As `refuse_inside`.
    """
    named = Path(os.path.abspath(images))
    for folder in (named, *named.parents):
        home = folder.parent
        if folder.name in class_names and sum((home / name).is_dir() for name in class_names) > 1:
            refuse_inside(home, out)


def refuse_inside_tables(out: str | Path) -> None:
    """Refuse an output folder that lies inside a data set which nobody named, but whose tables say that it is one.

    Parameters
    ----------
    out : path-like

    Raises
    ------
    InputError
        If a folder above `out` has a `metadata.csv` or `splits.csv` with a column `file_name`.
    """
    for folder in Path(out).absolute().parents:
        for name in (METADATA_FILE, SPLITS_FILE):
            if _is_table_of_images(folder / name):
                refuse_inside(folder, out)


def _is_table_of_images(path: Path) -> bool:
    if not is_named(path):
        return False
    try:
        with open_regular(path) as file:
            return b"file_name" in file.readline(4096)
    except (InputError, OSError):
        return False


def read_metadata(
    root: Path, paths: list[str], others: Collection[str] = (), unmatched: str | None = None
) -> pd.DataFrame:
    """Return source, group, split and origin of each path, as far as `metadata.csv` in `root` knows them.

    The file only annotates: which images exist, and their class, is what the folders say.

    Parameters
    ----------
    root : pathlib.Path
    paths : list of str
        The images. The table may spell them otherwise (see `match_rows`).
    others : collection of str
        Files that may be named although they are not among `paths`.
    unmatched : {"refuse", "ignore"}, optional
        What becomes of a table that does not name exactly these images; see `open_dataset`.

    Raises
    ------
    InputError
        If the file is not a CSV table with a column `file_name`, names one image twice, does not name exactly the
        images that are there, or has an unknown origin or split.
    """
    file = root / METADATA_FILE
    found = pd.DataFrame({"source": "", "group": "", "split": "", "origin": ""}, index=range(len(paths)), dtype=object)
    if not has_table(root, METADATA_FILE, unmatched):
        return found
    advice = "correct or remove the file"
    table = _with_known_columns(read_table(file, ("file_name",), advice))
    try:
        matched = match_rows(table, paths, others)
    except InputError as error:
        raise InputError(f"{shown(file)}: {error}; {advice}") from None
    refuse_unmatched(
        matched, file, unmatched, f"{advice}, or go on without these rows with `gansynth --unmatched ignore ...`"
    )
    # A row of blanks for the images that the table does not name.
    table.loc[len(table)] = ""
    table = table.iloc[matched.row].apply(lambda column: column.str.strip())
    _warn_of_other_classes(table, paths, file)
    # Further columns (a patient, a slide) are kept: a split can be grouped by any of them.
    for column in table.columns:
        if column not in (*RECORD_COLUMNS, "class", "file_name"):
            found[column] = table[column].to_numpy()
    for column in ("source", "group", "split", "origin"):
        if column in table.columns:
            found[column] = table[column].to_numpy()
    if "origin" not in table.columns and "model_sha256" in table.columns:  # what `generate` writes
        found["origin"] = ["synthetic" if model else "" for model in table["model_sha256"]]
    for column, allowed in (("origin", ("", *ORIGINS)), ("split", ("", "train", "val", "test"))):
        strange = sorted(set(found[column]) - set(allowed))
        if strange:
            raise InputError(
                f"{shown(file)}: {column} '{strange[0]}' is none of {', '.join(filter(None, allowed))}; correct it"
            )
    return found
