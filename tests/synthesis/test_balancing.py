"""Claims about `balance`."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from gansynth.cells.spoiling import restained
from gansynth.cli import run as cli
from gansynth.data import open_dataset, split_dataset, write_splits
from gansynth.data.phantom import phantom_dataset, write_phantom
from gansynth.errors import InputError
from gansynth.gans import Run, open_run
from gansynth.runs.weights import read_weights, write_weights
from gansynth.synthesis import balance, read_provenance
from gansynth.synthesis.balancing import lacking

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def run(tiny_run_folder: Path) -> Run:
    return open_run(tiny_run_folder)


@pytest.fixture
def cells(phantom_folder: Path, tmp_path: Path) -> Path:
    """A copy of the phantom folder that a test may change."""
    return Path(shutil.copytree(phantom_folder, tmp_path / "cells"))


def training_counts(folder: Path) -> dict[str, int]:
    return open_dataset(folder, 32).part("train").counts()


def test_every_class_reaches_the_largest_and_held_out_images_stay_real(run: Run, cells: Path, tmp_path: Path) -> None:
    report = balance(cells, run, tmp_path / "out", keep_copies=True, progress=False)
    before = training_counts(cells)
    most = max(before.values())
    assert report.before == before and report.complete and report.target == most
    assert report.after == training_counts(tmp_path / "out") == dict.fromkeys(before, most)
    balanced = open_dataset(tmp_path / "out", 32)
    held_out = balanced.records[balanced.records["split"] != "train"]
    assert set(held_out["origin"]) == {"phantom"}
    original = open_dataset(cells, 32).records
    kept = balanced.records[balanced.records["origin"] == "phantom"]
    same = list(original.columns)
    pd.testing.assert_frame_equal(kept[same].reset_index(drop=True), original)
    assert (balanced.records["origin"] == "synthetic").sum() == 3 * most - sum(before.values())
    assert "basophil" in str(report) and not list(tmp_path.glob(".*"))


def test_the_table_says_where_every_image_comes_from(run: Run, cells: Path, tmp_path: Path) -> None:
    balance(cells, run, tmp_path / "out", target=12, seed=100, keep_copies=True, progress=False)
    table = pd.read_csv(tmp_path / "out" / "metadata.csv", keep_default_na=False, dtype=str)
    synthetic = table[table["origin"] == "synthetic"]
    assert set(synthetic["model_sha256"]) == {run.model_sha256} and set(synthetic["source"]) == {run.name}
    assert set(table["model_sha256"][table["origin"] != "synthetic"]) == {""}
    for file, seed in zip(synthetic["file_name"], synthetic["seed"], strict=True):
        origin = read_provenance(tmp_path / "out" / file)
        assert origin is not None and origin.seed == int(seed) >= 100
    assert read_provenance(tmp_path / "out" / table["file_name"][0]) is None


def test_a_class_above_the_target_keeps_its_images(run: Run, cells: Path, tmp_path: Path) -> None:
    report = balance(cells, run, tmp_path / "out", target=9, keep_copies=True, progress=False)
    assert report.after == {name: max(n, 9) for name, n in report.before.items()}


def test_balancing_costs_no_space_for_real_images(run: Run, cells: Path, tmp_path: Path) -> None:
    balance(cells, run, tmp_path / "out", target=1, progress=False)
    name = "eosinophil/eosinophil_00001.png"
    assert os.path.samefile(cells / name, tmp_path / "out" / name)


def test_a_run_that_has_seen_the_test_images_is_refused(run: Run, cells: Path, tmp_path: Path) -> None:
    write_splits(split_dataset(open_dataset(cells, 32, splits=False), seed=99), cells, force=True)
    with pytest.raises(InputError, match=r"was trained on \d+ of the \d+ held-out images"):
        balance(cells, run, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


class Counted(np.ndarray):
    """Pixels that remember how many images were asked for at once."""

    most = 0

    def __getitem__(self, which: Any) -> Any:
        found = super().__getitem__(which)
        Counted.most = max(Counted.most, len(found))
        return found


def test_what_is_lacking_is_found_out_with_few_images_in_memory(
    run: Run, cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a million are 49 GB: held-out ones are compared with what the run has seen block by block."""
    monkeypatch.setattr("gansynth.gans.leaks._BLOCK", 4)
    dataset = open_dataset(cells, 32)
    assert run.fingerprints is not None and (dataset.records["split"] == "test").sum() > 4
    counted = replace(dataset, images=dataset.images.view(Counted))
    assert lacking(counted, run).missing == lacking(dataset, run).missing
    assert Counted.most == 4


