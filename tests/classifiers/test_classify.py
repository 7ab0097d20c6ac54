from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from gansynth.classifiers import classify, open_classifier, train_classifier
from gansynth.classifiers.opening import is_classifier
from gansynth.classifiers.portable import export_classifier
from gansynth.cli import classifier as commands
from gansynth.cli.failures import Commands
from gansynth.errors import InputError

from .tiny_classifier import TINY, tiny_cells, tiny_recipe

group = Commands("gansynth", commands={c.name: c for c in (commands.train_classifier, commands.classify) if c.name})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cells, held_out = tiny_cells()
    folder = tmp_path_factory.mktemp("runs") / "run"
    recipe = tiny_recipe("training.learning_rate=0.01", "training.epochs=12")
    train_classifier(cells, recipe, folder, validation=held_out, device="cpu", progress=False)
    return folder


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six held-out cells as files."""
    folder = tmp_path_factory.mktemp("slide")
    for i, image in enumerate(tiny_cells()[1].images[:6]):
        Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(folder / f"{i}.png")
    return folder


def test_files_and_folders_are_classified_in_order(run: Path, slide: Path) -> None:
    _, held_out = tiny_cells()
    classifier = open_classifier(run, device="cpu")
    found = list(classify(classifier, [slide, slide / "0.png"]))
    assert [Path(one.file).name for one in found] == [*(f"{i}.png" for i in range(6)), "0.png"]
    p = classifier.probabilities(held_out.images[:6])
    for one, row in zip(found[:6], p, strict=True):
        assert one.class_name == classifier.class_names[row.argmax()]
        assert one.probabilities[one.class_name] == pytest.approx(row.max(), abs=1e-6)
        assert not one.seen


def test_json_has_the_probability_of_every_class(run: Path, slide: Path) -> None:
    result = CliRunner().invoke(group, ["classify", str(run), str(slide), "--json", "--calibrated"])
    assert result.exit_code == 0, result.output
    images = json.loads(result.stdout)["images"]
    assert len(images) == 6
    assert images[0]["class"] in ("eosinophil", "platelet") and not images[0]["training_image"]
    assert sum(images[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_file_that_is_no_image_is_named_and_the_others_are_classified(run: Path, slide: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("dear")
    result = CliRunner().invoke(group, ["classify", str(run), str(tmp_path / "letter.png"), str(slide / "1.png")])
    assert result.exit_code == 2
    assert "1.png" in result.stdout and "1 of 2 files could not be classified" in result.stderr
    with pytest.raises(InputError, match="no such file or folder"):
        list(classify(open_classifier(run), [tmp_path / "none.png"]))


def test_a_link_with_the_name_of_an_image_does_not_lead_through_the_whole_disk(run: Path, tmp_path: Path) -> None:
    (tmp_path / "cell.png").symlink_to("/", target_is_directory=True)
    with pytest.raises(InputError, match=r"cell.png: is a folder with the name of an image"):
        list(classify(open_classifier(run), [tmp_path / "cell.png"]))


def test_training_images_are_known_again(run: Path, tmp_path: Path) -> None:
    cells, _ = tiny_cells()
    Image.fromarray(np.ascontiguousarray(cells.images[0].transpose(1, 2, 0))).save(tmp_path / "seen.png")
    # Phantom cells are hashed at the size they were drawn in, which is the size here.
    assert [one.seen for one in classify(open_classifier(run), [tmp_path / "seen.png"])] == [True]


def test_the_command_trains_scores_and_resumes(phantom_folder: Path, tmp_path: Path) -> None:
    sets = [part for change in TINY[:3] for part in ("--set", change)]
    command = [
        "train-classifier",
        str(phantom_folder),
        *sets,
        "--epochs",
        "2",
        "--out",
        str(tmp_path / "run"),
        "--test",
    ]
    result = CliRunner().invoke(group, command)
    assert result.exit_code == 0, result.output
    assert "validation images; macro-F1" in result.stdout and f"wrote {tmp_path / 'run'}" in result.stdout
    test = json.loads((tmp_path / "run" / "test.json").read_text())
    assert set(test["classes"]) == {"basophil", "eosinophil", "lymphocyte"} and "macro-F1" in test["overall"]
    again = CliRunner().invoke(
        group, ["train-classifier", str(phantom_folder), "--resume", "--out", str(tmp_path / "run")]
    )
    assert again.exit_code == 0, again.output
    refused = CliRunner().invoke(group, command)
    assert refused.exit_code == 2 and "already holds a run; continue it with --resume" in refused.stderr


def test_an_exported_classifier_gives_the_same_probabilities(run: Path, tmp_path: Path) -> None:
    classifier = open_classifier(run, device="cpu")
    written = export_classifier(classifier, tmp_path / "ts", "torchscript", name="run")
    assert written.largest_difference <= 1e-3
    images = tiny_cells()[1].images[:5]
    found = torch.jit.load(str(written.file))(torch.from_numpy(np.array(images))).numpy()
    # Where the processor has bfloat16, the classifier computes in it.
    assert np.abs(found - classifier.probabilities(images)).max() < 0.05
    assert is_classifier(run) and not is_classifier(tmp_path / "ts")
