"""How large red cells are in a set of smear fields: their usual diameter in pixels.

Red cells are the ruler of a smear: about 7.5 micrometres wide in health, whatever the microscope.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.measure import label, regionprops

from gansynth.cells.stain import optical_density
from gansynth.errors import InputError
from gansynth.smears.field import fill_holes

_LONG_EDGE = 640
_LEAST_DENSITY = 0.06
_LEAST_SHARE = 0.001  # of the field's area: smaller things are platelets and dirt
_LARGEST_SHARE = 0.08


def round_regions(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the diameters of what lies alone in a field, is round, and is not a white cell.

    Parameters
    ----------
    image : uint8 [H, W, 3]

    Returns
    -------
    float64 [N]
        Diameters of circles of the same area, in pixels of `image`.
    """
    mask, purple, scale = _stained(image)
    rows, columns = mask.shape
    diameters = []
    for region in regionprops(label(mask, connectivity=1), intensity_image=purple):
        top, left, bottom, right = region.bbox
        whole = top > 0 and left > 0 and bottom < rows and right < columns
        fits = _LEAST_SHARE * mask.size <= region.area <= _LARGEST_SHARE * mask.size
        if whole and fits and region.solidity > 0.93 and region.eccentricity < 0.75 and region.intensity_mean < 0.1:
            diameters.append(region.equivalent_diameter_area / scale)
    return np.array(diameters, dtype=np.float64)


def crowded_widths(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how wide a field is stained around the middle of each red cell, where cells touch and overlap.

    The middle of a cell is as far from what is not stained as nowhere beside it; twice that distance is its width,
    less where cells overlap on all sides, more where three meet.

    Parameters
    ----------
    image : uint8 [H, W, 3]

    Returns
    -------
    float64 [N]
        In pixels of `image`.
    """
    mask, purple, scale = _stained(image)
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1], 1)
    row, column = peak_local_max(depth, min_distance=5).T
    width = 2 * depth[row, column]
    least, largest = (2 * math.sqrt(share * mask.size / math.pi) for share in (_LEAST_SHARE, _LARGEST_SHARE))
    red = (purple[row, column] < 0.1) & (width >= least) & (width <= largest)
    return np.asarray(width[red] / scale, np.float64)


def _stained(image: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.float64], float]:
    """Return what is stained in a field made smaller, how purple it is, and by how much it was made smaller."""
    height, width = image.shape[:2]
    scale = min(1.0, _LONG_EDGE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    density = ndimage.gaussian_filter(
        optical_density(np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))), (1, 1, 0)
    )
    mask = fill_holes(density[..., 1] > _LEAST_DENSITY, _LARGEST_SHARE * density[..., 1].size / 4)
    mask = ndimage.binary_opening(mask, iterations=2)
    return mask, density[..., 1] - density[..., 2], scale


def red_cell_diameter(fields: Iterable[NDArray[np.uint8]]) -> float | None:
    """Return the usual diameter of a red cell, or None where the fields show none.

    It is the median, weighted by area so that many small platelets do not count for much, of the diameters of all
    round things that lie alone and are not stained like a white cell. In crowded fields, where none lies alone, it is
    that of `crowded_widths`, and a warning says so.

    Parameters
    ----------
    fields : iterable of uint8 [H, W, 3]
        Fields of one magnification.

    Returns
    -------
    float or None
        In pixels.
    """
    fields = list(fields)
    diameter = _weighted_median([round_regions(field) for field in fields])
    if diameter is None:
        diameter = _weighted_median([crowded_widths(field) for field in fields])
        if diameter is not None:
            warnings.warn(
                f"no red cell lies alone, so their diameter, {diameter:.0f} pixels, is that of crowded cells and may "
                "be off by a sixth; give it with --cell-diameter if the overlays look wrong",
                stacklevel=2,
            )
    return diameter


def _weighted_median(diameters: Sequence[NDArray[np.float64]]) -> float | None:
    found = np.sort(np.concatenate([np.zeros(0), *diameters]))
    if not len(found):
        return None
    weight = np.cumsum(found**2)
    return float(found[np.searchsorted(weight, weight[-1] / 2)])


def given_or_measured(image: NDArray[np.uint8], cell_diameter: float | None) -> float:
    """Return the diameter that is given, or else that of the red cells of this field.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    cell_diameter : float or None
        In pixels.

    Raises
    ------
    InputError
        If none is given and the field shows no red cell by itself.
    """
    found = red_cell_diameter([image]) if cell_diameter is None else cell_diameter
    if found is None:
        raise InputError("no red cell lies alone in the field; give the diameter of a red cell in pixels")
    return found
