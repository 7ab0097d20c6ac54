"""What a benchmark found: rows, means over the seeds, ranks, verdict; and its tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd

from gansynth.files import table_text
from gansynth.files.atomic import write_text
from gansynth.files.json_object import IF_GIVEN, JsonObject
from gansynth.metrics.catalogue import METRICS
from gansynth.metrics.estimate import Estimate, mean_of_known
from gansynth.metrics.matching import Pairing
from gansynth.runs.log import read_log
from gansynth.studies.benchmark.composites import COMPOSITES, WARNING
from gansynth.studies.benchmark.ranking import (
    Lead,
    Place,
    Spread,
    best,
    clearly_better,
    has_not_learned,
    primary_metric,
    rank,
    spread,
)
from gansynth.studies.quality.copies import NEARER
from gansynth.studies.quality.result import Missing, Quality
from gansynth.studies.result_file import Result
from gansynth.version import __version__

TABLE_6 = ("FID", "precision", "F1", "recall", "LPIPS", "IS")
TABLE_7 = ("PSNR", "SSIM", "l1", "l2")
"""The columns of hazra2022's tables."""

Summary = dict[str, dict[str, Spread]]
"""By recipe and metric."""


@dataclass(frozen=True)
class Budget(JsonObject):
    """What every recipe gets: real images seen, minutes, or both (whichever is first)."""

    images: int | None
    minutes: float | None


@dataclass(frozen=True)
class Settings:
    """What all entries of a benchmark share."""

    data: str
    out: Path
    budget: Budget
    count: int
    size: int
    encoder: str
    pairing: Pairing
    seed: int
    device: str
    devices: int
    weights_dir: Path | None
    dinobloom: Path | None
    progress: bool


@dataclass(frozen=True)
class BenchmarkRun(JsonObject):
    """One recipe with one seed: what it cost, how it ended, and where its folders are.

    Attributes
    ----------
    recipe, gan : str
    seed : int
    status : "done" or "failed"
    error : str or None
        Why it failed.
    images, steps : int or None
        Of the training; None for what was not trained.
    seconds, generating_seconds : float or None
        None for what was not done, or was continued after a stop.
    parameters : dict of str to int
        Weights of every player.
    run, quality : str or None
        Folders, inside the benchmark's unless the run was given.
    """

    recipe: str
    gan: str
    seed: int
    status: Literal["done", "failed"]
    error: str | None = None
    images: int | None = None
    steps: int | None = None
    seconds: float | None = None
    generating_seconds: float | None = None
    parameters: dict[str, int] = field(default_factory=dict)
    run: str | None = None
    quality: str | None = None


@dataclass(frozen=True)
class Curve(JsonObject):
    """What the class watch saw during one training: lists of equal length, means over the classes.

    Attributes
    ----------
    recipe : str
    seed : int
    images : list of int
        Seen so far.
    minutes : list of float
    recall, diversity, real_recall : list of (float or None)
        Diversity as a share of that of real cells; None where it was not measured.
    """

    recipe: str
    seed: int
    images: list[int]
    minutes: list[float]
    recall: list[float | None]
    diversity: list[float | None]
    real_recall: list[float | None]

    @classmethod
    def of_run(cls, recipe: str, seed: int, folder: Path) -> Curve:
        """Read the log of a run's folder."""
        found = cls(recipe, seed, [], [], [], [], [])
        clock: dict[int, tuple[int, float]] = {}
        for record in read_log(folder):
            if record.images is not None and record.seconds is not None:
                clock[record.step] = record.images, record.seconds
            if record.watch and record.step in clock:
                images, seconds = clock[record.step]
                found.images.append(images)
                found.minutes.append(round(seconds / 60, 3))
                for key in ("recall", "diversity", "real_recall"):
                    mean = mean_of_known([seen[key] for seen in record.watch.values()])
                    getattr(found, key).append(mean if mean is None or not math.isfinite(mean) else round(mean, 4))
        return found


