"""What a benchmark found: rows, means over the seeds, ranks, verdict; and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gansynth import __version__
from gansynth.atomic import write_json, write_text
from gansynth.studies.benchmark_composites import COMPOSITES, WARNING
from gansynth.studies.catalogue import METRICS
from gansynth.studies.copies import NEARER
from gansynth.studies.quality_result import read_results
from gansynth.studies.ranking import Spread, best, clearly_better, primary_metric, rank, spread

if TYPE_CHECKING:
    from gansynth.studies.benchmark_entry import Settings

RESULT = "benchmark.json"
TABLE_6 = ("FID", "precision", "F1", "recall", "LPIPS", "IS")
TABLE_7 = ("PSNR", "SSIM", "l1", "l2")
Summary = dict[str, dict[str, Spread]]


@dataclass(frozen=True)
class Benchmark:
    """GANs side by side.

    Attributes
    ----------
    runs : list of dict
        One for each recipe and seed: cost, status, where its folders are.
    summary : dict of recipe to (dict of metric to Spread)
    summary_classes : dict of recipe to (dict of class to (dict of metric to Spread))
    ranking : list of dict
        Best first (`gansynth.studies.ranking.rank`).
    primary : str or None
        The metric that decides between two generators.
    verdict : str
        One or two sentences.
    best : dict of class to dict
        The best recipe of each class by the primary metric, and whether the seeds tell it from the next.
    about : dict
        Data, seeds, size, budget, curves, missing metrics, warnings.
    """

    runs: list[dict[str, Any]]
    summary: Summary
    summary_classes: dict[str, dict[str, dict[str, Spread]]]
    ranking: list[dict[str, Any]]
    primary: str | None
    verdict: str
    best: dict[str, dict[str, Any]]
    about: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            "gansynth": __version__,
            **self.about,
            "runs": self.runs,
            "primary": self.primary,
            "verdict": self.verdict,
            "ranking": self.ranking,
            "best": self.best,
            "summary": {r: {m: found.to_json() for m, found in row.items()} for r, row in self.summary.items()},
            "summary_classes": {
                r: {c: {m: found.to_json() for m, found in row.items()} for c, row in classes.items()}
                for r, classes in self.summary_classes.items()
            },
        }

    def write(self, folder: Path) -> None:
        """Write benchmark.json, table6.csv, table7.csv, metrics.csv and classes.csv."""
        for name, columns in (("table6", TABLE_6), ("table7", TABLE_7), ("metrics", tuple(METRICS))):
            write_text(
                folder / f"{name}.csv", _csv([((r,), row) for r, row in self.summary.items()], ("recipe",), columns)
            )
        cells = [((r, c), row) for r, classes in self.summary_classes.items() for c, row in classes.items()]
        write_text(folder / "classes.csv", _csv(cells, ("recipe", "class"), tuple(METRICS)))
        write_json(folder / RESULT, self.to_json())


def gather(settings: Settings, runs: list[dict[str, Any]]) -> Benchmark:
    """Bring the rows' figures together: means over seeds, ranks, the best of every class, and one verdict."""
    from gansynth.studies.benchmark_entry import curve

    done = [run for run in runs if run["status"] == "done"]
    results = {run["quality"]: read_results(settings.out / run["quality"]) for run in done}
    recipes = list(dict.fromkeys(run["recipe"] for run in done))
    per_recipe = {r: [results[run["quality"]] for run in done if run["recipe"] == r] for r in recipes}
    class_names = list(next(iter(results.values()))["class_names"]) if results else []
    summary = {r: _summary([one["metrics"] for one in found]) for r, found in per_recipe.items()}
    classes = {
        r: {c: _summary([one["classes"].get(c, {}) for one in found]) for c in class_names}
        for r, found in per_recipe.items()
    }
    primary = primary_metric(summary)
    best_of = {}
    for c in class_names:
        of_class = {r: classes[r][c] for r in recipes}
        metric = primary_metric(of_class)
        found = best(metric, of_class) if metric else None
        if found:
            best_of[c] = found
    warnings = list(dict.fromkeys(w for one in results.values() for w in one["warnings"] if not w.startswith(NEARER)))
    warnings += _of_copies(done, results)
    warnings += [f"{run['recipe']} (seed {run['seed']}) failed: {run['error']}" for run in runs if run["error"]]
    warnings += _of_budget(done)
    warnings += [WARNING] if COMPOSITES in recipes else []
    first = next(iter(results.values()), {})
    about = {
        "data": first.get("real", {"path": settings.data}),
        "recipes": list(dict.fromkeys(run["recipe"] for run in runs)),
        "seeds": sorted({run["seed"] for run in runs}),
        "size": settings.size,
        "images_per_class": settings.count,
        "budget": {"images": settings.budget.images, "minutes": settings.budget.minutes},
        "class_names": class_names,
        "encoder": first.get("encoder"),
        "missing": first.get("missing", []),
        "warnings": warnings,
        "curves": [
            {"recipe": run["recipe"], "seed": run["seed"], **curve(settings.out / run["run"])}
            for run in done
            if run["run"] is not None
        ],
    }
    ranking = rank(summary)
    return Benchmark(runs, summary, classes, ranking, primary, verdict(ranking, summary, primary, runs), best_of, about)


