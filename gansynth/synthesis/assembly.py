"""The folder of a balanced data set: real images of all splits, synthetic ones, and tables that say which is which."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import TableWriter, open_regular, plain_cell
from gansynth.files.atomic import link_or_copy, naming
from gansynth.synthesis.naming import class_folders
from gansynth.synthesis.stain import change_to, write_changed

METADATA_COLUMNS = (
    "file_name",
    "class",
    "origin",
    "source",
    "group",
    "seed",
    "model_sha256",
    "confidence",
    "nearest_training_distance",
    "min_confidence",
)

STAIN_COLUMN = "stain"
"""Beside them where synthetic images were given the stain of the real ones: how."""


def assemble(
    folder: Path,
    dataset: CellDataset,
    root: Path | None,
    synthetic: Path | None,
    model: str,
    *,
    match_stain: bool = False,
) -> dict[str, int]:
    """Fill an empty folder with a balanced data set.

    Parameters
    ----------
    folder : pathlib.Path
    dataset : CellDataset
        The real images, split.
    root : pathlib.Path or None
        Where their files are; without files, PNGs are written from the pixels.
    synthetic : pathlib.Path or None
        A finished folder of `generate`.
    model : str
        Name of the run: the source of the synthetic images.
    match_stain : bool
        Show synthetic images in the stain of the training images, and say so in the column `stain`.

    Returns
    -------
    dict of str to int
        Synthetic images per class.
    """
    records = dataset.records
    class_of = np.array(dataset.class_names, dtype=object)[dataset.labels]
    paths = list(records["path"]) if root is not None else _paths_of_drawn(dataset)
    for i, path in enumerate(paths):
        if root is not None:
            link_or_copy(root / path, folder / path)
        else:
            _draw(dataset.images[i], folder / path, records["origin"].iloc[i])
    # What else the data set's own table knows of an image stays.
    known = records.drop(columns=["path", "sha256", "split", "file_name", "class"], errors="ignore")
    stain = [STAIN_COLUMN] if match_stain else []
    columns = list(dict.fromkeys([*METADATA_COLUMNS, *stain, *known.columns]))
    places, added = list[str](), Counter[str]()
    if synthetic is not None:
        # The class folder of the real images, so that both lie together whatever the folder is called.
        home = {name: path.split("/", 1)[0] for name, path in zip(class_of, paths, strict=True)}
        change = change_to(dataset, synthetic, _rows(synthetic / "metadata.csv")) if match_stain else None
        for made in _rows(synthetic / "metadata.csv"):
            place = _free(folder / home[made["class"]], int(made["seed"]))
            if change is None:
                link_or_copy(synthetic / made["file_name"], place)
            else:
                write_changed(synthetic / made["file_name"], place, change)
            places.append(place.relative_to(folder).as_posix())
            added[made["class"]] += 1
    with _table(folder / "metadata.csv", columns) as table:
        # Row after row: all of a million images at once are gigabytes.
        own = {"file_name": paths, "class": class_of} | {name: known[name].to_numpy() for name in known.columns}
        for i in range(len(paths)):
            table.write("" if name not in own or pd.isna(own[name][i]) else own[name][i] for name in columns)
        if synthetic is not None:
            said = {"origin": "synthetic", "source": model, "group": ""}
            if change is not None:
                said[STAIN_COLUMN] = str(change)
            for made, where in zip(_rows(synthetic / "metadata.csv"), places, strict=True):
                row = made | said | {"file_name": where}
                table.write(row.get(name, "") for name in columns)
    with _table(folder / "splits.csv", ["file_name", "split"]) as table:
        for pair in zip(paths, records["split"], strict=True):
            table.write(pair)
        for where in places:
            table.write((where, "train"))
    return dict(added)


def _paths_of_drawn(dataset: CellDataset) -> list[str]:
    """Name the images of a data set without files: as its records do, where that is a class folder's PNG."""
    folders = class_folders(dataset.class_names)
    names: list[str] = []
    taken: set[str] = set()
    for i, (path, label) in enumerate(zip(dataset.records["path"], dataset.labels, strict=True)):
        folder, _, file = str(path).partition("/")
        home = folders[dataset.class_names[label]]
        fits = folder == home and file.endswith(".png") and "/" not in file and path not in taken
        names.append(path if fits else f"{home}/{i:06d}.png")
        taken.add(names[-1])
    return names


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV table of this project; every value is text, without the mark before a formula.

    Raises
    ------
    InputError
        If it cannot be read as such a table.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8", encoding_errors="surrogateescape")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable table ({error}); choose another output folder") from error
    return table.map(plain_cell)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Give the rows of a table that `generate` wrote."""
    with open_regular(path) as raw, io.TextIOWrapper(raw, "utf-8", errors="surrogateescape", newline="") as file:
        for row in csv.DictReader(file):
            yield {name: plain_cell(cell) for name, cell in row.items()}


@contextmanager
def _table(path: Path, columns: Sequence[str]) -> Iterator[TableWriter]:
    with naming(path), path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = TableWriter(file)
        table.write(columns)
        yield table


def _free(folder: Path, seed: int) -> Path:
    """Return the place of a synthetic image, beside whatever real file has its name."""
    place, number = folder / f"synthetic_{seed:06d}.png", 2
    while place.exists():
        place, number = folder / f"synthetic_{seed:06d}-{number}.png", number + 1
    return place


def _draw(image: NDArray[np.uint8], place: Path, origin: str) -> None:
    """Write an image of a data set that has no files."""
    place.parent.mkdir(parents=True, exist_ok=True)
    text = PngInfo()
    text.add_text("gansynth.origin", origin)
    with naming(place):
        Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(place, pnginfo=text)
