from __future__ import annotations

import colorsys

import pytest
import torch

from gansynth.gans.diffaugment import DiffAugment
from gansynth.networks.images import orient
from gansynth.recipes import Augmentation


def test_policy_none_without_orientations_changes_nothing() -> None:
    images = torch.randn(2, 3, 8, 8)
    assert DiffAugment(Augmentation(orientations=False, policy="none"))(images) is images


@pytest.mark.parametrize("policy", ["stain", "color"])
def test_augmentation_is_differentiable_and_different_for_each_image(policy: str) -> None:
    torch.manual_seed(0)
    images = torch.rand(1, 3, 16, 16).repeat(4, 1, 1, 1).requires_grad_()
    changed = DiffAugment(Augmentation(policy=policy, cutout=0.3))(images)
    assert changed.shape == images.shape
    assert torch.pdist(changed.detach().flatten(1)).min() > 0
    changed.square().sum().backward()
    assert images.grad is not None
    assert (images.grad.flatten(1).abs().sum(dim=1) > 0).all()


def test_the_stain_policy_leaves_hue_alone() -> None:
    """Hue tells an eosinophil from a basophil; brightness, saturation and contrast do not move it."""
    torch.manual_seed(0)
    purple, orange = torch.tensor([0.2, -0.3, 0.4]), torch.tensor([0.6, 0.1, -0.4])
    for color in (purple, orange):
        images = color[None, :, None, None].expand(16, 3, 4, 4)
        for changed in DiffAugment(Augmentation(orientations=False, policy="stain", translation=0))(images)[:, :, 0, 0]:
            before = colorsys.rgb_to_hsv(*((color + 1) / 2).tolist())[0]
            after = colorsys.rgb_to_hsv(*((changed + 1) / 2).tolist())[0]
            assert after == pytest.approx(before, abs=1e-3)


def test_translation_moves_pixels_and_invents_none() -> None:
    torch.manual_seed(0)
    images = torch.arange(64.0).reshape(1, 1, 8, 8).expand(5, 3, 8, 8)
    moved = DiffAugment(Augmentation(policy="stain", translation=0.25))
    from gansynth.gans import diffaugment

    shifted = diffaugment._translate(images, 0.25)
    assert set(shifted.unique().tolist()) <= set(range(64))
    assert moved.settings.translation == 0.25
    assert not torch.equal(shifted[0], shifted[1])


def test_each_image_has_an_orientation_of_its_own_and_all_eight_occur() -> None:
    """Real images that shared one would let the critic see a batch by its orientation."""
    torch.manual_seed(0)
    image = torch.arange(48.0).reshape(1, 3, 4, 4)
    eight = [orient(image[0], k) for k in range(8)]
    seen = DiffAugment(Augmentation(orientations=True, policy="none"))(image.expand(200, -1, -1, -1))
    which = [next(k for k, one in enumerate(eight) if torch.equal(x, one)) for x in seen]
    assert set(which) == set(range(8))
    assert len({tuple(which[i : i + 4]) for i in range(0, 200, 4)}) > 25
