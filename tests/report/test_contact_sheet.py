"""Claims about contact sheets: which cells they show, beside which, and that the picture says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.data.declared_origin import declared_origin
from gansynth.errors import InputError
from gansynth.report.contact_sheet import draw_contact_sheet
from gansynth.studies.contact_sheet import contact_sheet


@pytest.fixture(scope="module")
def synthetic(phantom_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six cells of two classes; the third basophil is a turned copy of a training image."""
    folder = tmp_path_factory.mktemp("sheet") / "synthetic"
    cells = open_dataset(phantom_folder, 32)
    training = np.flatnonzero((cells.records["split"] == "train").to_numpy() & (cells.labels == 0))
    rng, rows = np.random.default_rng(0), []
    for name in ("basophil", "lymphocyte"):
        (folder / name).mkdir(parents=True)
        for k in range(3):
            pixels = rng.integers(0, 255, (32, 32, 3), np.uint8)
            if (name, k) == ("basophil", 2):
                pixels = np.rot90(cells.images[training[1]].transpose(1, 2, 0))
            file = f"{name}/{name}_{k}.png"
            Image.fromarray(np.ascontiguousarray(pixels)).save(folder / file)
            rows.append((file, "synthetic", 0.9 - 0.2 * k))
    pd.DataFrame(rows, columns=["file_name", "origin", "confidence"]).to_csv(folder / "metadata.csv", index=False)
    return folder


def test_copies_come_first_with_the_image_they_copy_under_them(synthetic: Path, phantom_folder: Path) -> None:
    sheet = contact_sheet(synthetic, phantom_folder, sort="nearest", pairs=True)
    basophil = sheet.classes[0]
    assert sheet.real == "training" and len(basophil.cells) == len(basophil.real) == 3
    assert (basophil.cells[0].caption, basophil.real[0].caption) == ("", "0.0 away")
    turned = [np.rot90(basophil.real[0].image, k, (1, 2)) for k in range(4)]
    assert any(np.array_equal(basophil.cells[0].image, one) for one in turned)
    assert basophil.real[1].caption != "0.0 away"


def test_real_cells_that_stand_beside_were_held_out(synthetic: Path, phantom_folder: Path) -> None:
    sheet = contact_sheet(synthetic, phantom_folder, per_class=2)
    cells = open_dataset(phantom_folder, 32)
    held_out = {
        cells.images[k].tobytes() for k in np.flatnonzero(np.isin(cells.records["split"].to_numpy(), ("val", "test")))
    }
    assert sheet.real == "real, held out"
    for row in sheet.classes:
        assert len(row.cells) == 2 and row.count == 3
        assert all(cell.image.tobytes() in held_out for cell in row.real)


def test_the_least_confident_come_first(synthetic: Path) -> None:
    sheet = contact_sheet(synthetic, sort="confidence")
    assert [cell.caption for cell in sheet.classes[1].cells] == ["p 0.50", "p 0.70", "p 0.90"]


def test_what_a_folder_does_not_say_cannot_be_sorted_by(synthetic: Path, phantom_folder: Path) -> None:
    with pytest.raises(InputError, match="no confidence"):
        contact_sheet(phantom_folder, sort="confidence")
    with pytest.raises(InputError, match="--beside"):
        contact_sheet(synthetic, sort="nearest")
    with pytest.raises(InputError, match="--beside"):
        contact_sheet(synthetic, pairs=True)


def test_every_kind_of_sheet_is_as_wide_as_its_cells(synthetic: Path, phantom_folder: Path) -> None:
    alone = draw_contact_sheet(contact_sheet(phantom_folder, per_class=4))
    assert alone.width > 4 * 96 and alone.height > 3 * 96
    beside = draw_contact_sheet(contact_sheet(synthetic, phantom_folder))
    assert beside.width > 6 * 96
    pairs = draw_contact_sheet(contact_sheet(synthetic, phantom_folder, pairs=True))
    assert pairs.height > 4 * 96


def test_the_picture_says_that_it_shows_synthetic_cells(synthetic: Path, phantom_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    result = CliRunner().invoke(gansynth, ["sheet", str(synthetic), "--beside", str(phantom_folder), "--out", str(out)])
    assert result.exit_code == 0 and f"wrote {out}" in result.output
    assert declared_origin(out) == "synthetic"
    result = CliRunner().invoke(gansynth, ["sheet", str(phantom_folder), "--out", str(tmp_path / "real.png")])
    assert result.exit_code == 0 and declared_origin(tmp_path / "real.png") == ""
    assert CliRunner().invoke(gansynth, ["sheet", str(synthetic), "--out", str(tmp_path / "a.jpg")]).exit_code == 2
