"""Copies of training images: the test of every class, the alarm of all, and the nearest pairs to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.appearance import EDGE, appearance, nearest_in_any_orientation
from gansynth.metrics.classification_tests import holm
from gansynth.metrics.estimate import Estimate, too_few
from gansynth.metrics.memorisation import copy_threshold, memorisation, memorisation_alarm
from gansynth.studies.quality.real_cache import RealCache
from gansynth.studies.quality.sets import Images, Rows, Sets
from gansynth.studies.quality.shown import Pair

NEARER = "synthetic images lie nearer to the training images than fresh real ones do"
"""How the alarm's warning begins."""

SHOWN = 4
"""Nearest pairs of each class that are shown."""

_READ = 1024
_BLOCK = 2**14


@dataclass(frozen=True)
class Copies:
    """What was found out about copies.

    Attributes
    ----------
    overall, per_class : dict of str to Estimate
        "memorisation" (AUC; floor 0.5) and "copies" (how many; floor: held-out real images under the threshold).
    alarm : bool
        Whether the classes together say that training images are repeated; false alarms in at most 5% of honest sets.
    p_value : float
    warnings : list of str
    pairs : tuple of Pair
        Nearest first within each class.
    """

    overall: dict[str, Estimate]
    per_class: list[dict[str, Estimate]]
    alarm: bool
    p_value: float
    warnings: list[str]
    pairs: tuple[Pair, ...]


def look_for_copies(sets: Sets, cache: RealCache) -> Copies:
    """Compare the distances of synthetic images to the nearest training image of their class with those of held-out
    ones."""
    training, held_out = (_looks(images, cache) for images in (sets.training, sets.held_out))
    made = _look_at(sets.synthetic)
    tests, counts, pairs = [], [], []
    for c, name in enumerate(sets.class_names):
        of_training, of_held_out, of_made = (
            np.flatnonzero(images.labels == c) for images in (sets.training, sets.held_out, sets.synthetic)
        )
        fresh = _finite(_nearest(held_out[of_held_out], training, of_training)[0])
        distance, index = _nearest(made[of_made], training, of_training)
        tests.append(memorisation(_finite(distance), fresh))
        threshold = copy_threshold(fresh)
        counts.append((int((distance <= threshold).sum()), len(distance), int((fresh <= threshold).sum()), len(fresh)))
        median = float(np.median(fresh)) if len(fresh) else float("nan")
        for k in np.argsort(distance, kind="stable")[:SHOWN] if len(of_training) else ():
            mine, theirs = of_made[k], of_training[index[k]]
            pairs.append(
                Pair(
                    name,
                    sets.synthetic.path(mine),
                    sets.training.path(theirs),
                    float(distance[k]),
                    median,
                    bool(distance[k] <= threshold),
                    np.stack([sets.synthetic.pixels(mine), sets.training.pixels(theirs)]),
                )
            )
    alarm, p_value = memorisation_alarm(tests)
    per_class = [
        {
            "memorisation": Estimate(t.value, t.n, t.interval, floor=0.5, floor_n=t.n_held_out)
            if t.n and t.n_held_out
            else too_few(t.n, 1, "memorisation"),
            "copies": counted(*count),
        }
        for t, count in zip(tests, counts, strict=True)
    ]
    return Copies(
        overall={
            "memorisation": _pooled([book["memorisation"] for book in per_class]),
            "copies": counted(*(sum(column) for column in zip(*counts, strict=True))),
        },
        per_class=per_class,
        alarm=alarm,
        p_value=p_value,
        warnings=_warnings(sets, alarm, p_value, holm([t.p_alarm for t in tests]), [count[0] for count in counts]),
        pairs=tuple(pairs),
    )


def _looks(images: Images, cache: RealCache) -> NDArray[np.float32]:
    """Return the `appearance` of a real set, computed once."""

    def make(folder: Path) -> None:
        shape = (len(images), 3, EDGE, EDGE)
        looks = np.lib.format.open_memmap(folder / "appearance.npy", mode="w+", dtype=np.float32, shape=shape)
        for k in range(0, len(images), _READ):
            looks[k : k + _READ] = appearance(images.pixels(slice(k, k + _READ)))

    return cache.arrays(("appearance", images.fingerprint()), make)["appearance"]


def _look_at(images: Images) -> NDArray[np.float32]:
    parts = [appearance(images.pixels(slice(k, k + _READ))) for k in range(0, len(images), _READ)]
    return np.concatenate(parts)


def _nearest(
    queries: NDArray[np.float32], looks: NDArray[np.float32], which: Rows
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return how far the nearest of some looks is from each query, and which of them it is; block by block, since the
    looks of a million images are on the disk and stay there."""
    distance, index = nearest_in_any_orientation(queries, looks[which[:_BLOCK]])
    for start in range(_BLOCK, len(which), _BLOCK):
        next_distance, next_index = nearest_in_any_orientation(queries, looks[which[start : start + _BLOCK]])
        nearer = next_distance < distance
        distance[nearer], index[nearer] = next_distance[nearer], next_index[nearer] + start
    return distance, index


def _finite(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    return distances[np.isfinite(distances)]


def counted(copies: int, n: int, real: int, real_n: int) -> Estimate:
    """Return how many of n images are copies; the floor is what as many of `real_n` held-out ones would be."""
    low, high = wilson_interval(copies, n) * n
    return Estimate(
        float(copies), n, (float(low), float(high)), floor=n * real / real_n if real_n else None, floor_n=real_n
    )


def _pooled(classes: list[Estimate]) -> Estimate:
    """Return the mean AUC over the classes, each weighing as much as it has images."""
    there = [(one.value, one.n, one.interval) for one in classes if one.value is not None and one.interval is not None]
    n = sum(count for _, count, _ in there)
    if not n:
        return too_few(0, 1, "memorisation")
    value = sum(auc * count for auc, count, _ in there) / n
    half = [(high - low) / 2 * count / n for _, count, (low, high) in there]
    error = float(np.sqrt(np.square(half).sum()))
    return Estimate(value, n, (max(0.0, value - error), min(1.0, value + error)), floor=0.5)


def _warnings(sets: Sets, alarm: bool, p_value: float, corrected: NDArray[np.float64], copies: list[int]) -> list[str]:
    found = []
    if alarm:
        accused = [name for name, p in zip(sets.class_names, corrected, strict=True) if p <= 0.05]
        where = f", above all in {', '.join(accused)}" if accused else ""
        if sum(copies):
            why = "the generator repeats some of what it learned from; look at the nearest pairs"
        else:
            why = (
                "but none nearly equals one: blurred or collapsed images do so too; look at the pairs and at diversity"
            )
        found.append(f"{NEARER} (p = {p_value:.2g}){where}: {why}")
    if sum(copies):
        found.append(f"{sum(copies)} synthetic images nearly equal a training image")
    return found
