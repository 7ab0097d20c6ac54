"""Which remedy lets a classifier recognise most cells of the rare classes at no loss elsewhere?

A classifier that calls every cell a promyelocyte recognises all promyelocytes. What it wrongly calls rare, the other
classes miss, so the mean recalls of the rare and of the other classes say it all; but two remedies that trade one for
the other differently cannot be ranked by either. So each is looked at where the others' recall is the same, as
sensitivity is compared at equal specificity: the probabilities of the rare classes are multiplied by one factor, the
largest that leaves the mean recall of the others within `MARGIN` of what it is without a remedy. `none` is looked at
so, too: the factor costs nothing (it is the logit adjustment after training of Menon et al. 2021), and a remedy that
only moves along the same curve is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.classification_effects import Effect, Endpoint, arm_estimate, effect
from gansynth.metrics.estimate import Estimate
from gansynth.remedies.arm import NONE
from gansynth.studies.comparison.entries import CorrectedEffect, Standing
from gansynth.studies.comparison.figures import Key, Pooled, corrected

MARGIN = 0.02
"""What the mean recall of the other classes may fall by and count as no loss."""

LOSSES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.16, 0.2)
"""What it may fall by along the curve of what rare classes gain for it."""

_RECALL = Endpoint("balanced-accuracy")
_LEAST = 1e-12

Mask = NDArray[np.bool_]


def leaderboard(
    arms: Mapping[Key, Pooled],
    rare: Sequence[str],
    class_names: Sequence[str],
    n_train: Sequence[int],
    ranked: Iterable[str],
) -> tuple[Standing, ...]:
    """Rank the arms of each classifier by the mean recall of the rare classes at no loss elsewhere.

    Parameters
    ----------
    arms : mapping of (arm, classifier) to Pooled
    rare : sequence of str
    class_names : sequence of str
    n_train : sequence of int
        Real training images of each fold.
    ranked : iterable of str
        The arms to rank.

    Returns
    -------
    tuple of Standing
        In order of rank, classifier by classifier; arms that lose more elsewhere even where they call no cell rare come
        last, in the order of their recall as trained. Empty where every class is rare, none is, or there is no arm
        ``none``.
    """
    is_rare = np.isin(list(class_names), list(rare))
    if is_rare.all() or not is_rare.any():
        return ()
    ranked, found = set(ranked), list[Standing]()
    for classifier in dict.fromkeys(key[1] for key in arms):
        baseline = arms.get((NONE, classifier))
        if baseline is None:
            continue
        wanted = _recall_elsewhere(baseline, is_rare)
        level = Shifted(baseline, is_rare).at(wanted - MARGIN) or baseline
        mine = [
            _standing(arms[spec, classifier], (spec, classifier), baseline, level, wanted, is_rare, n_train)
            for spec, of in arms
            if of == classifier and (spec in ranked or spec == NONE)
        ]
        tested = {one.arm: one.at_no_loss_effect for one in mine if one.at_no_loss_effect is not None}
        p_holm = dict(zip(tested, corrected(list(tested.values())), strict=True))
        mine = [replace(one, at_no_loss_effect=_corrected(one.at_no_loss_effect, p_holm.get(one.arm))) for one in mine]
        mine.sort(key=_order, reverse=True)
        found += [replace(one, rank=rank) for rank, one in enumerate(mine, 1)]
    return tuple(found)


class Shifted:
    """An arm whose probabilities of the rare classes are multiplied by a factor.

    Parameters
    ----------
    arm : Pooled
    is_rare : bool array, shape [C]
    """

    def __init__(self, arm: Pooled, is_rare: Mask) -> None:
        self.arm, self.is_rare = arm, is_rare
        sure = np.log(np.maximum(arm.probabilities, _LEAST))
        names = np.flatnonzero(is_rare), np.flatnonzero(~is_rare)
        self._as_rare, self._as_other = (mine[sure[..., mine].argmax(axis=2)] for mine in names)
        # By how much an image is rather of another class than of a rare one.
        self._margin = sure[..., names[1]].max(axis=2) - sure[..., names[0]].max(axis=2)

    def at(self, wanted: NDArray[np.float64]) -> Pooled | None:
        """Return the arm's predictions where the mean recall of the other classes is just what is wanted.

        Parameters
        ----------
        wanted : float64 array, shape [F]
            Of the mean recall of the classes that are not rare, in each fold.

        Returns
        -------
        Pooled or None
            None where a training does not get there even if it calls no cell rare.
        """
        arm = self.arm
        predicted = np.empty_like(arm.predicted)
        for fold, least in zip(np.unique(arm.folds), wanted, strict=True):
            here = arm.folds == fold
            weight = _weights(arm.labels, here & ~self.is_rare[arm.labels])
            for seed in range(len(predicted)):
                margin, as_other = self._margin[seed], self._as_other[seed]
                # What the others' recall consists of: images that are right if called none of the rare classes.
                right = np.flatnonzero((as_other == arm.labels) & (weight > 0))
                order = right[np.argsort(-margin[right])]
                reached = np.cumsum(weight[order])
                if not len(order) or reached[-1] < least - 1e-9:
                    return None
                threshold = margin[order[np.searchsorted(reached, least - 1e-9)]]
                predicted[seed, here] = np.where(margin >= threshold, as_other, self._as_rare[seed])[here]
        return replace(arm, predicted=predicted)


def _standing(
    arm: Pooled,
    key: Key,
    baseline: Pooled,
    level: Pooled,
    wanted: NDArray[np.float64],
    is_rare: Mask,
    n_train: Sequence[int],
) -> Standing:
    """Return an arm's standing, not yet ranked nor corrected."""
    shifted = Shifted(arm, is_rare)
    curve = {loss: shifted.at(wanted - loss) for loss in LOSSES}
    pairs = [(arm, baseline, is_rare), (arm, baseline, ~is_rare), (curve[MARGIN], level, is_rare)]
    recalls = [None if one is None else _recall(one, classes) for one, _, classes in pairs]
    rare, elsewhere, reached = recalls
    assert rare is not None and elsewhere is not None
    rare_gap, elsewhere_gap, reached_gap = (
        None if one is None or key[0] == NONE else _gap(one, other, classes, n_train) for one, other, classes in pairs
    )
    return Standing(
        classifier=key[1],
        arm=key[0],
        rank=0,
        rare=rare,
        elsewhere=elsewhere,
        at_no_loss=reached,
        rare_effect=rare_gap,
        elsewhere_effect=elsewhere_gap,
        at_no_loss_effect=_corrected(reached_gap, None),
        trade_off=tuple(_rare_recall(one, is_rare) for one in curve.values()),
    )


