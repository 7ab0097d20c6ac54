"""One smear field at working size: small enough to be quick, with its stain measured and its objects masked.

Everything that finds cells works on this picture, in which a red cell has a fixed diameter; lengths elsewhere are
shares of that diameter, so that no number depends on the microscope's magnification.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.measure import label

from gansynth.cells.stain import background_colour, optical_density
from gansynth.errors import InputError

WORKING_DIAMETER = 40
"""Diameter of a usual red cell in the working picture, in pixels, its blurred rim included."""

MOST_PIXELS = 26_000_000
"""A camera's 24 megapixels, and a margin."""

_RIM = 1.055
"""Diameter with the rim over the measured one; chosen where the settings of red cells were."""


@dataclass(frozen=True)
class SmearField:
    """A field, resized so that a red cell with its rim is `WORKING_DIAMETER` pixels wide.

    Attributes
    ----------
    pixels : uint8 [h, w, 3]
    density : float32 [h, w, 3]
        Optical density against the clean slide, smoothed over about a pixel.
    scale : float
        Pixels here for one pixel of the field.
    height, width : int
        Of the field itself, in pixels.
    """

    pixels: NDArray[np.uint8]
    density: NDArray[np.float32]
    scale: float
    height: int
    width: int


def refuse_large(height: int, width: int, cell_diameter: float | None = None) -> None:
    """Refuse a field that would take minutes and gigabytes.

    Parameters
    ----------
    height, width : int
        Of the field, in pixels.
    cell_diameter : float, optional
        Of a usual red cell in it: where that is small, the working picture is larger than the field.

    Raises
    ------
    InputError
        If the field or its working picture has more than `MOST_PIXELS`.
    """
    if height * width > MOST_PIXELS:
        raise InputError(
            f"{width} x {height} pixels, more than the {MOST_PIXELS / 1e6:g} megapixels a field may have; cut it into "
            "tiles"
        )
    scale = 1.0 if cell_diameter is None else WORKING_DIAMETER / (_RIM * cell_diameter)
    if height * width * scale**2 > MOST_PIXELS:
        raise InputError(
            f"{width} x {height} pixels with red cells {cell_diameter:g} pixels wide would be enlarged to more than "
            f"{MOST_PIXELS / 1e6:g} megapixels; check --cell-diameter, or cut the field into tiles"
        )


def working_field(image: NDArray[np.uint8], cell_diameter: float) -> SmearField:
    """Resize a field to working size and measure its stain.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    cell_diameter : float
        Of a usual red cell, in pixels of `image`.
    """
    height, width = image.shape[:2]
    scale = WORKING_DIAMETER / (_RIM * cell_diameter)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    kind = Image.Resampling.BOX if scale < 1 else Image.Resampling.LANCZOS
    pixels = np.asarray(Image.fromarray(image).resize(size, kind))
    density = ndimage.gaussian_filter(optical_density(pixels, background_colour(pixels)), (1, 1, 0))
    return SmearField(pixels, np.asarray(density, dtype=np.float32), scale, height, width)


def fill_holes(mask: NDArray[np.bool_], largest: float, but: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Fill what `mask` encloses: the pale middles of red cells.

    Parameters
    ----------
    mask : bool [h, w]
    largest : float
        Holes of more pixels stay: they are slide between cells.
    but : bool [h, w], optional
        Holes that meet this mask stay.

    Returns
    -------
    bool [h, w]
    """
    holes = label(~mask, connectivity=1)
    fill = np.bincount(holes.ravel()) <= largest
    fill[0] = False
    for rim in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        fill[rim] = False
    if but is not None:
        fill[holes[but]] = False
    return mask | fill[holes]


def disk(radius: float) -> NDArray[np.bool_]:
    """Return a filled circle as a footprint, at least 3 x 3."""
    reach = max(1, int(np.ceil(radius)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(np.hypot(y, x) <= max(radius, 1.0))
