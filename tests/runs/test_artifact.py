"""Claims about what is trained, in a folder or in the zoo."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gansynth.classifiers import open_encoder
from gansynth.errors import InputError
from gansynth.gans import open_run
from gansynth.runs.artifact import MOST_CLASSES, Kind, find_artifact, kind_of, shipped
from gansynth.smears.detector import open_detector


def test_what_is_said_without_the_networks_is_what_the_networks_say() -> None:
    for model in shipped("generator"):
        run = open_run(model.name)
        assert (model.class_names, model.folder) == (run.class_names, run.path)
    for model in shipped("cell encoder"):
        assert model.class_names == open_encoder(model.name).class_names
    for model in shipped("cell detector"):
        assert set(model.class_names) == set(open_detector(model.name).thresholds)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("pbc-64", "classifier", "pbc-64: is a generator: it makes cells and cannot say what a cell is; no classifier"),
        ("pbc-64", "cell encoder", "is a generator: .*; of the zoo, pbc-encoder fits here"),
        (
            "pbc-encoder",
            "generator",
            "is a cell encoder: `gansynth quality --encoder` .*; of the zoo, pbc-128, pbc-64 or phantom-64 fits here",
        ),
        ("bccd-detector", "generator", "is a cell detector: "),
        ("pbc-46", "generator", "no run folder and no trained model 'pbc-46'; did you mean 'pbc-64'"),
        ("nothing", "cell detector", "no folder and no cell detector 'nothing'; the zoo has bccd-detector"),
        ("nothing", "classifier", "no classifier's folder 'nothing'; no classifier ships trained, so train one"),
    ],
)
def test_what_does_not_fit_is_said_to_be_what_it_is(name: str, kind: Kind, said: str) -> None:
    with pytest.raises(InputError, match=said):
        find_artifact(name, kind)


def test_a_folder_is_recognised_by_what_lies_in_it(tiny_run_folder: Path, tmp_path: Path) -> None:
    assert kind_of(tiny_run_folder) == "generator" and kind_of(tmp_path) is None
    with pytest.raises(InputError, match=f"{tiny_run_folder.name}: is a generator"):
        find_artifact(tiny_run_folder, "classifier")
    found = find_artifact(tiny_run_folder, "generator")
    assert found.training_sha256 == open_run(tiny_run_folder).training_sha256 and found.weights.is_file()


def test_a_folder_hides_a_model_of_the_zoo_only_where_something_was_trained_in_it(
    tiny_run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "phantom-64").mkdir()
    (of_the_zoo,) = (model for model in shipped("generator") if model.name == "phantom-64")
    assert find_artifact("phantom-64", "generator").class_names == of_the_zoo.class_names
    shutil.copytree(tiny_run_folder, tmp_path / "phantom-64", dirs_exist_ok=True)
    assert find_artifact("phantom-64", "generator").folder == Path("phantom-64")


def test_a_folder_that_holds_something_else_is_refused_when_it_is_read(tmp_path: Path) -> None:
    for kind in ("generator", "cell encoder", "cell detector"):
        with pytest.raises(InputError, match=f"is not a {kind} \\(it has no "):
            find_artifact(tmp_path, kind).info  # noqa: B018
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(InputError, match="the generator was cut off or edited"):
        find_artifact(tmp_path, "generator").info  # noqa: B018


def test_more_classes_than_anybody_distinguishes_are_refused_at_once(tiny_run_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run_folder, tmp_path / "run")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    for n in (MOST_CLASSES + 1, 100_000):
        info["class_names"] = [f"class {k}" for k in range(n)]
        (tmp_path / "run" / "run.json").write_text(json.dumps(info))
        with pytest.raises(InputError, match=f"names {n:,} classes, more than 10,000"):
            open_run(tmp_path / "run")


def test_a_trained_model_is_of_one_kind() -> None:
    names = [model.name for kind in ("generator", "cell encoder", "cell detector") for model in shipped(kind)]
    assert {"pbc-64", "pbc-encoder", "bccd-detector"} <= set(names)
    assert len(set(names)) == len(names)
