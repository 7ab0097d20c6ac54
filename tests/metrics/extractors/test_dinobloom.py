"""DinoBloom is the user's own file: its class token is the feature, and nothing else goes by its name. Stand-ins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.metrics.extractors import MissingWeights, open_extractor
from gansynth.metrics.extractors.dinobloom import DinoBloomFeatures, _renamed


def network(size: int = 224) -> torch.nn.Module:
    torch.manual_seed(0)
    return timm.create_model("vit_small_patch14_dinov2", pretrained=False, img_size=size, num_classes=0).eval()


def test_published_checkpoint_gives_the_class_token(tmp_path: Path) -> None:
    vit = network()
    teacher = {f"backbone.{name}": tensor for name, tensor in vit.state_dict().items()}
    teacher |= {"backbone.mask_token": torch.zeros(1, 384), "dino_head.mlp.0.weight": torch.zeros(2, 384)}
    torch.save({"teacher": teacher}, tmp_path / "DinoBloom-S.pth")
    extractor = open_extractor("dinobloom", file=tmp_path / "DinoBloom-S.pth")
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224), dtype=np.uint8)
    found = extractor(images)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        tokens = vit.forward_features((torch.from_numpy(images) / 255 - mean) / std)
    np.testing.assert_allclose(found["features"], tokens[:, 0].numpy(), rtol=1e-4, atol=1e-5)
    assert found["features"].shape == (2, 384)
    assert (extractor.name, extractor.sha256) == ("dinobloom", file_sha256(tmp_path / "DinoBloom-S.pth"))


def test_names_of_the_giant_are_timms() -> None:
    old = ["cls_token", "blocks.3.mlp.w12.weight", "blocks.3.mlp.w3.bias", "blocks.3.ls1.gamma"]
    found = _renamed({"teacher": {f"backbone.{name}": torch.zeros(1) for name in old}})
    assert list(found) == ["cls_token", "blocks.3.mlp.fc1.weight", "blocks.3.mlp.fc2.bias", "blocks.3.ls1.gamma"]


def test_plain_dinov2_is_not_called_dinobloom(tmp_path: Path) -> None:
    state = {"cls_token": torch.zeros(1, 1, 384), "pos_embed": torch.zeros(1, 1370, 384)}
    torch.save(state, tmp_path / "dinov2_vits14_pretrain.pth")
    with pytest.raises(InputError, match="does not fit DinoBloom"):
        DinoBloomFeatures(tmp_path / "dinov2_vits14_pretrain.pth")


@pytest.mark.parametrize("state", [{}, {"teacher": 3}, {"teacher": {"backbone.pos_embed": torch.zeros(1, 257, 192)}}])
def test_other_files_are_refused(tmp_path: Path, state: dict[str, object]) -> None:
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(InputError, match="is not a checkpoint of DinoBloom"):
        DinoBloomFeatures(tmp_path / "other.pth")


def test_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights) as raised:
        DinoBloomFeatures(tmp_path / "DinoBloom-B.pth")
    assert raised.value.to_json()["file"] == "DinoBloom-B.pth"
    with pytest.raises(MissingWeights, match="--dinobloom FILE"):
        open_extractor("dinobloom")
