"""Claims about docs/extending.md: what it shows, installed as a package of somebody else's, works everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from gansynth.classifiers import open_classifier, train_classifier
from gansynth.cli import run
from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.gans import build_gan
from gansynth.metrics.catalogue import METRICS, TwoSets
from gansynth.recipes import load_recipe
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.remedies import parse_arm
from gansynth.report.comparison.page import write_comparison_page
from gansynth.studies.benchmark.entry import entries_of
from gansynth.studies.comparison.study import compare

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```(?:python|yaml)\n# (my_package/\S+)\n(.*?)```", PAGE, re.DOTALL))
POINTS = {
    group: dict(re.findall(r"(\S+) = \"([^\"]+)\"", point))
    for group, point in re.findall(r"^\"(gansynth\.\w+)\" = \{(.*)\}$", PAGE, re.MULTILINE)
}
EMPTY = dict.fromkeys(("my_package/__init__.py", "my_package/recipes/__init__.py"), "")


@pytest.fixture
def installed(install: Callable[..., None], one_thread: None) -> None:
    install({**FILES, **EMPTY}, POINTS)


def test_every_guide_is_short() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert [s.splitlines()[0] for s in sections] == [
        "A GAN", "A remedy", "A classifier", "A classical classifier", "A metric", "A report section"
    ]  # fmt: skip
    assert all(len(section.strip().splitlines()) < 40 for section in sections)
    assert len(FILES) == 9 and len(POINTS) == 5


def test_a_gan_of_another_package_is_known_everywhere(installed: None, capfd: pytest.CaptureFixture[str]) -> None:
    changes = ["resolution=16", "networks.generator=[8,8,8]", "networks.critic=[8,8]", "networks.style=8"]
    gan = build_gan(load_recipe("plain-gan-64", changes), ["a", "b"])
    assert gan.generate(torch.randn(2, 128), torch.tensor([0, 1])).shape == (2, 3, 16, 16)
    assert gan.recipe.losses.model_dump() == {"push": 2}
    with pytest.raises(InputError, match=r"unknown name 'losses.drift'; known here: push"):
        load_recipe("plain-gan-64", ["losses.drift=1"])
    with pytest.raises(InputError, match=r"unknown name 'networks.classifier'"):
        load_recipe("plain-gan-64", ["networks.classifier=[8,8]"])
    assert run(["models"]) == 0
    listed = capfd.readouterr().out
    assert all(name in listed for name in ("plain-gan-64", "cautious", "tiny-net", "extra-trees"))
    assert [entry.gan for entry in entries_of(["plain-gan-64"], [0], [])] == ["plain-gan"]
    assert str(parse_arm("plain-gan-64@0.5")) == "plain-gan-64@0.5"


def test_a_metric_of_another_package_is_in_the_catalogue(installed: None) -> None:
    images, features = np.full((2, 3, 4, 4), 10, np.uint8), np.zeros((2, 1), np.float32)
    labels = np.zeros(2, np.int64)
    compute = METRICS["darkness"].compute
    assert compute is not None and compute(TwoSets(images, images + 5, features, features, labels, labels, 0)) == 5


def test_a_classical_classifier_of_another_package_is_trained_kept_and_opened(
    installed: None, phantom_folder: Path, tmp_path: Path
) -> None:
    data = open_dataset(phantom_folder, 32)
    recipe = load_classifier_recipe("extra-trees", ["resolution=32", "classical.trees=10"])
    trained = train_classifier(data.part("train"), recipe, tmp_path / "run", validation=None, progress=False)
    said = open_classifier(tmp_path / "run").probabilities(data.images[:4])
    np.testing.assert_allclose(said, trained.probabilities(data.images[:4]))
    with pytest.raises(InputError, match=r"unknown name 'classical.tree'; did you mean 'trees'"):
        load_classifier_recipe("extra-trees", ["classical.tree=10"])


def test_a_remedy_a_classifier_and_a_section_of_another_package_make_a_comparison(
    installed: None, phantom_folder: Path, tmp_path: Path
) -> None:
    assert load_classifier_recipe("tiny-net").neural and not load_classifier_recipe("extra-trees").neural
    found = compare(
        phantom_folder, ["none", "cautious:power=3"], ["tiny-net", "extra-trees"], tmp_path / "out",
        seeds=2, size=32, jobs=1, device="cpu", changes=["training.epochs=1"], progress=False,
    )  # fmt: skip
    assert {(entry.arm, entry.classifier) for entry in found.arms} == {
        ("none", "tiny-net"), ("cautious:power=3", "tiny-net"), ("none", "extra-trees")
    }  # fmt: skip
    page = write_comparison_page(tmp_path / "out").read_text(encoding="utf-8")
    assert all(name in page for name in ("cautious", "tiny-net", "extra-trees"))
    text = import_module("my_package.trainings").write(tmp_path / "out").read_text(encoding="utf-8")
    assert "3 arms were compared." in text and "What was compared" in text
