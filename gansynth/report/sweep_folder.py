"""What `sweep` left in a folder, read back for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.report.quality_folder import read_json
from gansynth.studies.comparison_entries import Endpoint
from gansynth.studies.comparison_result import NONE


@dataclass(frozen=True)
class Point:
    """A figure, or a difference from another arm, at one ratio.

    Attributes
    ----------
    rho : float
    value : float
    interval : (float, float) or None
    p : float or None
        Of a difference, corrected for all arms and ratios.
    """

    rho: float
    value: float
    interval: tuple[float, float] | None
    p: float | None = None

    @property
    def shown(self) -> bool:
        """Whether the corrected test shows the difference."""
        return self.p is not None and self.p < 0.05


@dataclass(frozen=True)
class SweepResults:
    """A folder of `sweep`: `facts` is results.json as it stands."""

    folder: Path
    facts: dict[str, Any]

    @property
    def about(self) -> dict[str, Any]:
        """What was swept."""
        return dict(self.facts["about"])

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The ratios, rising, with the images that each keeps."""
        return list(self.facts["about"]["steps"])

    @property
    def rhos(self) -> list[float]:
        """The ratios as the images have them, rising."""
        return [float(step["rho"]) for step in self.steps]

    @property
    def arms(self) -> list[str]:
        """Arms in the order of the tables, "none" first."""
        return sorted(self.facts["about"]["arms"], key=lambda name: name != NONE)

    @property
    def classifiers(self) -> list[str]:
        """Classifiers in the order of the tables, without those that have no figure."""
        there = {one["classifier"] for one in self.facts["figures"]}
        return [name for name in self.facts["about"]["classifiers"] if name in there]

    @property
    def minority(self) -> list[str]:
        """The classes that become rare."""
        return list(self.facts["about"]["minority"])

    @property
    def primary(self) -> Endpoint:
        """What was named before the run, of all classes."""
        first = self.facts["about"]["endpoints"][0]
        return Endpoint(first["metric"], first.get("class"))

    def curve(self, arm: str, classifier: str, endpoint: Endpoint) -> list[Point]:
        """Return a figure of an arm at every ratio that has one, rising."""
        return _points(self.facts["figures"], arm, classifier, endpoint)

    def differences(self, arm: str, classifier: str, endpoint: Endpoint) -> list[Point]:
        """Return how far an arm is from ``none`` at every ratio where that was tested, rising."""
        rows = [one for one in self.facts["effects"] if one["against"] == NONE]
        return _points(rows, arm, classifier, endpoint)


def read_sweep_folder(folder: Path) -> SweepResults:
    """Read a folder that `sweep` wrote.

    Raises
    ------
    InputError
        If results.json is absent or is not what `sweep` writes.
    """
    path = folder / "results.json"
    facts = read_json(path, "write it with `gansynth sweep DATA --remedies none,... --ratios 1,10,50 --out DIR`")
    results = SweepResults(folder, facts)
    try:
        for step in results.steps:
            step["rho"], step["ratio"], step["folder"], step["counts"], step["learned_from"]
        for name in results.classifiers:
            for arm in results.arms:
                results.curve(arm, name, results.primary), results.differences(arm, name, results.primary)
        assert results.minority and results.facts["warnings"] is not None
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, AssertionError) as error:
        raise InputError(f"{path}: not what `sweep` writes ({error!r}); sweep again") from error
    return results


def _points(rows: Sequence[dict[str, Any]], arm: str, classifier: str, endpoint: Endpoint) -> list[Point]:
    wanted = (arm, classifier, endpoint.metric, endpoint.class_name)
    found = []
    for one in rows:
        if (one["arm"], one["classifier"], one["metric"], one["class"]) == wanted and one["value"] is not None:
            ends = None if None in (one["low"], one["high"]) else (float(one["low"]), float(one["high"]))
            found.append(Point(float(one["rho"]), float(one["value"]), ends, one.get("p_holm")))
    return sorted(found, key=lambda point: point.rho)
