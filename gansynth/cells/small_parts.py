"""Masks without specks and without pinholes.

scikit-image has both, by arguments that were renamed in 0.26, for which Python 3.10 is too old.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def without_small_objects(mask: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Return the mask without the objects of at most so many pixels; pixels of an object share edges."""
    objects, _ = ndimage.label(mask)
    kept = np.bincount(objects.ravel()) > most
    kept[0] = False
    return np.asarray(kept[objects])


def without_small_holes(mask: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Return the mask with its holes of at most so many pixels filled, those at the border of the image included."""
    return ~without_small_objects(~mask, most)
