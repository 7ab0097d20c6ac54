"""Composites as a remedy: made once for a split, from nothing but what may be learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.remedies import Workplace, parse_arm


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    """Training and validation images."""
    cells = phantom_dataset({"basophil": 4, "eosinophil": 8, "lymphocyte": 6}, size=32)
    split = ["val" if i % 4 == 3 else "train" for i in range(len(cells))]
    return CellDataset(cells.images, cells.labels, cells.class_names, cells.records.assign(split=split))


@pytest.fixture(scope="module")
def place(cells: CellDataset, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("place"), learning=lambda size: cells, progress=False)


def test_composites_fill_the_classes_and_come_from_the_training_images_only(
    cells: CellDataset, place: Workplace
) -> None:
    real = cells.part("train")
    treated = parse_arm("naturalize").treat(real, place)
    most = max(real.counts().values())
    assert set(treated.counts().values()) == {most}
    assert treated.synthetic_counts() == {name: most - n for name, n in real.counts().items()}
    assert (treated.images.images[: len(real)] == real.images).all() and treated.images.size == real.size
    table = pd.read_csv(place.folder / "naturalize" / "metadata.csv", keep_default_na=False)
    used = {*table["white_cell"], *table["background"], *";".join(table["red_cells"]).split(";")} - {""}
    assert used <= set(real.records["path"])


def test_a_smaller_dose_takes_the_first_composites_and_makes_none(cells: CellDataset, place: Workplace) -> None:
    real = cells.part("train")
    whole = parse_arm("naturalize").treat(real, place)
    before = {path: path.stat().st_mtime_ns for path in (place.folder / "naturalize").rglob("*.png")}
    half = parse_arm("naturalize@0.5").treat(real, place)
    assert {path: path.stat().st_mtime_ns for path in (place.folder / "naturalize").rglob("*.png")} == before
    for c in range(len(real.class_names)):
        few, many = (t.images.images[len(real) :][t.images.labels[len(real) :] == c] for t in (half, whole))
        assert len(few) <= len(many) and (few == many[: len(few)]).all()


def test_an_image_that_left_the_training_split_leaves_the_composites(cells: CellDataset, place: Workplace) -> None:
    real = cells.part("train")
    parse_arm("naturalize").treat(real, place)
    parse_arm("naturalize").treat(real.select(np.arange(1, len(real))), place)
    assert real.records["path"][0] not in (place.folder / "naturalize" / "metadata.csv").read_text(encoding="utf-8")


def test_a_dose_of_nothing_changes_nothing(cells: CellDataset, tmp_path: Path) -> None:
    nowhere = Workplace(tmp_path / "nowhere", learning=lambda size: cells, progress=False)
    real = cells.part("train")
    assert len(parse_arm("naturalize@0").treat(real, nowhere).rows) == len(real)
    assert not (tmp_path / "nowhere").exists()
