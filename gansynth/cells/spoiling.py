"""What happens to pictures of cells on the way from one laboratory to another: file, focus, lamp and stain."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from gansynth.cells.stain_matching import StainChange

Pixels = NDArray[np.uint8]

OTHER_STAIN = (0.8, 1.0, 1.25)
"""By how much a stain with less azure and more eosin changes the optical density in red, green and blue."""


def as_jpeg(images: Pixels, quality: int = 60) -> Pixels:
    """Return images [n, 3, H, W] as JPEG of a quality (0..95) leaves them."""
    found = np.empty_like(images)
    for i, image in enumerate(images):
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(file, "JPEG", quality=quality)
        found[i] = np.asarray(Image.open(file)).transpose(2, 0, 1)
    return found


def blurred(images: Pixels, sigma: float = 0.7) -> Pixels:
    """Return images [n, 3, H, W] under a Gaussian blur of `sigma` pixels."""
    found = gaussian_filter(images.astype(np.float32), (0, 0, sigma, sigma))
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def brighter(images: Pixels, levels: int = 10) -> Pixels:
    """Return images [n, 3, H, W] by so many grey levels brighter, as under a stronger lamp; what is white stays."""
    return np.minimum(images.astype(np.int16) + levels, 255).astype(np.uint8)


def restained(images: Pixels, gains: tuple[float, float, float] = OTHER_STAIN) -> Pixels:
    """Return images [n, 3, H, W] as another mixture of dyes would show them.

    The optical density of each channel against the image's own background (Beer and Lambert's law) is multiplied by a
    gain; the background stays as it is.

    Examples
    --------
    >>> clean = np.full((1, 3, 32, 32), 230, np.uint8)
    >>> int(abs(restained(clean).astype(int) - 230).max())
    0
    """
    return StainChange(np.array(gains, np.float32), np.ones(3, np.float32))(images)


@dataclass(frozen=True)
class Spoiling:
    """A way to spoil pictures a little.

    Attributes
    ----------
    name : str
        Its key in results.json and in the names of files.
    title : str
        What a table calls cells so spoiled.
    alter : callable
        uint8 [n, 3, H, W] to the same.
    """

    name: str
    title: str
    alter: Callable[[Pixels], Pixels]


SPOILINGS = {
    one.name: one
    for one in (
        Spoiling("jpeg-60", "as JPEG of quality 60", as_jpeg),
        Spoiling("blur-0.7", "blurred by 0.7 px", blurred),
        Spoiling("brighter-10", "10 grey levels brighter", brighter),
        Spoiling("other-stain", "in another stain", restained),
    )
}
"""By name. Each is applied at the size at which the pictures are looked at."""
