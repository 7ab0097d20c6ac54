"""Stain: how much light a pixel lost against the clean background, and how much of that a nucleus took.

Blood smears are stained by mixtures of the Romanowsky kind: thiazine dyes (azure, methylene blue) bind to nuclei and
absorb red and green light, eosin and haemoglobin absorb green and blue. Optical density against the slide's own
background is additive over dyes (Beer and Lambert's law; Ruifrok and Johnston 2001, "Quantification of histochemical
staining by color deconvolution") and does not change with white balance or exposure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Red and green are what thiazine dyes take; blue, which haemoglobin takes most, speaks against a nucleus.
NUCLEAR_WEIGHTS = (1.0, 0.5, -1.0)
_DARKEST = 16.0  # a darker pixel says little about colour: its logarithm is noise


def background_colour(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the colour of the clean slide between the cells.

    It is the brightest colour that covers a fair share of the image: the brightest peak of the histogram of
    brightness, so that neither cells nor glints nor a few white pixels shift it.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB.

    Returns
    -------
    float32 [3], RGB, at least 1
    """
    pixels = _pixels(image)
    brightness = pixels @ np.array([0.3, 0.6, 0.1], dtype=np.float32)
    counts = np.bincount(np.minimum(brightness.astype(np.int64), 255), minlength=256).astype(np.float64)
    smooth = np.convolve(np.pad(counts, 6, mode="edge"), np.hanning(15)[1:-1], mode="valid")
    peaks = np.flatnonzero((smooth >= np.roll(smooth, 1)) & (smooth >= np.roll(smooth, -1)) & (smooth > 0))
    wide = peaks[smooth[peaks] >= 0.25 * smooth.max()]
    near = pixels[np.abs(brightness - wide[-1]) <= 5]
    return np.asarray(np.maximum(np.median(near, axis=0), 1.0), dtype=np.float32)


def optical_density(image: NDArray[np.uint8], background: NDArray[np.floating] | None = None) -> NDArray[np.float32]:
    """Return the natural optical density ln(background / colour) of every pixel and channel.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB.
    background : float [3], optional
        Colour of the clean slide; `background_colour` of the image where it is not given.

    Returns
    -------
    float32 [H, W, 3]
        0 where the pixel is background, negative where it is brighter.
    """
    _pixels(image)
    clean = background_colour(image) if background is None else np.asarray(background, dtype=np.float32)
    table = np.log(np.maximum(np.arange(256, dtype=np.float32), _DARKEST))
    return np.asarray(np.log(np.maximum(clean, _DARKEST)) - table[image], dtype=np.float32)


def nuclear_stain(image: NDArray[np.uint8], background: NDArray[np.floating] | None = None) -> NDArray[np.float32]:
    """Return how much nuclear stain each pixel holds.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB; a single cell or a whole smear field.
    background : float [3], optional
        See `optical_density`.

    Returns
    -------
    float32 [H, W]
        About 0 on the background and on pale red cells, 0.2 to 0.5 on dark red cells and basophilic cytoplasm,
        1 to 2 in nuclei; the same for an image with another white balance or exposure, as far as nothing is clipped.
    """
    return np.asarray(optical_density(image, background) @ np.array(NUCLEAR_WEIGHTS, dtype=np.float32))


def _pixels(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"an RGB image must be uint8 [H, W, 3], got {image.dtype} {image.shape}")
    return image.reshape(-1, 3).astype(np.float32)
