"""Real cells that were spoiled a little: what a judge says of them shows what its number means."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Control:
    """A way to spoil a real cell.

    Attributes
    ----------
    name : str
        Its key in results.json.
    title : str
        What a table calls such cells.
    alter : callable
        uint8 [n, 3, H, W] to the same.
    """

    name: str
    title: str
    alter: Callable[[Pixels], Pixels]


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


JPEG = "jpeg-60"
"""The control that distances are measured by."""

CONTROLS = {
    control.name: control
    for control in (
        Control(JPEG, "real, as JPEG of quality 60", as_jpeg),
        Control("blur-0.7", "real, blurred by 0.7 px", blurred),
    )
}
"""What is done to held-out real cells, at the size at which images are compared."""

HELD_OUT = "held-out"
"""The row of the same real cells as they are."""

TITLES = {HELD_OUT: "real, held out", **{name: control.title for name, control in CONTROLS.items()}}
"""What a table calls each row."""
