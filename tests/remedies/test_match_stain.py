"""Synthetic cells from elsewhere take the stain of the real ones, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gansynth.cells.spoiling import restained
from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.data.picture import pixel_sha256
from gansynth.errors import InputError
from gansynth.remedies import Treatment, Workplace, parse_arm

GAINS = (0.8, 1.0, 1.25)


def treatment(altered: bool = True, made: int = 8) -> Treatment:
    """Real cells of two classes, and drawn cells of the rarer one that stand for synthetic ones, in another stain."""
    real, synthetic = phantom_dataset({"basophil": 5, "lymphocyte": 12}, size=48), phantom_dataset(
        {"basophil": made, "lymphocyte": 1}, size=48, seed=5
    ).select(np.arange(made))  # fmt: skip
    pixels = restained(synthetic.images, GAINS) if altered else synthetic.images
    both = CellDataset(
        np.concatenate([real.images, pixels]),
        np.concatenate([real.labels, synthetic.labels]),
        real.class_names,
        pd.concat([real.records, synthetic.records.assign(origin="synthetic")], ignore_index=True),
    )
    return Treatment.of(both)


def matched(given: Treatment, tmp_path: Path) -> Treatment:
    place = Workplace(tmp_path, learning=lambda size: given.images, device="cpu", progress=False)
    return parse_arm("naturalize+match-stain").remedies[-1].treat(given, place)


def test_synthetic_cells_take_the_stain_of_the_real_ones_and_real_ones_stay(tmp_path: Path) -> None:
    given, as_they_were = treatment(), treatment(altered=False)
    found = matched(given, tmp_path)
    made = given.is_synthetic
    np.testing.assert_array_equal(found.images.images[~made], given.images.images[~made])
    before = np.abs(given.images.images[made].astype(int) - as_they_were.images.images[made]).mean()
    after = np.abs(found.images.images[made].astype(int) - as_they_were.images.images[made]).mean()
    assert after < 2 / 3 * before
    np.testing.assert_array_equal(found.rows, given.rows)
    (note,) = found.notes
    assert note.startswith(
        "match-stain: synthetic images in the stain of the real ones (red, green, blue: densities x "
    )


def test_images_are_known_by_their_new_pixels(tmp_path: Path) -> None:
    given = treatment()
    found = matched(given, tmp_path)
    for i, (old, new) in enumerate(zip(given.images.records["sha256"], found.images.records["sha256"], strict=True)):
        pixels = found.images.images[i].transpose(1, 2, 0)
        assert new == (pixel_sha256(pixels) if given.is_synthetic[i] else old)


def test_nothing_synthetic_is_nothing_to_do(tmp_path: Path) -> None:
    given = Treatment.of(phantom_dataset({"basophil": 3, "lymphocyte": 3}, size=32))
    assert matched(given, tmp_path) is given


@pytest.mark.parametrize("spec", ["match-stain", "match-stain+naturalize", "only-pbc-64+match-stain"])
def test_it_wants_real_and_synthetic_images_before_it(spec: str) -> None:
    with pytest.raises(InputError, match="match-stain needs synthetic images beside real ones"):
        parse_arm(spec)


def test_a_class_without_a_real_image_cannot_say_what_its_stain_is(tmp_path: Path) -> None:
    given = treatment()
    alone = given.images.select(np.flatnonzero((given.images.labels == 1) | given.is_synthetic))
    with pytest.raises(InputError, match="match-stain: the two sets of images share no class"):
        matched(Treatment.of(alone), tmp_path)
