"""The quiz as one HTML file: the cells, two questions about each, and nothing that answers them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.files.atomic import refuse_used, write_text
from gansynth.report.embedding import data_address, picture_of
from gansynth.report.page import templates
from gansynth.studies.quiz.drawing import KEY_FILE, Quiz

PAGE_FILE = "quiz.html"

CLASS_KEYS = "1234567890qwetyuiopadfghjkl"
"""Keyboard letters of the classes in their order; r, s and x are taken, and further classes have none."""


def write_quiz(quiz: Quiz, folder: str | Path) -> Path:
    """Write the page, and the key beside it.

    Parameters
    ----------
    quiz : Quiz
    folder : path-like
        A new folder, or an empty one.

    Returns
    -------
    pathlib.Path
        Of the page.

    Raises
    ------
    InputError
        If the folder holds anything: a second quiz would take away the key of the first.
    """
    folder = Path(folder)
    refuse_used(folder, "the quiz")
    quiz.key.write(folder / KEY_FILE)
    page = folder / PAGE_FILE
    write_text(page, render_quiz(quiz))
    return page


def render_quiz(quiz: Quiz) -> str:
    """Return the page. It holds the pixels of the cells and the names of all classes, and no cell's own."""
    names = quiz.key.class_names
    keys = [*CLASS_KEYS[: len(names)], *[""] * (len(names) - len(CLASS_KEYS))]
    return (
        templates("gansynth.report.quiz")
        .get_template("page.html.j2")
        .render(
            data={"quiz": quiz.key.quiz, "images": [plain_png(image) for image in quiz.images]},
            n=len(quiz),
            size=quiz.images.shape[-1],
            classes=list(zip(names, keys, strict=True)),
        )
    )


def plain_png(image: NDArray[np.uint8]) -> str:
    """Return an image [3, H, W] as a data address, as long as that of any other image of its size.

    Not compressed: synthetic cells are often smoother than real ones, and their files would be shorter. Nothing but
    pixels is in it.
    """
    return data_address(picture_of(image), "png", compress_level=0)
