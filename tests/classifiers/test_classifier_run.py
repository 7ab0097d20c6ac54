from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from gansynth.classifiers import neural_training as training_module
from gansynth.classifiers import open_classifier, train_classifier
from gansynth.classifiers.batches import Batches
from gansynth.classifiers.neural import NeuralClassifier
from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.files.regular import file_sha256
from gansynth.recipes import load_recipe
from gansynth.runs.weights import read_weights, write_weights

from .tiny_classifier import tiny_cells, tiny_recipe


def train(out: Path, *changes: str, **options: object) -> None:
    cells, held_out = tiny_cells()
    arguments = {"validation": held_out, "device": "cpu", "progress": False, **options}
    train_classifier(cells, tiny_recipe(*changes), out, **arguments)  # type: ignore[arg-type]


class Killed(Exception):
    """Stands for a process that ends without a word."""


def kill_at(step: int, patch: pytest.MonkeyPatch) -> None:
    draw = Batches.draw

    def draw_or_die(self: Batches, at: int) -> object:
        if at == step:
            raise Killed
        return draw(self, at)

    patch.setattr(Batches, "draw", draw_or_die)


def test_a_run_killed_at_any_moment_and_resumed_is_the_run_never_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_module, "SECONDS_BETWEEN_STATES", 0.0)
    train(tmp_path / "whole")
    for step in (3, 7, 12, 18):
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            with pytest.raises(Killed):
                train(tmp_path / "killed", resume=True)
    train(tmp_path / "killed", resume=True)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert file_sha256(whole / "model.safetensors") == file_sha256(killed / "model.safetensors")
    curves = [json.loads((run / "run.json").read_text())["curve"] for run in (whole, killed)]
    assert curves[0] == curves[1] and len(curves[0]) == 4
    logged = [
        [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()] for run in (whole, killed)
    ]
    assert logged[0] == logged[1] == [5, 10, 15, 20]


def test_ctrl_c_in_the_middle_of_an_epoch_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path / "whole")
    draw = Batches.draw
    with monkeypatch.context() as patch:
        patch.setattr(
            Batches, "draw", lambda self, at: (at == 7 and os.kill(os.getpid(), signal.SIGINT), draw(self, at))[1]
        )
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "stopped")
    assert [p.name for p in (tmp_path / "stopped" / "state").iterdir()] == ["step-00000008.safetensors"]
    with pytest.raises(InputError, match=r"has no model.safetensors yet; continue the training"):
        open_classifier(tmp_path / "stopped")
    train(tmp_path / "stopped", resume=True)
    for name in ("model.safetensors", "calibration.json"):
        assert file_sha256(tmp_path / "whole" / name) == file_sha256(tmp_path / "stopped" / name)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    train(folder)
    return folder


def test_a_run_holds_what_is_needed_to_use_and_to_judge_it(run: Path) -> None:
    held = {p.name for p in run.iterdir()}
    assert held >= {
        "recipe.yaml",
        "run.json",
        "model.safetensors",
        "state",
        "log.jsonl",
        "curves.png",
        "calibration.json",
    }
    info = json.loads((run / "run.json").read_text())
    cells, held_out = tiny_cells()
    assert (info["classifier"], info["finished"], info["step"], info["augmented"]) == ("sequential-cnn", True, 20, True)
    assert info["training_sha256"] == sorted(cells.records["sha256"])
    assert info["validation_sha256"] == sorted(held_out.records["sha256"])
    assert info["versions"]["torch"] and info["training_counts"] == cells.counts()


def test_an_opened_run_says_what_it_said(run: Path, tmp_path: Path) -> None:
    cells, held_out = tiny_cells()
    trained = train_classifier(
        cells, tiny_recipe(), tmp_path / "again", validation=held_out, device="cpu", progress=False
    )
    opened = open_classifier(run, device="cpu")
    assert isinstance(opened, NeuralClassifier)
    assert np.array_equal(opened.probabilities(held_out.images), trained.probabilities(held_out.images))
    assert (opened.class_names, opened.recipe, opened.curve) == (trained.class_names, trained.recipe, trained.curve)
    assert (opened.seen_sha256, opened.chosen_on_sha256) == (trained.seen_sha256, trained.chosen_on_sha256)


@pytest.mark.parametrize(
    ("changes", "options"),
    [(["training.learning_rate=0.1"], {}), ([], {"seed": 4}), ([], {"steps": 3}), ([], {"validation": None})],
)
def test_resuming_another_training_is_refused(run: Path, changes: list[str], options: dict[str, object]) -> None:
    with pytest.raises(InputError, match="was trained on other images, with another recipe"):
        train(run, *changes, resume=True, **options)


def test_a_finished_run_resumed_is_left_as_it_is(run: Path) -> None:
    before = file_sha256(run / "model.safetensors")
    train(run, resume=True)
    assert file_sha256(run / "model.safetensors") == before


def test_a_trained_run_without_its_state_is_not_begun_anew(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    state = max((copy / "state").iterdir())
    tensors, card = read_weights(state)
    write_weights(state, {name: t for name, t in tensors.items() if not name.startswith("optimizer.")}, card)
    with pytest.raises(
        InputError, match=r"holds other tensors, or other notes of them, than were written; .*train into another folder"
    ):
        train(copy, resume=True)
    shutil.rmtree(copy / "state")
    with pytest.raises(InputError, match=r"was trained for \d+ steps and has no state .*train into another folder"):
        train(copy, resume=True)
    assert file_sha256(copy / "model.safetensors") == file_sha256(run / "model.safetensors")


def test_weights_of_other_classes_are_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run" / "run.json"
    info = json.loads(file.read_text())
    info["class_names"].reverse()
    file.write_text(json.dumps(info))
    with pytest.raises(InputError, match=r"model\.safetensors: is of other classes than run\.json beside it names"):
        open_classifier(tmp_path / "run", device="cpu")


def test_weights_of_another_training_of_the_same_classes_are_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    train(tmp_path / "other", seed=1)
    shutil.copyfile(tmp_path / "other" / "model.safetensors", tmp_path / "run" / "model.safetensors")
    with pytest.raises(InputError, match=r"model\.safetensors: was written by another training than run\.json"):
        open_classifier(tmp_path / "run", device="cpu")


def test_a_folder_that_holds_something_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="already holds a run; continue it with --resume"):
        train(run)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(InputError, match="is not empty"):
        train(tmp_path / "letters")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not the run of a classifier"):
        open_classifier(tmp_path)
    write_text(tmp_path / "recipe.yaml", load_recipe("c-wgan-gp-64").to_yaml())
    write_text(tmp_path / "run.json", "{}")
    with pytest.raises(InputError, match=r"is a generator: .*train-classifier"):
        open_classifier(tmp_path)


@pytest.mark.parametrize(
    ("name", "what"), [("pbc-64", "generator"), ("pbc-encoder", "cell encoder"), ("bccd-detector", "cell detector")]
)
def test_a_model_of_the_zoo_that_cannot_classify_says_what_it_is_and_what_would_fit(name: str, what: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: is a {what}: .*gansynth train-classifier"):
        open_classifier(name)
