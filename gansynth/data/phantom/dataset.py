"""The phantom: a data set of stained-looking blood cells that the project draws itself.

It stands in for real data in the demo, the documentation and the tests: twelve classes, as unequal as
real ones, deterministic by seed. A phantom cell is a drawing. It is never called real, carries the
origin "phantom" in every record and file, and says nothing about how a method does on real cells.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gansynth.data.dataset import CellDataset
from gansynth.data.folders import pixel_sha256
from gansynth.data.phantom.cells import MORPHOLOGY
from gansynth.data.phantom.scene import paint
from gansynth.errors import InputError
from gansynth.files import known_classes, known_counts, table_text
from gansynth.files.atomic import refuse_used, whole_folder, write_text

PHANTOM_COUNTS: dict[str, int] = {
    "basophil": 92,
    "eosinophil": 166,
    "erythroblast": 105,
    "immature granulocyte": 150,
    "lymphocyte": 202,
    "monoblast": 11,
    "monocyte": 139,
    "myeloblast": 154,
    "neutrophil": 307,
    "platelet": 132,
    "promyelocyte": 21,
    "smudge cell": 8,
}
"""Images per class: table 2 of hazra2022 in its own order of size, scaled down as 8 (n / 15)^0.555.

A plain division would leave no image of the rarest class (15 of 33,177 there).
"""

_NOTICE = "phantom drawing by gansynth, not a real cell"
_SIZES = (16, 1024)


def draw_cell(class_name: str, rng: np.random.Generator, size: int = 128) -> NDArray[np.uint8]:
    """Draw one phantom cell of a class amid red cells.

    Parameters
    ----------
    class_name : str
        One of `PHANTOM_COUNTS`.
    rng : numpy.random.Generator
        The only source of chance; the drawing depends on its state, the class and the size only.
    size : int
        Edge in pixels, 16..1024.

    Returns
    -------
    uint8 array, shape [size, size, 3]
        RGB, 0..255.

    Raises
    ------
    InputError
        If there is no such class or the size is out of range.

    Examples
    --------
    >>> draw_cell("eosinophil", np.random.default_rng(0), size=64).shape
    (64, 64, 3)
    """
    (class_name,) = known_classes([class_name], MORPHOLOGY, "the phantom")
    _possible_size(size)
    return paint(MORPHOLOGY[class_name], rng, size)


def phantom_dataset(counts: Mapping[str, int] | None = None, size: int = 128, seed: int = 0) -> CellDataset:
    """Draw the phantom data set.

    Parameters
    ----------
    counts : mapping of class name to number of images, optional
        `PHANTOM_COUNTS` by default. Classes asked for with 0 images are left out.
    size : int
        Edge in pixels, 16..1024.
    seed : int
        Not negative. Image i of a class depends on (class, seed, i, size) only, so that a larger
        data set begins with the images of a smaller one.

    Returns
    -------
    CellDataset
        Not split; every record has the origin and the source "phantom".

    Raises
    ------
    InputError
        If a class is unknown, a count is negative, nothing is asked for, or a number is out of range.
    """
    wanted = _checked_counts(counts, size, seed)
    names = tuple(wanted)
    labels = np.repeat(np.arange(len(names), dtype=np.int64), list(wanted.values()))
    images = np.empty((len(labels), 3, size, size), dtype=np.uint8)
    records = []
    for row, (name, i) in enumerate((name, i) for name, n in wanted.items() for i in range(n)):
        pixels = _draw_image(name, seed, i, size)
        images[row] = pixels.transpose(2, 0, 1)
        records.append(
            {
                "path": f"{name}/{_file_name(name, i)}",
                "sha256": pixel_sha256(pixels),
                "source": "phantom",
                "group": "",
                "split": "",
                "origin": "phantom",
            }
        )
    return CellDataset(images, labels, names, pd.DataFrame(records))


def write_phantom(
    out: Path | str, counts: Mapping[str, int] | None = None, size: int = 128, seed: int = 0
) -> dict[str, int]:
    """Write the phantom data set as class folders of PNG files with `metadata.csv`, whole or not at all.

    The pixels are those of `phantom_dataset` with the same arguments. Every PNG says in its text that
    it is a drawing; `metadata.csv` has file_name, class, source, group and origin.

    Parameters
    ----------
    out : path-like
        A folder that does not exist yet, or is empty.
    counts, size, seed : see `phantom_dataset`.

    Returns
    -------
    dict of str to int
        Images written per class.

    Raises
    ------
    InputError
        If `out` holds something already, and as `phantom_dataset`.
    """
    out = Path(out)
    refuse_used(out, "the phantom cells")
    wanted = _checked_counts(counts, size, seed)
    rows = []
    with whole_folder(out) as folder:
        for name, n in wanted.items():
            (folder / name).mkdir()
            for i in range(n):
                text = PngInfo()
                text.add_text("Description", _NOTICE)
                text.add_text("gansynth", f"origin=phantom; class={name}; seed={seed}; index={i}")
                image = Image.fromarray(_draw_image(name, seed, i, size))
                image.save(folder / name / _file_name(name, i), pnginfo=text)
                rows.append((f"{name}/{_file_name(name, i)}", name, "phantom", "", "phantom"))
        table = pd.DataFrame(rows, columns=["file_name", "class", "source", "group", "origin"])
        write_text(folder / "metadata.csv", table_text(table))
    return wanted


def _draw_image(name: str, seed: int, i: int, size: int) -> NDArray[np.uint8]:
    return draw_cell(name, np.random.default_rng([zlib.crc32(name.encode()), seed, i]), size)


def _file_name(name: str, i: int) -> str:
    return f"{name.replace(' ', '_')}_{i + 1:05d}.png"


def _possible_size(size: int) -> None:
    if not _SIZES[0] <= size <= _SIZES[1]:
        raise InputError(f"phantom cells of {size} pixels: choose a size from {_SIZES[0]} to {_SIZES[1]}")


def _checked_counts(counts: Mapping[str, int] | None, size: int, seed: int) -> dict[str, int]:
    _possible_size(size)
    if seed < 0:
        raise InputError(f"the seed of the phantom is {seed}; it must not be negative")
    asked = PHANTOM_COUNTS if counts is None else counts
    wanted = dict(sorted(known_counts(asked, MORPHOLOGY, "the phantom").items()))
    for name, n in wanted.items():
        if n < 0:
            raise InputError(f"{n} phantom images of '{name}': a count must not be negative")
    wanted = {name: n for name, n in wanted.items() if n}
    if not wanted:
        raise InputError("no phantom image asked for: every count is 0")
    return wanted
