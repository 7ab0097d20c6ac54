"""TIFF files that hold more than 8-bit RGB, read by tifffile and brought to 8 bits by the rules of docs/data.md.

Pillow reads 8-bit TIFF right, and of deeper ones some layouts; what it gets wrong (planes, 32 bits, white for zero)
shows as a garbled, black or negative cell, and not as an error.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gansynth.errors import InputError

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MOST_DESCRIPTION = 1_000_000
_MIN_IS_WHITE, _GREY, _RGB = 0, 1, 2


def read_deep_tiff(file: BinaryIO, most_pixels: int) -> tuple[NDArray[np.uint8], int] | None:
    """Read a TIFF file that Pillow would get wrong; None for one that Pillow reads right.

    Parameters
    ----------
    file : binary file
        At its beginning.
    most_pixels : int

    Returns
    -------
    pixels : uint8 array, shape [H, W, 1], [H, W, 2], [H, W, 3] or [H, W, 4]
        Grey or RGB, and opacity where the file has it, not multiplied in.
    orientation : int
        As in EXIF; not applied yet.

    Raises
    ------
    InputError
        If the layout is not supported, or the values have no agreed range, with the words "not supported".
    """
    import tifffile

    try:
        with tifffile.TiffFile(file) as tiff:
            page: Any = tiff.pages.first
            _check_size(page, most_pixels)
            composite = _composite(tiff, page)
            plain = page.bitspersample <= 8 and page.sampleformat in (0, 1) and composite is None
            if plain:
                return None
            kind = f"TIFF of {_named(page)}"
            if page.photometric not in (_MIN_IS_WHITE, _GREY, _RGB):
                raise InputError(f"{kind} is not supported; save it as RGB of 8 or 16 bits")
            if composite is not None:
                values = np.moveaxis(composite.asarray(maxworkers=1), 0, -1)
            else:
                values = _of_page(page, kind)
                if values is None:
                    return None
            orientation = int(page.tags.valueof(274, default=1))
            samples, extra = values.shape[-1], page.extrasamples
    except InputError:
        raise
    except tifffile.TiffFileError as error:
        raise InputError(f"damaged or cut off ({' '.join(str(error).split())[:120]})") from None
    if samples > 4:
        raise InputError(f"{kind} with {samples} values a pixel is not supported; save it as RGB")
    pixels = to_eight_bits(values, kind)
    if page.photometric == _MIN_IS_WHITE:
        pixels[..., :1] = 255 - pixels[..., :1]
    if samples in (2, 4) and not _is_alpha(extra):
        pixels = pixels[..., : samples - 1]  # a value of unknown meaning, as Pillow passes over it
    elif samples in (2, 4) and int(extra[0]) == 1:  # multiplied in
        colour, alpha = pixels[..., :-1].astype(np.float32), pixels[..., -1:].astype(np.float32)
        pixels[..., :-1] = np.clip(colour * 255 / np.maximum(alpha, 1), 0, 255).round().astype(np.uint8)
    return np.ascontiguousarray(pixels), orientation


def to_eight_bits(values: NDArray[Any], kind: str) -> NDArray[np.uint8]:
    """Bring values of any depth to 0..255.

    Of whole numbers the highest bits are kept, as scikit-image's `img_as_ubyte` does; but 16 or 32 bits that hold
    nothing above 255 are 8 bits in a larger box, and 32 bits with nothing above 65535 are 16. Floating-point values are
    taken from 0..1, or from 0..255 where one is above 1.

    Parameters
    ----------
    values : array
    kind : str
        What the file is called in an error.

    Raises
    ------
    InputError
        If values are negative, not numbers, or floating-point and above 255.
    """
    from skimage.util import img_as_ubyte

    if values.dtype.kind not in "uif" or not values.size:
        raise InputError(f"{kind} is not supported; save it with 8 or 16 bits")
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or (values.dtype.kind == "f" and high > 255):
        raise InputError(
            f"{kind} with values from {low:g} to {high:g} is not supported, since they have no agreed range; save it "
            "with 8 or 16 bits"
        )
    if values.dtype.kind == "f":
        scaled = values.astype(np.float64) * (255 if high <= 1 else 1)
        return np.asarray(scaled.round(), dtype=np.uint8)
    if values.dtype.itemsize > 1 and high <= 255:
        return values.astype(np.uint8)
    if values.dtype.itemsize > 2 and high <= 65535:
        values = values.astype(np.uint16)
    return np.asarray(img_as_ubyte(values), dtype=np.uint8)


def _of_page(page: Any, kind: str) -> NDArray[Any] | None:
    try:
        values = page.asarray(maxworkers=1)
    except (ValueError, ImportError, NotImplementedError) as error:
        if "imagecodecs" not in str(error) and not isinstance(error, (ImportError, NotImplementedError)):
            raise
        # Whole pixels of 16 bits are read right by Pillow, whatever compresses them.
        if page.bitspersample == 16 and page.planarconfig == 1 and page.photometric != _MIN_IS_WHITE:
            return None
        raise InputError(
            f"{kind}, compressed by {page.compression.name}, is not supported; save it uncompressed"
        ) from None
    axes = page.axes
    if set(axes) - set("YXS"):
        raise InputError(f"{kind} with the axes {axes} is not supported; save one plane")
    if "S" not in axes:
        return np.asarray(values)[..., None]
    return np.moveaxis(values, axes.index("S"), -1)


def _composite(tiff: Any, page: Any) -> Any | None:
    """Return the series of an ImageJ or OME file that keeps red, green and blue as three grey pages."""
    description = page.description or ""
    if not (tiff.is_imagej or tiff.is_ome) or len(description) > _MOST_DESCRIPTION or "<!" in description[:2000]:
        return None
    if page.samplesperpixel != 1:
        return None
    series = tiff.series[0]
    is_rgb = series.axes == "CYX" and series.shape[0] == 3 and series.shape[1:] == page.shape
    return series if is_rgb else None


def _check_size(page: Any, most_pixels: int) -> None:
    tile = (page.tilewidth or 1) * (page.tilelength or 1)
    if page.imagewidth * page.imagelength > most_pixels or tile > most_pixels:
        raise InputError(f"{page.imagewidth} x {page.imagelength} pixels, more than {most_pixels // 10**6} megapixels")


def _is_alpha(extra: tuple[int, ...]) -> bool:
    return len(extra) > 0 and int(extra[0]) in (1, 2)


def _named(page: Any) -> str:
    form = {1: "", 2: "signed ", 3: "floating-point "}.get(int(page.sampleformat), "unusual ")
    photometric = getattr(page.photometric, "name", str(page.photometric))
    return f"{page.bitspersample} {form}bits ({photometric})"
