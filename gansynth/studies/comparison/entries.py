"""What stands in a comparison's results: endpoints, arms, effects, ranks, doses, swaps, and what failed.

Each class writes its own part of results.json (`to_json`) and reads it back (`from_json`); nothing else looks into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.metrics.classification_effects import Effect
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import TITLES, p_value, signed, signed_ends, with_ends

Json = Mapping[str, Any]
"""An object as JSON holds it."""

Estimates = dict[str, Estimate]
"""By the name of the metric."""


@dataclass(frozen=True)
class Endpoint:
    """What was named before the run: a metric, over all classes or of one.

    Examples
    --------
    >>> str(Endpoint("macro-F1")), str(Endpoint("recall", "promyelocyte"))
    ('macro-F1', 'recall of promyelocyte')
    >>> Endpoint("macro-F1").title, Endpoint("recall", "promyelocyte").title
    ('Macro F1', 'Recall of promyelocyte')
    """

    metric: str
    class_name: str | None = None

    @classmethod
    def from_json(cls, found: Json) -> Endpoint:
        """Read what `to_json` wrote."""
        return cls(str(found["metric"]), found.get("class"))

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return {"metric": self.metric, "class": self.class_name}

    @property
    def title(self) -> str:
        """Its name as a heading."""
        title = "Balanced accuracy" if self.metric == "balanced-accuracy" else TITLES.get(self.metric, self.metric)
        return title if self.class_name is None else f"{title} of {self.class_name}"

    def __str__(self) -> str:
        return self.metric if self.class_name is None else f"{self.metric} of {self.class_name}"


@dataclass(frozen=True, repr=False, kw_only=True)
class ArmEffect(Effect):
    """How far one arm is from another at an endpoint, as it was tested; `Effect` says what the numbers are.

    Attributes
    ----------
    arm, against, classifier : str
        Its value is that of `arm` less that of `against`.
    endpoint : Endpoint
    p_holm : float or None
        Corrected over the arms that are held against the same one, for one classifier and one endpoint.
    """

    arm: str
    against: str
    classifier: str
    endpoint: Endpoint
    p_holm: float | None = None

    @classmethod
    def from_json(cls, found: Json) -> ArmEffect:
        """Read what `to_json` wrote."""
        return cls(
            **vars(Effect.from_json(found)),
            arm=str(found["arm"]),
            against=str(found["against"]),
            classifier=str(found["classifier"]),
            endpoint=Endpoint.from_json(found),
            p_holm=found.get("p_holm"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        named = {"classifier": self.classifier, "arm": self.arm, "against": self.against}
        return {**named, **self.endpoint.to_json(), **super().to_json(), "p_holm": self.p_holm}

    @property
    def shown(self) -> bool:
        """Whether the corrected test shows a difference. Nothing may be claimed where it does not."""
        return self.p_holm is not None and self.p_holm < 0.05

    @property
    def gap(self) -> float:
        """The value; 0 where it cannot be said."""
        return 0.0 if self.value is None else self.value

    def __repr__(self) -> str:
        interval = f" ({signed_ends(self.interval)})" if self.interval else ""
        what = f"{self.arm} - {self.against}, {self.classifier}, {self.endpoint}"
        return f"ArmEffect({what}: {signed(self.value)}{interval}, p {p_value(self.p_holm)})"


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
class Training:
    """One training of an arm: its fold, seed, folder inside the comparison's, and macro-F1."""

    fold: int
    seed: int
    folder: str
    macro_f1: float | None = None

    @classmethod
    def from_json(cls, found: Json) -> Training:
        """Read what `to_json` wrote."""
        return cls(int(found["fold"]), int(found["seed"]), str(found["folder"]), found.get("macro-F1"))

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return {"fold": self.fold, "seed": self.seed, "folder": self.folder, "macro-F1": self.macro_f1}


