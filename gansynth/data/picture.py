"""One image file to RGB uint8, and RGB to the square a network sees.

The reading rules are documented for users in docs/data.md; a change here changes what a data set
is, so it also changes `READING_RULES`, which is part of every pack's key.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from gansynth.data.tiff import MAGIC as TIFF_MAGIC
from gansynth.data.tiff import read_deep_tiff, to_eight_bits
from gansynth.errors import InputError
from gansynth.files import open_regular

READING_RULES = 2
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
# A cell image has 0.1 megapixels, a smear field a few; a small file that claims more is an attack or a mistake.
MAX_PIXELS = 64_000_000
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_OTHER_FORMATS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("TIFF of this kind", lambda head: head[:4] in TIFF_MAGIC),
    ("GIF", lambda head: head.startswith((b"GIF87a", b"GIF89a"))),
    ("PSD", lambda head: head.startswith(b"8BPS")),
    ("JPEG 2000", lambda head: head.startswith((b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51"))),
    ("HEIF or AVIF", lambda head: head[4:8] == b"ftyp"),
    ("DICOM", lambda head: head[128:132] == b"DICM"),
    ("PDF", lambda head: head.startswith(b"%PDF")),
    ("SVG", lambda head: b"<svg" in head),
)


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read one image file to RGB.

    Grey is repeated in three channels; transparency is laid over white; more than 8 bits are brought to 8
    (`gansynth.data.tiff.to_eight_bits`); CMYK is converted, by the file's own colour profile where it has one; the EXIF
    orientation is applied; of several pages the first is read. The content decides about the format, not the extension.

    Returns
    -------
    uint8 array, shape [H, W, 3]

    Raises
    ------
    InputError
        If it is not a regular file, not a complete image in one of the formats, has more than 64 megapixels, or is of a
        kind that is not supported, which the sentence then says.
    """
    with open_regular(path) as file:
        try:
            return _read(file)
        except InputError:
            raise
        except Image.DecompressionBombError as error:
            raise InputError(f"more than {MAX_PIXELS // 10**6} megapixels") from error
        except Image.UnidentifiedImageError as error:
            raise InputError(_not_an_image(file)) from error
        # The decoders raise nearly anything on damaged files; whatever it is, the file is unreadable.
        except Exception as error:
            raise InputError(
                f"damaged or cut off ({' '.join(str(error).split())[:120] or type(error).__name__})"
            ) from error


def _read(file: BinaryIO) -> NDArray[np.uint8]:
    head = file.read(4)
    file.seek(0)
    if head in TIFF_MAGIC and (found := read_deep_tiff(file, MAX_PIXELS)) is not None:
        deep, orientation = found
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[deep.shape[2]]
        return _rgb(_oriented(Image.fromarray(deep[..., 0] if mode == "L" else deep, mode), orientation))
    file.seek(0)
    with Image.open(file, formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise InputError(f"{image.width} x {image.height} pixels, more than {MAX_PIXELS // 10**6} megapixels")
        image.load()
        pixels = _rgb(_oriented(image, image.getexif().get(_ORIENTATION, 1)))
        # Pillow keeps the high byte of 16-bit RGB, and nothing is left of one that holds 0 to 255.
        if not pixels.any() and image.format == "PNG" and _depth_of_png(file) == 16 and image.mode in ("RGB", "RGBA"):
            raise InputError("PNG of 16-bit RGB with nothing in its high bytes is not supported; save it with 8 bits")
        return pixels


def _oriented(image: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation; only 2 to 8 need work, and asking first saves a copy of every image."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.asarray(image)
        return np.repeat(to_eight_bits(values, f"grey of {8 * values.dtype.itemsize} bits")[:, :, None], 3, axis=2)
    if image.mode in ("LAB", "HSV"):
        raise InputError(f"colours as {image.mode} are not supported; save it as RGB")
    if image.mode == "CMYK":
        image = _from_cmyk(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    return np.array(image)


def _from_cmyk(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if found is not None:
                return found
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that does not fit says nothing about the colours
    return image.convert("RGB")


def _depth_of_png(file: BinaryIO) -> int:
    file.seek(24)
    return int.from_bytes(file.read(1), "big")


def _not_an_image(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(140)
    kind = next((name for name, is_it in _OTHER_FORMATS if is_it(head)), None)
    if kind is not None:
        return f"{kind} is not supported; save it as PNG, TIFF or JPEG"
    return "not an image (jpg, png, tif, bmp, webp)"


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
