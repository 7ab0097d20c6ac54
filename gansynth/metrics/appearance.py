"""What an image looks like, in so few numbers that a copy keeps them: for finding copies of training images.

Copies come turned, mirrored, brighter, darker, re-compressed, or shifted by a pixel. Averages of 8 x 8 places, freed of
their mean colour and compared in all eight orientations, see through all of that; the features of a cell classifier
do not, since they change with a JPEG's artefacts more than from cell to cell (`eval/memorisation_power.py`).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from gansynth.networks.images import orient

EDGE = 8
ORIENTATIONS = 8
_BLOCK_ELEMENTS = 2**24
_READ = 1024


def appearance(images: NDArray[np.uint8], edge: int = EDGE) -> NDArray[np.float32]:
    """Return images averaged to `edge` x `edge` places, less each channel's mean.

    Parameters
    ----------
    images : uint8 array, shape [n, 3, H, W]
        May be memory-mapped.
    edge : int

    Returns
    -------
    float32 array, shape [n, 3, edge, edge]
        Grey levels about the mean colour: the same for an image and a brighter or darker print of it.
    """
    found = np.empty((len(images), *images.shape[1:2], edge, edge), np.float32)
    for start in range(0, len(images), _READ):
        block = torch.from_numpy(np.array(images[start : start + _READ])).float()
        small = F.adaptive_avg_pool2d(block, edge)
        found[start : start + _READ] = (small - small.mean(dim=(2, 3), keepdim=True)).numpy()
    return found


def nearest_in_any_orientation(
    queries: NDArray[np.float32], references: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the nearest reference of each query, whichever way the query is turned or mirrored.

    Parameters
    ----------
    queries, references : float32 arrays, shape [n, C, e, e] and [m, C, e, e]
        What `appearance` returned.

    Returns
    -------
    distance : float32 array, shape [n]
        Root mean square difference in the best orientation, in the units of the queries (grey levels); exactly 0 for
        an equal reference, infinite when there is no reference.
    index : int64 array, shape [n]
        Which reference; -1 when there is none.

    Raises
    ------
    ValueError
        If the arrays are not square images of one size.
    """
    if queries.ndim != 4 or queries.shape[1:] != references.shape[1:] or queries.shape[2] != queries.shape[3]:
        raise ValueError(f"expected [n, C, e, e] and [m, C, e, e], got {queries.shape} and {references.shape}")
    distance, index = np.full(len(queries), np.inf, np.float32), np.full(len(queries), -1, np.int64)
    if not len(references):
        return distance, index
    r = torch.from_numpy(np.ascontiguousarray(references)).flatten(1)
    squares = r.square().sum(dim=1)
    rows = max(1, _BLOCK_ELEMENTS // max(len(r), r.shape[1]))
    for start in range(0, len(queries), rows):
        q = torch.from_numpy(np.ascontiguousarray(queries[start : start + rows]))
        best = torch.full((len(q),), torch.inf)
        which, turned = torch.zeros(len(q), dtype=torch.int64), q.flatten(1).clone()
        for k in range(ORIENTATIONS):
            view = orient(q, k).flatten(1)
            # Up to what the query adds to all of them: it does not change which is nearest.
            value, place = torch.addmm(squares, view, r.t(), alpha=-2).min(dim=1)
            better = value < best
            best[better], which[better], turned[better] = value[better], place[better], view[better]
        # The scalar product says which; how far is computed anew, so that equal images are at 0.
        distance[start : start + rows] = (turned - r[which]).square().mean(dim=1).sqrt().numpy()
        index[start : start + rows] = which.numpy()
    return distance, index
