"""A data set without the images that an expert has marked (`gansynth data review`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gansynth.data.leaving_out import refuse_out, write_without
from gansynth.data.opening import open_dataset
from gansynth.errors import InputError
from gansynth.files.table import read_table

ADVICE = "save the marks of `gansynth data review` again"


@dataclass(frozen=True)
class LeftOut:
    """What `leave_out` left out.

    Attributes
    ----------
    kept : int
    left_out : DataFrame
        `file_name`, `class`, `why` and `marks`, the files that said so.
    """

    kept: int
    left_out: pd.DataFrame

    def to_text(self) -> str:
        """Say in a few lines what stayed and what did not, class by class."""
        lines = [f"{self.kept:,} images kept, {len(self.left_out):,} left out"]
        counts = self.left_out["class"].value_counts().sort_index()
        return "\n".join([*lines, *(f"{int(n):>8,} {name}" for name, n in counts.items())])


def leave_out(data: str | Path, marks: Sequence[str | Path], out: str | Path, *, size: int = 128) -> LeftOut:
    """Write a data set without the images that are marked in one of some files, as `write_without` does.

    Parameters
    ----------
    data : path-like
        A folder of images per class; it stays as it is.
    marks : sequence of path-like
        CSV files with a column `file_name`, as the page of `gansynth data review` saves them; one for each expert.
    out : path-like
        A folder that is not there, or empty.
    size : int
        Edge length in pixels at which the images are opened.

    Raises
    ------
    InputError
        As `open_dataset`; if a mark names an image that is not there, or a class would be left with no image.
    """
    refuse_out(data, out)
    root = Path(data)
    dataset = open_dataset(root, size=size, splits=False)
    paths = list(dataset.records["path"])
    marked: dict[str, tuple[str, list[str]]] = {}
    for file in marks:
        table = read_table(file, ["file_name"], ADVICE)
        said = table["why"] if "why" in table else [""] * len(table)
        for name, why in zip(table["file_name"], said, strict=True):
            if name not in paths:
                raise InputError(f"{file}: marks '{name}', which is not in {data}; give the data set that was reviewed")
            marked.setdefault(name, (str(why), []))[1].append(Path(file).name)
    names = np.array(dataset.class_names)[dataset.labels]
    class_of = dict(zip(paths, names.tolist(), strict=True))
    emptied = sorted(set(class_of.values()) - {class_of[path] for path in paths if path not in marked})
    if emptied:
        raise InputError(f"{emptied[0]}: every image is marked; a class without images is not a class, keep one")
    rows = [(name, class_of[name], why, ", ".join(files)) for name, (why, files) in sorted(marked.items())]
    left_out = pd.DataFrame(rows, columns=["file_name", "class", "why", "marks"])
    return LeftOut(len(write_without(root, Path(out), paths, left_out)), left_out)
