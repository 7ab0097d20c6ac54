"""A walk through what a generator knows: from one cell to the next, of one class or of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.errors import InputError
from gansynth.gans.gan import GAN
from gansynth.gans.run import Run
from gansynth.gans.sampling import draw_latents, oriented
from gansynth.networks.compact import SkipGenerator
from gansynth.networks.images import to_uint8
from gansynth.runs.device import chosen_device

Stop = tuple[str, int]
"""A cell to pass: its class and its seed."""

_BATCH = 32


@dataclass(frozen=True)
class Walk:
    """The images of a walk.

    Attributes
    ----------
    frames : uint8 array [n, 3, R, R]
    stops : tuple of (class, seed)
        The cells that were passed.
    at : tuple of int
        The frame of each stop.
    """

    frames: NDArray[np.uint8]
    stops: tuple[Stop, ...]
    at: tuple[int, ...]


def stops_of(classes: Sequence[str], cells: int, seed: int) -> tuple[Stop, ...]:
    """Return the cells that a walk passes: `cells` of one class, or one of each class where there are several.

    Examples
    --------
    >>> stops_of(["basophil"], 3, 7), stops_of(["basophil", "monocyte"], 2, 7)
    ((('basophil', 7), ('basophil', 8), ('basophil', 9)), (('basophil', 7), ('monocyte', 7)))
    """
    if len(classes) == 1:
        return tuple((classes[0], seed + k) for k in range(cells))
    return tuple((name, seed) for name in classes)


@torch.inference_mode()
def walk(run: Run, stops: Sequence[Stop], *, steps: int = 24, truncation: float = 1.0, device: str = "auto") -> Walk:
    """Walk from cell to cell.

    At every stop stands the image that `Run.sample` makes for the class and the seed (to a rounding, and turned as the
    first one). Between two cells of one class, latents are interpolated on the sphere; a walk between classes goes in a
    straight line through the styles that steer a compact generator's layers.

    Parameters
    ----------
    run : Run
    stops : sequence of (class, seed)
        At least 2.
    steps : int
        From one stop to the next, at least 1.
    truncation : float
        See `Run.generator`.
    device : {"auto", "cpu", "cuda"}

    Returns
    -------
    Walk
        ``steps * (len(stops) - 1) + 1`` frames.

    Raises
    ------
    InputError
        If there are fewer than two stops, a class is unknown, or the generator cannot walk so.
    """
    if len(stops) < 2:
        raise InputError("a walk leads from one cell to another; name two classes, or ask for at least 2 cells")
    if steps < 1:
        raise InputError(f"{steps} steps from cell to cell: give at least 1")
    classes = [run.class_index(name) for name, _ in stops]
    loaded = run.generator(chosen_device(device), truncation)
    gan = loaded.gan
    if type(gan).label_with is not GAN.label_with:
        raise InputError(f"{run.name}: {run.recipe.gan} cannot be asked for a class, so no way leads through one")
    if len(set(classes)) > 1 and not isinstance(gan.generator, SkipGenerator):
        raise InputError(
            f"{run.name}: only a generator with styles (networks of family compact) can walk between classes; name one"
        )
    latents = torch.cat([draw_latents(gan, c, [seed]) for c, (_, seed) in zip(classes, stops, strict=True)])
    shares = torch.arange(steps * (len(stops) - 1) + 1) / steps
    parts = [
        to_uint8(_images(gan, latents.to(loaded.device), classes, part, loaded.dtype)).cpu()
        for part in shares.split(_BATCH)
    ]
    # All frames are turned as the first: between two orientations there is no way.
    frames = oriented(gan, torch.cat(parts), classes[0], [stops[0][1]] * len(shares))
    return Walk(frames.numpy(), tuple(stops), tuple(range(0, len(shares), steps)))


def _images(gan: GAN, latents: Tensor, classes: Sequence[int], shares: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the images at `shares` [n] of the way, 1 at the second stop, 2 at the third and so on."""
    start = shares.long().clamp(max=len(classes) - 2)
    share = (shares - start)[:, None].to(latents)
    length = gan.recipe.latent
    z = between_on_sphere(latents[start, :length], latents[start + 1, :length], share)
    noise = latents[start, length:]
    if noise.shape[1]:
        noise = between_on_sphere(noise, latents[start + 1, length:], share)
    labels = torch.tensor(classes, device=latents.device)
    if len(set(classes)) == 1:
        return gan.generate(torch.cat([z, noise], dim=1).to(dtype), labels[start])
    generator = gan.generator
    assert isinstance(generator, SkipGenerator)
    here, there = (generator.style(latents[k].to(dtype), labels[k]) for k in (start, start + 1))
    return generator.synthesise(torch.lerp(here, there, share.to(dtype)), torch.cat([z, noise], dim=1).to(dtype))


def between_on_sphere(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Return what lies between vectors [n, d] at `share` [n, 1] of the angle between them; lengths change evenly.

    In a straight line, two normal vectors would pass near the origin, where no latent is ever drawn.
    """
    lengths = start.norm(dim=1, keepdim=True), end.norm(dim=1, keepdim=True)
    a, b = start / lengths[0], end / lengths[1]
    angle = torch.acos((a * b).sum(dim=1, keepdim=True).clamp(-1, 1))
    sine = torch.sin(angle).clamp(min=1e-6)
    # Nearly parallel vectors: the straight line is the arc.
    straight = angle < 1e-4
    weights = (
        torch.where(straight, 1 - share, torch.sin((1 - share) * angle) / sine),
        torch.where(straight, share, torch.sin(share * angle) / sine),
    )
    return (weights[0] * a + weights[1] * b) * torch.lerp(*lengths, share)
