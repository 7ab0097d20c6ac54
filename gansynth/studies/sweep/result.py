"""What a sweep over the imbalance ratio found: what every comparison scored over rho, and its tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd

from gansynth.files import table_text
from gansynth.files.atomic import write_text
from gansynth.files.json_object import INLINE, JsonObject
from gansynth.metrics.classification_tests import holm
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import share
from gansynth.remedies.arm import NONE
from gansynth.studies.comparison.entries import Endpoint, FailedTraining
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.result_file import Result
from gansynth.version import __version__

SWEPT = ("macro-F1", "accuracy", "ROC-AUC")
"""The columns of table 3 of pasupa2020; beside them stands the recall of every minority class."""

_FIGURES = ["rho", "classifier", "arm", "metric", "class", "value", "low", "high", "n"]
_EFFECTS = ["rho", "classifier", "arm", "against", "metric", "class", "value", "low", "high", "p", "p_holm", "n"]


@dataclass(frozen=True)
class SweepSettings(JsonObject):
    """What was asked.

    Attributes
    ----------
    data_sha256 : str
    minority : list of str
        The classes that become rare.
    thin : str
        "minority" or "both", see `counts_at`.
    most, folds : int or None
    first_seed, number_of_seeds : int
    recipes : dict of classifier to mapping
        As their model writes them.
    remedies : list of str
        The arms.
    ratios : list of float
        Rising.
    """

    data_sha256: str
    minority: list[str]
    thin: str
    most: int | None
    folds: int | None
    first_seed: int
    number_of_seeds: int
    recipes: Mapping[str, Mapping[str, object]]
    remedies: list[str]
    ratios: list[float]


@dataclass(frozen=True)
class Step(JsonObject):
    """One ratio of a sweep.

    Attributes
    ----------
    ratio : float
        As it was asked for.
    rho : float
        As the images that are kept have it: whole images seldom give the ratio exactly.
    folder : str
        Of its comparison, inside the sweep's.
    counts : dict of str to int
        Training images kept, by class.
    """

    ratio: float
    rho: float
    folder: str
    counts: dict[str, int]

    @property
    def learned_from(self) -> int:
        """Training images kept, of all classes."""
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON."""
        return {**super().to_json(), "learned_from": self.learned_from}


@dataclass(frozen=True)
class SweptValue(JsonObject):
    """What one arm scored at one ratio; None where it has no value, or no interval."""

    rho: float
    classifier: str
    arm: str
    endpoint: Annotated[Endpoint, INLINE]
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class SweptEffect(JsonObject):
    """How far one arm is from another at one ratio, as `compare` tests it.

    `p_holm` is corrected for all arms and all ratios of one baseline, classifier and endpoint.
    """

    rho: float
    classifier: str
    arm: str
    against: str
    endpoint: Annotated[Endpoint, INLINE]
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    p_holm: float | None = None


@dataclass(frozen=True)
class SweepFailure(JsonObject):
    """A training that failed, and at which ratio."""

    rho: float
    training: Annotated[FailedTraining, INLINE]


@dataclass(frozen=True)
class Point:
    """A value, or a difference from another arm, at one ratio; `p` is of a difference, corrected."""

    rho: float
    value: float
    interval: tuple[float, float] | None
    p: float | None = None

    @property
    def shown(self) -> bool:
        """Whether the corrected test shows the difference."""
        return self.p is not None and self.p < 0.05


@dataclass(frozen=True)
class About(JsonObject):
    """What was swept.

    Attributes
    ----------
    settings : SweepSettings
    data : str
    classes : list of str
    endpoints : list of Endpoint
        Named before the run, the primary one first.
    sizes : dict of classifier to int
        Edge length of its images.
    seeds : list of int
    tested : dict of class to int
        Test images, the same ones at every ratio.
    steps : list of Step
        Rising.
    arms, classifiers : list of str
    versions : dict of str to str
    date, device : str
    command : str or None
        What was typed.
    """

    settings: Annotated[SweepSettings, INLINE]
    data: str
    classes: list[str]
    endpoints: list[Endpoint]
    sizes: dict[str, int]
    seeds: list[int]
    tested: dict[str, int]
    steps: list[Step]
    arms: list[str]
    classifiers: list[str]
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""
    device: str = ""
    command: str | None = None