@dataclass(frozen=True)
class Benchmark(Result):
    """GANs side by side.

    Attributes
    ----------
    data : mapping
        What `quality` says of the real images.
    recipes : list of str
    seeds : list of int
    size : int
        Edge length, in pixels, at which images are compared.
    images_per_class : int
    budget : Budget
    class_names : list of str
    encoder : mapping or None
        Of the cell features, as `quality` says.
    missing : list of Missing
    warnings : list of str
    curves : list of Curve
    runs : list of BenchmarkRun
        One for each recipe and seed.
    primary : str or None
        The metric that decides between two generators.
    verdict : str
        One or two sentences.
    ranking : list of Place
        Best first.
    best : dict of class to Lead
        The best recipe of each class by the primary metric.
    summary : dict of recipe to (dict of metric to Spread)
    summary_classes : dict of recipe to (dict of class to (dict of metric to Spread))
    command : str or None
        What was typed.
    gansynth : str
        The version that measured.
    """

    FILE, COMMAND = "benchmark.json", "gansynth benchmark"

    gansynth: str = field(default=__version__, kw_only=True)
    data: Mapping[str, object]
    recipes: list[str]
    seeds: list[int]
    size: int
    images_per_class: int
    budget: Budget
    class_names: list[str]
    encoder: Mapping[str, object] | None
    missing: list[Missing]
    warnings: list[str]
    curves: list[Curve]
    runs: list[BenchmarkRun]
    primary: str | None
    verdict: str
    ranking: list[Place]
    best: dict[str, Lead]
    summary: Summary
    summary_classes: dict[str, dict[str, dict[str, Spread]]]
    command: Annotated[str | None, IF_GIVEN] = None

    @property
    def path(self) -> str:
        """Of the data."""
        return str(self.data.get("path", "DATA"))

    @property
    def ordered(self) -> list[str]:
        """The recipes in the order of the ranking, best first; those without a finished run last."""
        return list(dict.fromkeys([*(place.recipe for place in self.ranking), *self.recipes]))

    @property
    def done(self) -> list[BenchmarkRun]:
        """The runs that were finished and measured."""
        return [run for run in self.runs if run.status == "done"]

    @property
    def failed(self) -> list[BenchmarkRun]:
        """The runs that did not finish."""
        return [run for run in self.runs if run.status != "done"]

    def column(self, metric: str, class_name: str | None = None) -> dict[str, Spread]:
        """Return what each recipe with a value scores in `metric`, over all classes or in one; best recipe first."""
        of = self.summary if class_name is None else {r: c.get(class_name, {}) for r, c in self.summary_classes.items()}
        return {r: of[r][metric] for r in self.ordered if metric in of.get(r, {})}

    def floor(self, metric: str) -> float | None:
        """Return what real images score in `metric` against other real ones: the mean over the recipes that say so."""
        return mean_of_known([one.floor for one in self.column(metric).values()])

    def class_mean(self, metric: str) -> float | None:
        """Return what the mean real image of each class scores in a matched similarity."""
        return mean_of_known([one.class_mean for one in self.column(metric).values()])

    def frame(self, of: Literal["metrics", "classes", "runs", "ranking"] = "metrics") -> pd.DataFrame:
        """Return a tidy table: a metric of a recipe (or of a class of it), a run, or a place in the ranking a line."""
        if of == "runs":
            return pd.DataFrame([asdict(run) for run in self.runs])
        if of == "ranking":
            return pd.DataFrame([{"recipe": p.recipe, "mean rank": p.mean_rank, **p.ranks} for p in self.ranking])
        lines = []
        for recipe in self.ordered:
            rows = {"": self.summary.get(recipe, {})} if of == "metrics" else self.summary_classes.get(recipe, {})
            for name, row in rows.items():
                for metric, one in row.items():
                    line = {"recipe": recipe, "class": name, "metric": metric, "mean": one.mean, "sd": one.sd}
                    line |= {"low": one.low, "high": one.high, "real": one.floor, "seeds": len(one.values), "n": one.n}
                    lines.append(line)
        table = pd.DataFrame(lines)
        return table.drop(columns="class", errors="ignore") if of == "metrics" else table

    def write(self, folder: Path | str) -> None:
        """Write benchmark.json, table6.csv, table7.csv, metrics.csv and classes.csv."""
        folder = Path(folder)
        for name, columns in (("table6", TABLE_6), ("table7", TABLE_7), ("metrics", tuple(METRICS))):
            write_text(
                folder / f"{name}.csv", _csv([((r,), row) for r, row in self.summary.items()], ("recipe",), columns)
            )
        cells = [((r, c), row) for r, classes in self.summary_classes.items() for c, row in classes.items()]
        write_text(folder / "classes.csv", _csv(cells, ("recipe", "class"), tuple(METRICS)))
        super().write(folder)

    def __repr__(self) -> str:
        return f"Benchmark({len(self.done)} of {len(self.runs)} runs: {self.verdict.partition('. ')[0]})"