def verdict(
    ranking: Sequence[Mapping[str, Any]],
    summary: Mapping[str, Mapping[str, Spread]],
    primary: str | None,
    runs: Sequence[Mapping[str, Any]],
) -> str:
    """Say which GAN is best, by what, and whether the seeds bear it out."""
    if not ranking or primary is None:
        return "No recipe could be measured."
    order = best(primary, summary)
    assert order is not None
    first, found = order["recipe"], summary[order["recipe"]][primary]
    seeds = len({run["seed"] for run in runs})
    text = f"{first} makes the images nearest to real ones: {primary} {found.mean:.3g}"
    text += f" (real against real {found.floor:.3g})" if found.floor is not None else ""
    if order["second"] is None:
        return text + "; there is no other recipe to compare it with."
    other = summary[order["second"]][primary]
    text += f", against {other.mean:.3g} of {order['second']}"
    rivals = [
        r
        for r in summary
        if r != first and primary in summary[r] and not clearly_better(primary, found, summary[r][primary])
    ]
    if rivals:
        text += f". With {seeds} seed{'s' * (seeds > 1)} it cannot be told apart from {_list(rivals)}"
    else:
        text += "; the intervals of all seeds lie apart"
    leader = ranking[0]["recipe"]
    if leader != first:
        text += f". Over all ranked metrics {leader} comes first (mean rank {ranking[0]['mean_rank']:.1f})"
    recall = summary[first].get("recall")
    if recall is not None and recall.floor is not None:
        text += (
            f". {recall.mean:.0%} of its cells are recognised as the class they were asked for "
            f"(held-out real cells: {recall.floor:.0%})"
        )
    return text + "."


def _summary(seeds: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Spread]:
    found = {name: spread([one[name] for one in seeds if name in one]) for name in METRICS}
    return {name: value for name, value in found.items() if value is not None}


def _of_copies(done: Sequence[Mapping[str, Any]], results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say in one sentence which runs raised the alarm, and whether copies were found."""
    accused = [
        f"{run['recipe']} (seed {run['seed']}, {results[run['quality']]['metrics']['copies']['value']:.0f} copies)"
        for run in done
        if results[run["quality"]]["memorisation"]["alarm"]
    ]
    if not accused:
        return []
    return [
        f"{NEARER} in {_list(accused)}; without copies, blurred or collapsed images are the likelier reason: look at "
        "the nearest pairs and at diversity"
    ]


def _of_budget(done: Sequence[Mapping[str, Any]]) -> list[str]:
    images = {run["images"] for run in done if run["images"] is not None}
    if len(images) > 1 and max(images) > 1.05 * min(images):
        return [f"the runs saw between {min(images):,} and {max(images):,} images: their budgets are not the same"]
    return []


def _csv(
    rows: Sequence[tuple[tuple[str, ...], Mapping[str, Spread]]], keys: tuple[str, ...], metrics: Sequence[str]
) -> str:
    there = [name for name in metrics if any(name in row for _, row in rows)]
    lines = []
    for key, row in rows:
        line: dict[str, Any] = dict(zip(keys, key, strict=True))
        for name in there:
            found = row.get(name)
            line[name] = None if found is None else found.mean
            line[f"{name} sd"] = None if found is None else found.sd
            line[f"{name} real"] = None if found is None else found.floor
        lines.append(line)
    return pd.DataFrame(lines).to_csv(index=False, float_format="%.6g")


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
