"""Which remedy recognises the rare classes best, and what it costs the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gansynth.metrics.classification_effects import Effect, Endpoint, arm_estimate, effect
from gansynth.metrics.multiple_testing import holm
from gansynth.studies.comparison_figures import Key, Pooled
from gansynth.studies.comparison_plan import NONE

MARGIN = 0.02
"""What the mean recall of the other classes may fall by and count as kept."""

KEPT, UNCLEAR, LOST = "kept", "unclear", "lost"
_RECALL = Endpoint("balanced-accuracy")


def leaderboard(
    arms: Mapping[Key, Pooled],
    rare: Sequence[str],
    class_names: Sequence[str],
    n_train: Sequence[int],
    ranked: Iterable[str],
) -> list[dict[str, Any]]:
    """Rank the arms of each classifier by the mean recall of the rare classes; those that lose elsewhere come last.

    A classifier that calls every cell a promyelocyte recognises all promyelocytes. What it takes from the other classes
    is missing from their recall, so that the mean recall of the rare classes and that of the others tell all.

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
    list of dict
        In order of rank, classifier by classifier, with "classifier", "arm", "rank", "rare" and "elsewhere" (mean
        recalls, as `Estimate.to_json` writes them), "rare_effect" and "elsewhere_effect" (against ``none``, as
        `Effect.to_json`; "p_holm" of the first is corrected for the arms), and "verdict" of the other classes: "kept"
        where the 95% interval of their effect lies above -`MARGIN`, "lost" where it lies below 0 and not so, "unclear"
        where it allows for both. Empty where every class is rare or none is.
    """
    is_rare = np.isin(list(class_names), list(rare))
    if is_rare.all() or not is_rare.any():
        return []
    ranked, found = set(ranked), []
    for classifier in dict.fromkeys(key[1] for key in arms):
        baseline = arms.get((NONE, classifier))
        mine = [arm for arm, of in arms if of == classifier and (arm in ranked or arm == NONE)]
        entries = [
            _entry(arm, classifier, arms[arm, classifier], None if arm == NONE else baseline, is_rare, n_train)
            for arm in mine
        ]
        tested = [one for one in entries if one["rare_effect"] is not None]
        p = [one["rare_effect"]["p"] for one in tested]
        corrected = holm([math.nan if one is None else one for one in p])
        for one, value in zip(tested, corrected.tolist(), strict=True):
            one["rare_effect"]["p_holm"] = value if math.isfinite(value) else None
        entries.sort(key=lambda one: (one["verdict"] == LOST, -(one["rare"]["value"] or 0.0)))
        found += [{**one, "rank": rank} for rank, one in enumerate(entries, 1)]
    return found


def _entry(
    spec: str,
    classifier: str,
    arm: Pooled,
    baseline: Pooled | None,
    is_rare: np.ndarray[Any, np.dtype[np.bool_]],
    n_train: Sequence[int],
) -> dict[str, Any]:
    found: dict[str, Any] = {"classifier": classifier, "arm": spec}
    effects: dict[str, Effect | None] = {"rare": None, "elsewhere": None}
    for where, classes in (("rare", is_rare), ("elsewhere", ~is_rare)):
        mine = classes[arm.labels]
        several = len(np.unique(arm.folds)) > 1
        shared: dict[str, Any] = {
            "n_classes": arm.n_classes, "folds": arm.folds[mine] if several else None, "units": arm.units[mine],
        }  # fmt: skip
        found[where] = arm_estimate(arm.labels[mine], arm.predicted[:, mine], _RECALL, **shared).to_json()
        if baseline is not None:
            # Folds share training images as they do for any figure, whichever test images it is about.
            shares = [float(np.mean(mine[arm.folds == fold])) for fold in np.unique(arm.folds)]
            learned = [max(round(n * share), 1) for n, share in zip(n_train, shares, strict=True)]
            effects[where] = effect(
                arm.labels[mine], arm.predicted[:, mine], baseline.predicted[:, mine], _RECALL,
                n_train=learned if several else None, **shared,
            )  # fmt: skip
    elsewhere = effects["elsewhere"]
    return {
        **found,
        **{f"{where}_effect": None if one is None else one.to_json() for where, one in effects.items()},
        "verdict": KEPT if elsewhere is None else _verdict(elsewhere),
    }


def _verdict(found: Effect) -> str:
    if found.interval is None:
        return UNCLEAR
    low, high = found.interval
    return KEPT if low > -MARGIN else LOST if high < 0 else UNCLEAR
