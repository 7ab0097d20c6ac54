"""Exact and near duplicates."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from trees import picture

from gansynth.data import duplicates
from gansynth.data.duplicates import find_duplicates
from gansynth.data.picture import pixel_sha256
from gansynth.runs.display import WorkDisplay


def _stack(pictures: list[np.ndarray]) -> tuple[np.ndarray, list[str]]:
    return np.stack(pictures).transpose(0, 3, 1, 2), [pixel_sha256(one) for one in pictures]


def _jpeg(pixels: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


def _smaller(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((40, 40)).resize(image.size))


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "turned 90": lambda x: np.rot90(x),
    "turned 180": lambda x: np.rot90(x, 2),
    "turned 270": lambda x: np.rot90(x, 3),
    "mirrored": lambda x: x[:, ::-1],
    "upside down": lambda x: x[::-1],
    "transposed": lambda x: x.transpose(1, 0, 2),
    "anti-transposed": lambda x: np.rot90(x, 2).transpose(1, 0, 2),
    "compressed and turned": lambda x: np.rot90(_jpeg(x)),
    "made smaller": _smaller,
    "brighter": lambda x: np.asarray(ImageEnhance.Brightness(Image.fromarray(x)).enhance(1.1)),
    "more contrast": lambda x: np.asarray(ImageEnhance.Contrast(Image.fromarray(x)).enhance(1.2)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("size", [64, 50])
def test_changed_copy_is_a_near_duplicate_and_others_are_not(change: str, size: int) -> None:
    pictures = [picture(i, size, size) for i in range(60)]
    pictures.append(np.ascontiguousarray(CHANGES[change](pictures[7])))
    found = find_duplicates(*_stack(pictures))
    assert found.exact == []
    assert found.near.tolist() == [[7, 60]]
    assert found.component[7] == found.component[60] and len(set(found.component.tolist())) == 60


def test_the_grids_that_are_kept_hide_no_near_duplicate(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    mixed = [
        np.clip(
            share * picture(i % 5, 64, 64) + (1 - share) * picture(30 + i, 64, 64) + rng.normal(0, 10, (64, 64, 3)),
            0,
            255,
        )
        for i in range(20)
        for share in (0.6, 0.7, 0.8, 0.9, 1.0)
    ]
    images, sha256 = _stack([one.astype(np.uint8) for one in mixed])
    found = find_duplicates(images, sha256, max_hash_distance=31)
    monkeypatch.setattr(duplicates, "_ROUNDING", np.inf)
    every = find_duplicates(images, sha256, max_hash_distance=31)
    assert len(every.near) > 50 and every.distance.max() > 0.9 * duplicates.MAX_DIFFERENCE
    assert found.near.tolist() == every.near.tolist()
    assert found.distance.tolist() == every.distance.tolist()


def test_equal_pixels_are_exact_duplicates_and_not_listed_as_near() -> None:
    pictures = [picture(0), picture(1), picture(0), picture(2), picture(0), picture(1)]
    found = find_duplicates(*_stack(pictures))
    assert [group.tolist() for group in found.exact] == [[0, 2, 4], [1, 5]]
    assert found.near.tolist() == []
    assert len(set(found.component.tolist())) == 3


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=20))
def test_every_group_of_equal_pixels_is_found_in_order(sha256: list[str]) -> None:
    flat = np.zeros((len(sha256), 3, 8, 8), np.uint8)  # no picture: nothing is near
    found = find_duplicates(flat, sha256)
    groups = [[k for k, own in enumerate(sha256) if own == one] for one in dict.fromkeys(sha256)]
    assert [group.tolist() for group in found.exact] == [group for group in groups if len(group) > 1]
    assert len(found.near) == 0
    assert all(len({found.component[k] for k in group}) == 1 for group in groups)
    assert len(set(found.component.tolist())) == len(groups)


def test_featureless_images_of_different_colour_are_no_duplicates() -> None:
    found = find_duplicates(*_stack([np.full((32, 32, 3), value, np.uint8) for value in range(100, 150)]))
    assert len(set(found.component.tolist())) == 50


def test_a_thousand_prints_of_one_picture_are_one_component() -> None:
    rng = np.random.default_rng(0)
    base = picture(0, 32, 32).astype(int)
    images = np.clip(base + rng.integers(-3, 4, (1200, 32, 32, 3)), 0, 255).astype(np.uint8)
    found = find_duplicates(images.transpose(0, 3, 1, 2), [str(i) for i in range(1200)])
    assert set(found.component.tolist()) == {0}


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_compare_finds_nothing(n: int) -> None:
    found = find_duplicates(np.zeros((n, 3, 16, 16), np.uint8), ["x"] * n)
    assert found.exact == [] and len(found.near) == 0 and len(found.component) == n


def test_the_search_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(duplicates, "WorkDisplay", partial(WorkDisplay, every=0.0))
    monkeypatch.setattr(duplicates, "_BLOCK", 4)
    images, sha256 = _stack([picture(k) for k in range(10)])
    find_duplicates(images, sha256, progress=True)
    outlined, *compared = capsys.readouterr().err.splitlines()
    assert outlined.startswith("outlining images: 10 of 10")
    # Blocks of 4, 4 and 2 images, each with those from itself on: 10 x 4, 6 x 4, 2 x 2.
    assert [line.split(",")[1].split(":")[1] for line in compared] == [
        " 40 of 68", " 64 of 68", " 68 of 68",
    ]  # fmt: skip
    find_duplicates(images, sha256)
    assert not capsys.readouterr().err
