"""The nucleated cell in the middle of an image: its nucleus by stain, its outline by necks, colour and grain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops
from skimage.morphology import disk, h_maxima
from skimage.segmentation import watershed

from gansynth.cells.small_parts import without_small_holes, without_small_objects
from gansynth.cells.stain import NUCLEAR_WEIGHTS, background_colour, optical_density

Mask = NDArray[np.bool_]

_ROUND = 0.965  # a white cell that nothing touches fills at least so much of its convex hull
_NECK = 0.93  # two parts are one cell if the passage between them is nearly as wide as the narrower of them
_ENCLOSED = 0.5  # a part that the cell has around it to this share is its plasma between two lobes
_ONE = 0.95  # what is so convex together is one cell: two that touch are not
_APART = 2.0  # standard deviations between cytoplasm and red cells, from which colour may decide
_PALE = 0.65  # share of a nucleus's darkest stain that its palest chromatin has, and cytoplasm has not
_GRAIN = 0.1  # weight of the logarithm of grain beside optical densities: both then vary by about 0.1 in a cell


@dataclass(frozen=True)
class Slide:
    """What is read from an image before anything is cut.

    Attributes
    ----------
    unit : float
        A 128th of the shorter side, in pixels: all lengths are multiples of it.
    density : float32 [H, W, 3]
        Optical density, slightly smoothed.
    stain : float32 [H, W]
        Nuclear stain.
    dense : bool [H, W]
        Cells: whatever is denser than the slide, the pale middle of red cells included.
    stained : float
        From this value on, stain is not that of a red cell.
    """

    unit: float
    density: NDArray[np.float32]
    grain: NDArray[np.float32]
    stain: NDArray[np.float32]
    dense: Mask
    stained: float


def read_slide(pixels: NDArray[np.uint8]) -> Slide:
    """Read an image uint8 [H, W, 3]."""
    edge = min(pixels.shape[:2])
    unit = edge / 128
    raw = optical_density(pixels, background_colour(pixels))
    density = ndimage.gaussian_filter(raw, (0.7 * unit, 0.7 * unit, 0))
    depth = density.mean(axis=2)
    shown = np.clip(depth, 0, 0.5)
    level = float(np.clip(0.5 * threshold_otsu(shown), 0.05, 0.12)) if shown.min() < shown.max() else 0.12
    dense = without_small_holes(depth > level, most=int(0.012 * edge * edge))
    dense = without_small_objects(dense, most=int(0.0015 * edge * edge))
    stain = density @ np.array(NUCLEAR_WEIGHTS, dtype=np.float32)
    return Slide(unit, density, _grain(raw, dense, unit), stain, dense, max(0.4 * float(np.quantile(stain, 0.98)), 0.3))


def white_cell(slide: Slide) -> tuple[Mask, Mask, float] | None:
    """Find the nucleated cell in the middle.

    Returns
    -------
    (nucleus, cell, foreign) or None
        Masks bool [H, W], and the share of the cell's cytoplasm that looks like the image's red cells (0 where the two
        cannot be separated). None where nothing is stained.
    """
    dark, core = _nuclei(slide)
    if not core.any():
        return None
    nucleus = dark & core if (dark & core).any() else core
    parts, own = _split_at_necks(slide, core)
    look = _Look(slide, parts, own, nucleus)
    whole = parts == own
    if look.apart > _APART:
        whole |= _parts_of_its_colour(parts, own, look.white)
    cell = _tidy(whole, nucleus, slide.unit, 2.5)
    filled = _solidity(cell)
    for _ in range(2):
        if filled >= _ROUND or look.apart == 0:
            break
        trimmed = _tidy(whole & ((look.white > 0) | look.near(1.5)), nucleus, slide.unit, 3.0)
        if (rounder := _solidity(trimmed)) > filled + 0.008:
            cell, filled = trimmed, rounder
        look = _Look(slide, np.where(trimmed, own, slide.dense * (own + 1)), own, nucleus)
    cell = _without_strips(slide, cell, nucleus, look)
    plasma = cell & ~look.near(2.0)
    foreign = float((look.white[plasma] < -0.5).mean()) if look.apart > _APART and plasma.any() else 0.0
    lobes = dark & cell  # those that stand apart, too
    seen = _without_chromatin(slide, lobes if lobes.any() else nucleus & cell, cell)
    return seen, cell, foreign * float(plasma.sum() / cell.sum())


def _nuclei(slide: Slide) -> tuple[Mask, Mask]:
    """Return all nuclei, and the stained object in the middle, which is coarser than its nucleus."""
    unit, edge = slide.unit, min(slide.stain.shape)
    nothing = np.zeros(slide.stain.shape, dtype=bool)
    stained = (slide.stain > slide.stained) & slide.dense
    values = slide.stain[stained]
    if len(values) < 0.001 * edge * edge or values.min() == values.max():
        return nothing, nothing
    joined = ndimage.binary_closing(stained, _disk(1.5 * unit))
    objects = label(without_small_objects(joined, most=int(0.002 * edge * edge)))
    if not objects.max():
        return nothing, nothing
    height, width = stained.shape
    y, x = np.ogrid[:height, :width]
    off_centre = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    middle = min(
        regionprops(objects), key=lambda shape: off_centre[tuple(shape.coords.T)].min() - 0.05 * np.sqrt(shape.area)
    )
    core = objects == middle.label
    dark = ndimage.gaussian_filter(slide.stain, unit) > threshold_otsu(values)
    dark = ndimage.binary_closing(without_small_objects(dark, most=int(0.0015 * edge * edge)), _disk(unit))
    dark = ndimage.binary_opening(without_small_holes(dark, most=int(0.0015 * edge * edge)), _disk(1))
    return dark, core


def _without_chromatin(slide: Slide, dark: Mask, cell: Mask) -> Mask:
    """Draw the outline of the nucleus around its pale chromatin, smooth as a membrane.

    Otsu's threshold halves whatever is stained: where that is nearly all nucleus, as in a lymphocyte, it runs between
    clumps of chromatin and leaves half the nucleus out. Two thirds of the darkest stain is paler than any chromatin and
    darker than cytoplasm.
    """
    if not dark.any():
        return dark
    unit, edge = slide.unit, min(cell.shape)
    stained = slide.stain[(slide.stain > slide.stained) & slide.dense]
    level = min(float(threshold_otsu(stained)), _PALE * float(np.quantile(slide.stain[dark], 0.9)))
    whole = (ndimage.gaussian_filter(slide.stain, unit) > max(level, slide.stained)) & cell
    whole = without_small_objects(whole, most=int(0.0015 * edge * edge))
    whole = without_small_holes(whole, most=int(0.004 * edge * edge))
    smooth = (ndimage.gaussian_filter(whole.astype(np.float32), unit) > 0.5) & cell
    return smooth if smooth.any() else dark


def _split_at_necks(slide: Slide, core: Mask) -> tuple[NDArray[np.int32], int]:
    """Number the parts of what is dense; return the numbers and that of the part with the nucleus."""
    unit = slide.unit
    inward = ndimage.distance_transform_edt(np.pad(slide.dense, 1, mode="edge"))[1:-1, 1:-1]
    inward = ndimage.gaussian_filter(inward, unit)
    seeds = label(h_maxima(inward, 0.4 * unit))
    seeds[np.isin(seeds, np.unique(seeds[core]))] = 0
    own = int(seeds.max()) + 1
    seeds[core] = own
    parts = watershed(-inward, seeds, mask=slide.dense)
    widest = ndimage.maximum(inward, parts, np.arange(own + 1))
    grown = True
    while grown:
        grown = False
        white = parts == own
        rim = ndimage.binary_dilation(white) & ~white
        for part in np.setdiff1d(np.unique(parts[rim]), [0, own]):
            mine = parts == part
            passage = inward[rim & mine].max()
            around = parts[ndimage.binary_dilation(mine) & ~mine]
            no_neck = passage > _NECK * widest[part] or (around == own).mean() > _ENCLOSED
            if no_neck or _solidity(white | mine) > _ONE:
                parts[mine] = own
                grown = True
    return parts, own


class _Look:
    """How much each pixel looks like this image's cytoplasm rather than like its red cells.

    Linear discriminant analysis on optical density and grain: `white` is in standard deviations from the border between
    the two, `apart` the distance between their middles (0 where one of the two is not there).
    """

    def __init__(self, slide: Slide, parts: NDArray[np.int32], own: int, nucleus: Mask) -> None:
        unit, pale = slide.unit, slide.dense & (slide.stain < slide.stained)
        self._unit, self._away = unit, ndimage.distance_transform_edt(~nucleus)
        red = pale & (parts != own)
        plasma = (parts == own) & (self._away > 3 * unit) & (self._away <= 8 * unit)
        self.white, self.apart = np.zeros(slide.stain.shape), 0.0
        if red.sum() <= 50 or plasma.sum() <= 20:
            return
        features = np.concatenate([slide.density, _GRAIN * slide.grain[:, :, None]], axis=2)
        middle_red, middle_white = (np.median(features[mask], axis=0) for mask in (red, plasma))
        spread = (np.cov(features[red].T) + np.cov(features[plasma].T)) / 2 + 4e-4 * np.eye(features.shape[2])
        direction = np.linalg.solve(spread, middle_white - middle_red)
        self.apart = float(np.sqrt(direction @ (middle_white - middle_red)))
        score = (features - (middle_red + middle_white) / 2) @ direction / max(self.apart, 1e-6)
        score = np.clip(score, -self.apart, self.apart)  # a nucleus must not outshine what lies beside it
        dense = slide.dense.astype(np.float64)
        self.white = ndimage.gaussian_filter(score * dense, 1.8 * unit) / (
            ndimage.gaussian_filter(dense, 1.8 * unit) + 1e-3
        )

    def near(self, units: float) -> Mask:
        """Return what is in the nucleus or so near that blur mixes their colours."""
        return np.asarray(self._away <= units * self._unit)


def _parts_of_its_colour(parts: NDArray[np.int32], own: int, white: NDArray[np.floating]) -> Mask:
    """Return the parts beside the cell that are cytoplasm by their colour: what a monocyte reaches out."""
    rim = ndimage.binary_dilation(parts == own, _disk(2))
    beside = [p for p in np.setdiff1d(np.unique(parts[rim]), [0, own]) if np.median(white[parts == p]) > 0.5]
    return np.isin(parts, beside)


def _without_strips(slide: Slide, cell: Mask, nucleus: Mask, look: _Look) -> Mask:
    """Take away what the split at a neck left along a red cell: a strip of its colour, or of its pale rim."""
    others = slide.dense & (ndimage.distance_transform_edt(~cell) > slide.unit)
    plasma = cell & ~look.near(2.0)
    if not others.any() or not plasma.any():
        return cell
    depth = slide.density.mean(axis=2)
    pale = depth < 0.6 * float(np.median(depth[plasma]))
    reddish = look.white < 0 if look.apart > _APART else np.zeros_like(pale)
    band = ndimage.distance_transform_edt(~others) <= 5 * slide.unit
    return _tidy(cell & ~(band & (pale | reddish) & ~look.near(0.7)), nucleus, slide.unit, 1.0)


def _tidy(mask: Mask, nucleus: Mask, unit: float, radius: float) -> Mask:
    """Cut thin bridges; keep what hangs together with the nucleus, without holes."""
    opened = ndimage.binary_fill_holes(ndimage.binary_opening(mask, _disk(radius * unit)) | nucleus)
    objects = label(opened)
    return np.isin(objects, np.setdiff1d(np.unique(objects[nucleus]), [0]))


def _solidity(mask: Mask) -> float:
    rim = np.argwhere(mask & ~ndimage.binary_erosion(mask)).astype(np.float64)
    if not len(rim):
        return 1.0
    corners = (rim[:, None] + [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]).reshape(-1, 2)
    return float(mask.sum() / ConvexHull(corners).volume)


def _grain(raw: NDArray[np.float32], dense: Mask, unit: float) -> NDArray[np.float32]:
    """Return the logarithm of local contrast inside of cells: granules have more of it than red cells."""
    depth = raw.mean(axis=2)
    fine = np.square(depth - ndimage.gaussian_filter(depth, 1.5 * unit))
    inside = ndimage.binary_erosion(dense, _disk(2)).astype(np.float32)
    near = ndimage.gaussian_filter(inside, 1.5 * unit) + 1e-3
    return np.asarray(
        np.log(1e-3 + np.sqrt(ndimage.gaussian_filter(fine * inside, 1.5 * unit) / near)), dtype=np.float32
    )


def _disk(radius: float) -> NDArray[np.uint8]:
    return np.asarray(disk(max(1, round(radius))), dtype=np.uint8)
