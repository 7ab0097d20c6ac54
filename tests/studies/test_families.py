"""Claims about judges of two families."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansynth.cells.spoiling import as_jpeg, blurred
from gansynth.data import open_dataset
from gansynth.data.phantom import draw_cell
from gansynth.files import read_table
from gansynth.gans import open_run
from gansynth.metrics.catalogue import LITE
from gansynth.metrics.estimate import Estimate
from gansynth.networks.efficientnet_lite import SHA256
from gansynth.studies.quality import judges
from gansynth.studies.quality.controls import CONTROLS, TITLES
from gansynth.studies.quality.families import worse_of_both
from gansynth.studies.quality.judges import lesson_of
from gansynth.studies.quality.makers import judges_for, makers_of
from gansynth.studies.quality.result import Quality
from gansynth.studies.quality.sets import Sets, open_sets
from gansynth.studies.quality.study import quality
from gansynth.studies.quality.white_cells import SLIDE, masked


@pytest.fixture(scope="module")
def found(phantom_folder: Path, made_folder: Path, encoder_folder: Path) -> Quality:
    return quality(phantom_folder, made_folder, encoder=encoder_folder, pretrained=["-lite2"], progress=False)


@pytest.fixture(scope="module")
def sets(phantom_folder: Path, made_folder: Path) -> Sets:
    return open_sets(phantom_folder, made_folder, size=32, seed=0)


def cell(seed: int = 0, size: int = 64) -> np.ndarray:
    return np.ascontiguousarray(draw_cell("eosinophil", np.random.default_rng(seed), size).transpose(2, 0, 1))


def test_phantom_cells_are_recognised_by_a_network_that_has_seen_no_cell(found: Quality) -> None:
    one = found.metrics["recognised-lite2"]
    assert one.value is not None and one.value > 0.7 and one.interval is not None
    assert one.floor is not None and one.floor > 0.7


def test_spoiled_real_cells_stand_beside_in_both_families(found: Quality) -> None:
    assert list(found.controls) == list(TITLES)
    for row in found.controls.values():
        assert {"recall", "KD-cell", "recognised-lite2", "KD-lite2"} <= set(row.metrics)
        assert set(row.classes) == set(found.classes)
    real = found.controls["held-out"].metrics
    assert real["recognised-lite2"].value == found.metrics["recognised-lite2"].floor
    for control in CONTROLS:
        spoiled = found.controls[control].metrics["KD-lite2"].value
        assert spoiled is not None and real["KD-lite2"].value is not None and spoiled > real["KD-lite2"].value


def test_controls_are_read_back_from_the_folder(found: Quality, tmp_path: Path) -> None:
    found.write(tmp_path)
    held = Quality.read(tmp_path).controls
    assert {name: one.to_json() for name, one in held.items()} == {
        name: one.to_json() for name, one in found.controls.items()
    }
    assert held["blur-0.7"].metrics["recognised-lite2"].n > 0


def test_a_critic_of_the_run_does_not_judge_it(
    phantom_folder: Path, made_folder: Path, encoder_folder: Path, tiny_run_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_run_folder, tmp_path / "projected")
    info = json.loads((tiny_run_folder / "run.json").read_text())
    info["pretrained"] = {"efficientnet-lite2": SHA256[2]}
    (tmp_path / "projected" / "run.json").write_text(json.dumps(info))
    found = quality(phantom_folder, made_folder, encoder=encoder_folder, run=tmp_path / "projected", progress=False)
    assert not any(name.endswith("-lite2") for name in found.metrics)
    assert {"recognised-lite0", "KD-lite0", "diversity-white-lite0"} <= set(found.metrics)
    assert any("Lite2 was a critic of projected" in warning for warning in found.warnings)


def test_a_critic_of_the_run_it_began_from_does_not_judge_either(tiny_run_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run_folder, tmp_path / "child")
    info = json.loads((tiny_run_folder / "run.json").read_text())
    info["parent"] = {
        "name": "projected",
        "pretrained": {"efficientnet-lite0": SHA256[0]},
        "parent": None,
        "training_sha256": [],
    }
    (tmp_path / "child" / "run.json").write_text(json.dumps(info))
    judges, warnings = judges_for(open_run(tmp_path / "child"), list(LITE))
    assert judges == ["-lite2"] and "Lite0 was a critic of child" in warnings[0]
    assert judges_for(open_run(tiny_run_folder), list(LITE)) == (list(LITE), [])


def test_a_model_of_the_zoo_is_known_by_its_images(sets: Sets, tmp_path: Path) -> None:
    assert makers_of(None, tmp_path, tmp_path).only is None
    model = open_run("pbc-64")
    (tmp_path / "metadata.csv").write_text(f"file_name,model_sha256\na.png,{model.model_sha256}\nb.png,\n")
    found = makers_of(None, tmp_path, tmp_path)
    assert found.only is not None and found.only.name == "pbc-64" and found.unchecked(sets) == []


def test_the_table_of_the_images_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []

    def counted(path: Path, *others: Any) -> Any:
        reads.append(path)
        return read_table(path, *others)

    monkeypatch.setattr("gansynth.studies.quality.makers.read_table", counted)
    (tmp_path / "metadata.csv").write_text(
        "file_name,white_cell,background,red_cells,model_sha256\n"
        f"a.png,one.png,two.png,three.png;four.png,{'1' * 64}\nb.png,,,,{'0' * 64}\n"
    )
    found = makers_of(None, tmp_path, tmp_path)
    assert found.unknown == ("0" * 64,) and found.parts == {"one.png", "two.png", "three.png", "four.png"}
    assert reads == [tmp_path / "metadata.csv"]


def test_a_run_beside_the_images_or_the_data_is_known_by_its_images(
    tiny_run_folder: Path, sets: Sets, tmp_path: Path
) -> None:
    made, cells = tmp_path / "made" / "synthetic", tmp_path / "data" / "cells"
    for folder in (made, cells):
        folder.mkdir(parents=True)
    sha256 = open_run(tiny_run_folder).model_sha256
    (made / "metadata.csv").write_text(f"file_name,model_sha256\na.png,{sha256}\nb.png,{'0' * 64}\n")
    unknown = makers_of(None, made, cells)
    (said,) = unknown.unchecked(sets)
    assert unknown.runs == () and sha256[:12] in said
    for place in (made.parent / "run", made.parent / "runs" / "run", cells.parent / "run"):
        shutil.copytree(tiny_run_folder, place)
        found = makers_of(None, made, cells)
        assert [run.path for run in found.runs] == [place] and found.unknown == ("0" * 64,) and found.only is None
        shutil.rmtree(place)


def test_the_worse_family_counts_class_by_class() -> None:
    def book(cell: float, lite: float) -> dict[str, Estimate]:
        return {
            "recall": Estimate(cell, 20, (0.1, 0.9), floor=0.8),
            "recognised-lite2": Estimate(lite, 20, (0.1, 0.9), floor=0.5),
            "KD-cell": Estimate(cell, 20, (0.1, 0.9), floor=0.0),
            "KD-lite2": Estimate(lite, 20, (0.1, 0.9), floor=0.0),
        }

    jpeg = {"KD-cell": Estimate(0.4, 20), "KD-lite2": Estimate(0.2, 20)}
    first, second = worse_of_both([book(0.8, 0.1), book(0.4, 0.9)], [jpeg, jpeg], "-lite2")
    assert (first["KD-worse"].value, second["KD-worse"].value) == pytest.approx((2, 4.5))
    assert first["recognised-worse"].value == pytest.approx(0.2)
    assert second["recognised-worse"].value == pytest.approx(0.5)
    assert second["recognised-worse"].floor == 1
    assert first["diversity-worse"].value is None and first["diversity-worse"].note


def test_a_judge_learns_from_cells_that_the_generator_has_not_seen_where_there_are_enough(
    sets: Sets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judges, "ENOUGH", 2)
    halves = lesson_of(sets, 0)
    assert halves.unseen and not halves.warnings
    assert not set(halves.learned) & set(halves.judging)
    assert set(halves.learned) | set(halves.judging) == set(sets.held_out.rows)


def test_training_images_that_the_run_was_not_given_are_unseen_too(sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "ENOUGH", 2)
    given = sets.training.sha256()[::2]
    halves = lesson_of(sets, 0, frozenset(given))
    fresh = set(sets.training.rows[[sha256 not in given for sha256 in sets.training.sha256()]])
    assert set(halves.learned) | set(halves.judging) == set(sets.held_out.rows) | fresh


def test_with_few_cells_it_learns_from_the_training_images_and_says_so(sets: Sets) -> None:
    taken = lesson_of(sets, 0)
    assert set(taken.learned) <= set(sets.training.rows) and set(taken.judging) == set(sets.held_out.rows)
    assert "has learned from the training images" in taken.warnings[0]


def test_surroundings_do_not_count_for_the_white_cell() -> None:
    image, other = cell(), cell()
    other[:, :6] = 255 - other[:, :6]
    (alone, changed), good = masked(np.stack([image, other]))
    assert good.all()
    np.testing.assert_array_equal(alone[:, 32, 32], image[:, 32, 32])
    np.testing.assert_array_equal(alone[:, 0, 0], SLIDE)
    assert (alone != changed).any(axis=0).mean() < 0.02


def test_an_image_without_a_cell_has_no_white_cell() -> None:
    alone, good = masked(np.full((1, 3, 64, 64), 230, np.uint8))
    assert not good[0] and (alone[0] == np.array(SLIDE)[:, None, None]).all()


def test_controls_change_a_cell_a_little() -> None:
    image = cell()[None]
    for altered in (as_jpeg(image), blurred(image)):
        assert altered.shape == image.shape and altered.dtype == np.uint8
        assert 0 < np.abs(altered.astype(int) - image).mean() < 12


def test_every_pretrained_judge_is_an_extractor(phantom_folder: Path) -> None:
    from gansynth.metrics.extractors import open_extractor

    images = np.asarray(open_dataset(phantom_folder, 32).images[:1])
    assert all(len(open_extractor(suffix.removeprefix("-"))(images)["features"]) == 1 for suffix in LITE)
