"""Circles by Hough's transform, with the direction of the edge taken into account.

The classical transform lets every edge pixel vote for every centre at distance r. Here it votes for one: the centre
that lies r against the gradient, where the dark inside of a cell is (Kimme, Ballard and Sklansky 1975, "Finding circles
by an array of accumulators"). So the pale middle of a red cell, whose edge points the other way, does not answer, and
a field takes a few hundredths of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class Circles:
    """Circles in an image, the strongest first.

    Attributes
    ----------
    x, y, radius : float64 [N]
        Centre and radius in pixels. A centre may lie outside of the image.
    support : float64 [N]
        Edge pixels that voted for the circle, as a share of 2 pi r: about 1 where the whole outline is seen sharply.
    visible : float64 [N]
        Share of the circumference inside the image.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    radius: NDArray[np.float64]
    support: NDArray[np.float64]
    visible: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.x)

    def select(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Circles:
        """Return some of the circles, by a mask or by positions."""
        return Circles(self.x[which], self.y[which], self.radius[which], self.support[which], self.visible[which])


def dark_circles(
    grey: NDArray[np.floating],
    radii: NDArray[np.integer],
    *,
    edge: float = 0.03,
    smoothing: float = 1.2,
    tolerance: float = 1.5,
    apart: float = 0.6,
) -> Circles:
    """Find circles that are darker inside than outside.

    Parameters
    ----------
    grey : float [H, W], in 0 to 1
    radii : int [R]
        The radii looked for, ascending and without gaps, in pixels.
    edge : float
        Smallest gradient of an edge pixel, in grey levels per pixel.
    smoothing : float
        Standard deviation in pixels of the Gaussian whose derivative is the gradient.
    tolerance : float
        Standard deviation in pixels within which votes for neighbouring centres add up.
    apart : float
        Two centres are never closer than this share of the mean radius.

    Returns
    -------
    Circles
        All local maxima of the votes.
    """
    height, width = grey.shape
    down, right = (ndimage.gaussian_filter(grey, smoothing, order) for order in ((1, 0), (0, 1)))
    steep = np.hypot(down, right)
    y, x = np.nonzero(steep > edge)
    unit_y, unit_x = down[y, x] / steep[y, x], right[y, x] / steep[y, x]
    pad = int(radii[-1]) + 2
    shape = (height + 2 * pad, width + 2 * pad)
    votes = np.empty((len(radii), *shape), dtype=np.float32)
    for layer, r in zip(votes, radii, strict=True):
        place = (np.rint(y - r * unit_y).astype(np.intp) + pad) * shape[1] + np.rint(x - r * unit_x).astype(np.intp)
        layer[:] = np.bincount(place + pad, minlength=layer.size).reshape(shape)
        layer *= 1 / (2 * np.pi * r)
    votes = ndimage.gaussian_filter(votes, (0.8, tolerance, tolerance), mode=("nearest", "constant", "constant"))
    best = votes.max(axis=0)
    window = 2 * int(apart * radii.mean()) + 1
    found_y, found_x = np.nonzero((best == ndimage.maximum_filter(best, window)) & (best > 0))
    order = np.argsort(-best[found_y, found_x], kind="stable")
    found_y, found_x = found_y[order], found_x[order]
    radius = radii[votes[:, found_y, found_x].argmax(axis=0)].astype(np.float64)
    # A vote is spread over the Gaussian's area; undone, so that a sharp whole circle has support of about 1.
    support = best[found_y, found_x].astype(np.float64) * (2 * np.pi * tolerance**2)
    centre_x, centre_y = (found_x - pad).astype(np.float64), (found_y - pad).astype(np.float64)
    return Circles(centre_x, centre_y, radius, support, _visible(centre_x, centre_y, radius, height, width))


def _visible(
    x: NDArray[np.float64], y: NDArray[np.float64], radius: NDArray[np.float64], height: int, width: int
) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    rim_x = x[:, None] + radius[:, None] * np.cos(angle)
    rim_y = y[:, None] + radius[:, None] * np.sin(angle)
    return np.asarray(((rim_x >= 0) & (rim_x < width) & (rim_y >= 0) & (rim_y < height)).mean(axis=1))
