"""Claims about boxes, how they are scored, and the files they come from."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou, nms

from gansynth.errors import InputError
from gansynth.smears.boxes import (
    RED_CELL,
    WHITE_CELL,
    CellBox,
    DetectionScore,
    corners,
    one_each,
    overlap,
    overlay,
    score_boxes,
)
from gansynth.smears.voc import LEAST_EDGE, VocFile, kind_of, read_voc, write_voc

edges = st.integers(0, 40)
boxes = st.builds(
    lambda x, y, w, h: CellBox("RBC", x, y, x + w, y + h), edges, edges, st.integers(1, 30), st.integers(1, 30)
)


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_overlap_is_that_of_torchvision(first: list[CellBox], second: list[CellBox]) -> None:
    ours = overlap(corners(first), corners(second))
    theirs = box_iou(torch.tensor(corners(first)), torch.tensor(corners(second))).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@given(st.lists(boxes, max_size=8, unique=True), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.2, 0.45]))
def test_the_surest_box_of_each_cell_is_torchvisions(found: list[CellBox], chance: random.Random, most: float) -> None:
    score = np.array(chance.sample(range(100), len(found)), dtype=np.float64)
    theirs = nms(torch.tensor(corners(found)), torch.tensor(score), most)
    assert one_each(corners(found), score, most) == theirs.tolist()


def most_pairs(found: list[CellBox], drawn: list[CellBox], least: float) -> int:
    """Try every way of pairing."""
    enough = overlap(corners(found), corners(drawn)) >= least
    if enough.shape[0] > enough.shape[1]:
        enough = enough.T
    rows, columns = enough.shape
    return max(
        (
            sum(enough[row, column] for row, column in enumerate(order))
            for order in itertools.permutations(range(columns), rows)
        ),
        default=0,
    )


@settings(max_examples=60)
@given(st.lists(boxes, max_size=4), st.lists(boxes, max_size=5), st.sampled_from([0.1, 0.3, 0.5]))
def test_hits_are_the_most_pairs_there_can_be(found: list[CellBox], drawn: list[CellBox], least: float) -> None:
    score = score_boxes(found, drawn, least)
    assert score == DetectionScore(most_pairs(found, drawn, least), len(found), len(drawn))
    assert score.hits == score_boxes(drawn, found, least).hits


def test_two_boxes_on_one_cell_are_one_hit_and_one_mistake() -> None:
    cell = CellBox("RBC", 0, 0, 10, 10)
    score = score_boxes([cell, cell], [cell])
    assert (score.hits, score.precision, score.recall) == (1, 0.5, 1.0)
    assert score.f1 == pytest.approx(2 / 3)


def test_nothing_found_and_nothing_drawn_has_no_score() -> None:
    empty = score_boxes([], [])
    assert math.isnan(empty.f1)
    assert empty.to_json()["f1"] is None
    assert score_boxes([], [CellBox("RBC", 0, 0, 1, 1)]).f1 == 0


@given(
    st.lists(
        st.builds(
            lambda name, x, y, w, h: CellBox(name, x, y, x + w, y + h),
            st.text("abc <>&\"'ä", min_size=1).map(str.strip).filter(bool),
            edges, edges, st.integers(1, 30), st.integers(1, 30),
        ),
        max_size=4,
    )
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_boxes_written_and_read_are_the_same(tmp_path_factory: pytest.TempPathFactory, written: list[CellBox]) -> None:
    path = tmp_path_factory.mktemp("voc") / "field.xml"
    write_voc(path, written, "field.jpg", 100, 100)
    read = read_voc(path)
    assert read.boxes == written
    assert read.broken == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<annotation>",
        "<html></html>",
        '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>',
        '<?xml version="1.0" encoding="no-such"?><annotation/>',
    ],
)
def test_what_is_no_annotation_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "field.xml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"field\.xml: no Pascal VOC annotation"):
        read_voc(path)


def test_empty_boxes_are_left_out_and_counted(tmp_path: Path) -> None:
    def one(*values: object) -> str:
        names = ("xmin", "ymin", "xmax", "ymax")
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, values, strict=True))
        return f"<object><name>RBC</name><bndbox>{inside}</bndbox></object>"

    broken = [
        one(3, 3, 3, 9),
        one(9, 0, 2, 5),
        one("a", 0, 1, 1),
        one("nan", 0, 1, 1),
        "<object><name>RBC</name></object>",
    ]
    path = tmp_path / "field.xml"
    path.write_text(f"<annotation>{''.join(broken)}{one(1, 2, 3.5, 4)}</annotation>")
    read = read_voc(path)
    assert read.boxes == [CellBox("RBC", 1, 2, 3.5, 4)]
    assert read.broken == len(broken)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("RBC", "RBC"),
        ("wbc", "WBC"),
        ("Red_Blood_Cells", "RBC"),
        ("Neutrophils", "WBC"),
        ("Platelets", None),
        ("", None),
    ],
)
def test_names_of_published_annotations_are_known(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_document_type_is_refused_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    text = '<!DOCTYPE a [<!ENTITY b "c">]><annotation><object><name>&b;</name></object></annotation>'
    mark = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    declared = "utf-16" if encoding.startswith("utf-16") else encoding
    (tmp_path / "field.xml").write_bytes(f'{mark}<?xml version="1.0" encoding="{declared}"?>{text}'.encode(encoding))
    with pytest.raises(InputError, match="defines a document type"):
        read_voc(tmp_path / "field.xml")


def test_elements_inside_each_other_without_end_are_read_or_refused(tmp_path: Path) -> None:
    (tmp_path / "field.xml").write_text("<annotation>" + "<object>" * 200_000)
    with pytest.raises(InputError, match="no Pascal VOC annotation"):
        read_voc(tmp_path / "field.xml")


@settings(max_examples=100, deadline=None)
@given(boxes=st.lists(st.tuples(*[st.integers(-60, 160)] * 4), max_size=8))
def test_every_box_lies_in_the_picture_once_or_is_counted(boxes: list[tuple[int, int, int, int]]) -> None:
    found = VocFile([CellBox("RBC", *box) for box in boxes], 0, (100, 80)).fitted(80, 100)
    assert len(found.boxes) + found.broken == len(boxes)
    assert len({(box.left, box.top, box.right, box.bottom) for box in found.boxes}) == len(found.boxes)
    for box in found.boxes:
        assert 0 <= box.left <= box.right - LEAST_EDGE and box.right <= 100
        assert 0 <= box.top <= box.bottom - LEAST_EDGE and box.bottom <= 80


def test_boxes_of_another_picture_are_refused_with_both_sizes(tmp_path: Path) -> None:
    write_voc(tmp_path / "field.xml", [CellBox("RBC", 10, 10, 40, 40)], "field.jpg", 160, 200)
    drawn = read_voc(tmp_path / "field.xml")
    assert len(drawn.fitted(160, 200).boxes) == 1
    with pytest.raises(InputError, match="200 x 160 pixels, and this one has 100 x 80"):
        drawn.fitted(80, 100)
    for unknown in ("<size><width>0</width><height>0</height></size>", "<size><width>x</width></size>", ""):
        (tmp_path / "field.xml").write_text(f"<annotation>{unknown}</annotation>")
        assert read_voc(tmp_path / "field.xml").size is None


def test_every_box_of_an_overlay_carries_its_name() -> None:
    field = np.full((120, 120, 3), 200, np.uint8)
    red, white = (overlay(field, [CellBox(name, 20, 20, 100, 100)]) for name in (RED_CELL, WHITE_CELL))
    letters = (red > 205).all(axis=2)
    assert letters[20:40, 20:60].any() and not letters[40:].any(), "white letters in the upper left corner"
    assert (letters != (white > 205).all(axis=2)).any(), "RBC is not WBC"
