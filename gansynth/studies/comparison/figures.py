"""From the predictions of an arm to its figures, and from two arms to the effect of one against the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics import classification_effects as statistics
from gansynth.metrics.classification import OF_CLASS, OVERALL
from gansynth.metrics.classification_effects import (
    PROBABILITY_METRICS,
    arm_estimate,
    effect,
    probability_effect,
    probability_estimate,
)
from gansynth.metrics.classification_tests import holm
from gansynth.metrics.confusion_scores import confusion_matrix
from gansynth.metrics.estimate import Estimate
from gansynth.remedies.arm import NONE
from gansynth.studies.comparison.entries import ArmEffect, ArmScores, Endpoint
from gansynth.studies.comparison.plan import BASELINES
from gansynth.studies.comparison.record import Predictions, Record

Key = tuple[str, str]
"""Arm and classifier."""

Figures = tuple[dict[str, Estimate], list[dict[str, Estimate]]]
"""Of all classes together, and of each class."""

_WORTH_A_PROCESS = 500_000
"""Probabilities; fewer are scored sooner than a process begins."""


@dataclass(frozen=True)
class Pooled:
    """What one classifier says after one remedy: all seeds, all folds.

    Attributes
    ----------
    paths : tuple of str
        Of the test images of all folds, fold by fold.
    labels, folds, units : int64 arrays, shape [N]
    predicted : int64 array, shape [S, N]
    probabilities : float64 array, shape [S, N, C]
    """

    paths: tuple[str, ...]
    labels: NDArray[np.int64]
    folds: NDArray[np.int64]
    units: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    @property
    def n_classes(self) -> int:
        """C."""
        return int(self.probabilities.shape[2])

    def confusion(self) -> NDArray[np.float64]:
        """Return the confusion matrix, the mean over the seeds, float64 [C, C], true classes in rows."""
        return np.asarray(confusion_matrix(self.labels, self.predicted, self.n_classes).mean(axis=0))


def pooled(records: Sequence[Record], units: Mapping[str, int] | None) -> Pooled:
    """Bring the records of an arm together.

    Parameters
    ----------
    records : sequence of Record
        Every fold with every seed.
    units : mapping of path to int, or None
        What cannot be separated; None where images do not belong together.
    """
    return pool([(one.cell.fold, one.cell.seed, one.predictions()) for one in records], units)


def pool(found: Iterable[tuple[int, int, Predictions]], units: Mapping[str, int] | None) -> Pooled:
    """Bring predictions together that are given with their fold and their seed."""
    rows: dict[int, list[tuple[int, Predictions]]] = {}
    for fold, seed, one in sorted(found, key=lambda item: item[:2]):
        rows.setdefault(seed, []).append((fold, one))
    first = next(iter(rows.values()))
    paths = tuple(path for _, one in first for path in one.paths)
    return Pooled(
        paths,
        np.concatenate([one.labels for _, one in first]),
        np.concatenate([np.full(len(one.labels), fold) for fold, one in first]),
        np.arange(len(paths)) if units is None else np.array([units[path] for path in paths], np.int64),
        np.stack([np.concatenate([one.predicted for _, one in row]) for row in rows.values()]),
        np.stack([np.concatenate([one.probabilities for _, one in row]) for row in rows.values()]),
    )


def in_parallel(work: Callable[[Pooled], Figures], arms: Sequence[Pooled], jobs: int) -> list[Figures]:
    """Return the figures of several arms, computed side by side where they are large enough to be worth a process."""
    from joblib import Parallel, delayed

    if sum(arm.probabilities.size for arm in arms) < _WORTH_A_PROCESS:
        return [work(arm) for arm in arms]
    how = {} if jobs == 0 else {"n_jobs": jobs}
    return list(Parallel(**how, batch_size=1)(delayed(work)(arm) for arm in arms))


def estimates(arm: Pooled) -> Figures:
    """Return all figures of an arm: of all classes together, and of each class."""
    return (
        {name: _estimate(arm, name, None) for name in OVERALL},
        [{name: _estimate(arm, name, c) for name in OF_CLASS} for c in range(arm.n_classes)],
    )


def scores(arms: Mapping[Key, Pooled], class_names: Sequence[str], jobs: int) -> tuple[ArmScores, ...]:
    """Return what arms scored, in the order of `arms`."""
    figures = in_parallel(estimates, list(arms.values()), jobs)
    return tuple(
        ArmScores(*key, overall, dict(zip(class_names, classes, strict=True)), arms[key].confusion().round(4))
        for key, (overall, classes) in zip(arms, figures, strict=True)
    )


def effects(
    arms: Mapping[Key, Pooled],
    endpoints: Sequence[Endpoint],
    class_names: Sequence[str],
    n_train: Sequence[int],
    tested: Iterable[str],
) -> tuple[ArmEffect, ...]:
    """Compare every arm with ``none``, with ordinary augmentation and with over-sampling, of the same classifier.

    Parameters
    ----------
    arms : mapping of (arm, classifier) to Pooled
    endpoints : sequence of Endpoint
    class_names : sequence of str
    n_train : sequence of int
        Real training images of each fold.
    tested : iterable of str
        The arms that are compared with their baselines.

    Returns
    -------
    tuple of ArmEffect
        `p_holm` is corrected for the arms that are held against one baseline, for one classifier and one endpoint.
    """
    tested, found = list(tested), list[ArmEffect]()
    for classifier in dict.fromkeys(key[1] for key in arms):
        for against in BASELINES:
            baseline = arms.get((against, classifier))
            if baseline is None:
                continue
            others = [arm for arm in tested if arm not in (against, NONE) and (arm, classifier) in arms]
            for endpoint in endpoints:
                tests = [compared(arms[arm, classifier], baseline, endpoint, class_names, n_train) for arm in others]
                found += [
                    ArmEffect(**vars(one), arm=arm, against=against, classifier=classifier, endpoint=endpoint, p_holm=p)
                    for arm, one, p in zip(others, tests, corrected(tests), strict=True)
                ]
    return tuple(found)


def compared(
    arm: Pooled, baseline: Pooled, endpoint: Endpoint, class_names: Sequence[str], n_train: Sequence[int]
) -> statistics.Effect:
    """Return how far an arm is from another at an endpoint; see `gansynth.metrics.classification_effects`."""
    if arm.paths != baseline.paths:
        raise ValueError("two arms were tested on different images")
    c = None if endpoint.class_name is None else list(class_names).index(endpoint.class_name)
    asked, several = statistics.Endpoint(endpoint.metric, c), len(np.unique(arm.folds)) > 1
    shared: dict[str, Any] = {
        "n_classes": arm.n_classes,
        "folds": arm.folds if several else None,
        "n_train": list(n_train) if several else None,
        "units": arm.units,
    }
    if endpoint.metric in PROBABILITY_METRICS:
        return probability_effect(arm.labels, arm.probabilities, baseline.probabilities, asked, **shared).finite()
    return effect(arm.labels, arm.predicted, baseline.predicted, asked, **shared).finite()


def corrected(tests: Sequence[statistics.Effect]) -> list[float | None]:
    """Return the p of several effects, corrected by Holm for their number; None where one has none."""
    found = holm([math.nan if one.p is None else one.p for one in tests])
    return [p if math.isfinite(p) else None for p in found.tolist()]


def _estimate(arm: Pooled, name: str, c: int | None) -> Estimate:
    several = len(np.unique(arm.folds)) > 1
    shared: dict[str, Any] = {
        "n_classes": arm.n_classes, "folds": arm.folds if several else None, "units": arm.units,
    }  # fmt: skip
    if name in PROBABILITY_METRICS:
        return probability_estimate(arm.labels, arm.probabilities, name, c, **shared)
    return arm_estimate(arm.labels, arm.predicted, statistics.Endpoint(name, c), **shared)
