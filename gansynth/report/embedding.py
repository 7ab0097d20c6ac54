"""Pictures that travel inside the page, as data addresses."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features


def picture_of(image: NDArray[np.uint8]) -> Image.Image:
    """Return an image, uint8 [3, H, W], as a picture."""
    return Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))


def mosaic(images: NDArray[np.uint8], columns: int, gap: int = 2) -> Image.Image:
    """Lay images out row by row on white.

    Parameters
    ----------
    images : uint8 array, shape [N, 3, H, W]
        RGB, 0..255; N at least 1.
    columns : int
        Images in a row; the last row may be shorter.
    gap : int
        White pixels between two images.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    n, _, height, width = images.shape
    rows = -(-n // columns)
    columns = min(columns, n)
    sheet = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), "white")
    for i, image in enumerate(images):
        r, c = divmod(i, columns)
        sheet.paste(picture_of(image), (c * (width + gap), r * (height + gap)))
    return sheet


def picture_address(picture: Image.Image, *, lossless: bool = True) -> str:
    """Return a picture as a data address: WebP, or PNG where Pillow was built without it.

    Parameters
    ----------
    picture : PIL.Image.Image
    lossless : bool
        Whether every pixel is kept. A page with very many cells cannot afford it.
    """
    if not features.check("webp"):
        return data_address(picture, "png", optimize=True)
    settings = {"lossless": True, "quality": 40} if lossless else {"quality": 92}
    return data_address(picture, "webp", method=2, **settings)


def data_address(picture: Image.Image, kind: str, **settings: Any) -> str:
    """Return a picture as a data address, in a format ("png") that Pillow writes by these settings."""
    buffer = io.BytesIO()
    picture.save(buffer, format=kind.upper(), **settings)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def shrunk(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return images no larger than `size` pixels a side: averaged down where they are, else as they are.

    Parameters
    ----------
    images : uint8 array, shape [N, 3, H, W]
    size : int
        Pixels.
    """
    if images.shape[-1] <= size:
        return images
    small = [np.asarray(picture_of(image).resize((size, size), Image.Resampling.BOX)) for image in images]
    return np.ascontiguousarray(np.stack(small).transpose(0, 3, 1, 2))