def test_unsplit_data_are_split_as_training_would_have(run: Run, cells: Path, tmp_path: Path) -> None:
    (cells / "splits.csv").unlink()
    report = balance(cells, run, tmp_path / "out", keep_copies=True, progress=False)
    assert report.complete and training_counts(tmp_path / "out") == report.after


def test_a_class_the_run_does_not_know_is_named(run: Run, cells: Path, tmp_path: Path) -> None:
    (cells / "splits.csv").unlink()
    (cells / "metadata.csv").unlink()
    (cells / "basophil").rename(cells / "monoblast")
    with pytest.raises(InputError, match="knows no class 'monoblast'"):
        balance(cells, run, tmp_path / "out", progress=False)


def test_data_that_are_balanced_already_are_not_balanced_again(run: Run, cells: Path, tmp_path: Path) -> None:
    balance(cells, run, tmp_path / "out", keep_copies=True, progress=False)
    with pytest.raises(InputError, match="synthetic images already"):
        balance(tmp_path / "out", run, tmp_path / "twice", progress=False)


@pytest.mark.parametrize("where", ["generation.write_metadata", "assembly._table", "balancing.shutil.rmtree"])
def test_stopped_anywhere_it_leaves_no_half_folder_and_resumes_to_the_whole(
    run: Run, cells: Path, tmp_path: Path, where: str
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    balance(cells, run, tmp_path / "whole", keep_copies=True, progress=False)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"gansynth.synthesis.{where}", stop)
        balance(cells, run, out, keep_copies=True, progress=False)
    assert not out.exists()
    with pytest.raises(InputError, match="unfinished balance"):
        balance(cells, run, out, keep_copies=True, progress=False)
    report = balance(cells, run, out, keep_copies=True, progress=False, resume=True)
    whole = {p.relative_to(tmp_path / "whole"): p.read_bytes() for p in (tmp_path / "whole").rglob("*") if p.is_file()}
    assert whole == {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert report.complete
    again = balance(cells, run, out, keep_copies=True, progress=False, resume=True)
    assert again.complete and again.after == report.after
    with pytest.raises(InputError, match="not what is asked for"):
        balance(cells, run, out, target=500, progress=False, resume=True)


def test_a_data_set_without_files_is_written_from_its_pixels(run: Run, cells: Path, tmp_path: Path) -> None:
    dataset = open_dataset(cells, 32)
    dataset.records["path"] = ["../../etc/passwd", "a.jpg", *dataset.records["path"][2:]]
    balance(dataset, run, tmp_path / "out", keep_copies=True, progress=False)
    assert {p.name for p in tmp_path.iterdir()} == {"cells", "out"}
    balanced = open_dataset(tmp_path / "out", 32)
    with Image.open(tmp_path / "out" / "basophil" / "000000.png") as image:
        assert np.array_equal(np.asarray(image), dataset.images[0].transpose(1, 2, 0))
    assert training_counts(tmp_path / "out") == dict.fromkeys(balanced.class_names, 28)


def test_a_link_to_an_empty_folder_is_followed(run: Run, cells: Path, tmp_path: Path) -> None:
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    (tmp_path / "out").symlink_to("disk/empty")
    balance(cells, run, tmp_path / "out", target=9, keep_copies=True, progress=False)
    assert (tmp_path / "out").is_symlink() and training_counts(tmp_path / "out")["basophil"] == 9
    assert {path.name for path in tmp_path.rglob(".*")} == set()


@pytest.mark.parametrize("target", [0, -3, "most", 2.5, True])
def test_an_impossible_target_is_refused(run: Run, cells: Path, tmp_path: Path, target: object) -> None:
    with pytest.raises(InputError, match="target"):
        balance(cells, run, tmp_path / "out", target=target, progress=False)  # type: ignore[arg-type]


def test_no_name_is_a_formula_in_the_tables_and_all_of_them_are_read_back(
    run: Run, cells: Path, tmp_path: Path
) -> None:
    shutil.move(cells / "basophil", cells / "=basophil")
    for name in ("metadata.csv", "splits.csv"):
        (cells / name).unlink(missing_ok=True)
    write_splits(split_dataset(open_dataset(cells, 32)), cells)
    odd = shutil.copytree(run.path, tmp_path / "odd")
    info = json.loads((odd / "run.json").read_text())
    info["class_names"][0] = "=basophil"
    (odd / "run.json").write_text(json.dumps(info))
    tensors, card = read_weights(odd / "model.safetensors")
    write_weights(odd / "model.safetensors", tensors, {**card, "class_names": json.dumps(info["class_names"])})
    out = tmp_path / "out"
    report = balance(cells, odd, out, target=12, keep_copies=True, progress=False)
    for name in ("metadata.csv", "splits.csv"):
        named = pd.read_csv(out / name)["file_name"]
        assert named.str.startswith("'=basophil/").any() and not named.str.startswith("=").any()
    assert open_dataset(out, 32).part("train").counts() == report.after
    again = balance(cells, odd, out, target=12, keep_copies=True, resume=True, progress=False)
    assert again.after == report.after


def test_cells_of_another_laboratory_take_the_stain_of_this_one(tmp_path: Path) -> None:
    """`phantom-64` draws phantom cells in their usual stain; here they have another."""
    usual = phantom_dataset({"basophil": 3, "monocyte": 6}, size=64, seed=8)
    here = replace(usual, images=restained(usual.images, (0.7, 1.0, 1.3)), records=usual.records.assign(split="train"))
    how: dict[str, Any] = {"target": 8, "keep_broken": True, "progress": False}
    plain = balance(here, "phantom-64", tmp_path / "plain", **how)
    report = balance(here, "phantom-64", tmp_path / "matched", match_stain=True, **how)
    assert report.after == plain.after == {"basophil": 8, "monocyte": 8}
    table = pd.read_csv(tmp_path / "matched" / "metadata.csv", keep_default_na=False, dtype=str)
    made = table[table["origin"] == "synthetic"]
    (stain,) = set(made["stain"])
    assert stain.startswith("densities x 0.") and set(table["stain"][table["origin"] != "synthetic"]) == {""}

    def colour(folder: Path) -> NDArray[np.float64]:
        pictures = [np.asarray(Image.open(folder / name)) for name in made["file_name"]]
        return np.mean(pictures, axis=(0, 1, 2))

    real = here.images.mean(axis=(0, 2, 3))
    assert np.abs(colour(tmp_path / "matched") - real).max() < np.abs(colour(tmp_path / "plain") - real).max() / 2
    for name in made["file_name"]:
        (one, other) = (read_provenance(tmp_path / folder / name) for folder in ("matched", "plain"))
        assert one is not None and other is not None and one == replace(other, stain=stain)

    assert balance(here, "phantom-64", tmp_path / "matched", match_stain=True, resume=True, **how).after == report.after
    with pytest.raises(InputError, match="is not what is asked for now"):
        balance(here, "phantom-64", tmp_path / "matched", resume=True, **how)


def test_images_that_show_no_stain_are_not_matched(run: Run, cells: Path, tmp_path: Path) -> None:
    """A generator of two steps draws grey noise."""
    with pytest.raises(InputError, match=r"--match-stain: .*more than stains do; leave it out"):
        balance(cells, run, tmp_path / "out", keep_copies=True, match_stain=True, progress=False)
    assert not (tmp_path / "out").exists()


def test_the_command_says_that_sharpness_would_give_synthetic_images_away(
    tiny_run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for size in (32, 48):
        write_phantom(tmp_path / f"cells-{size}", {"basophil": 6, "eosinophil": 8, "lymphocyte": 8}, size=size, seed=7)
        typed = [str(tmp_path / f"cells-{size}"), str(tiny_run_folder), "--out", str(tmp_path / f"out-{size}")]
        assert cli(["balance", *typed, "--keep-broken", "--keep-copies"]) == 0
        said = (
            "at least 48 pixels wide, the synthetic ones 32; train classifiers on both at 32" in capsys.readouterr().err
        )
        assert said == (size == 48)
