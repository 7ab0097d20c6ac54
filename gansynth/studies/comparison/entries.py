"""What stands in a comparison's results: endpoints, arms, effects, ranks, doses, swaps, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import PlainValidator

from gansynth.files.json_object import IF_GIVEN, INLINE, JsonObject, Key
from gansynth.metrics.classification_effects import Effect
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import TITLES, p_value, signed_with_ends, with_ends

Estimates = dict[str, Estimate]
"""By the name of the metric."""


@dataclass(frozen=True)
class Endpoint(JsonObject):
    """What was named before the run: a metric, over all classes or of one.

    Examples
    --------
    >>> str(Endpoint("macro-F1")), str(Endpoint("recall", "promyelocyte"))
    ('macro-F1', 'recall of promyelocyte')
    >>> Endpoint("macro-F1").title, Endpoint("recall", "promyelocyte").title
    ('Macro F1', 'Recall of promyelocyte')
    """

    metric: str
    class_name: Annotated[str | None, Key("class")] = None

    @property
    def title(self) -> str:
        """Its name as a heading."""
        title = "Balanced accuracy" if self.metric == "balanced-accuracy" else TITLES.get(self.metric, self.metric)
        return title if self.class_name is None else f"{title} of {self.class_name}"

    def __str__(self) -> str:
        return self.metric if self.class_name is None else f"{self.metric} of {self.class_name}"


@dataclass(frozen=True, kw_only=True)
class CorrectedEffect(Effect):
    """An effect with its p as corrected for the arms that are held against the same one."""

    p_holm: float | None = None


@dataclass(frozen=True, repr=False, kw_only=True)
class ArmEffect(CorrectedEffect):
    """How far one arm is from another at an endpoint, as it was tested; `Effect` says what the numbers are.

    Attributes
    ----------
    arm, against, classifier : str
        Its value is that of `arm` less that of `against`.
    endpoint : Endpoint
        `p_holm` is corrected for one classifier and one endpoint.
    """

    arm: str
    against: str
    classifier: str
    endpoint: Annotated[Endpoint, INLINE]

    @property
    def shown(self) -> bool:
        """Whether the corrected test shows a difference. Nothing may be claimed where it does not."""
        return self.p_holm is not None and self.p_holm < 0.05

    @property
    def gap(self) -> float:
        """The value; 0 where it cannot be said."""
        return 0.0 if self.value is None else self.value

    def __repr__(self) -> str:
        what = f"{self.arm} - {self.against}, {self.classifier}, {self.endpoint}"
        return f"ArmEffect({what}: {signed_with_ends(self)}, p {p_value(self.p_holm)})"


def each_pair_once(effects: Sequence[ArmEffect]) -> list[ArmEffect]:
    """Return the effects without those that say the same the other way round: b against a after a against b."""
    seen: set[tuple[str, str, str, Endpoint]] = set()
    kept = []
    for one in effects:
        if (one.against, one.arm, one.classifier, one.endpoint) not in seen:
            seen.add((one.arm, one.against, one.classifier, one.endpoint))
            kept.append(one)
    return kept


@dataclass(frozen=True)
class Training(JsonObject):
    """One training of an arm: its fold, seed, folder inside the comparison's, and macro-F1."""

    fold: int
    seed: int
    folder: str
    macro_f1: Annotated[float | None, Key("macro-F1")] = None


@dataclass(frozen=True, eq=False, repr=False)
class ArmScores(JsonObject):
    """What one arm scored with one classifier, over all its seeds and folds.

    Attributes
    ----------
    arm, classifier : str
    metrics : dict of metric to Estimate
    classes : dict of class to (dict of metric to Estimate)
    confusion : float64 array, shape [C, C]
        Mean over the seeds, folds pooled; rows are the true classes.
    """

    arm: str
    classifier: str
    metrics: Estimates
    classes: dict[str, Estimates]
    confusion: Annotated[NDArray[np.float64], PlainValidator(lambda rows: np.asarray(rows, dtype=np.float64))]

    def estimate(self, endpoint: Endpoint) -> Estimate | None:
        """Return what it scored at an endpoint; None where that was not measured."""
        return self.of(endpoint.metric, endpoint.class_name)

    def of(self, metric: str, class_name: str | None = None) -> Estimate | None:
        """Return a metric over all classes, or of one; None where it was not measured."""
        return (self.metrics if class_name is None else self.classes.get(class_name, {})).get(metric)

    def frame(self) -> pd.DataFrame:
        """Return every metric in a row: arm, classifier, class (empty: all together), metric, value, low, high, n."""
        rows = [("", name, one) for name, one in self.metrics.items()]
        rows += [(c, name, one) for c, mine in self.classes.items() for name, one in mine.items()]
        return pd.DataFrame(
            [
                (self.arm, self.classifier, c, name, one.value, *(one.interval or (None, None)), one.n)
                for c, name, one in rows
            ],
            columns=["arm", "classifier", "class", "metric", "value", "low", "high", "n"],
        )

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, ArmScores) and self.to_json() == other.to_json()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.arm}, {self.classifier}: macro-F1 {with_ends(self.of('macro-F1'))})"

    def _repr_html_(self) -> str:
        return str(self.frame().drop(columns=["arm", "classifier"]).round(3).to_html(index=False))


