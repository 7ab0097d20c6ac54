"""LPIPS, PSNR, SSIM, MS-SSIM, l1, l2 between images that have no partner: generated and held-out real ones of a class.

hazra2022 (table 7) does not say with which real image a generated one is compared, and the answer decides the number:
against the nearest training image, copies and collapse win; against a random one, the mean image of the class wins.
The default here pairs inside the class, no image twice, by the distance of frozen features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansynth.errors import InputError
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.lpips_distance import Trunk, lpips_pairs
from gansynth.metrics.matching import Pairing, draw_subsamples, feature_distances, match
from gansynth.metrics.similarity import LEAST_EDGE_MS_SSIM, LEAST_EDGE_SSIM, l1, l2, ms_ssim, psnr_of, ssim

NAMES = ("LPIPS", "PSNR", "SSIM", "MS-SSIM", "l1", "l2")
LEAST_IMAGES = 5
"""Fewer pairs than this say nothing about a class."""

Images = NDArray[np.uint8]
_Index = NDArray[np.int64]

_STRUCTURE = {"SSIM": ssim, "MS-SSIM": ms_ssim}
_LEAST_EDGE = {"SSIM": LEAST_EDGE_SSIM, "MS-SSIM": LEAST_EDGE_MS_SSIM}
_CHUNK = 32
_READ = 1024
_RESAMPLES = 1000


def matched_similarity(
    synthetic: Images,
    real: Images,
    other_real: Images,
    synthetic_features: ArrayLike,
    real_features: ArrayLike,
    other_features: ArrayLike,
    *,
    pairing: Pairing = "one-to-one",
    most: int = 200,
    subsamples: int = 3,
    seed: int = 0,
    lpips: Trunk | None = None,
) -> dict[str, Estimate]:
    """Measure the similarity of generated to held-out real images of ONE class, beside what real images score.

    Parameters
    ----------
    synthetic, real, other_real : uint8 arrays, shape [n, 3, H, W], [m, 3, H, W], [o, 3, H, W]
        Generated; held-out real; and other real images (the training images). All of one class and one size. They may
        be memory-mapped: at most `most` of each are read at a time.
    synthetic_features, real_features, other_features : float arrays, shape [n, d], [m, d], [o, d]
        Of the same images, from a frozen network: what they are matched by. Not looked at for pairing "random".
    pairing : {"one-to-one", "random", "nearest"}
        See `match`.
    most : int
        Images of each side in one subsample.
    subsamples : int
        How many are drawn; their mean is the value.
    seed : int
    lpips : callable, optional
        Images uint8 [n, 3, H, W] to the layers of LPIPS (`AlexFeatures`); without it there is no LPIPS.

    Returns
    -------
    dict of str to Estimate
        For each of `NAMES`. `value`: mean over the pairs of all subsamples. `n`: pairs of one subsample,
        min(n, m, most). `interval`: 95%, from resampling pairs; those that share an image of the scarcer side are drawn
        together. `floor`: the same with `other_real` in the place of `synthetic`: what a perfect generator scores.
        `class_mean`: the mean of `other_real`, compared with each of the held-out images that were drawn. PSNR is the
        mean over the pairs that differ (dB); `note` counts those that are identical.

    Notes
    -----
    Read a value beside its floor, not by itself. On digits real images score above their mean image; on blood cells
    (64 px) the mean image scores above real ones by 2 to 3 dB, whatever they are matched by: there a higher PSNR or
    SSIM than the floor is the mark of blur.

    References
    ----------
    hazra2022, tables 6 and 7.
    """
    sides = {"synthetic": len(synthetic), "held-out real": len(real)}
    n = min(*sides.values(), most)
    if n < LEAST_IMAGES:
        there = " and ".join(f"{held} {side}" for side, held in sides.items())
        why = f"matched similarity needs at least {LEAST_IMAGES} images of each kind; there are {there}"
        return {name: Estimate(None, n, note=why) for name in NAMES if name != "LPIPS" or lpips is not None}
    drawn = list(draw_subsamples(len(synthetic), len(real), most=most, count=subsamples, seed=seed))
    matched = _matched(drawn, synthetic_features, real_features, pairing, seed)
    against = [held_out for _, held_out in drawn]
    others = list(_draws(len(other_real), n, against, seed)) if len(other_real) else []
    floor_pairs = _matched(others, other_features, real_features, pairing, seed)
    comparisons = [_Comparison(synthetic, matched)]
    if others:
        shown = np.unique(np.concatenate(against))
        comparisons.append(_Comparison(other_real, floor_pairs))
        comparisons.append(_Comparison(_mean_image(other_real), np.stack([np.zeros_like(shown), shown], axis=1)))
    values = [_pixel_values(comparison, real) for comparison in comparisons]
    notes = {name: f"{name} needs images of at least {least} x {least} pixels" for name, least in _LEAST_EDGE.items()}
    if lpips is not None:
        try:
            for measured, perceptual in zip(values, _lpips_values(lpips, comparisons, real), strict=True):
                measured["LPIPS"] = perceptual
        except InputError as error:  # a trunk says what it cannot look at, such as images too small for its layers
            notes["LPIPS"] = str(error)
    found = {}
    for name in NAMES:
        if name in values[0]:
            floor, class_mean = (_mean(part[name]) for part in values[1:]) if others else (None, None)
            found[name] = Estimate(
                value=_mean(values[0][name]),
                n=n,
                interval=_interval(values[0][name], matched, seed),
                floor=floor,
                floor_n=len(others[0][0]) if others else None,
                class_mean=class_mean,
                note=_identical(values[0][name]),
            )
        elif name in notes:
            found[name] = Estimate(None, n, note=notes[name])
    return found


@dataclass(frozen=True)
class _Comparison:
    """Images [n, 3, H, W] and pairs [k, 2]: position among them, position among the held-out real images."""

    images: Images
    pairs: NDArray[np.int64]


def _matched(
    drawn: list[tuple[_Index, _Index]], features: ArrayLike, real_features: ArrayLike, pairing: Pairing, seed: int
) -> NDArray[np.int64]:
    """Return the pairs of all subsamples, as positions in the whole sets, int64 [k, 2]."""
    found = [np.zeros((0, 2), np.int64)]
    for number, (rows, columns) in enumerate(drawn):
        if pairing == "random":
            distances = np.zeros((len(rows), len(columns)), np.float32)
        else:
            distances = feature_distances(np.asarray(features)[rows], np.asarray(real_features)[columns])
        pairs = match(distances, pairing, seed=seed + number)
        found.append(np.stack([rows[pairs[:, 0]], columns[pairs[:, 1]]], axis=1))
    return np.concatenate(found)


def _draws(n: int, most: int, against: list[_Index], seed: int) -> Iterator[tuple[_Index, _Index]]:
    rng = np.random.default_rng([seed, 2])
    for held_out in against:
        yield np.sort(rng.choice(n, min(n, most), replace=False)), held_out


def _mean_image(images: Images) -> Images:
    total = np.zeros(images.shape[1:])
    for start in range(0, len(images), _READ):
        total += images[start : start + _READ].sum(axis=0, dtype=np.int64)
    return np.rint(total / len(images)).astype(np.uint8)[None]


def _pixel_values(comparison: _Comparison, real: Images) -> dict[str, NDArray[np.float64]]:
    measures = {"l1": l1, "l2": l2}
    edge = min(real.shape[-2:])
    measures.update({name: _STRUCTURE[name] for name, least in _LEAST_EDGE.items() if edge >= least})
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in measures}
    for start in range(0, len(comparison.pairs), _CHUNK):
        left, right = comparison.pairs[start : start + _CHUNK].T
        a, b = np.asarray(comparison.images[left]), np.asarray(real[right])
        for name, measure in measures.items():
            found[name].append(measure(a, b))
    values = {name: np.concatenate(parts) for name, parts in found.items()}
    return values | {"PSNR": psnr_of(values["l2"])}


def _lpips_values(trunk: Trunk, comparisons: list[_Comparison], real: Images) -> list[NDArray[np.float64]]:
    found = [np.empty(len(comparison.pairs)) for comparison in comparisons]
    shown = np.unique(np.concatenate([comparison.pairs[:, 1] for comparison in comparisons]))
    # By real images, whose features serve all comparisons; a few at a time, since features are larger than images.
    for start in range(0, len(shown), _CHUNK):
        chunk = shown[start : start + _CHUNK]
        real_features = trunk(real[chunk])
        for comparison, values in zip(comparisons, found, strict=True):
            inside = np.flatnonzero(np.isin(comparison.pairs[:, 1], chunk))
            for first in range(0, len(inside), _CHUNK):
                rows = inside[first : first + _CHUNK]
                left, back = np.unique(comparison.pairs[rows, 0], return_inverse=True)
                place = np.searchsorted(chunk, comparison.pairs[rows, 1])
                features = trunk(comparison.images[left])
                values[rows] = lpips_pairs([x[back] for x in features], [y[place] for y in real_features])
    return found


def _mean(values: NDArray[np.float64]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None


def _identical(values: NDArray[np.float64]) -> str:
    infinite = int(np.isinf(values).sum())
    return f"{infinite} of {len(values)} pairs are identical and left out of the mean" if infinite else ""


def _interval(values: NDArray[np.float64], pairs: NDArray[np.int64], seed: int) -> tuple[float, float] | None:
    finite = np.isfinite(values)
    left, right = (np.unique(side, return_inverse=True)[1] for side in pairs[finite].T)
    scarce = left if left.max(initial=-1) < right.max(initial=-1) else right
    groups = int(scarce.max(initial=-1)) + 1
    if groups < 2:
        return None
    sums, counts = np.bincount(scarce, values[finite]), np.bincount(scarce)
    weights = np.random.default_rng([seed, 3]).multinomial(groups, np.full(groups, 1 / groups), size=_RESAMPLES)
    low, high = np.percentile((weights @ sums) / (weights @ counts), [2.5, 97.5])
    return float(low), float(high)
