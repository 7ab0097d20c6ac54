"""What every extractor is: images in, one row of features for each image out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


class Extractor(Protocol):
    """A frozen network in whose features images are compared.

    Attributes
    ----------
    name : str
        Such as "inception".
    sha256 : str
        Of its weights: features and statistics are kept under it.
    """

    name: str
    sha256: str

    def __call__(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return features of images.

        Parameters
        ----------
        images : uint8 array, shape [n, 3, H, W]
            RGB, 0..255; it may be memory-mapped, it is read batch by batch.

        Returns
        -------
        dict
            "features", float32 [n, d], and where the network has them "logits", float32 [n, k]. Row i depends on
            image i only.
        """


def batches(images: NDArray[np.uint8], size: int, device: torch.device) -> Iterator[tuple[slice, Tensor]]:
    """Give `size` images at a time on the device, the last batch filled up with black ones.

    Convolutions round differently in batches of another size; so every batch has the same.

    Yields
    ------
    (slice, uint8 tensor [size, 3, H, W])
        Which images the first rows are; the rest of the rows are to be dropped.

    Raises
    ------
    ValueError
        If the images are not uint8 [n, 3, H, W].
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 [n, 3, H, W], got {images.dtype} {tuple(images.shape)}")
    for start in range(0, len(images), size):
        part = slice(start, min(start + size, len(images)))
        # A copy: torch warns of read-only memory, and a memory-mapped pack is that.
        batch = torch.from_numpy(np.array(images[part]))
        yield part, F.pad(batch, (0, 0, 0, 0, 0, 0, 0, size - len(batch))).to(device)


def exact_arithmetic() -> AbstractContextManager[None]:
    """Return a context in which a GPU computes convolutions in full 32-bit arithmetic, always the same way."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
