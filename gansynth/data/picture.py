"""One image file to RGB uint8, and RGB to the square a network sees.

The reading rules are documented for users in docs/data.md; a change here changes what a data set
is, so it also changes `READING_RULES`, which is part of every pack's key.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gansynth.errors import InputError

READING_RULES = 2
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
# A cell image has 0.1 megapixels, a smear field a few; a small file that claims more is an attack or a mistake.
MAX_PIXELS = 64_000_000


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read one image file to RGB.

    Grey is repeated in three channels; transparency is laid over white; of 16-bit values the high
    byte is kept; CMYK is converted; the EXIF orientation is applied; of several pages the first is
    read. The content decides about the format, not the extension.

    Returns
    -------
    uint8 array, shape [H, W, 3]

    Raises
    ------
    InputError
        If the file is no complete image in one of the formats, has more than 64 megapixels, or holds
        32-bit or floating-point values (they have no agreed range).
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{image.width} x {image.height} pixels, more than {MAX_PIXELS // 10**6} megapixels")
            image.load()
            # Only the orientations 2 to 8 need work; asking first saves a copy of every image.
            if image.getexif().get(0x0112, 1) != 1:
                return _rgb(ImageOps.exif_transpose(image))
            return _rgb(image)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"more than {MAX_PIXELS // 10**6} megapixels") from error
    except Image.UnidentifiedImageError as error:
        raise InputError("not an image (jpg, png, tif, bmp, webp)") from error
    # Pillow's decoders raise nearly anything on damaged files; whatever it is, the file is unreadable.
    except Exception as error:
        raise InputError(
            f"damaged or cut off ({' '.join(str(error).split())[:120] or type(error).__name__})"
        ) from error


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.asarray(image)
        if image.mode == "F" or values.min() < 0 or values.max() > 65535:
            raise InputError("floating-point or 32-bit values have no agreed range; save it with 8 or 16 bits")
        return np.repeat((values >> 8).astype(np.uint8)[:, :, None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    return np.array(image)


def square(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Crop the centre square of an RGB image and resize it (bicubic, antialiased) to `size`.

    Parameters
    ----------
    pixels : uint8 array, shape [H, W, 3]
    size : int
        Edge length in pixels.

    Returns
    -------
    uint8 array, shape [3, size, size]
    """
    height, width = pixels.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    cropped = pixels[top : top + edge, left : left + edge]
    if edge != size:
        image = Image.fromarray(np.ascontiguousarray(cropped))
        cropped = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
    return np.ascontiguousarray(cropped.transpose(2, 0, 1))


def pixel_sha256(pixels: NDArray[np.uint8]) -> str:
    """Return the sha256 of an RGB image's shape and pixels: equal exactly for equal pictures, whatever the file."""
    digest = hashlib.sha256(f"{pixels.shape[1]}x{pixels.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
