"""What composites are made of: white cells, red cells and clean slides, cut out of real training images.

A cell is kept as the optical density that it adds to the slide, faded out at its edge. On another slide the densities
add up, as light is absorbed in a microscope; so its own slide does not come along, and no edge is pasted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gansynth.cells.segmentation import CellMasks, as_rgb, segment_cell
from gansynth.cells.stain import optical_density
from gansynth.data.dataset import CellDataset
from gansynth.data.opening import open_dataset
from gansynth.data.split import split_dataset
from gansynth.errors import InputError

_TRUSTED = 0.15  # share of an image that must be clean slide for its light to be known


@dataclass(frozen=True)
class Cut:
    """One cell, cut out.

    Attributes
    ----------
    density : float32 [h, w, 3]
        Optical density it adds to the slide; 0 at the border of the patch.
    mask : bool [h, w]
        Where the cell is.
    red : float32 [3]
        Mean density of the red cells beside it: what its stain is matched by. NaN where there are none.
    offset : float64 [2]
        (y, x) of the middle of the patch against the middle of its image, as a share of the image's edge.
    path : str
        The training image it comes from.
    light : float32 [3]
        Mean light of its own slide around it, 0..255: with its density, the colours that it had there.
    """

    density: NDArray[np.float32]
    mask: NDArray[np.bool_]
    red: NDArray[np.float32]
    offset: NDArray[np.float64]
    path: str
    light: NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """A slide without its cells.

    Attributes
    ----------
    light : float32 [H, W, 3]
        The slide with nothing on it, 0..255: its light, a smooth field, and its own fine grain.
    colour : float32 [3]
        Mean of `light`.
    red : float32 [3]
        Mean density of its red cells, NaN where there are none.
    cells : tuple of Cut
        Its whole red cells.
    path : str
        The training image it comes from.
    """

    light: NDArray[np.float32]
    colour: NDArray[np.float32]
    red: NDArray[np.float32]
    cells: tuple[Cut, ...]
    path: str


def cut_white_cell(image: NDArray[np.uint8], masks: CellMasks, path: str) -> Cut | str:
    """Cut the white cell out of an image.

    Parameters
    ----------
    image : uint8 [3, H, W]
    masks : CellMasks
    path : str

    Returns
    -------
    Cut or str
        The reason, where the cell cannot be used.
    """
    if masks.problem is not None:
        return masks.problem
    slide = _read(image, masks)
    if slide is None:
        return "there is no clean slide around the cell"
    return _cut(slide, masks.cell, _red_density(slide.density, masks), path)


def read_scene(image: NDArray[np.uint8], masks: CellMasks, path: str) -> Scene | None:
    """Take slide and red cells from an image; None where cells leave too little of the slide to see.

    Parameters
    ----------
    image : uint8 [3, H, W]
    masks : CellMasks
    path : str
    """
    slide = _read(image, masks)
    if slide is None:
        return None
    red = _red_density(slide.density, masks)
    numbers = range(1, int(masks.red.max()) + 1)
    cells = tuple(_cut(slide, masks.red == i, red, path) for i in numbers)
    light = slide.light
    whole = light * np.exp(-_grain_everywhere(slide.density, slide.clean))
    return Scene(np.asarray(whole, np.float32), np.asarray(light.mean(axis=(0, 1)), np.float32), red, cells, path)


@dataclass(frozen=True)
class _Slide:
    """Density against the light at each place [H, W, 3], that light [H, W, 3], cells, and surely clean slide [H, W]."""

    density: NDArray[np.float32]
    light: NDArray[np.float32]
    cells: NDArray[np.bool_]
    clean: NDArray[np.bool_]


def _read(image: NDArray[np.uint8], masks: CellMasks) -> _Slide | None:
    pixels = as_rgb(image)
    edge = min(pixels.shape[:2])
    smooth = ndimage.gaussian_filter(optical_density(pixels), (edge / 180, edge / 180, 0)).mean(axis=2)
    # Pale plasma may be no denser than this; the masks know better.
    cells = (smooth > 0.06) | masks.cell | (masks.red > 0)
    clean = ~ndimage.binary_dilation(cells, iterations=max(1, round(edge / 64))) & (smooth > -0.1)
    if clean.mean() < _TRUSTED:
        return None
    light = _smooth_field(pixels, clean)
    density = np.log(light) - np.log(np.maximum(pixels.astype(np.float32), 8.0))
    return _Slide(np.asarray(density, np.float32), light, cells, clean)


def _smooth_field(pixels: NDArray[np.uint8], clean: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fit a plane to each channel of the clean slide: uneven light, with nothing that a cell could bend."""
    height, width = clean.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    weights, *_ = np.linalg.lstsq(terms[clean], pixels[clean].astype(np.float64), rcond=None)
    return np.asarray(np.clip(terms @ weights, 16.0, 255.0), np.float32)


