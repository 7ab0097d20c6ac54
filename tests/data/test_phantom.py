"""The phantom: drawn, deterministic, unequal, recognisable, and never passed off as real."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import recall_score

from gansynth.data.folders import pixel_sha256
from gansynth.data.phantom import PHANTOM_COUNTS, draw_cell, phantom_dataset, write_phantom
from gansynth.errors import InputError

HAZRA_TABLE_2 = {
    "basophil": 1224,
    "eosinophil": 3538,
    "erythroblast": 1547,
    "immature granulocyte": 2933,
    "lymphocyte": 5038,
    "monoblast": 26,
    "monocyte": 2583,
    "myeloblast": 3104,
    "neutrophil": 10743,
    "platelet": 2339,
    "promyelocyte": 87,
    "smudge cell": 15,
}


def thumbnails(images: np.ndarray, size: int = 16) -> np.ndarray:
    n, channels, edge, _ = images.shape
    cells = images.reshape(n, channels, size, edge // size, size, edge // size).mean(axis=(3, 5))
    return cells.reshape(n, -1) / 255.0


def middle_colour(name: str, n: int = 20) -> np.ndarray:
    return np.mean([draw_cell(name, np.random.default_rng(i), 32)[12:20, 12:20].mean((0, 1)) for i in range(n)], axis=0)


def test_counts_are_those_of_hazra_table_2_scaled_down() -> None:
    assert sorted(PHANTOM_COUNTS, key=PHANTOM_COUNTS.__getitem__) == sorted(
        HAZRA_TABLE_2, key=HAZRA_TABLE_2.__getitem__
    )
    for name, n in HAZRA_TABLE_2.items():
        assert PHANTOM_COUNTS[name] == round(8 * (n / 15) ** 0.555)
    assert min(PHANTOM_COUNTS.values()) >= 8
    assert 1400 <= sum(PHANTOM_COUNTS.values()) <= 1600


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(PHANTOM_COUNTS)), st.integers(32, 128), st.integers(0, 2**32))
def test_every_class_is_drawn_at_every_size_as_a_stained_cell(name: str, size: int, seed: int) -> None:
    cell = draw_cell(name, np.random.default_rng(seed), size)
    assert cell.dtype == np.uint8 and cell.shape == (size, size, 3)
    corner, middle = cell[: size // 8].mean(), cell[3 * size // 8 : -3 * size // 8, 3 * size // 8 : -3 * size // 8]
    assert 100 < corner <= 255 and middle.mean() < 235
    assert middle.min() < 190 and cell.max() > 170
    assert (draw_cell(name, np.random.default_rng(seed), size) == cell).all()


def test_data_set_has_the_contract_of_every_data_set() -> None:
    data = phantom_dataset({"platelet": 2, "basophil": 3}, size=32)
    assert data.images.shape == (5, 3, 32, 32) and data.images.dtype == np.uint8
    assert data.class_names == ("basophil", "platelet")
    assert data.labels.dtype == np.int64 and data.counts() == {"basophil": 3, "platelet": 2}
    assert data.records["path"].tolist()[:2] == ["basophil/basophil_00001.png", "basophil/basophil_00002.png"]
    assert (data.records["origin"] == "phantom").all() and (data.records["source"] == "phantom").all()
    assert (data.records["group"] == "").all() and (data.records["split"] == "").all()
    assert data.records["sha256"][4] == pixel_sha256(data.images[4].transpose(1, 2, 0))


def test_one_seed_one_data_set_and_another_seed_another() -> None:
    counts = {"monocyte": 3, "smudge cell": 2}
    first, again, other = (phantom_dataset(counts, 32, seed) for seed in (5, 5, 6))
    assert (first.images == again.images).all() and first.records.equals(again.records)
    assert not set(first.records["sha256"]) & set(other.records["sha256"])


def test_an_image_depends_on_neither_the_counts_nor_the_other_classes() -> None:
    few = phantom_dataset({"eosinophil": 2}, 32, seed=3)
    many = phantom_dataset({"neutrophil": 4, "eosinophil": 5, "basophil": 1}, 32, seed=3)
    eosinophils = many.select(many.labels == many.class_names.index("eosinophil"))
    assert few.records["sha256"].tolist() == eosinophils.records["sha256"].tolist()[:2]


def test_no_two_images_are_alike() -> None:
    data = phantom_dataset(dict.fromkeys(PHANTOM_COUNTS, 6), 32)
    assert data.records["sha256"].is_unique
    for label in range(len(data.class_names)):
        small = thumbnails(data.images[data.labels == label]) * 255
        apart = np.sqrt(np.square(small[:, None] - small[None]).mean(-1))
        assert apart[np.triu_indices(len(small), 1)].min() > 5, data.class_names[label]


def test_classes_can_be_learned_but_not_from_a_thumbnail_alone() -> None:
    train = phantom_dataset(dict.fromkeys(PHANTOM_COUNTS, 20), 32, seed=1)
    test = phantom_dataset(dict.fromkeys(PHANTOM_COUNTS, 8), 32, seed=2)
    model = RidgeClassifier(alpha=3.0).fit(thumbnails(train.images), train.labels)
    recall = recall_score(test.labels, model.predict(thumbnails(test.images)), average="macro")
    assert 4 / 12 < recall < 0.97


def test_colours_are_those_the_stain_gives() -> None:
    eosinophil, lymphocyte, neutrophil = map(middle_colour, ("eosinophil", "lymphocyte", "neutrophil"))
    assert eosinophil[0] - eosinophil[2] > lymphocyte[0] - lymphocyte[2] + 20  # red granules against a blue nucleus
    assert lymphocyte.mean() < neutrophil.mean()  # dense and round against lobes in pale cytoplasm


def test_written_phantom_is_the_data_set_and_says_what_it_is(tmp_path) -> None:
    counts = {"smudge cell": 2, "monoblast": 1}
    assert write_phantom(tmp_path / "cells", counts, size=32, seed=4) == {"monoblast": 1, "smudge cell": 2}
    data = phantom_dataset(counts, 32, seed=4)
    table = pd.read_csv(tmp_path / "cells" / "metadata.csv", keep_default_na=False)
    assert list(table.columns) == ["file_name", "class", "source", "group", "origin"]
    assert table["file_name"].tolist() == data.records["path"].tolist()
    assert (table["origin"] == "phantom").all()
    for row, path in enumerate(table["file_name"]):
        with Image.open(tmp_path / "cells" / path) as image:
            assert "not a real cell" in image.text["Description"]
            assert "origin=phantom" in image.text["gansynth"]
            assert (np.asarray(image) == data.images[row].transpose(1, 2, 0)).all()


def test_a_failed_writing_leaves_nothing(tmp_path, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Image.Image, "save", broken)
    with pytest.raises(OSError):
        write_phantom(tmp_path / "cells", {"platelet": 1}, size=32)
    assert list(tmp_path.iterdir()) == []


def test_an_occupied_folder_is_refused(tmp_path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        write_phantom(tmp_path, {"platelet": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (lambda: phantom_dataset({"promyelocite": 3}), "did you mean 'promyelocyte'"),
        (lambda: phantom_dataset({"Neutrophil": 3}), "did you mean 'neutrophil'"),
        (lambda: draw_cell("zebra", np.random.default_rng(0)), "there are basophil"),
        (lambda: draw_cell("platelet", np.random.default_rng(0), size=2), "size from 16"),
        (lambda: phantom_dataset({"platelet": -1}), "must not be negative"),
        (lambda: phantom_dataset({"platelet": 0}), "every count is 0"),
        (lambda: phantom_dataset({"platelet": 1}, seed=-1), "must not be negative"),
        (lambda: phantom_dataset({"platelet": 1}, size=10**6), "size from 16"),
    ],
)
def test_mistakes_are_explained(mistake, says: str) -> None:
    with pytest.raises(InputError, match=says):
        mistake()
