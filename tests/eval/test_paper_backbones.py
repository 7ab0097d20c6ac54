"""Which networks of a paper are trained: with the published file where it is, from scratch where that is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

import paper_backbones
import paper_study
from budget import Amount
from gansynth.classifiers import backbones
from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.recipes.classifier import load_classifier_recipe
from paper_backbones import network, networks
from paper_study import Options


def asked(out: Path, data: str = "phantom", weights_dir: Path | None = None) -> Options:
    return Options(data, out, "quick", Amount(32, 1), 1, weights_dir, "cpu")


def test_what_is_missing_is_named_and_nothing_is_trained_in_its_stead_unasked(tmp_path: Path) -> None:
    found = networks(["custom-cnn", "vgg16", "ensemble-average"], asked(tmp_path), ["none"])
    assert found["custom-cnn"].spec == "custom-cnn" and found["custom-cnn"].weights == "from scratch"
    assert (found["vgg16"].spec, found["vgg16"].weights) == ("", "missing: vgg16-397923af.pth")
    assert len(found["ensemble-average"].missing) == 2 and not found["ensemble-average"].spec
    with pytest.raises(InputError, match="has no network 'vgg61'"):
        networks(["vgg16"], asked(tmp_path), ["vgg61"])


@pytest.mark.parametrize("name", ["alexnet", "vit-b16", "ensemble-cbam", "ensemble-average"])
def test_from_scratch_no_part_of_a_recipe_asks_for_published_weights(name: str, tmp_path: Path) -> None:
    found = network(name, asked(tmp_path), ["all"])
    assert found.missing and found.weights.endswith("; from scratch")
    recipe = load_classifier_recipe(found.spec)
    assert recipe.name == name and recipe.resolution == 32
    text = Path(found.spec).read_text(encoding="utf-8")
    assert "weights: none" in text and "weights: pretrained" not in text
    assert "input_size: 64" in text and "input_size: 224" not in text


def test_a_published_file_is_taken_and_its_classifier_says_so(
    phantom_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_on_one_thread: None
) -> None:
    changes = ["network.model=mobilenet_v3_small", "network.input_size=32", "training.batch_size=16", "name=small"]
    recipe = load_classifier_recipe("resnet50", changes)
    published = backbones.published_weights("small", recipe.network)  # type: ignore[attr-defined]
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(get_model("mobilenet_v3_small", weights=None).state_dict(), folder / published.file.name)
    (tmp_path / "small.yaml").write_text(recipe.to_yaml())
    options = asked(tmp_path / "out", str(phantom_folder), folder)
    with pytest.raises(InputError, match="is not the published file"):
        network(str(tmp_path / "small.yaml"), options)
    file = replace(published.file, sha256=file_sha256(folder / published.file.name))
    for module in (backbones, paper_backbones):
        monkeypatch.setattr(module, "published_weights", lambda name, trunk: replace(published, file=file))
    found = network(str(tmp_path / "small.yaml"), options)
    assert found.published and not found.missing and found.weights == "published"
    results = paper_study.comparison(options, ["none"], [found.spec])
    entry = results.entry("none", "small")
    assert entry is not None and entry.weights == "pretrained"