def _red_density(density: NDArray[np.float32], masks: CellMasks) -> NDArray[np.float32]:
    if not masks.red.any():
        return np.full(3, np.nan, np.float32)
    return np.asarray(np.median(density[masks.red > 0], axis=0), np.float32)


def _cut(slide: _Slide, mask: NDArray[np.bool_], red: NDArray[np.float32], path: str) -> Cut:
    density, cells = slide.density, slide.cells
    height, width = mask.shape
    unit = min(height, width) / 128
    far = ndimage.distance_transform_edt(~mask)
    fade = np.clip(1 - far / (3 * unit), 0, 1)
    # On the slide the cell fades out over three units; where it touches another one, at once: nothing of that comes.
    touching = cells & (far > 1.5 * unit)
    if touching.any():
        fade *= np.clip(ndimage.distance_transform_edt(~touching) / unit / 1.5 - 1.4, 0, 1)
    fade = ndimage.gaussian_filter(fade, 0.4 * unit) * (far < 3 * unit)
    rows, columns = np.flatnonzero((far < 3 * unit).any(axis=1)), np.flatnonzero((far < 3 * unit).any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    middle = np.array([rows[0] + rows[-1] - (height - 1), columns[0] + columns[-1] - (width - 1)]) / 2
    cut = np.pad(density[box] * fade[box][:, :, None], ((1, 1), (1, 1), (0, 0)))
    light = np.asarray(slide.light[box].mean(axis=(0, 1)), np.float32)
    return Cut(np.asarray(cut, np.float32), np.pad(mask[box], 1), red, middle / min(height, width), path, light)


def _grain_everywhere(density: NDArray[np.float32], clean: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the grain of the clean slide also where cells were: taken from other places of the same slide."""
    seen, known = np.clip(density, -0.1, 0.1), clean.copy()
    grain = np.where(known[:, :, None], seen, 0)
    height, width = clean.shape
    for flip in (np.s_[::1, ::1], np.s_[::-1, ::1], np.s_[::1, ::-1], np.s_[::-1, ::-1]):
        for shift in ((0, 0), (height // 3, width // 5), (height // 5, width // 2), (height // 2, width // 3)):
            there = np.roll(clean[flip], shift, axis=(0, 1)) & ~known
            grain[there] = np.roll(seen[flip], shift, axis=(0, 1))[there]
            known |= there
    return np.asarray(grain, np.float32)


def training_images(
    data: str | Path | CellDataset, size: int = 128, *, seed: int = 0, progress: bool = False
) -> CellDataset:
    """Return the real images of the training split.

    Parameters
    ----------
    data : path-like, "phantom" or CellDataset
        Its split is taken from its splits.csv; without one it is split by the defaults of `data split` with `seed`,
        as `train_gan` and `balance` do.
    size : int
        Edge length of the images, where `data` is not a `CellDataset`.
    seed : int
    progress : bool
        Show how far decoding and the search for duplicates are, on standard error.

    Raises
    ------
    InputError
        If the training split holds no real image.
    """
    dataset = data if isinstance(data, CellDataset) else open_dataset(data, size, progress=progress)
    if not (dataset.records["split"] == "train").any():
        dataset = split_dataset(dataset, seed=seed, progress=progress)
    training = dataset.part("train")
    real = (training.records["origin"] != "synthetic").to_numpy()
    if not real.any():
        raise InputError("the training split holds synthetic images only; compose from the original data set")
    return training if real.all() else training.select(np.flatnonzero(real))


def chosen_segmenter(
    name: str, weights_dir: str | Path | None = None, device: str = "auto"
) -> tuple[Callable[[NDArray[np.uint8]], CellMasks], str]:
    """Return the segmenter of a name ("classical" or "sam"), and what its cuts are known by.

    Raises
    ------
    InputError
        If the name is unknown, or what it needs is absent.
    """
    if name == "classical":
        return segment_cell, name
    if name == "sam":
        from gansynth.cells.sam import sam_segmenter
        from gansynth.runs.device import chosen_device

        return sam_segmenter(weights_dir, str(chosen_device(device)))
    raise InputError(f"segmenter '{name}': there are classical and sam")
