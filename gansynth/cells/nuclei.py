"""Nuclei as a table: lobes, shape, colour and texture of each cell, and whether it has granules.

alkrimi2023 (section 2) distinguishes granulocytes (neutrophils, eosinophils, basophils) from agranulocytes
(lymphocytes, monocytes) by nuclei that were cut by their stain and counted.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import label, regionprops
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from gansynth.cells.segmentation import CellMasks, as_rgb, segment_cell
from gansynth.cells.small_parts import without_small_holes
from gansynth.cells.stain import NUCLEAR_WEIGHTS, optical_density
from gansynth.data.dataset import CellDataset
from gansynth.data.label_tree import AGRANULOCYTE, GRANULOCYTE, granulation
from gansynth.data.mapping import plain_type

COLUMNS = (
    "lobes",
    "nucleus_area",
    "cell_area",
    "nucleus_share",
    "solidity",
    "eccentricity",
    "roundness",
    "extent",
    "off_centre",
    "nucleus_red",
    "nucleus_green",
    "nucleus_blue",
    "nucleus_stain",
    "plasma_red",
    "plasma_green",
    "plasma_blue",
    "plasma_stain",
    "plasma_grain",
    "contrast",
    "homogeneity",
    "energy",
    "correlation",
)
"""What `nucleus_features` measures, in this order."""

TABLE_COLUMNS = ("path", "class", "split", "granulation", "problem", "granulation_by_lobes", *COLUMNS)
"""What `nuclei_table` has, in this order."""

NO_NUCLEUS = "platelets have no nucleus"
"""Why cells of a class of this name are not measured: what is stained in them is granules."""

_LEVELS = 16  # densities are put into so many steps for texture
_LEAST_LOBE = 0.08  # share of a nucleus; less is a bump


def nuclei_table(
    dataset: CellDataset, segmenter: Callable[[NDArray[np.uint8]], CellMasks] = segment_cell
) -> pd.DataFrame:
    """Measure every cell of a data set.

    Parameters
    ----------
    dataset : CellDataset
    segmenter : callable
        uint8 [3, H, W] to `CellMasks`.

    Returns
    -------
    pandas.DataFrame, a row for each image
        `TABLE_COLUMNS`: whose image it is; `granulation`, what the name of the class says ("" where it is not a mature
        white cell); `problem` ("" where the cut is good); `granulation_by_lobes`, what alkrimi2023 says of the image
        (two lobes or more: granulocyte); and `COLUMNS`. The last two are "" and NaN where there is a problem.
    """
    rows = []
    without = [plain_type(name) == "platelet" for name in dataset.class_names]
    for i, (path, split) in enumerate(zip(dataset.records["path"], dataset.records["split"], strict=True)):
        name = dataset.class_names[int(dataset.labels[i])]
        about = {"path": path, "class": name, "split": split, "granulation": granulation(name) or ""}
        image = np.asarray(dataset.images[i])
        masks = None if without[int(dataset.labels[i])] else segmenter(image)
        problem = _problem(masks)
        measured, by_lobes = dict.fromkeys(COLUMNS, float("nan")), ""
        if masks is not None and not problem:
            measured = nucleus_features(image, masks)
            by_lobes = GRANULOCYTE if measured["lobes"] >= 2 else AGRANULOCYTE
        rows.append({**about, "problem": problem, "granulation_by_lobes": by_lobes, **measured})
    return pd.DataFrame(rows, columns=list(TABLE_COLUMNS))


def nucleus_features(image: NDArray[np.uint8], masks: CellMasks) -> dict[str, float]:
    """Measure one cell.

    Parameters
    ----------
    image : uint8 [3, H, W]
    masks : CellMasks
        With a nucleus and a cell.

    Returns
    -------
    dict of str to float
        `COLUMNS`: `lobes` (a count); `nucleus_area`, `cell_area` (shares of the image), `nucleus_share` (of the cell);
        `solidity`, `eccentricity`, `extent` (of the nucleus, as skimage's regionprops), `roundness` (4 pi area over
        squared perimeter), `off_centre` (nucleus against cell, in radii of the cell); mean optical densities of nucleus
        and plasma and their nuclear stain; `plasma_grain` (spread of fine structure there); texture of the nucleus
        (grey-level co-occurrence of neighbours, Haralick).

    Raises
    ------
    ValueError
        If there is no nucleus.
    """
    if not masks.nucleus.any():
        raise ValueError("there is no nucleus to measure")
    density = optical_density(as_rgb(image))
    stain = density @ np.array(NUCLEAR_WEIGHTS, dtype=np.float32)
    nucleus, cell = masks.nucleus, masks.cell
    edge = min(nucleus.shape)
    # Where a cell is nearly all nucleus, its plasma is the rim.
    plasma = cell & ~ndimage.binary_dilation(nucleus, iterations=max(1, round(edge / 128)))
    plasma = plasma if plasma.any() else (cell & ~nucleus if (cell & ~nucleus).any() else cell)
    shape = regionprops(nucleus.astype(np.uint8))[0]
    middle = np.argwhere(cell).mean(axis=0)
    fine = density.mean(axis=2) - ndimage.gaussian_filter(density.mean(axis=2), 1.5 * edge / 128)
    perimeter = max(float(shape.perimeter), 1.0)
    values = {
        "lobes": float(count_lobes(nucleus)),
        "nucleus_area": float(nucleus.mean()),
        "cell_area": float(cell.mean()),
        "nucleus_share": float(nucleus.sum() / cell.sum()),
        "solidity": float(shape.solidity),
        "eccentricity": float(shape.eccentricity),
        "roundness": min(4 * np.pi * float(shape.area) / perimeter**2, 1.0),
        "extent": float(shape.extent),
        "off_centre": float(np.linalg.norm(np.array(shape.centroid) - middle) / np.sqrt(cell.sum() / np.pi)),
        "plasma_grain": float(fine[plasma].std()),
        "nucleus_stain": float(stain[nucleus].mean()),
        "plasma_stain": float(stain[plasma].mean()),
    }
    for where, mask in (("nucleus", nucleus), ("plasma", plasma)):
        for channel, colour in enumerate(("red", "green", "blue")):
            values[f"{where}_{colour}"] = float(density[mask, channel].mean())
    values.update(_texture(density.mean(axis=2), nucleus))
    return {name: values[name] for name in COLUMNS}


def count_lobes(nucleus: NDArray[np.bool_]) -> int:
    """Count the lobes of a nucleus: pieces between which it is narrower than three quarters of the thinner one.

    Parameters
    ----------
    nucleus : bool [H, W]

    Returns
    -------
    int
        0 for an empty mask.
    """
    if not nucleus.any():
        return 0
    unit = min(nucleus.shape) / 128
    # Chromatin is uneven: pale spots and a frayed rim are not gaps between lobes.
    whole = without_small_holes(nucleus, most=int(60 * unit * unit))
    whole = ndimage.gaussian_filter(whole.astype(np.float32), 1.2 * unit) > 0.5
    if not whole.any():
        return 1
    inward = ndimage.distance_transform_edt(np.pad(whole, 1))[1:-1, 1:-1]
    inward = ndimage.gaussian_filter(inward, unit)
    pieces = watershed(-inward, label(h_maxima(inward, 0.1 * inward.max())), mask=whole)
    widest = ndimage.maximum(inward, pieces, np.arange(int(pieces.max()) + 1))
    order = [int(i) for i in np.argsort(widest) if i]
    for piece in order:  # the thinnest first: a bump belongs to what it grows from
        mine = pieces == piece
        rim = ndimage.binary_dilation(mine) & ~mine & (pieces > 0)
        passages = {int(p): float(inward[rim & (pieces == p)].max()) for p in np.unique(pieces[rim])}
        if passages:
            beside = max(passages, key=lambda p: passages[p])
            narrow = passages[beside] < 0.75 * min(widest[piece], widest[beside])
            if not narrow or mine.sum() < _LEAST_LOBE * whole.sum():
                pieces[mine] = beside
    sizes = np.bincount(pieces[pieces > 0])
    return max(int((sizes >= _LEAST_LOBE * whole.sum()).sum()), 1)


def _problem(masks: CellMasks | None) -> str:
    if masks is None:
        return NO_NUCLEUS
    return masks.problem or ("" if masks.nucleus.any() else "no nucleus was found")


def _texture(depth: NDArray[np.floating], nucleus: NDArray[np.bool_]) -> dict[str, float]:
    low, high = np.quantile(depth[nucleus], [0.02, 0.98])
    steps = np.clip((depth - low) / max(high - low, 1e-6) * _LEVELS, 0, _LEVELS - 1).astype(np.uint8) + 1
    steps = np.where(nucleus, steps, 0).astype(np.uint8)
    rows, columns = np.nonzero(nucleus)
    part = steps[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    pairs = graycomatrix(part, [1], [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4], levels=_LEVELS + 1, symmetric=True)
    inside = pairs[1:, 1:].astype(np.float64)  # pairs with a pixel outside of the nucleus do not count
    inside /= np.maximum(inside.sum(axis=(0, 1), keepdims=True), 1)
    names = ("contrast", "homogeneity", "energy", "correlation")
    return {name: float(graycoprops(inside, name).mean()) for name in names}