def gather(settings: Settings, runs: list[BenchmarkRun]) -> Benchmark:
    """Bring the runs' results together: means over seeds, ranks, the best of every class, and one verdict."""
    measured = {run.quality: Quality.read(settings.out / run.quality) for run in runs if run.quality is not None}
    done = [(run, measured[run.quality]) for run in runs if run.quality is not None]
    recipes = list(dict.fromkeys(run.recipe for run, _ in done))
    per_recipe = {r: [one for run, one in done if run.recipe == r] for r in recipes}
    first = done[0][1] if done else None
    class_names = list(first.class_names) if first is not None else []
    summary = {r: _summary([one.metrics for one in found]) for r, found in per_recipe.items()}
    classes = {
        r: {c: _summary([one.classes.get(c, {}) for one in found]) for c in class_names}
        for r, found in per_recipe.items()
    }
    primary = primary_metric(summary)
    best_of = {}
    for c in class_names:
        of_class = {r: classes[r][c] for r in recipes}
        metric = primary_metric(of_class)
        lead = best(metric, of_class) if metric else None
        if lead:
            best_of[c] = lead
    warnings = list(dict.fromkeys(w for _, one in done for w in one.warnings if not w.startswith(NEARER)))
    warnings += _of_copies(done)
    warnings += [f"{run.recipe} (seed {run.seed}) failed: {run.error}" for run in runs if run.error]
    warnings += _of_budget([run for run, _ in done])
    warnings += [WARNING] if COMPOSITES in recipes else []
    ranking = rank(summary)
    return Benchmark(
        data=asdict(first.about.real) if first is not None else {"path": settings.data},
        recipes=list(dict.fromkeys(run.recipe for run in runs)),
        seeds=sorted({run.seed for run in runs}),
        size=settings.size,
        images_per_class=settings.count,
        budget=settings.budget,
        class_names=class_names,
        encoder=None if first is None or first.about.encoder is None else asdict(first.about.encoder),
        missing=list({missing.metric: missing for _, one in done for missing in one.missing}.values()),
        warnings=warnings,
        curves=[Curve.of_run(run.recipe, run.seed, settings.out / run.run) for run, _ in done if run.run is not None],
        runs=runs,
        primary=primary,
        verdict=verdict(ranking, summary, primary),
        ranking=ranking,
        best=best_of,
        summary=summary,
        summary_classes=classes,
    )


