"""Claims about `benchmark`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from gansynth.cli import run
from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.recipes import load_recipe
from gansynth.report.benchmark.page import write_benchmark_page
from gansynth.studies.benchmark import composites as benchmark_composites
from gansynth.studies.benchmark import entry as benchmark_entry
from gansynth.studies.benchmark.result import Benchmark
from gansynth.studies.benchmark.study import benchmark

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = [
    "resolution=16",
    "latent=8",
    "networks.generator=[8,8,8]",
    "networks.critic=[8,8]",
    "networks.style=8",
    "training.batch_size=8",
    "reports.watch_images=4",
    "reports.sheet_every=2",
    "reports.classifier_images=64",
    "reports.pretrained_judge=false",
]
COUNT = 12


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three tiny recipes in files; the last one diverges."""
    folder, found = tmp_path_factory.mktemp("recipes"), {}
    three = "networks.classifier=[8,8]"
    for name, of, changes in (
        ("three", "c-wgan-gp-64", [three]),
        ("two", "cgan-64", []),
        (
            "wild",
            "c-wgan-gp-64",
            ["networks.classifier=[8,8]", "training.learning_rates.critic=1e20", "training.precision='32'"],
        ),
    ):
        recipe = load_recipe(of, [*SMALL, *changes])
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json") | {"name": name}))
        found[name] = str(folder / f"{name}.yaml")
    return found


def compare(data: Path, encoder: Path, recipes: list[str], out: Path, **more: Any) -> Benchmark:
    options: dict[str, Any] = {"seeds": 1, "images": 16, "count": COUNT, "encoder": encoder, "progress": False} | more
    return benchmark(data, recipes, out, **options)


@pytest.fixture(scope="module")
def finished(
    phantom_folder: Path, encoder_folder: Path, recipes: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Benchmark]:
    out = tmp_path_factory.mktemp("benchmark") / "out"
    names = [recipes["three"], recipes["wild"], recipes["two"]]
    return out, compare(phantom_folder, encoder_folder, names, out, seeds=2)


def test_one_failing_recipe_does_not_cost_the_others(finished: tuple[Path, Benchmark]) -> None:
    _, found = finished
    status = {(run.recipe, run.seed): run.status for run in found.runs}
    assert status == {
        ("three", 0): "done", ("wild", 0): "failed", ("two", 0): "done",
        ("three", 1): "done", ("wild", 1): "failed", ("two", 1): "done",
    }  # fmt: skip
    assert all("diverged" in (run.error or "") for run in found.runs if run.recipe == "wild")
    assert any("wild" in w and "diverged" in w for w in found.warnings)


def test_all_get_the_same_budget_and_their_cost_is_told(finished: tuple[Path, Benchmark]) -> None:
    done = finished[1].done
    assert {run.images for run in done} == {16}
    for one in done:
        assert one.seconds is not None and one.seconds >= 0
        assert one.generating_seconds is not None and one.generating_seconds > 0
        assert {"generator", "critic"} <= set(one.parameters)
    three = next(run for run in done if run.recipe == "three")
    assert "classifier" in three.parameters


def test_every_measured_recipe_is_ranked_and_every_class_has_its_figures(finished: tuple[Path, Benchmark]) -> None:
    _, found = finished
    assert {place.recipe for place in found.ranking} == {"three", "two"}
    assert found.primary in ("KD-worse", "KD-cell") and found.verdict  # the first where real cells as JPEG differ
    for recipe in ("three", "two"):
        assert len(found.summary[recipe]["KD-cell"].values) == 2
        assert set(found.summary_classes[recipe]) == {"basophil", "eosinophil", "lymphocyte"}
        assert "recall" in found.summary_classes[recipe]["basophil"]