def _corrected(effect: Effect | None, p_holm: float | None) -> CorrectedEffect | None:
    return None if effect is None else CorrectedEffect(**vars(effect) | {"p_holm": p_holm})


def _order(standing: Standing) -> tuple[float, float]:
    reached = standing.at_no_loss
    return (-1.0 if reached is None or reached.value is None else reached.value), standing.rare.value or 0.0


def _rare_recall(arm: Pooled | None, is_rare: Mask) -> float | None:
    if arm is None:
        return None
    return float(((arm.predicted == arm.labels) @ _weights(arm.labels, is_rare[arm.labels])).mean())


def _recall_elsewhere(arm: Pooled, is_rare: Mask) -> NDArray[np.float64]:
    """Return the mean recall of the classes that are not rare, the mean over the seeds, in each fold."""
    found = []
    for fold in np.unique(arm.folds):
        weight = _weights(arm.labels, (arm.folds == fold) & ~is_rare[arm.labels])
        found.append(float(((arm.predicted == arm.labels) @ weight).mean()))
    return np.array(found)


def _weights(labels: NDArray[np.int64], asked: Mask) -> NDArray[np.float64]:
    """Return what each image counts in the mean recall of the images asked for; 0 for the others."""
    sizes = np.bincount(labels[asked], minlength=int(labels.max()) + 1)
    share = 1 / np.maximum(sizes, 1) / max(int((sizes > 0).sum()), 1)
    return np.where(asked, share[labels], 0.0)


def _recall(arm: Pooled, classes: Mask) -> Estimate:
    """Return the mean recall of some classes."""
    mine = classes[arm.labels]
    return arm_estimate(arm.labels[mine], arm.predicted[:, mine], _RECALL, **_shared(arm, mine))


def _gap(arm: Pooled, baseline: Pooled, classes: Mask, n_train: Sequence[int]) -> Effect:
    """Return how far the mean recall of some classes is from the baseline's."""
    mine = classes[arm.labels]
    folds = np.unique(arm.folds)
    # Folds share training images as they do for any figure, whichever test images it is about.
    shares = [float(np.mean(mine[arm.folds == fold])) for fold in folds]
    learned = [max(round(n * share), 1) for n, share in zip(n_train, shares, strict=True)]
    return effect(
        arm.labels[mine],
        arm.predicted[:, mine],
        baseline.predicted[:, mine],
        _RECALL,
        n_train=learned if len(folds) > 1 else None,
        **_shared(arm, mine),
    ).finite()


def _shared(arm: Pooled, mine: Mask) -> dict[str, Any]:
    several = len(np.unique(arm.folds)) > 1
    return {
        "n_classes": arm.n_classes, "units": arm.units[mine], "folds": arm.folds[mine] if several else None,
    }  # fmt: skip
