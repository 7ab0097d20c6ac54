"""From cut cells and a clean slide to a new image (abouali2023, algorithm 1 and figure 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gansynth.synthesis.naturalize.parts import Cut, Scene

Paste = Literal["density", "alpha"]
"""How a cell comes onto another slide: densities add up, as in a microscope; or it covers what lies under its mask with
its own colours (abouali2023, section 3.3: transparent cut-outs)."""
PASTES: tuple[Paste, ...] = get_args(Paste)

STAIN_RANGE = (0.85, 1.18)
"""How far a cell's density may be scaled to match a slide: a weaker stain is corrected, another hue is not invented."""

_LIKE = 24  # slides among which one is drawn for a cell: those with the most similar stain and light
_TRIES = 80  # places tried for a red cell


@dataclass(frozen=True)
class Composite:
    """One composed image.

    Attributes
    ----------
    image : uint8 [3, H, W]
    white : str
        Training image of the white cell.
    background : str
        Training image of the slide.
    reds : tuple of str
        Training images of the red cells, one for each cell placed.
    """

    image: NDArray[np.uint8]
    white: str
    background: str
    reds: tuple[str, ...]


class Composer:
    """Put white cells, red cells and slides together.

    Parameters
    ----------
    scenes : sequence of Scene
        All of one size.
    red_cells : int
        How many red cells an image gets (abouali2023, algorithm 1: 8); fewer where no place is found for one.
    paste : {"density", "alpha"}
        See `Paste`. With "alpha" stain is not matched: a cut-out stays as it is.
    """

    def __init__(self, scenes: Sequence[Scene], red_cells: int = 8, paste: Paste = "density") -> None:
        self.scenes, self.red_cells, self.paste = tuple(scenes), red_cells, paste
        stained = [scene.red for scene in scenes if np.isfinite(scene.red).all()]
        self._usual = np.median(stained, axis=0) if stained else np.full(3, 0.2)
        self._looks = np.stack([self._look(scene.red, scene.colour) for scene in scenes])

    def compose(self, white: Cut, rng: np.random.Generator) -> Composite:
        """Draw one image around a white cell.

        Slide and red cells come from images stained like the white cell's own; the rest of the difference is taken out
        by scaling densities until red cells, which every slide has, are as dense. The white cell lies as far from the
        middle as in its own image. Every cell is flipped and turned at random; no two cells overlap.
        """
        chosen = int(rng.choice(self._like(white)))
        scene = self.scenes[chosen]
        height, width = scene.light.shape[:2]
        density, colour = (np.zeros((height, width, 3), np.float32) for _ in range(2))
        taken = np.zeros((height, width), dtype=bool)
        patch, mask = _turned(white, rng)
        side = rng.choice([-1, 1], 2)
        middle = np.array([height - 1, width - 1]) / 2 + side * white.offset * min(height, width)
        where = np.round(middle - (np.array(mask.shape) - 1) / 2).astype(int)
        _add(density, patch * self._gain(white, scene), where)
        _add(colour, _colours(white, patch, mask), where)
        _add(taken, mask, where)
        reds = []
        for cell in self._red_cells(chosen, rng):
            patch, mask = _turned(cell, rng)
            place = _free_place(taken, mask, rng)
            if place is not None:
                _add(density, patch * self._gain(cell, scene), place)
                _add(colour, _colours(cell, patch, mask), place)
                _add(taken, mask, place)
                reds.append(cell.path)
        light = scene.light[::-1] if rng.random() < 0.5 else scene.light
        light = light[:, ::-1] if rng.random() < 0.5 else light
        seen = np.where(taken[:, :, None], colour, light) if self.paste == "alpha" else light * np.exp(-density)
        pixels = np.clip(np.round(seen), 0, 255).astype(np.uint8)
        image = np.ascontiguousarray(pixels.transpose(2, 0, 1))
        return Composite(image, white.path, scene.path, tuple(reds))

    def _look(self, red: NDArray[np.float32], colour: NDArray[np.float32] | None) -> NDArray[np.float64]:
        """Return stain and light on one scale: logarithms of the density of red cells, and of the slide's colour."""
        stain = np.log(np.maximum(np.where(np.isfinite(red), red, self._usual), 0.02))
        return np.concatenate([stain, np.zeros(3) if colour is None else 4 * np.log(colour / 255)])

    def _like(self, white: Cut) -> NDArray[np.int64]:
        own = [i for i, scene in enumerate(self.scenes) if scene.path == white.path]
        look = self._looks[own[0]] if own else self._look(white.red, None)
        used = slice(None) if own else slice(3)
        distance = np.linalg.norm(self._looks[:, used] - look[used], axis=1)
        if len(self.scenes) > 1:
            distance[own] = np.inf  # on its own slide it would be a copy
        return np.argsort(distance, kind="stable")[:_LIKE]

    def _red_cells(self, chosen: int, rng: np.random.Generator) -> list[Cut]:
        """Draw red cells: those of the slide itself first, then of those like it."""
        order = np.argsort(np.linalg.norm(self._looks - self._looks[chosen], axis=1), kind="stable")
        pool: list[Cut] = []
        for i in order:
            pool.extend(self.scenes[i].cells)
            if len(pool) >= 4 * self.red_cells:
                break
        if not pool:
            return []
        return [pool[i] for i in rng.choice(len(pool), self.red_cells, replace=len(pool) < self.red_cells)]

    def _gain(self, cut: Cut, scene: Scene) -> np.float32:
        """Return one factor for all channels: a factor for each would change the hue, which distinguishes cells."""
        if not (np.isfinite(cut.red).all() and np.isfinite(scene.red).all()):
            return np.float32(1)
        ratio = np.maximum(scene.red, 0.02) / np.maximum(cut.red, 0.02)
        return np.float32(np.clip(np.exp(np.log(ratio).mean()), *STAIN_RANGE))


