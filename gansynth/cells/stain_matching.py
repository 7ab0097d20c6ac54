"""How cells of one laboratory would look under the stain and the lamp of another.

Stains differ in how much of each dye a smear takes up, lamps and cameras in the colour of the clean slide. Optical
density adds over dyes (Beer and Lambert's law), so both are undone by one number for each channel: the slide's colour,
and a gain of the optical density. Reinhard et al. 2001 ("Color transfer between images") and Macenko et al. 2009 ("A
method for normalizing histology slides") fit more, from larger fields; from the five cells that a rare class may have,
three gains can be known to a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.stain import background_colour, optical_density

AT_MOST = 4.0
"""A gain beyond this, or below its inverse, is not a stain: one of the sets shows nothing, or something else."""


@dataclass(frozen=True)
class Stain:
    """What the images of a set have in common.

    Attributes
    ----------
    slide : float32 [3]
        Colour of the clean slide, RGB: median over the images.
    density : float32 [3]
        Mean optical density of the images' pixels against their own slide, in red, green and blue.
    """

    slide: NDArray[np.float32]
    density: NDArray[np.float32]


@dataclass(frozen=True)
class StainChange:
    """From one stain to another.

    Attributes
    ----------
    gains : float32 [3]
        By which optical densities are multiplied.
    light : float32 [3]
        By which the colour of the slide is multiplied.
    """

    gains: NDArray[np.float32]
    light: NDArray[np.float32]

    def __str__(self) -> str:
        return "densities x {}, slide x {}".format(
            *(" ".join(f"{factor:.2f}" for factor in factors) for factors in (self.gains, self.light))
        )

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return images uint8 [n, 3, H, W] as the other stain would show them."""
        found = np.empty_like(images)
        for i, image in enumerate(images):
            pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
            slide = background_colour(pixels)
            seen = slide * self.light * np.exp(-self.gains * optical_density(pixels, slide))
            found[i] = np.clip(np.rint(seen), 0, 255).astype(np.uint8).transpose(2, 0, 1)
        return found


def stain_of(images: NDArray[np.uint8], labels: NDArray[np.int64], weights: NDArray[np.int64]) -> Stain:
    """Measure the stain of a set, its classes weighed as they are in another: a basophil is darker than a monocyte.

    Parameters
    ----------
    images : uint8 [n, 3, H, W]
    labels : int64 [n]
    weights : int64 [C]
        Of the classes; one with a weight has an image.
    """
    slides, densities = np.empty((len(images), 3), np.float32), np.empty((len(images), 3), np.float32)
    for i, image in enumerate(images):
        pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
        slides[i] = background_colour(pixels)
        densities[i] = optical_density(pixels, slides[i]).mean(axis=(0, 1))
    of_classes = [weights[c] * densities[labels == c].mean(axis=0) for c in np.flatnonzero(weights)]
    mean = np.sum(of_classes, axis=0, dtype=np.float64) / weights.sum()
    return Stain(np.median(slides, axis=0), mean.astype(np.float32))


def stain_change(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    wanted: NDArray[np.uint8],
    wanted_labels: NDArray[np.int64],
    at_most: int = 200,
) -> StainChange:
    """Find what makes images look as others of the same classes do.

    Parameters
    ----------
    images, labels : uint8 [n, 3, H, W], int64 [n]
        To be changed.
    wanted, wanted_labels : uint8 [m, 3, H, W], int64 [m]
        With the stain that is wanted. Only classes that both sets have are looked at, each with the weight of the
        smaller of its two numbers.
    at_most : int
        Images of a class that are looked at on either side, the first ones.

    Raises
    ------
    ValueError
        If the sets share no class, or differ by more than a stain does.

    Examples
    --------
    >>> from gansynth.cells.spoiling import restained
    >>> from gansynth.data.phantom import phantom_dataset
    >>> cells = phantom_dataset({"basophil": 4, "monocyte": 4}, size=48)
    >>> change = stain_change(cells.images, cells.labels, restained(cells.images, (0.8, 1.0, 1.25)), cells.labels)
    >>> [round(float(gain), 1) for gain in change.gains]
    [0.8, 1.0, 1.2]
    """
    k = 1 + int(max(labels.max(initial=-1), wanted_labels.max(initial=-1)))
    weights = np.minimum(np.bincount(labels, minlength=k), np.bincount(wanted_labels, minlength=k)).clip(0, at_most)
    if not weights.any():
        raise ValueError("the two sets of images share no class")
    seen, other = _first(labels, weights, at_most), _first(wanted_labels, weights, at_most)
    before = stain_of(images[seen], labels[seen], weights)
    after = stain_of(wanted[other], wanted_labels[other], weights)
    gains = np.asarray(after.density / np.maximum(before.density, 1e-6), np.float32)
    if not ((gains >= 1 / AT_MOST) & (gains <= AT_MOST)).all():
        said = ", ".join(f"{gain:.2g}" for gain in gains)
        raise ValueError(f"optical densities differ by {said} times (red, green, blue), more than stains do")
    return StainChange(gains, np.asarray(after.slide / before.slide, np.float32))


def _first(labels: NDArray[np.int64], weights: NDArray[np.int64], at_most: int) -> NDArray[np.int64]:
    """Return the positions of the first images of each class that has a weight."""
    return np.concatenate([np.flatnonzero(labels == c)[:at_most] for c in np.flatnonzero(weights)])
