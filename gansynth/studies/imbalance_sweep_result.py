"""What a sweep over the imbalance ratio found: the figures of every comparison over rho, and its tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gansynth import __version__
from gansynth.atomic import write_json, write_text
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.multiple_testing import holm
from gansynth.studies.comparison_entries import Endpoint
from gansynth.studies.comparison_result import Comparison

SWEPT = ("macro-F1", "accuracy", "ROC-AUC")
"""The figures of table 3 of pasupa2020; beside them stands the recall of every minority class."""

RESULTS = "results.json"
_FIGURES = ["rho", "classifier", "arm", "metric", "class", "value", "low", "high", "n"]
_EFFECTS = ["rho", "classifier", "arm", "against", "metric", "class", "value", "low", "high", "p", "p_holm", "n"]


@dataclass(frozen=True)
class Step:
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


@dataclass(frozen=True)
class ImbalanceSweep:
    """Remedies side by side over the imbalance ratio.

    Attributes
    ----------
    about : dict
        Settings, classes, what is tested, versions; "steps" tells what each ratio keeps, in rising order.
    figures : list of dict
        "rho", "classifier", "arm", "metric", "class" (None: all together), "value", "low", "high", "n".
    effects : list of dict
        Each arm against ``none`` and the other baselines at each ratio, as `compare` tests them; "p_holm" is corrected
        for all arms and all ratios of one baseline, classifier and endpoint.
    missing : list of dict
        Trainings that failed, with their "rho".
    warnings : list of str
    """

    about: dict[str, Any]
    figures: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    warnings: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            "gansynth": __version__,
            "about": self.about,
            "figures": self.figures,
            "effects": self.effects,
            "missing": self.missing,
            "warnings": self.warnings,
        }

    def write(self, folder: Path) -> None:
        """Write results.json, sweep.csv and effects.csv."""
        for name, rows, columns in (("sweep", self.figures, _FIGURES), ("effects", self.effects, _EFFECTS)):
            table = pd.DataFrame(rows, columns=columns)
            write_text(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
        write_json(folder / RESULTS, self.to_json())


def gather(steps: Sequence[Step], found: Sequence[Comparison], settings: Mapping[str, Any]) -> ImbalanceSweep:
    """Bring the comparisons of a sweep together.

    Parameters
    ----------
    steps : sequence of Step
        Rising.
    found : sequence of Comparison
        One for each step.
    settings : mapping
        What sweep.json holds.
    """
    minority = settings["minority"]
    asked = [{"metric": metric, "class": None} for metric in SWEPT]
    asked += [{"metric": "recall", "class": name} for name in minority]
    figures = []
    for step, comparison in zip(steps, found, strict=True):
        for entry in comparison.arms:
            for what in asked:
                one = entry.estimate(Endpoint.from_json(what)) or Estimate(None, 0)
                low, high = one.interval or (None, None)
                figures.append(
                    {"rho": step.rho, "classifier": entry.classifier, "arm": entry.arm, **what}
                    | {"value": one.value, "low": low, "high": high, "n": one.n}
                )
    first = found[0].about.to_json()
    about = {
        **{key: value for key, value in settings.items() if key not in ("held", "gansynth")},
        **{key: first[key] for key in ("data", "classes", "endpoints", "sizes", "seeds", "versions", "date", "device")},
        "arms": list(dict.fromkeys(entry.arm for one in found for entry in one.arms)),
        "classifiers": list(first["sizes"]),
        "tested": first["counts"]["test"],
        "steps": [{**vars(step), "learned_from": sum(step.counts.values())} for step in steps],
        "command": None,
    }
    missing = [
        {"rho": step.rho, **one.to_json()}
        for step, comparison in zip(steps, found, strict=True)
        for one in comparison.missing
    ]
    return ImbalanceSweep(about, figures, _effects(steps, found), missing, _warnings(steps, found))


def _effects(steps: Sequence[Step], found: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return the effects of all ratios, their p corrected together: who looks at a whole curve sees many tests."""
    rows = []
    for step, comparison in zip(steps, found, strict=True):
        for one in (effect.to_json() for effect in comparison.effects):
            low, high = one["interval"] or (None, None)
            rows.append(
                {"rho": step.rho, **{key: one[key] for key in ("classifier", "arm", "against", "metric", "class")}}
                | {"value": one["value"], "low": low, "high": high, "p": one["p"], "p_holm": None, "n": one["n"]}
            )
    families: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("classifier", "against", "metric", "class"))
        families.setdefault(key, []).append(row)
    for family in families.values():
        corrected = holm([math.nan if row["p"] is None else row["p"] for row in family])
        for row, p in zip(family, corrected.tolist(), strict=True):
            row["p_holm"] = p if math.isfinite(p) else None
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