def _colours(cut: Cut, density: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the colours that a turned cut had on its own slide [h, w, 3]; 0 outside of the cell."""
    return np.asarray(np.where(mask[:, :, None], cut.light * np.exp(-density), 0), np.float32)


def _turned(cut: Cut, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Flip at random and turn by any angle."""
    flip, angle = rng.random() < 0.5, float(rng.uniform(0, 360))
    density = cut.density[:, ::-1] if flip else cut.density
    mask = cut.mask[:, ::-1] if flip else cut.mask
    turned = ndimage.rotate(density, angle, axes=(0, 1), order=3, mode="constant", cval=0.0)
    shape = ndimage.rotate(mask.astype(np.float32), angle, order=1, mode="constant", cval=0.0) > 0.5
    return np.asarray(turned, np.float32), shape


def _free_place(
    taken: NDArray[np.bool_], mask: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64] | None:
    """Find the upper left corner of a place where `mask` meets nothing; cells may reach over the image's border."""
    height, width = taken.shape
    grown = ndimage.binary_dilation(np.pad(mask, 2), iterations=max(1, round(min(height, width) / 128)))
    room = np.array(mask.shape)
    for _ in range(_TRIES):
        middle = rng.uniform(-0.06, 1.06, 2) * (height, width)
        place = np.round(middle - room / 2).astype(np.int64)
        inside, part = _overlap(taken.shape, mask.shape, place)
        if mask[part].sum() < 0.15 * mask.sum():
            continue
        inside, part = _overlap(taken.shape, grown.shape, place - 2)
        if not (taken[inside] & grown[part]).any():
            return place
    return None


def _add(onto: NDArray, what: NDArray, place: NDArray[np.int64]) -> None:
    inside, part = _overlap(onto.shape[:2], what.shape[:2], place)
    onto[inside] += what[part]


def _overlap(
    canvas: tuple[int, ...], patch: tuple[int, ...], place: NDArray[np.int64]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where a patch at `place` lies on the canvas, and which part of it does."""
    start = np.maximum(place, 0)
    stop = np.maximum(np.minimum(place + patch[:2], canvas[:2]), start)
    inside = (slice(int(start[0]), int(stop[0])), slice(int(start[1]), int(stop[1])))
    low, high = start - place, stop - place
    return inside, (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
