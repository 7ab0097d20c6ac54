"""The same test cells as another laboratory would show them: does a remedy still hold there?

Nothing is trained for it: every classifier predicts the altered cells too. The endpoints are those of the comparison,
named before the run, and p is corrected within each condition as it is on the cells as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gansynth.studies.comparison.entries import ArmScores
from gansynth.studies.comparison.figures import Key, Pooled, effects, scores
from gansynth.studies.comparison.result import Level, LevelFacts


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
