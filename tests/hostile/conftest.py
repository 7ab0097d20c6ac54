"""Let this room's tests import `hostile_inputs` and what other rooms' tests make, wherever pytest was started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

TESTS = Path(__file__).parents[1]

for folder in (TESTS / "hostile", TESTS / "classifiers", TESTS / "report"):
    sys.path.insert(0, str(folder))


@pytest.fixture(scope="module", autouse=True)
def _quickly(each_cell_cut_once: None) -> None:
    """All tests of this room: they are about files, and compose from the same few pictures."""


@pytest.fixture(scope="session")
def given(phantom_folder: Path, tiny_run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths of data and runs that the commands that write are about (see `writing_commands`). Do not change them."""
    from tiny_classifier import tiny_recipe

    from gansynth.classifiers import train_classifier
    from gansynth.data import open_dataset
    from gansynth.data.phantom import write_phantom

    place = tmp_path_factory.mktemp("given")
    cells = open_dataset(phantom_folder, 32)
    train_classifier(
        cells.part("train"), tiny_recipe("resolution=32", "training.epochs=1"), place / "classifier",
        validation=cells.part("val"), device="cpu",
    )  # fmt: skip
    write_phantom(place / "synthetic", {"basophil": 4, "lymphocyte": 4}, size=32, seed=5)
    (place / "fields").mkdir()
    Image.effect_noise((120, 90), 50).convert("RGB").save(place / "fields" / "a.png")
    edges = "<xmin>10</xmin><ymin>10</ymin><xmax>40</xmax><ymax>40</ymax>"
    (place / "fields" / "a.xml").write_text(
        f"<annotation><object><name>RBC</name><bndbox>{edges}</bndbox></object></annotation>"
    )
    return {"cells": str(phantom_folder), "gan": str(tiny_run_folder)} | {
        name: str(place / name) for name in ("classifier", "synthetic", "fields")
    }
