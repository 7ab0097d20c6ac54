"""`open_dataset`: from what a user has (class folders, an imported set, the word "phantom") to a `CellDataset`."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from gansynth.data.dataset import RECORD_COLUMNS, CellDataset
from gansynth.data.folders import shown
from gansynth.data.pack import open_pack
from gansynth.data.split import SPLITS_FILE, read_splits
from gansynth.errors import InputError

METADATA_FILE = "metadata.csv"
ORIGINS = ("real", "synthetic", "phantom")


def open_dataset(
    data: str | Path,
    size: int = 128,
    *,
    cache_dir: Path | None = None,
    progress: bool = False,
    splits: bool = True,
    one_class: str | None = None,
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

    Returns
    -------
    CellDataset
        Its images are memory-mapped read-only. Files that cannot be read are left out, with a warning
        that counts them; `dataset_info` names them.

    Raises
    ------
    InputError
        If there is nothing usable at `data`, or a class has no readable image.
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
    records = records.join(read_metadata(root, pack.paths))
    if not splits:
        records["split"] = ""
    elif (root / SPLITS_FILE).exists():
        records["split"] = read_splits(root / SPLITS_FILE, pack.paths, [bad.path for bad in pack.unreadable])
    return CellDataset(pack.images, pack.labels, pack.class_names, records)


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
    root, place = Path(data), Path(out).resolve()
    if root.is_dir() and root.resolve() in (place, *place.parents):
        raise InputError(
            f"{shown(out)}: lies inside {shown(root)}, where every folder is a class; choose a folder outside it"
        )


def read_metadata(root: Path, paths: list[str]) -> pd.DataFrame:
    """Return source, group, split and origin of each path, as far as `metadata.csv` in `root` knows them.

    The file only annotates: which images exist, and their class, is what the folders say.

    Raises
    ------
    InputError
        If the file is no CSV table with a column `file_name`, or has an unknown origin or split.
    """
    file = root / METADATA_FILE
    found = pd.DataFrame({"source": "", "group": "", "split": "", "origin": "real"}, index=range(len(paths)))
    if not file.exists():
        return found
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{file}: not a readable CSV table ({str(error).strip()[:120]}); correct or remove it"
        ) from error
    if "file_name" not in table.columns:
        raise InputError(f"{file}: no column 'file_name'; correct or remove the file")
    table = table.drop_duplicates("file_name").set_index("file_name").reindex(paths, fill_value="")
    # Further columns (a patient, a slide) are kept: a split can be grouped by any of them.
    for column in table.columns:
        if column not in (*RECORD_COLUMNS, "class"):
            found[column] = table[column].to_numpy()
    for column in ("source", "group", "split"):
        if column in table.columns:
            found[column] = table[column].to_numpy()
    if "origin" in table.columns:
        found["origin"] = table["origin"].where(table["origin"] != "", "real").to_numpy()
    elif "model_sha256" in table.columns:  # what `generate` writes
        found["origin"] = table["model_sha256"].map(lambda model: "synthetic" if model else "real").to_numpy()
    for column, allowed in (("origin", ORIGINS), ("split", ("", "train", "val", "test"))):
        strange = sorted(set(found[column]) - set(allowed))
        if strange:
            raise InputError(
                f"{file}: {column} '{strange[0]}' is none of {', '.join(filter(None, allowed))}; correct it"
            )
    return found
