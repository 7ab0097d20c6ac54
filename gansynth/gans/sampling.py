"""A trained generator that makes image s of a class, the same image whatever is asked for beside it.

The latent of an image, the noise of its layers and its orientation are drawn from its seed and class alone. Arithmetic
is not so obliging: convolutions of another batch size may round differently. So images are always computed in the same
company, the chunk of 32 seeds that theirs falls into, and in the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.gans.gan import GAN
from gansynth.networks.images import orient, to_uint8
from gansynth.runs.device import has_bf16, placed

CHUNK = 32
"""Seeds s with the same ``s // CHUNK`` are computed together."""

TILE_PIXELS = 4 * 128**2
"""Pixels of the images that a processor computes at a time: what lies between two layers then stays in its cache."""


class LoadedGenerator:
    """Seeds to images.

    Parameters
    ----------
    gan : GAN
        With trained weights.
    device : torch.device
        Where to compute. On a processor with bfloat16 arithmetic, as on a GPU, the networks compute in bfloat16;
        against float32 that changes a pixel by 0.2 grey levels on average.
    """

    def __init__(self, gan: GAN, device: torch.device) -> None:
        self.dtype = torch.bfloat16 if has_bf16(device) else torch.float32
        self.gan, self.device = gan.eval().requires_grad_(False), device
        area = gan.recipe.resolution**2
        self.tile = CHUNK if device.type != "cpu" else max(1, min(CHUNK, TILE_PIXELS // area))
        # One tile a thread, each computing on its own: threads that share a layer wait for each other at its end, which
        # on a machine that does other work too takes longer than the layer.
        threads = torch.get_num_threads()
        self.pool = (
            ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
            if device.type == "cpu" and self.tile < CHUNK and threads > 1
            else None
        )
        placed(gan, device, self.dtype)

    @torch.inference_mode()
    def __call__(self, class_index: int, seeds: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return one image for each seed.

        Parameters
        ----------
        class_index : int
        seeds : int64 array [n]
            Any numbers from 0 on; whole chunks (``range(32 * k, 32 * (k + 1))``) cost nothing extra.

        Returns
        -------
        uint8 array [n, 3, R, R]
        """
        seeds = np.asarray(seeds, dtype=np.int64)
        size = self.gan.recipe.resolution
        images = np.empty((len(seeds), 3, size, size), dtype=np.uint8)
        chunks = seeds // CHUNK
        for chunk in np.unique(chunks):
            wanted = np.flatnonzero(chunks == chunk)
            made = self._chunk(class_index, int(chunk))
            images[wanted] = made[seeds[wanted] % CHUNK]
        return images

    def _chunk(self, class_index: int, chunk: int) -> NDArray[np.uint8]:
        seeds = range(chunk * CHUNK, (chunk + 1) * CHUNK)
        latents = draw_latents(self.gan, class_index, seeds).to(self.device, self.dtype)
        labels = torch.full((CHUNK,), class_index, device=self.device)
        tiles = latents.split(self.tile), labels.split(self.tile)
        parts = map(self._tile, *tiles) if self.pool is None else self.pool.map(self._tile, *tiles)
        made: NDArray[np.uint8] = oriented(self.gan, torch.cat(list(parts)), class_index, seeds).numpy()
        return made

    @torch.inference_mode()
    def _tile(self, latents: Tensor, labels: Tensor) -> Tensor:
        return to_uint8(self.gan.generate(latents, labels)).cpu()


def oriented(gan: GAN, images: Tensor, class_index: int, seeds: Iterable[int]) -> Tensor:
    """Put the images [n, 3, R, R] of these seeds of a class into orientations that follow from their seeds.

    A GAN whose critics see cells in all orientations is free to draw a class in one of them, and does.
    """
    if not gan.recipe.augmentation.orientations:
        return images
    turns = [_digest(f"{class_index}/{seed}/orientation") % 8 for seed in seeds]
    return torch.stack([orient(image, k) for image, k in zip(images, turns, strict=True)])


def draw_latents(gan: GAN, class_index: int, seeds: Iterable[int]) -> Tensor:
    """Return what the images `seeds` of a class are made from, float32 [n, latent + noise].

    The latent of an image comes first and, where the generator's layers add noise, the image's noise after it.
    """
    lengths = (gan.recipe.latent, getattr(gan.generator, "n_noise", 0))
    return torch.stack([draw_normal(lengths, class_index, seed) for seed in seeds])


def draw_normal(lengths: Iterable[int], class_index: int, seed: int) -> Tensor:
    """Return the standard normal numbers of image `seed` of a class, float32 [sum of lengths], drawn part by part."""
    generator = torch.Generator().manual_seed(_digest(f"{class_index}/{seed}"))
    return torch.cat([torch.randn(length, generator=generator) for length in lengths])


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
