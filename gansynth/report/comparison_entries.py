"""What stands in a comparison's results.json: arms, effects, doses and swaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.estimate import Estimate


@dataclass(frozen=True)
class Endpoint:
    """What was named before the run: a metric, over all classes or of one."""

    metric: str
    class_name: str | None = None

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Endpoint:
        """Read what results.json holds."""
        return cls(entry["metric"], entry.get("class"))


@dataclass(frozen=True)
class ArmResult:
    """One arm with one classifier, over all its seeds and folds.

    Attributes
    ----------
    arm, classifier : str
    dose : float or None
        Share of the way to balance.
    metrics : dict of metric to Estimate
    classes : dict of class to (dict of metric to Estimate)
    confusion : float array, shape [C, C]
        Mean over seeds, folds pooled; rows are the true classes.
    training_counts, synthetic_counts : dict of class to int
        Images of an epoch, and how many of them are synthetic.
    runs : tuple of dict
        Each with "fold", "seed" and "folder".
    steps : int
    seconds : float
        Mean time to train.
    weights : str
        "pretrained", "none", or "" where the classifier has none.
    """

    arm: str
    classifier: str
    dose: float | None
    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]
    confusion: NDArray[np.float64]
    training_counts: dict[str, int]
    synthetic_counts: dict[str, int]
    runs: tuple[dict[str, Any], ...]
    steps: int
    seconds: float
    weights: str

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> ArmResult:
        """Read what results.json holds."""
        return cls(
            arm=str(entry["arm"]),
            classifier=str(entry["classifier"]),
            dose=entry.get("dose"),
            metrics=_estimates(entry["metrics"]),
            classes={name: _estimates(found) for name, found in entry["classes"].items()},
            confusion=np.asarray(entry.get("confusion") or [], dtype=np.float64),
            training_counts=_counts(entry.get("training_counts")),
            synthetic_counts=_counts(entry.get("synthetic_counts")),
            runs=tuple(entry.get("runs") or ()),
            steps=round(entry.get("steps") or 0),
            seconds=float(entry.get("seconds") or 0.0),
            weights=str(entry.get("weights") or ""),
        )

    @property
    def is_synthetic(self) -> bool:
        """Whether it learned from synthetic images too."""
        return sum(self.synthetic_counts.values()) > 0

    def estimate(self, endpoint: Endpoint) -> Estimate | None:
        """What it scored at an endpoint; None where that was not measured."""
        held = self.metrics if endpoint.class_name is None else self.classes.get(endpoint.class_name, {})
        return held.get(endpoint.metric)


@dataclass(frozen=True)
class EffectResult:
    """How far one arm is from another at an endpoint, as `compare` tested it.

    Attributes
    ----------
    arm, against, classifier : str
    endpoint : Endpoint
    value : float
        Arm minus the other.
    interval : (float, float) or None
    p, p_holm, mcnemar_p : float or None
        `p_holm` is corrected over the arms of the classifier.
    n : int
        Test images.
    method : str
    note : str
        What to bear in mind.
    """

    arm: str
    against: str
    classifier: str
    endpoint: Endpoint
    value: float
    interval: tuple[float, float] | None
    p: float | None
    p_holm: float | None
    n: int
    method: str
    mcnemar_p: float | None
    note: str = ""

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> EffectResult:
        """Read what results.json holds."""
        ends: Sequence[float | None] = entry.get("interval") or ()
        return cls(
            arm=str(entry["arm"]),
            against=str(entry["against"]),
            classifier=str(entry["classifier"]),
            endpoint=Endpoint.from_json(entry),
            value=float("nan") if entry["value"] is None else float(entry["value"]),
            interval=None if len(ends) != 2 or ends[0] is None or ends[1] is None else (ends[0], ends[1]),
            p=entry.get("p"),
            p_holm=entry.get("p_holm"),
            n=int(entry.get("n") or 0),
            method=str(entry.get("method") or ""),
            mcnemar_p=entry.get("mcnemar_p"),
            note=str(entry.get("note") or ""),
        )

    @property
    def shown(self) -> bool:
        """Whether the corrected test tells the arms apart. Nothing may be claimed where it does not."""
        return self.p_holm is not None and self.p_holm < 0.05


@dataclass(frozen=True)
class Dose:
    """A figure against the dose of a remedy: `points` are (dose, value, low, high)."""

    classifier: str
    remedy: str
    endpoint: Endpoint
    points: tuple[tuple[float, float, float | None, float | None], ...]

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Dose:
        """Read what results.json holds."""
        points = [(float(d), float(v), low, high) for d, v, low, high in entry["points"] if v is not None]
        return cls(entry["classifier"], entry["remedy"], Endpoint.from_json(entry), tuple(sorted(points)))


@dataclass(frozen=True)
class Swap:
    """Trained on synthetic and tested on real images ("TSTR"), or the other way round ("TRTS")."""

    gan: str
    classifier: str
    direction: str
    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Swap:
        """Read what results.json holds."""
        classes = {name: _estimates(found) for name, found in (entry.get("classes") or {}).items()}
        return cls(entry["gan"], entry["classifier"], entry["direction"], _estimates(entry["metrics"]), classes)


def _estimates(found: Mapping[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate.from_json(one) for name, one in found.items()}


def _counts(found: Mapping[str, Any] | None) -> dict[str, int]:
    return {name: round(n) for name, n in (found or {}).items()}
