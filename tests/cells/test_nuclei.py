"""Nuclei are measured as what they were drawn."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.cells.nuclei import COLUMNS, count_lobes, nuclei_table, nucleus_features
from gansynth.cells.segmentation import CellMasks, segment_cell
from gansynth.data.label_tree import granulation
from gansynth.data.phantom import phantom_dataset
from gansynth.data.phantom.cells import MORPHOLOGY
from gansynth.data.phantom.scene import paint

from .drawn_cells import disk, drawn


def masks_of(nucleus: np.ndarray, cell: np.ndarray) -> CellMasks:
    return CellMasks(nucleus, cell, np.zeros(cell.shape, np.int32))


@settings(max_examples=20, deadline=None)
@given(lobes=st.integers(1, 5), turn=st.floats(0, 6.28), edge=st.sampled_from([64, 128]))
def test_lobes_are_counted_whether_threads_join_them_or_not(lobes: int, turn: float, edge: int) -> None:
    angles = turn + np.arange(lobes) * 2 * np.pi / 5
    places = [(0.5 + 0.15 * np.sin(a), 0.5 + 0.15 * np.cos(a)) for a in angles]
    apart = np.any([disk(edge, y, x, 0.07) for y, x in places], axis=0)
    assert count_lobes(apart) == lobes
    threads = np.zeros_like(apart)
    for (y0, x0), (y1, x1) in pairwise(places):
        for t in np.linspace(0, 1, 20):
            threads |= disk(edge, y0 + t * (y1 - y0), x0 + t * (x1 - x0), 0.025)
    assert count_lobes(apart | threads) == lobes


def test_a_disk_an_ellipse_and_a_kidney_have_one_lobe_and_nothing_has_none() -> None:
    rows, columns = np.mgrid[:128, :128] / 128 - 0.5
    assert count_lobes(disk(128, 0.5, 0.5, 0.2)) == 1
    assert count_lobes((rows / 0.1) ** 2 + (columns / 0.2) ** 2 < 1) == 1
    assert count_lobes(disk(128, 0.5, 0.5, 0.2) & ~disk(128, 0.3, 0.5, 0.08)) == 1
    assert count_lobes(np.zeros((32, 32), bool)) == 0


@pytest.mark.parametrize(
    ("kind", "lobes", "of_ten"), [("lymphocyte", 1, 10), ("neutrophil", 1, 9), ("neutrophil", 2, 9)]
)
def test_lobes_of_cells_that_were_drawn_with_them_are_found_in_the_picture(kind: str, lobes: int, of_ten: int) -> None:
    drawn_so = replace(MORPHOLOGY[kind], nucleus=replace(MORPHOLOGY[kind].nucleus, lobes=(lobes,)))
    right = 0
    for seed in range(10):
        image = paint(drawn_so, np.random.default_rng(seed), 128).transpose(2, 0, 1)
        right += count_lobes(segment_cell(image).nucleus) == lobes
    assert right >= of_ten


def test_pale_chromatin_belongs_to_the_nucleus() -> None:
    image, nucleus, _, _ = drawn(128)
    rng = np.random.default_rng(0)
    pale = np.kron(rng.random((32, 32)) < 0.5, np.ones((4, 4))) > 0
    clumps = image.copy()
    clumps[:, nucleus & pale] = (clumps[:, nucleus & pale].astype(int) * 0.75 + 255 * 0.25).astype(np.uint8)
    cut = segment_cell(clumps).nucleus
    assert (cut & nucleus).sum() > 0.9 * (cut | nucleus).sum()
    assert count_lobes(cut) == 1


def test_areas_and_colours_are_those_drawn() -> None:
    image, nucleus, cell, _ = drawn(128)
    found = nucleus_features(image, masks_of(nucleus, cell))
    assert tuple(found) == COLUMNS
    assert found["nucleus_share"] == pytest.approx(nucleus.sum() / cell.sum())
    assert found["roundness"] > 0.85 and found["solidity"] > 0.95 and found["eccentricity"] < 0.2
    assert found["off_centre"] == pytest.approx(0.2, abs=0.02)
    assert found["nucleus_red"] == pytest.approx(np.log(250 / 85), abs=0.05)
    assert found["plasma_green"] == pytest.approx(np.log(228 / 140), abs=0.05)
    assert found["nucleus_stain"] > 2 * found["plasma_stain"]


def test_texture_tells_coarse_from_fine() -> None:
    rng = np.random.default_rng(0)
    image, nucleus, cell, _ = drawn(128)
    coarse, fine = image.copy(), image.copy()
    blocks = np.kron(rng.integers(-30, 30, (32, 32)), np.ones((4, 4), int))
    for changed, noise in ((coarse, blocks), (fine, rng.integers(-30, 30, (128, 128)))):
        changed[:, nucleus] = np.clip(changed[:, nucleus].astype(int) + noise[nucleus], 0, 255)
    found = [nucleus_features(i, masks_of(nucleus, cell)) for i in (coarse, fine)]
    assert found[0]["contrast"] < found[1]["contrast"] and found[0]["correlation"] > found[1]["correlation"]


def test_table_has_a_row_for_each_image_and_numbers_where_the_cut_is_good() -> None:
    cells = phantom_dataset({"eosinophil": 3, "lymphocyte": 3}, size=64)
    table = nuclei_table(cells)
    assert len(table) == 6 and list(table["class"]) == ["eosinophil"] * 3 + ["lymphocyte"] * 3
    assert (table["granulation"] == ["granulocyte"] * 3 + ["agranulocyte"] * 3).all()
    good = table["problem"] == ""
    assert table.loc[good, list(COLUMNS)].notna().all(axis=None) and good.sum() >= 4
    broken = nuclei_table(cells, lambda image: masks_of(np.zeros((64, 64), bool), np.ones((64, 64), bool)))
    assert (broken["problem"] == "no nucleus was found").all() and broken[list(COLUMNS)].isna().all(axis=None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("segmented neutrophil", "granulocyte"), ("Monocyte", "agranulocyte"), ("promyelocyte", None), ("platelet", None)],
)
def test_mature_white_cells_are_granulocytes_or_not(name: str, expected: str | None) -> None:
    assert granulation(name) == expected


def test_without_a_nucleus_there_is_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="no nucleus"):
        nucleus_features(drawn(64)[0], masks_of(np.zeros((64, 64), bool), disk(64, 0.5, 0.5, 0.2)))