def test_tables_hold_what_the_result_holds(finished: tuple[Path, Benchmark]) -> None:
    out, found = finished
    read = json.loads((out / "benchmark.json").read_text())
    assert read == json.loads(json.dumps(found.to_json()))
    assert list(read) == [
        "gansynth", "data", "recipes", "seeds", "size", "images_per_class", "budget", "class_names", "encoder",
        "missing", "warnings", "curves", "runs", "primary", "verdict", "ranking", "best", "summary", "summary_classes",
    ]  # fmt: skip
    assert Benchmark.read(out) == found
    head = (out / "table7.csv").read_text().splitlines()[0]
    assert head.startswith("recipe,PSNR,PSNR sd,PSNR real") and (out / "table6.csv").exists()
    assert len((out / "classes.csv").read_text().splitlines()) == 1 + 2 * 3


def test_curves_are_those_of_the_class_watch(finished: tuple[Path, Benchmark]) -> None:
    assert len(finished[1].curves) == 4
    for one in finished[1].curves:
        assert one.images and {len(one.minutes), len(one.recall), len(one.diversity)} == {len(one.images)}


def test_continued_nothing_finished_is_done_again_and_the_tables_are_the_same(
    finished: tuple[Path, Benchmark],
    phantom_folder: Path,
    encoder_folder: Path,
    recipes: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, before = finished

    def never(*_: object, **__: object) -> None:
        raise AssertionError("what was finished is done again")

    names = [recipes["three"], recipes["two"]]
    for step in ("train_gan", "generate", "quality"):
        monkeypatch.setattr(benchmark_entry, step, never)
    after = compare(phantom_folder, encoder_folder, names, out, seeds=2, resume=True)
    assert after.summary == before.summary and after.ranking == before.ranking and after.verdict == before.verdict


def test_another_benchmark_in_the_same_folder_is_refused(
    finished: tuple[Path, Benchmark], phantom_folder: Path, encoder_folder: Path, recipes: dict[str, str]
) -> None:
    with pytest.raises(InputError, match="already holds a benchmark; continue it with --resume"):
        compare(phantom_folder, encoder_folder, [recipes["two"]], finished[0])
    with pytest.raises(InputError, match="with another images, count"):
        compare(phantom_folder, encoder_folder, [recipes["two"]], finished[0], images=24, count=5, resume=True)


def test_a_run_that_exists_is_taken_as_it_is(
    finished: tuple[Path, Benchmark], phantom_folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    existing = finished[0] / "runs" / "three-seed0"
    found = compare(phantom_folder, encoder_folder, [str(existing)], tmp_path / "out")
    assert [run.status for run in found.runs] == ["done"]
    assert found.summary["three-seed0"]["KD-cell"].mean == finished[1].summary["three"]["KD-cell"].values[0]


def test_a_run_that_saw_the_held_out_images_is_not_measured(
    phantom_folder: Path, encoder_folder: Path, tiny_run_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_run_folder, tmp_path / "leaky")
    info = json.loads((tiny_run_folder / "run.json").read_text())
    info["training_sha256"] = open_dataset(phantom_folder, 32).part("test").records["sha256"].tolist()
    (tmp_path / "leaky" / "run.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match=r"GAN leaky: was trained on .* held-out images"):
        compare(phantom_folder, encoder_folder, [str(tmp_path / "leaky")], tmp_path / "out")


def test_data_without_a_split_is_refused_before_anything_is_trained(
    made_folder: Path, encoder_folder: Path, recipes: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="has no split"):
        compare(made_folder, encoder_folder, [recipes["two"]], tmp_path / "out")
    with pytest.raises(InputError, match="named twice"):
        compare(made_folder, encoder_folder, [recipes["two"], recipes["two"]], tmp_path / "out")


def test_an_encoder_that_cannot_judge_is_refused_before_anything_is_trained(
    phantom_folder: Path, encoder_folder: Path, recipes: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(encoder_folder, tmp_path / "knows")
    info = json.loads((tmp_path / "knows" / "encoder.json").read_text())
    records = open_dataset(phantom_folder, 32).records
    info["training_sha256"] = records["sha256"][records["split"] == "test"].tolist()
    (tmp_path / "knows" / "encoder.json").write_text(json.dumps(info))
    for encoder, says in (("no-such", "no-such"), (tmp_path / "knows", "of the held-out real images")):
        with pytest.raises(InputError, match=says):
            compare(phantom_folder, encoder, [recipes["two"]], tmp_path / "out")
        assert not (tmp_path / "out" / "runs").exists()


def test_composites_stand_beside_a_gan_at_the_same_n_and_come_from_the_training_images_only(
    finished: tuple[Path, Benchmark],
    phantom_folder: Path,
    encoder_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(benchmark_composites, "LEAST_EDGE", 32)
    out, existing = tmp_path / "out", finished[0] / "runs" / "three-seed0"
    found = compare(phantom_folder, encoder_folder, [str(existing), "naturalize"], out, seeds=2)
    composed = [run for run in found.runs if run.recipe == "naturalize"]
    assert [(run.status, run.gan, run.run) for run in composed] == [("done", "composites", None)] * 2
    assert {place.recipe for place in found.ranking} == {"three-seed0", "naturalize"}
    gan, composites = (found.summary[name]["KD-cell"] for name in ("three-seed0", "naturalize"))
    assert gan.n == composites.n and gan.floor == composites.floor and len(composites.values) == 2
    assert any("is not a GAN" in warning for warning in found.warnings)
    training = set(open_dataset(phantom_folder, 32).part("train").records["path"])
    drawings = []
    for seed in (0, 1):
        table = pd.read_csv(out / "synthetic" / f"naturalize-seed{seed}" / "metadata.csv", keep_default_na=False)
        used = {*table["white_cell"], *table["background"], *";".join(table["red_cells"]).split(";")} - {""}
        assert len(table) == 3 * COUNT and used <= training
        drawings.append(set(table["seed"]))
    assert not drawings[0] & drawings[1]
    page = write_benchmark_page(out).read_text(encoding="utf-8")
    assert "composed without a run" in page and "naturalize" in page


def test_composites_are_not_drawn_again_and_a_held_out_image_among_the_training_images_is_refused(
    phantom_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_composites, "LEAST_EDGE", 32)

    def draw(data: Path, folder: Path) -> float | None:
        return benchmark_composites.composed(str(data), folder, count=2, first=0, size=16, progress=False)

    seconds = draw(phantom_folder, tmp_path / "made")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "made").rglob("*.png")}
    assert draw(phantom_folder, tmp_path / "made") == seconds and len(written) == 6
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "made").rglob("*.png")} == written

    leaking = tmp_path / "leaking"
    shutil.copytree(phantom_folder, leaking)
    split = pd.read_csv(leaking / "splits.csv")
    learned, tested = (split.loc[split["split"] == part, "file_name"].iloc[0] for part in ("train", "test"))
    shutil.copyfile(leaking / learned, leaking / tested)
    with pytest.raises(InputError, match="naturalize: was trained on 1 of"):
        draw(leaking, tmp_path / "never")
    assert not (tmp_path / "never").exists()


@pytest.mark.slow
def test_killed_and_continued_gives_the_same_tables(
    finished: tuple[Path, Benchmark],
    phantom_folder: Path,
    encoder_folder: Path,
    recipes: dict[str, str],
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "gansynth", "benchmark", str(phantom_folder), "--recipes",
        ",".join(recipes[name] for name in ("three", "two")), "--seeds", "1", "--images", "16", "--count", str(COUNT),
        "--encoder", str(encoder_folder), "--out", str(out),
    ]  # fmt: skip
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while not (out / "quality" / "three-seed0" / "results.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = out / "quality" / "three-seed0" / "results.json"
    written = first.stat().st_mtime_ns
    assert run([*command[3:], "--resume"]) == 0
    assert first.stat().st_mtime_ns == written
    read = json.loads((out / "benchmark.json").read_text())
    expected = finished[1].to_json()
    for name in ("three", "two"):
        assert set(read["summary"][name]) == set(expected["summary"][name])
        for metric, one in expected["summary"][name].items():
            (value,) = read["summary"][name][metric]["values"] or [None]
            assert value == pytest.approx(one["values"][0] if one["values"] else None, rel=1e-4, abs=1e-9), metric
    assert (out / "report.html").exists()