@dataclass(frozen=True, eq=False, repr=False)
class ArmResult(ArmScores):
    """The same, with what the arm learned from and what it took.

    Attributes
    ----------
    remedies : tuple of str
        Its parts as they are typed; empty for ``none``.
    dose : float or None
        Share of the way to balance.
    training_counts, synthetic_counts : dict of class to int
        Images of an epoch, and how many of them are synthetic.
    steps : int or None
        Optimizer steps; None for a classifier without any.
    seconds : float
        Mean time to train.
    runs : tuple of Training
    weights : str
        "pretrained"; "none" for a network that was trained without its published weights; "" where there are none.
    test_counts : dict of class to int, or None
        Under the paper's protocol: each arm has test images of its own.
    """

    remedies: tuple[str, ...] = ()
    dose: float | None = None
    training_counts: dict[str, int] = field(default_factory=dict)
    synthetic_counts: dict[str, int] = field(default_factory=dict)
    steps: int | None = None
    seconds: float = 0.0
    runs: tuple[Training, ...] = ()
    weights: str = ""
    test_counts: Annotated[dict[str, int] | None, IF_GIVEN] = None

    @property
    def is_synthetic(self) -> bool:
        """Whether it learned from synthetic images too."""
        return sum(self.synthetic_counts.values()) > 0


@dataclass(frozen=True)
class Standing(JsonObject):
    """An arm's place among those of its classifier (see `gansynth.studies.comparison.leaderboard`).

    Attributes
    ----------
    classifier, arm : str
    rank : int
        From 1 on.
    rare, elsewhere : Estimate
        Mean recalls of the rare and of the other classes, as trained.
    at_no_loss : Estimate or None
        That of the rare classes where the others lose no more than is counted as no loss; None for an arm that loses
        more even where it calls no cell rare.
    rare_effect, elsewhere_effect, at_no_loss_effect : Effect or None
        Differences from ``none``, the last corrected for the arms; None for itself.
    trade_off : tuple of float or None
        Mean recall of the rare classes at each of the `LOSSES`.
    """

    classifier: str
    arm: str
    rank: int
    rare: Estimate
    elsewhere: Estimate
    at_no_loss: Estimate | None
    rare_effect: Effect | None
    elsewhere_effect: Effect | None
    at_no_loss_effect: CorrectedEffect | None
    trade_off: tuple[float | None, ...]

    @property
    def p_holm(self) -> float | None:
        """Of the difference at no loss, corrected for the arms."""
        return None if self.at_no_loss_effect is None else self.at_no_loss_effect.p_holm


@dataclass(frozen=True)
class DoseCurve(JsonObject):
    """An endpoint against the dose of a remedy: `points` are (dose, value, low, high), doses rising."""

    classifier: str
    remedy: str
    endpoint: Annotated[Endpoint, INLINE]
    points: tuple[tuple[float, float | None, float | None, float | None], ...]

    @property
    def known(self) -> tuple[tuple[float, float, float | None, float | None], ...]:
        """The points that have a value."""
        return tuple((dose, value, low, high) for dose, value, low, high in self.points if value is not None)


@dataclass(frozen=True)
class BestDose(JsonObject):
    """The dose with the highest value of an endpoint; of equal ones the smallest."""

    classifier: str
    remedy: str
    endpoint: Endpoint
    dose: float


@dataclass(frozen=True)
class Swap(JsonObject):
    """Trained on synthetic and tested on real images ("TSTR"), or the other way round ("TRTS")."""

    gan: str
    classifier: str
    direction: str
    metrics: Estimates
    classes: dict[str, Estimates]


@dataclass(frozen=True)
class Recognition(JsonObject):
    """The share of a GAN's images of a class that its independent classifier recognises; the floor is of real ones."""

    gan: str
    class_name: Annotated[str, Key("class")]
    recognised: Estimate


@dataclass(frozen=True)
class Recommendation(JsonObject):
    """What to use, why, and how.

    Attributes
    ----------
    use : str
        The arm.
    classifier : str
    why : str
        A few sentences.
    command : str
        Trains it on the reader's data.
    """

    use: str
    classifier: str
    why: str
    command: str

    def __str__(self) -> str:
        return f"use {self.classifier} with {self.use}: {self.why}"


@dataclass(frozen=True)
class FailedTraining(JsonObject):
    """A training that could not be carried out, and why."""

    arm: str
    classifier: str
    fold: int
    seed: int
    error: str