@dataclass(frozen=True, repr=False)
class ImbalanceSweep(Result):
    """Remedies side by side over the imbalance ratio.

    Attributes
    ----------
    about : About
        Settings, data, endpoints, ratios, arms, versions.
    figures : list of SweptValue
    effects : list of SweptEffect
        Each arm against ``none`` and the other baselines.
    missing : list of SweepFailure
    warnings : list of str
    gansynth : str
        The version that swept.
    """

    COMMAND = "gansynth sweep"

    gansynth: str = field(default=__version__, kw_only=True)
    about: About
    figures: list[SweptValue]
    effects: list[SweptEffect]
    missing: list[SweepFailure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def settings(self) -> SweepSettings:
        """What was asked."""
        return self.about.settings

    @property
    def rhos(self) -> list[float]:
        """The ratios as the images have them, rising."""
        return [step.rho for step in self.about.steps]

    @property
    def primary(self) -> Endpoint:
        """The endpoint that decides."""
        return self.about.endpoints[0]

    @property
    def swept(self) -> list[Endpoint]:
        """What there is a curve of."""
        return list(dict.fromkeys(one.endpoint for one in self.figures))

    @property
    def arm_names(self) -> list[str]:
        """Arms in the order of the tables, "none" first."""
        return sorted(self.about.arms, key=lambda name: name != NONE)

    @property
    def measured(self) -> list[str]:
        """Classifiers in the order of the tables, without those that have no value."""
        there = {one.classifier for one in self.figures}
        return [name for name in self.about.classifiers if name in there]

    def curve(self, arm: str, classifier: str, endpoint: Endpoint) -> list[Point]:
        """Return what an arm scored at every ratio where it has a value, rising."""
        asked = (arm, classifier, endpoint)
        found = [
            Point(one.rho, one.value, _interval(one))
            for one in self.figures
            if (one.arm, one.classifier, one.endpoint) == asked and one.value is not None
        ]
        return sorted(found, key=lambda point: point.rho)

    def differences(self, arm: str, classifier: str, endpoint: Endpoint) -> list[Point]:
        """Return how far an arm is from ``none`` at every ratio where that was tested, rising."""
        asked = (arm, classifier, endpoint, NONE)
        found = [
            Point(one.rho, one.value, _interval(one), one.p_holm)
            for one in self.effects
            if (one.arm, one.classifier, one.endpoint, one.against) == asked and one.value is not None
        ]
        return sorted(found, key=lambda point: point.rho)

    def frame(self, of: Literal["figures", "effects"] = "figures") -> pd.DataFrame:
        """Return what sweep.csv holds (a value of an arm at a ratio a line), or effects.csv."""
        if of == "effects":
            return pd.DataFrame([one.to_json() for one in self.effects], columns=_EFFECTS)
        return pd.DataFrame([one.to_json() for one in self.figures], columns=_FIGURES)

    def write(self, folder: Path | str) -> None:
        """Write results.json, sweep.csv and effects.csv."""
        for name, table in (("sweep", self.frame()), ("effects", self.frame("effects"))):
            write_text(Path(folder) / f"{name}.csv", table_text(table, "%.6g"))
        super().write(folder)

    def __repr__(self) -> str:
        about = self.about
        said = f"ImbalanceSweep({len(about.arms)} arms by {len(about.classifiers)} classifiers"
        said += f" at {len(about.steps)} ratios"
        curve = self.curve(NONE, self.measured[0], self.primary) if self.measured else []
        if not curve:
            return f"{said})"
        ends = " to ".join(f"{share(point.value)} (rho {point.rho:.3g})" for point in (curve[0], curve[-1]))
        return f"{said}: {self.primary} of {self.measured[0]} without a remedy {ends})"


def gather(steps: Sequence[Step], found: Sequence[Comparison], settings: SweepSettings) -> ImbalanceSweep:
    """Bring the comparisons of a sweep together.

    Parameters
    ----------
    steps : sequence of Step
        Rising.
    found : sequence of Comparison
        One for each step.
    settings : SweepSettings
    """
    asked = [*map(Endpoint, SWEPT), *(Endpoint("recall", name) for name in settings.minority)]
    at = list(zip(steps, found, strict=True))
    figures = []
    for step, comparison in at:
        for entry in comparison.arms:
            for endpoint in asked:
                one = entry.estimate(endpoint) or Estimate(None, 0)
                low, high = one.interval or (None, None)
                figures.append(SweptValue(step.rho, entry.classifier, entry.arm, endpoint, one.value, low, high, one.n))
    about = found[0].about
    return ImbalanceSweep(
        about=About(
            settings=settings,
            data=about.data,
            classes=list(about.classes),
            endpoints=list(about.endpoints),
            sizes=about.sizes,
            seeds=list(about.seeds),
            tested=about.test_counts,
            steps=list(steps),
            arms=list(dict.fromkeys(entry.arm for one in found for entry in one.arms)),
            classifiers=list(about.sizes),
            versions=about.versions,
            date=about.date,
            device=about.device,
        ),
        figures=figures,
        effects=_effects(steps, found),
        missing=[SweepFailure(step.rho, one) for step, comparison in at for one in comparison.missing],
        warnings=_warnings(steps, found),
    )


def _effects(steps: Sequence[Step], found: Sequence[Comparison]) -> list[SweptEffect]:
    """Return the effects of all ratios, their p corrected together: who looks at a whole curve sees many tests."""
    rows = []
    for step, comparison in zip(steps, found, strict=True):
        for one in comparison.effects:
            low, high = one.interval or (None, None)
            named = (one.classifier, one.arm, one.against, one.endpoint)
            rows.append(SweptEffect(step.rho, *named, one.value, low, high, one.p, one.n))
    families: dict[tuple[str, str, Endpoint], list[int]] = {}
    for i, row in enumerate(rows):
        families.setdefault((row.classifier, row.against, row.endpoint), []).append(i)
    for family in families.values():
        corrected = holm([math.nan if (p := rows[i].p) is None else p for i in family])
        for i, p in zip(family, corrected.tolist(), strict=True):
            rows[i] = replace(rows[i], p_holm=p if math.isfinite(p) else None)
    return rows


def _warnings(steps: Sequence[Step], found: Sequence[Comparison]) -> list[str]:
    """Return what the comparisons warn of, each once, with the ratios that it is said at where it is not all."""
    said: dict[str, list[float]] = {}
    for step, comparison in zip(steps, found, strict=True):
        for text in comparison.warnings:
            said.setdefault(text, []).append(step.rho)
    return [
        text if len(at) == len(steps) else f"At rho {', '.join(f'{rho:.3g}' for rho in at)}: {text}"
        for text, at in said.items()
    ]


def _interval(one: SweptValue | SweptEffect) -> tuple[float, float] | None:
    return None if one.low is None or one.high is None else (one.low, one.high)
