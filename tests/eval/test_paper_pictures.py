"""Pictures of the papers are drawn from what the product does, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import paper_pictures
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError

from ..smears.smears import usual_smear


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures") / "cells"
    write_phantom(place, {"basophil": 3, "eosinophil": 10}, size=64)
    return place


def test_a_field_is_shown_at_every_step_of_the_algorithm() -> None:
    field, drawn = usual_smear()
    panels = dict(paper_pictures.steps(field))
    names = list(panels)
    assert names[0] == "the field" and names[-1] == "cut, zeros around it"
    assert names[3] == f"{sum(box.name == 'RBC' for box in drawn)} red cells"
    cut, around = panels["cut, zeros around it"], panels["a cell and its surroundings"]
    assert cut.shape == around.shape == (224, 224, 3) and (around > 0).all()
    assert (panels["equalised"][..., 0] == panels["equalised"][..., 1]).all()
    with pytest.raises(InputError, match="red cell"):
        paper_pictures.steps(np.full((200, 200, 3), 200, np.uint8))


def test_an_augmented_cell_is_itself_first_and_other_then(cells: Path) -> None:
    (first, original), *altered = paper_pictures.augmentation(str(cells), "eosinophil", 64)
    assert first == "original" and len(altered) == 5
    assert all(one.shape == original.shape and (one != original).any() for _, one in altered)
    again = paper_pictures.augmentation(str(cells), "eosinophil", 64)
    assert all((a == b).all() for (_, a), (_, b) in zip(altered, again[1:], strict=True))


def test_a_cell_is_taken_apart_and_composed_anew(cells: Path) -> None:
    panels = dict(paper_pictures.parts(str(cells), "eosinophil", 64))
    assert {"the image", "slide", "red cell 1", "white cell", "composite 3"} <= set(panels)
    corner = panels["white cell"][0, 0]
    assert corner.tolist() == [255] * 3 and panels["white cell"].min() < 200
    with pytest.raises(InputError, match="--class: no class 'blast'"):
        paper_pictures.parts(str(cells), "blast", 64)


def test_the_loss_of_a_sure_image_falls_with_gamma_and_the_files_are_written(
    cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["losses"], ["augmentation", str(cells), "--class", "basophil", "--size", "64"]):
        monkeypatch.setattr(sys, "argv", ["paper_pictures.py", *words, "--out", str(tmp_path)])
        paper_pictures.main()
    svg = (tmp_path / "losses.svg").read_text(encoding="utf-8")
    assert svg.count("gamma") >= len(paper_pictures.GAMMAS)
    assert Image.open(tmp_path / "augmentation.jpg").height == 244
