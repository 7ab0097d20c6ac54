"""What `benchmark` left in a folder, read back for the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.metrics.estimate import mean_of_known
from gansynth.report.quality_folder import QualityResults, read_json, read_quality_folder
from gansynth.studies.ranking import Spread


@dataclass(frozen=True)
class BenchmarkResults:
    """A folder of `benchmark`.

    Attributes
    ----------
    folder : pathlib.Path
    facts : dict
        benchmark.json as it stands.
    recipes, class_names : tuple of str
        Recipes in the order of the ranking, best first; those without a finished run last.
    summary : dict of recipe to (dict of metric to Spread)
    summary_classes : dict of recipe to (dict of class to (dict of metric to Spread))
    quality : dict of recipe to tuple of QualityResults
        The measured runs of each recipe, by seed; absent where none was measured.
    """

    folder: Path
    facts: dict[str, Any]
    recipes: tuple[str, ...]
    class_names: tuple[str, ...]
    summary: dict[str, dict[str, Spread]]
    summary_classes: dict[str, dict[str, dict[str, Spread]]]
    quality: dict[str, tuple[QualityResults, ...]]

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Every run, finished or not."""
        return list(self.facts.get("runs", []))

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The runs that did not finish, each with its "error"."""
        return [run for run in self.runs if run.get("status") != "done"]

    @property
    def missing(self) -> dict[str, dict[str, str]]:
        """What is known of each metric without weights, from every measured run."""
        found: dict[str, dict[str, str]] = {}
        for measured in self.quality.values():
            for one in measured:
                found |= one.missing
        return found

    def floor(self, metric: str) -> float | None:
        """What real images score in `metric` against other real ones: the mean over the recipes that say so."""
        return mean_of_known([found[metric].floor for found in self.summary.values() if metric in found])

    def class_mean(self, metric: str) -> float | None:
        """What the mean real image of each class scores in a matched similarity."""
        return mean_of_known([found[metric].class_mean for found in self.summary.values() if metric in found])

    def has(self, metric: str) -> bool:
        """Whether any recipe has a value of `metric`."""
        return any(metric in found for found in self.summary.values())


def read_benchmark_folder(folder: Path) -> BenchmarkResults:
    """Read a folder that `benchmark` wrote.

    Parameters
    ----------
    folder : pathlib.Path
        With benchmark.json, and the folders of `quality` that it names.

    Returns
    -------
    BenchmarkResults

    Raises
    ------
    InputError
        If benchmark.json is absent or is not what `benchmark` writes.
    """
    facts = read_json(folder / "benchmark.json", "write it with `gansynth benchmark DATA --recipes A,B --out DIR`")
    try:
        ranked = [entry["recipe"] for entry in facts.get("ranking", [])]
        recipes = tuple(dict.fromkeys([*ranked, *facts["recipes"]]))
        summary = {r: _spreads(facts["summary"].get(r, {})) for r in recipes}
        per_class = facts.get("summary_classes", {})
        classes = {r: {c: _spreads(found) for c, found in per_class.get(r, {}).items()} for r in recipes}
        names = tuple(facts["class_names"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder / 'benchmark.json'}: not what `benchmark` writes ({error!r}); run it again"
        ) from error
    return BenchmarkResults(folder, facts, recipes, names, summary, classes, _measured(folder, facts, recipes))


def _spreads(found: dict[str, Any]) -> dict[str, Spread]:
    return {
        metric: Spread(
            values=tuple(float(v) for v in entry["values"]),
            low=float(entry["low"]),
            high=float(entry["high"]),
            floor=entry.get("floor"),
            class_mean=entry.get("class_mean"),
            n=int(entry["n"]),
        )
        for metric, entry in found.items()
        if entry.get("values")
    }


def _measured(folder: Path, facts: dict[str, Any], recipes: tuple[str, ...]) -> dict[str, tuple[QualityResults, ...]]:
    found: dict[str, list[QualityResults]] = {}
    for run in sorted(facts.get("runs", []), key=lambda run: int(run.get("seed") or 0)):
        place = folder / str(run.get("quality") or "")
        if run.get("status") == "done" and run.get("quality") and (place / "results.json").is_file():
            found.setdefault(run["recipe"], []).append(read_quality_folder(place))
    return {recipe: tuple(found[recipe]) for recipe in recipes if recipe in found}
