"""Claims about `--dry-run`: it says what would be done, how long and how large, and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.gans import train_gan
from gansynth.recipes import load_recipe

pytestmark = pytest.mark.slow

TINY = [
    *("networks.generator=[8,8,8,8,8]", "networks.critic=[8,8,8,8]", "networks.classifier=[8,8,8,8]", "latent=8"),
    *("training.batch_size=4", "reports.watch_images=4", "reports.classifier_images=64"),
    "reports.pretrained_judge=false",
]
SET = [word for change in TINY for word in ("--set", change)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with cells, split, and a run."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSYNTH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("gansynth.forecast.SPEED_SECONDS", 0.5)
        call("data", "phantom", folder / "cells", "--size", 64, "--counts", "basophil=10,neutrophil=30")
        call("data", "split", folder / "cells")
        train_gan(open_dataset(folder / "cells", 64), load_recipe("c-wgan-gp-64", TINY), folder / "run", steps=1)
        yield folder


def call(*words: object) -> str:
    result = CliRunner().invoke(gansynth, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def forecast(place: Path, *words: object) -> str:
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    said = call(*words, "--out", place / "out", "--dry-run")
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    assert "nothing was written" in said and re.search(r"^time: ", said, re.MULTILINE)
    return said


def test_generating_and_balancing_are_counted_timed_and_weighed(place: Path) -> None:
    said = forecast(place, "generate", place / "run", "--class", "basophil=1000", "--class", "neutrophil=500")
    assert "generate 1,500 images of 64 px with run: basophil 1,000, neutrophil 500" in said
    size = re.search(r"size: about ([\d.]+) MB", said)
    assert size is not None and 1.5 < float(size[1]) < 60
    lack = 30 - 10
    said = forecast(place, "balance", place / "cells", place / "run", "--target", 30)
    counts = open_dataset(place / "cells", 64).part("train").counts()
    assert f"basophil {30 - counts['basophil']}" in said and lack <= 30 - counts["basophil"]


def test_a_training_has_the_steps_that_its_minutes_are_enough_for(place: Path) -> None:
    said = forecast(place, "train-gan", place / "cells", "--recipe", "c-wgan-gp-64", "--minutes", 2, *SET)
    assert "time: about 2 minutes" in said
    steps = re.search(r"about ([\d,]+) generator steps, ([\d.e+-]+) s a step", said)
    assert steps is not None
    assert int(steps[1].replace(",", "")) * float(steps[2]) == pytest.approx(120, rel=0.2)


def test_a_training_that_is_continued_has_had_a_part_of_its_budget(place: Path, tmp_path: Path) -> None:
    words = ["train-gan", place / "cells", "--out", tmp_path / "run"]
    call(*words, "--recipe", "c-wgan-gp-64", *SET, "--steps", 3)
    assert "about 7 generator steps more than the 3" in call(*words, "--resume", "--steps", 10, "--dry-run")
    assert "about 0 generator steps more than the 3" in call(*words, "--resume", "--steps", 2, "--dry-run")
    assert "about 2 generator steps more than the 3" in call(*words, "--resume", "--images", 20, "--dry-run")


def test_a_recipe_larger_than_the_images_is_doubted_before_the_training(place: Path) -> None:
    words = ["train-gan", place / "cells", "--recipe", "c-wgan-gp-64", "--steps", 1, "--out", place / "o", "--dry-run"]
    larger = [f"networks.{player}=[8,8,8,8,8]" for player in ("critic", "classifier")]
    larger += ["resolution=128", "networks.generator=[8,8,8,8,8,8]"]
    for changes, doubted in (((), False), (larger, True)):
        chosen = [*SET, *(word for change in changes for word in ("--set", change))]
        result = CliRunner().invoke(gansynth, [str(word) for word in (*words, *chosen)])
        assert result.exit_code == 0, result.output
        assert ("40 of 40 images are smaller than the 128 px of this recipe" in result.stderr) == doubted


def test_a_comparison_counts_its_trainings_and_a_benchmark_its_runs(place: Path) -> None:
    words = ("--remedies", f"none,oversample,{place / 'run'}", "--classifiers", "sequential-cnn,random-forest")
    said = forecast(place, "compare", place / "cells", *words, "--size", 32, "--epochs", 2, "--jobs", 1)
    assert "compare 3 arms by 2 classifiers with 3 seeds on 1 fold: 18 trainings, 1 at a time" in said
    assert "sequential-cnn: 9 trainings of 2 steps" in said and "time: cannot be said" in said
    words = ("--recipes", f"c-wgan-gp-64,{place / 'run'}", "--images", 400, "--count", 5)
    said = forecast(place, "benchmark", place / "cells", *words, *SET)
    assert "2 times: train c-wgan-gp-64" in said and "about 100 generator steps" in said
    assert f"{place / 'run'}: taken as it is" in said or "run: taken as it is" in said


def test_a_sweep_says_what_each_ratio_learns_from(place: Path) -> None:
    words = ("--remedies", f"none,oversample,{place / 'run'}", "--classifiers", "sequential-cnn", "--seeds", 2)
    words = (*words, "--minority", "basophil", "--ratios", "4,10", "--most", 20)
    said = forecast(place, "sweep", place / "cells", *words, "--size", 32, "--epochs", 2, "--jobs", 1)
    assert "rho 4: compare 3 arms by 1 classifier with 2 seeds on 1 fold: 6 trainings" in said
    assert "learn from basophil 5, neutrophil 20" in said and "learn from basophil 2, neutrophil 20" in said
    assert said.count("a run that is given, not trained") == 2
    shown = re.search(r"([\d.e+-]+) s a step", said)
    assert shown is not None and said.count(shown[0]) == 2  # measured once


def test_a_search_says_its_arms(place: Path) -> None:
    words = ("search-remedy", place / "cells", "--remedy", "focal", "--grid", "gamma=1,2", "--folds", 2)
    said = forecast(place, *words, "--size", 32, "--epochs", 2, "--jobs", 1)
    assert "compare 3 arms on 2 folds of the training split: 6 trainings, 1 at a time" in said
    assert "the arms: none, focal:gamma=1, focal:gamma=2" in said
    assert re.search(r"sequential-cnn: 6 trainings of \d+ steps", said)


@pytest.mark.parametrize(
    ("command", "more", "studies"),
    [
        ("compare", ("--remedies", "none,oversample", "--seeds", 1), 1),
        ("sweep", ("--remedies", "none,oversample", "--seeds", 1, "--minority", "basophil", "--ratios", "4,8"), 2),
        ("search-remedy", ("--remedy", "focal", "--grid", "gamma=1", "--folds", 2), 1),
    ],
)
def test_of_a_folder_that_is_continued_the_rest_is_counted(
    place: Path, tmp_path: Path, command: str, more: tuple[object, ...], studies: int
) -> None:
    words = (command, place / "cells", *more, "--size", 32, "--epochs", 1, "--jobs", 1, "--out", tmp_path / "begun")
    call(*words)
    finished = call(*words, "--resume", "--dry-run")
    assert finished.count(" of them are finished") == studies and "s a step" not in finished
    one = sorted((tmp_path / "begun").rglob("arm.json"))[0]
    one.unlink()
    left = call(*words, "--resume", "--dry-run")
    assert "sequential-cnn: 1 training of" in left
    assert not one.exists()
    unasked = CliRunner().invoke(gansynth, [str(word) for word in (*words, "--dry-run")])
    assert unasked.exit_code == 2 and "--resume" in unasked.stderr


def test_what_would_be_refused_is_refused_now(place: Path) -> None:
    words = ["compare", str(place / "cells"), "--remedies", "none,oversampl", "--out", str(place / "o"), "--dry-run"]
    result = CliRunner().invoke(gansynth, words)
    assert result.exit_code == 2 and "oversample" in result.stderr