def verdict(ranking: Sequence[Place], summary: Mapping[str, Mapping[str, Spread]], primary: str | None) -> str:
    """Say which GAN is best, by what, and whether the seeds bear it out."""
    lead = None if primary is None else best(primary, summary)
    if not ranking or primary is None or lead is None:
        return "No recipe could be measured."
    first, second = lead.recipe, lead.second
    found = summary[first][primary]
    seeds = min(len(row[primary].values) for row in summary.values() if primary in row)
    value = f"{primary} {found.mean:.3g}"
    value += f" (real against real {found.floor:.3g})" if found.floor is not None else ""
    if all(has_not_learned(row) for row in summary.values()):
        which = "This generator has" if second is None else "These generators have"
        text = (
            f"{which} not learned yet, and no order of recipes follows from it: the nearest to real images is {first}, "
            f"{value}. Train longer"
        )
    elif second is None:
        text = f"{first} has {value}; there is no other recipe to compare it with"
    else:
        other = f"{summary[second][primary].mean:.3g} of {second}"
        rivals = [
            r
            for r, row in summary.items()
            if r != first and primary in row and not clearly_better(primary, found, row[primary])
        ]
        once = [r for r, row in summary.items() if primary in row and len(row[primary].values) < 2]
        if 0 < len(once) < len(summary):
            text = (
                f"{_list(once)} {'was' if len(once) == 1 else 'were'} trained once, and another training might stand "
                f"elsewhere. Here {first} stands nearest to real images, {value}, before {other}"
            )
        elif seeds < 2:
            text = (
                "One training of a recipe cannot say which is best: another seed may turn the order. Here "
                f"{first} stands nearest to real images, {value}, before {other}; train every recipe with two seeds "
                "or more"
            )
        elif rivals:
            text = (
                f"No recipe is shown to be best: with {seeds} seeds {first}, {value}, cannot be distinguished from "
                f"{_list(rivals)}"
            )
        else:
            text = (
                f"{first} makes the images nearest to real ones: {value}, against {other}; the intervals of all seeds "
                "lie apart"
            )
        if seeds > 1 and not rivals and ranking[0].recipe != first:
            text += (
                f". Over all ranked metrics {ranking[0].recipe} comes first (mean rank {ranking[0].mean_rank or 0:.1f})"
            )
    blind = [r for r, row in summary.items() if has_not_learned(row)]
    if 0 < len(blind) < len(summary):
        has, its = ("has", "its") if len(blind) == 1 else ("have", "their")
        text += f". {_list(blind)} {has} not learned yet: {its} rank says nothing of the method; train longer"
    recall = summary[first].get("recall")
    if recall is not None and recall.floor is not None:
        text += (
            f". {recall.mean:.0%} of the cells of {first} are recognised as the class they were asked for "
            f"(held-out real cells: {recall.floor:.0%})"
        )
    return text + "."


def _summary(seeds: Sequence[Mapping[str, Estimate]]) -> dict[str, Spread]:
    found = {name: spread([one[name] for one in seeds if name in one]) for name in METRICS}
    return {name: value for name, value in found.items() if value is not None}


def _of_copies(done: Sequence[tuple[BenchmarkRun, Quality]]) -> list[str]:
    """Say in one sentence which runs raised the alarm, and whether copies were found."""
    accused = [
        f"{run.recipe} (seed {run.seed}, {one.metrics['copies'].value or 0:.0f} copies)"
        for run, one in done
        if one.about.memorisation.alarm
    ]
    if not accused:
        return []
    return [
        f"{NEARER} in {_list(accused)}; without copies, blurred or collapsed images are the likelier reason: look at "
        "the nearest pairs and at diversity"
    ]


def _of_budget(done: Sequence[BenchmarkRun]) -> list[str]:
    images = {run.images for run in done if run.images is not None}
    if len(images) > 1 and max(images) > 1.05 * min(images):
        return [f"the runs saw between {min(images):,} and {max(images):,} images: their budgets are not the same"]
    return []


def _csv(
    rows: Sequence[tuple[tuple[str, ...], Mapping[str, Spread]]], keys: tuple[str, ...], metrics: Sequence[str]
) -> str:
    there = [name for name in metrics if any(name in row for _, row in rows)]
    lines = []
    for key, row in rows:
        line: dict[str, object] = dict(zip(keys, key, strict=True))
        for name in there:
            found = row.get(name)
            line[name] = None if found is None else found.mean
            line[f"{name} sd"] = None if found is None else found.sd
            line[f"{name} real"] = None if found is None else found.floor
        lines.append(line)
    return table_text(pd.DataFrame(lines), "%.6g")


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
