"""The same trained arms once more, by the same statistics: one level up, and on other pictures of the same cells.

alkrimi2023 (tables 3 to 9) judges a classifier twice: on granulocytes and agranulocytes, and on the types in them.
Probabilities are summed for that. And the test cells are shown as another laboratory would show them: does a remedy
still hold? The endpoints are those of the comparison, named before the run, and p is corrected within each condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gansynth.data.label_tree import LabelTree, known_tree, read_groups, tree_of
from gansynth.studies.comparison.entries import ArmScores, Endpoint
from gansynth.studies.comparison.figures import Key, Pooled, effects, scores
from gansynth.studies.comparison.result import Counts, Level, LevelFacts, Superclasses
from gansynth.studies.comparison.settings import Groups


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
        If `given` is not a tree of these classes.
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
    about: LevelFacts,
    *,
    n_train: Sequence[int],
    tested: Sequence[str],
    jobs: int,
) -> Superclasses:
    """Return what a comparison finds at the level of superclasses.

    Parameters
    ----------
    tree : LabelTree
    arms : mapping of (arm, classifier) to Pooled
        At the level of classes.
    about : LevelFacts
        Of the comparison.
    n_train : sequence of int
        Real training images of each fold.
    tested : sequence of str
        The arms that are compared with their baselines; empty under the paper's protocol.
    jobs : int

    Returns
    -------
    Superclasses
        The only endpoint is the primary one, which is a second look: Holm's correction is within this level.
    """
    above = {key: lifted(arm, tree) for key, arm in arms.items()}
    names, groups = tree.superclasses, tree.groups()
    endpoints = (Endpoint(about.endpoints[0].metric),)

    def summed(counts: Mapping[str, int]) -> dict[str, int]:
        return {name: sum(counts[c] for c in groups[name]) for name in names}

    facts = LevelFacts(
        tuple(names), Counts(summed(about.training_counts), summed(about.test_counts)), {}, (), endpoints, about.folds,
        about.seeds, about.protocol,
    )  # fmt: skip
    found = effects(above, endpoints, names, n_train, tested) if tested else ()
    return Superclasses(facts, scores(above, names, jobs), found, {name: tuple(groups[name]) for name in names})


def under_condition(
    arms: Mapping[Key, Pooled], about: LevelFacts, *, n_train: Sequence[int], tested: Sequence[str], jobs: int
) -> Level[LevelFacts, ArmScores]:
    """Return what a comparison finds on altered cells.

    Parameters
    ----------
    arms : mapping of (arm, classifier) to Pooled
        What they say of the altered test cells.
    about : LevelFacts
        Of the comparison.
    n_train : sequence of int
        Real training images of each fold.
    tested : sequence of str
        The arms that are compared with their baselines.
    jobs : int
    """
    facts = LevelFacts(**{name: getattr(about, name) for name in LevelFacts.__dataclass_fields__})
    return Level(
        facts, scores(arms, about.classes, jobs), effects(arms, about.endpoints, about.classes, n_train, tested)
    )
