"""Pictures that travel inside the page, as data addresses."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features


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
        picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
        sheet.paste(picture, (c * (width + gap), r * (height + gap)))
    return sheet


def picture_address(picture: Image.Image, *, lossless: bool = True) -> str:
    """Return a picture as a data address: WebP, or PNG where Pillow was built without it.

    Parameters
    ----------
    picture : PIL.Image.Image
    lossless : bool
        Whether every pixel is kept. A page with very many cells cannot afford it.
    """
    buffer = io.BytesIO()
    if features.check("webp"):
        settings = {"lossless": True, "quality": 40} if lossless else {"quality": 92}
        picture.save(buffer, format="WEBP", method=2, **settings)
        kind = "webp"
    else:
        picture.save(buffer, format="PNG", optimize=True)
        kind = "png"
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
    small = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(i.transpose(1, 2, 0))).resize((size, size), Image.Resampling.BOX)
        )
        for i in images
    ]
    return np.ascontiguousarray(np.stack(small).transpose(0, 3, 1, 2))