@dataclass(frozen=True, eq=False, repr=False)
class ArmScores:
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
    confusion: NDArray[np.float64]

    @classmethod
    def from_json(cls, found: Json) -> ArmScores:
        """Read what `to_json` wrote."""
        return cls(
            arm=str(found["arm"]),
            classifier=str(found["classifier"]),
            metrics=read_estimates(found["metrics"]),
            classes=read_classes(found["classes"]),
            confusion=np.asarray(found.get("confusion") or [], dtype=np.float64),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return {
            "arm": self.arm,
            "classifier": self.classifier,
            "metrics": write_estimates(self.metrics),
            "classes": write_classes(self.classes),
            "confusion": self.confusion.tolist(),
        }

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
    test_counts: dict[str, int] | None = None

    @classmethod
    def from_json(cls, found: Json) -> ArmResult:
        """Read what `to_json` wrote."""
        tested, steps = found.get("test_counts"), found.get("steps")
        return cls(
            **vars(ArmScores.from_json(found)),
            remedies=tuple(found.get("remedies") or ()),
            dose=found.get("dose"),
            training_counts=_counts(found.get("training_counts")),
            synthetic_counts=_counts(found.get("synthetic_counts")),
            steps=None if steps is None else round(steps),
            seconds=float(found.get("seconds") or 0.0),
            runs=tuple(Training.from_json(one) for one in found.get("runs") or ()),
            weights=str(found.get("weights") or ""),
            test_counts=None if tested is None else _counts(tested),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        scores = super().to_json()
        found = {
            "arm": scores.pop("arm"),
            "remedies": list(self.remedies),
            "dose": self.dose,
            **scores,
            "training_counts": self.training_counts,
            "synthetic_counts": self.synthetic_counts,
            "steps": self.steps,
            "seconds": self.seconds,
            "runs": [one.to_json() for one in self.runs],
            "weights": self.weights,
        }
        return found if self.test_counts is None else {**found, "test_counts": self.test_counts}

    @property
    def is_synthetic(self) -> bool:
        """Whether it learned from synthetic images too."""
        return sum(self.synthetic_counts.values()) > 0


@dataclass(frozen=True)
class Standing:
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
        Differences from ``none``; None for itself.
    p_holm : float or None
        Of the last, corrected for the arms.
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
    at_no_loss_effect: Effect | None
    p_holm: float | None
    trade_off: tuple[float | None, ...]

    @classmethod
    def from_json(cls, found: Json) -> Standing:
        """Read what `to_json` wrote."""
        reached, held = found["at_no_loss"], found["at_no_loss_effect"]
        return cls(
            classifier=str(found["classifier"]),
            arm=str(found["arm"]),
            rank=int(found["rank"]),
            rare=Estimate.from_json(found["rare"]),
            elsewhere=Estimate.from_json(found["elsewhere"]),
            at_no_loss=None if reached is None else Estimate.from_json(reached),
            rare_effect=_effect(found["rare_effect"]),
            elsewhere_effect=_effect(found["elsewhere_effect"]),
            at_no_loss_effect=_effect(held),
            p_holm=None if held is None else held["p_holm"],
            trade_off=tuple(found["trade_off"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        effects = (self.rare_effect, self.elsewhere_effect, self.at_no_loss_effect)
        rare, elsewhere, reached = (None if one is None else one.to_json() for one in effects)
        return {
            "classifier": self.classifier,
            "arm": self.arm,
            "rare": self.rare.to_json(),
            "rare_effect": rare,
            "elsewhere": self.elsewhere.to_json(),
            "elsewhere_effect": elsewhere,
            "at_no_loss": None if self.at_no_loss is None else self.at_no_loss.to_json(),
            "at_no_loss_effect": None if reached is None else {**reached, "p_holm": self.p_holm},
            "trade_off": list(self.trade_off),
            "rank": self.rank,
        }


@dataclass(frozen=True)
class DoseCurve:
    """An endpoint against the dose of a remedy: `points` are (dose, value, low, high), doses rising."""

    classifier: str
    remedy: str
    endpoint: Endpoint
    points: tuple[tuple[float, float | None, float | None, float | None], ...]

    @classmethod
    def from_json(cls, found: Json) -> DoseCurve:
        """Read what `to_json` wrote."""
        points = tuple((float(dose), value, low, high) for dose, value, low, high in found["points"])
        return cls(str(found["classifier"]), str(found["remedy"]), Endpoint.from_json(found), points)

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        named = {"classifier": self.classifier, "remedy": self.remedy}
        return {**named, **self.endpoint.to_json(), "points": [list(point) for point in self.points]}

    @property
    def known(self) -> tuple[tuple[float, float, float | None, float | None], ...]:
        """The points that have a value."""
        return tuple((dose, value, low, high) for dose, value, low, high in self.points if value is not None)


@dataclass(frozen=True)
class BestDose:
    """The dose with the highest value of an endpoint; of equal ones the smallest."""

    classifier: str
    remedy: str
    endpoint: Endpoint
    dose: float

    @classmethod
    def from_json(cls, found: Json) -> BestDose:
        """Read what `to_json` wrote."""
        endpoint = Endpoint.from_json(found["endpoint"])
        return cls(str(found["classifier"]), str(found["remedy"]), endpoint, float(found["dose"]))

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        named = {"classifier": self.classifier, "remedy": self.remedy}
        return {**named, "endpoint": self.endpoint.to_json(), "dose": self.dose}


@dataclass(frozen=True)
class Swap:
    """Trained on synthetic and tested on real images ("TSTR"), or the other way round ("TRTS")."""

    gan: str
    classifier: str
    direction: str
    metrics: Estimates
    classes: dict[str, Estimates]

    @classmethod
    def from_json(cls, found: Json) -> Swap:
        """Read what `to_json` wrote."""
        metrics, classes = read_estimates(found["metrics"]), read_classes(found["classes"])
        return cls(str(found["gan"]), str(found["classifier"]), str(found["direction"]), metrics, classes)

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        named = {"gan": self.gan, "classifier": self.classifier, "direction": self.direction}
        return {**named, "metrics": write_estimates(self.metrics), "classes": write_classes(self.classes)}


@dataclass(frozen=True)
class Recognition:
    """The share of a GAN's images of a class that its independent classifier recognises; the floor is of real ones."""

    gan: str
    class_name: str
    recognised: Estimate

    @classmethod
    def from_json(cls, found: Json) -> Recognition:
        """Read what `to_json` wrote."""
        return cls(str(found["gan"]), str(found["class"]), Estimate.from_json(found["recognised"]))

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return {"gan": self.gan, "class": self.class_name, "recognised": self.recognised.to_json()}


@dataclass(frozen=True)
class Recommendation:
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

    @classmethod
    def from_json(cls, found: Json) -> Recommendation:
        """Read what `to_json` wrote."""
        return cls(**{name: str(found[name]) for name in ("use", "classifier", "why", "command")})

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return dict(vars(self))

    def __str__(self) -> str:
        return f"use {self.classifier} with {self.use}: {self.why}"


@dataclass(frozen=True)
class FailedTraining:
    """A training that could not be carried out, and why."""

    arm: str
    classifier: str
    fold: int
    seed: int
    error: str

    @classmethod
    def from_json(cls, found: Json) -> FailedTraining:
        """Read what `to_json` wrote."""
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return dict(vars(self))


def read_estimates(found: Json) -> Estimates:
    """Read what `write_estimates` wrote."""
    return {name: Estimate.from_json(one) for name, one in found.items()}


def write_estimates(found: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return estimates by metric for JSON."""
    return {name: one.to_json() for name, one in found.items()}


def read_classes(found: Json) -> dict[str, Estimates]:
    """Read what `write_classes` wrote."""
    return {name: read_estimates(one) for name, one in found.items()}


def write_classes(found: Mapping[str, Estimates]) -> dict[str, Any]:
    """Return estimates by class and metric for JSON."""
    return {name: write_estimates(one) for name, one in found.items()}


def _effect(found: Json | None) -> Effect | None:
    return None if found is None else Effect.from_json(found)


def _counts(found: Json | None) -> dict[str, int]:
    return {name: round(n) for name, n in (found or {}).items()}
