"""The same trained arms at the level of superclasses: summed probabilities, the same statistics, no second training.

alkrimi2023 (tables 3 to 9) judges a classifier twice: on granulocytes and agranulocytes, and on the types in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gansynth.data.label_tree import LabelTree, known_tree, read_groups, tree_of
from gansynth.studies.comparison_figures import Figures, Key, Pooled, effects, estimates, in_parallel
from gansynth.studies.comparison_plan import endpoints_of

Groups = Mapping[str, Sequence[str]]
"""Superclasses with their classes."""


def chosen_tree(given: str | Path | Groups | None, held: Groups | None, class_names: Sequence[str]) -> LabelTree | None:
    """Return the tree of a comparison: the one given, else that of the folder, else the one built in for these classes.

    Parameters
    ----------
    given : path-like, mapping of superclass to classes, or None
    held : mapping or None
        What comparison.json says.
    class_names : sequence of str

    Raises
    ------
    InputError
        If `given` is no tree of these classes.
    """
    if given is not None:
        return tree_of(given if isinstance(given, Mapping) else read_groups(given), class_names)
    return known_tree(class_names) if held is None else tree_of(held, class_names)


def lifted(arm: Pooled, tree: LabelTree) -> Pooled:
    """Return an arm at the level of superclasses.

    The probability of a superclass is the sum over its classes, and the superclass with the largest sum is what is
    predicted: it need not be that of the most probable class.
    """
    probabilities = tree.probabilities(arm.probabilities)
    return replace(
        arm,
        labels=tree.labels(arm.labels),
        predicted=probabilities.argmax(axis=2).astype(np.int64),
        probabilities=probabilities,
    )


def superclasses(
    tree: LabelTree,
    arms: Mapping[Key, Pooled],
    about: Mapping[str, Any],
    *,
    n_train: Sequence[int],
    tested: Sequence[str],
    jobs: int,
) -> dict[str, Any]:
    """Return what a comparison finds at the level of superclasses, in the form of its results.

    Parameters
    ----------
    tree : LabelTree
    arms : mapping of (arm, classifier) to Pooled
        At the level of classes.
    about : mapping
        What the results say of the comparison.
    n_train : sequence of int
        Real training images of each fold.
    tested : sequence of str
        The arms that are compared with their baselines; empty under the paper's protocol.
    jobs : int

    Returns
    -------
    dict
        "tree" (superclass to classes), and "about", "arms" and "effects" as the results have them for classes; the
        only endpoint is the primary one, which is a second look: Holm's correction is within this level.
    """
    above = {key: lifted(arm, tree) for key, arm in arms.items()}
    figures = in_parallel(estimates, list(above.values()), jobs)
    names, groups = tree.superclasses, tree.groups()
    endpoints = endpoints_of(about["endpoints"][0]["metric"], [])
    counts = {
        part: {name: sum(of_class[c] for c in groups[name]) for name in names}
        for part, of_class in about["counts"].items()
    }
    return {
        "tree": {name: groups[name] for name in names},
        "about": {"classes": list(names), "counts": counts, "rare": [], "rarity": {}, "endpoints": endpoints}
        | {key: about[key] for key in ("folds", "seeds", "protocol")},
        "arms": [_entry(key, above[key], found, names) for key, found in zip(above, figures, strict=True)],
        "effects": effects(above, endpoints, names, n_train, tested) if tested else [],
    }


def _entry(key: Key, arm: Pooled, figures: Figures, names: Sequence[str]) -> dict[str, Any]:
    overall, classes = figures
    return {
        "arm": key[0],
        "classifier": key[1],
        "metrics": {name: one.to_json() for name, one in overall.items()},
        "classes": {
            name: {metric: one.to_json() for metric, one in row.items()}
            for name, row in zip(names, classes, strict=True)
        },
        "confusion": arm.confusion().round(4).tolist(),
    }
