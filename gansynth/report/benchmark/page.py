"""The page of `benchmark`: GANs side by side."""

from __future__ import annotations

import shlex
from pathlib import Path

from gansynth.metrics.catalogue import METRICS, Group, of_group
from gansynth.report.benchmark.pictures import Measured, lineup, maps, nearest
from gansynth.report.benchmark.recipe_curves import curves
from gansynth.report.benchmark.recipe_tables import class_by_recipe, cost_table, recipe_table
from gansynth.report.blocks import Block, Cell, Grid, Row, Text
from gansynth.report.metric_tables import meanings
from gansynth.report.numbers import listed, mean_and_spread, number, sentence
from gansynth.report.page import Page, Section, write_page
from gansynth.studies.benchmark.ranking import Lead
from gansynth.studies.benchmark.result import TABLE_6, TABLE_7, Benchmark
from gansynth.studies.quality.result import Quality


def write_benchmark_page(folder: Path) -> Path:
    """Write `report.html` into a folder that `benchmark` wrote, and return its path.

    Raises
    ------
    InputError
        If the folder does not hold what `benchmark` writes.
    """
    folder = Path(folder)
    found = Benchmark.read(folder)
    return write_page(folder / "report.html", benchmark_page(found, read_measured(folder, found), folder))


def read_measured(folder: Path, found: Benchmark) -> Measured:
    """Read what `quality` wrote of every finished run, by recipe; a recipe without any is absent."""
    measured: dict[str, tuple[Quality, ...]] = dict.fromkeys(found.ordered, ())
    for run in sorted(found.done, key=lambda run: run.seed):
        if run.quality is not None and Quality.is_in(folder / run.quality):
            measured[run.recipe] += (Quality.read(folder / run.quality),)
    return {recipe: runs for recipe, runs in measured.items() if runs}


def benchmark_page(found: Benchmark, measured: Measured, folder: Path) -> Page:
    """Compose the page from what was measured."""
    seeds, missing = len(found.seeds) or 1, {one.metric for one in found.missing}
    sections = [
        *_ranking(found),
        *lineup(measured, found.class_names),
        *_tables(found, measured),
        *_classes(found),
        *_costs(found),
        *curves(found),
        *nearest(measured),
        *maps(measured, found.class_names),
        *_failed(found),
        Section("What each metric means", blocks=[meanings([m for m in METRICS if found.column(m) or m in missing])]),
    ]
    return Page(
        title="GANs side by side",
        subtitle=f"{len(found.recipes)} recipes on {found.path}, {len(found.class_names)} classes, "
        f"{found.size}\u00a0×\u00a0{found.size} pixels, {seeds} seed{'' if seeds == 1 else 's'}, "
        f"{found.images_per_class:,} synthetic images per class; {_budget(found)}",
        verdict=found.verdict,
        figures=_figures(found),
        warnings=_warnings(found),
        sections=sections,
        commands=[(found.command or _command(found, folder), "Run it again, or continue it: finished runs are kept")],
        commands_title="Reproduce",
        facts=_facts(found),
        wide=True,
    )


def _figures(found: Benchmark) -> list[tuple[str, str]]:
    figures = [(f"{len(found.done)} of {len(found.runs)}", "runs finished and measured")]
    leader = next(iter(found.ordered), "")
    for metric in (found.primary, "recall", "copies"):
        spread = found.summary.get(leader, {}).get(metric or "")
        if metric in METRICS and spread is not None:
            real = found.floor(metric) if spread.floor is None else spread.floor  # as the sentence says
            beside = "" if real is None else f"; real cells {number(metric, real, spread.mean)}"
            place = "first in the ranking" if len(spread.values) > 1 else "one training"
            title = f"{METRICS[metric].title} of {leader}, {place}{beside}"
            figures.append((mean_and_spread(metric, spread.mean, spread.sd), title))
    return figures


def _warnings(found: Benchmark) -> list[str]:
    said = list(found.warnings)
    unsaid = [run for run in found.failed if not any(run.recipe in warning for warning in said)]
    if unsaid:
        names = ", ".join(f"{run.recipe} (seed {run.seed})" for run in unsaid)
        said.append(f"Not finished: {names}. Their errors stand below.")
    return [sentence(warning, found.ordered) for warning in said]


def _ranking(found: Benchmark) -> list[Section]:
    if not found.ranking:
        return []
    columns = list(dict.fromkeys(metric for place in found.ranking for metric in place.ranks))
    rows = [
        Row(one.recipe, [Cell(str(n)), Cell(_rank(one.mean_rank)), *(Cell(_rank(one.ranks.get(m))) for m in columns)])
        for n, one in enumerate(found.ranking, start=1)
    ]
    caption = (
        "Rank of each GAN in the metrics that select (1 is best), their mean, and the order that follows. Matched "
        "similarity never selects: a blur would win it."
    )
    if found.primary in METRICS:
        caption += f" The primary metric, named before the runs: {METRICS[found.primary].title}."
    if len(found.seeds) < 2:
        caption += " With one training of each, another seed may turn the order."
    heads = [METRICS[m].title if m in METRICS else m for m in columns]
    return [Section("Ranking", blocks=[Grid(["GAN", "place", "mean rank", *heads], rows, caption)])]


def _tables(found: Benchmark, measured: Measured) -> list[Section]:
    paper = "As table 6 of Hazra et al. 2022."
    pairings = {one.about.pairing for runs in measured.values() for one in runs}
    similar = (
        f"As table 7 of Hazra et al. 2022; against held-out real images of the class ({listed(sorted(pairings))})."
    )
    if any(found.class_mean(m) is not None for m in TABLE_7):
        similar += " Where the class mean, a blur, beats a GAN, the metric says nothing about realism."
    parts = [
        ("As table 6: FID, precision, F1, recall, LPIPS, IS", TABLE_6, paper),
        ("As table 7: PSNR, SSIM, l1, l2", TABLE_7, similar),
    ]
    for title, groups, caption in (
        ("Other distances", (Group.DISTANCE,), "Unbiased distances (KID, KD) lead at small n."),
        ("Other judges of the class", (Group.CLASSIFIER,), "A generator pleases judges of its own kind."),
        ("Realism and variety", (Group.MANIFOLD,), "Precision: realism; recall and coverage: variety."),
        (
            "Diversity, memorisation, copies",
            (Group.SIMILARITY, Group.DIVERSITY, Group.COPIES),
            "A generator that copies or repeats itself shows here.",
        ),
    ):
        others = tuple(name for name in of_group(*groups) if name not in (*TABLE_6, *TABLE_7))
        parts.append((title, others, caption))
    sections = []
    for title, metrics, caption in parts:
        table = recipe_table(found, measured, metrics, caption)
        if table:
            sections.append(Section(title, blocks=[table]))
    return sections


def _classes(found: Benchmark) -> list[Section]:
    blocks: list[Block] = []
    rows = [
        Row(
            name,
            [
                Cell(lead.recipe, words=True),
                Cell(METRICS[lead.metric].title, words=True),
                Cell(number(lead.metric, lead.value)),
                Cell(_against_next(lead), words=True),
            ],
        )
        for name in found.class_names
        if (lead := found.best.get(name)) and lead.metric in METRICS
    ]
    if rows:
        caption = "The GAN that comes first in each class, and whether all seeds' intervals separate it from the next."
        blocks.append(Grid(["class", "first", "by", "value", "against the next"], rows, caption))
    for metric, caption in (
        ("recall", "Share of the images asked for as a class that an independent classifier puts into it."),
        ("KD-cell", "Distance from the real cells of the class in the features of the cell encoder."),
        ("diversity-cell", "Mean distance between two images of the class; far below real: collapse."),
        ("LPIPS-diversity", "Mean perceptual distance between two images of the class; far below real: collapse."),
    ):
        table = class_by_recipe(found, metric, caption)
        if table:
            blocks += [Text(f"{METRICS[metric].title}, class by class", strong=True), table]
    return [Section("Which GAN for which class", blocks=blocks)] if blocks else []


def _costs(found: Benchmark) -> list[Section]:
    table = cost_table(found)
    return [Section("What it costs", blocks=[table])] if table.rows else []


def _failed(found: Benchmark) -> list[Section]:
    if not found.failed:
        return []
    rows = [Row(run.recipe, [Cell(str(run.seed)), Cell(run.error or run.status, words=True)]) for run in found.failed]
    caption = "One failure costs the others nothing."
    return [Section("Runs that did not finish", blocks=[Grid(["recipe", "seed", "what happened"], rows, caption)])]


def _rank(rank: float | None) -> str:
    return "–" if rank is None else f"{rank:.2f}".rstrip("0").rstrip(".")


def _against_next(lead: Lead) -> str:
    if not lead.second:
        return "no other"
    return f"clear of {lead.second}" if lead.clear else f"cannot be distinguished from {lead.second}"


def _budget(found: Benchmark) -> str:
    parts = []
    if found.budget.images:
        parts.append(f"{found.budget.images:,} images")
    if found.budget.minutes:
        parts.append(f"{found.budget.minutes:g} minute{'' if found.budget.minutes == 1 else 's'}")
    return f"each trained for {' or '.join(parts)}" if parts else "each trained for its recipe's own length"


def _command(found: Benchmark, folder: Path) -> str:
    words = ["gansynth", "benchmark", found.path, "--recipes", ",".join(found.recipes)]
    words += ["--seeds", str(len(found.seeds)), "--seed", str(min(found.seeds, default=0))]
    words += ["--images", str(found.budget.images)] if found.budget.images else []
    words += ["--minutes", str(found.budget.minutes)] if found.budget.minutes else []
    words += ["--count", str(found.images_per_class), "--out", str(folder)]
    return shlex.join([*words, "--resume"])


def _facts(found: Benchmark) -> list[tuple[str, str]]:
    said = [("gansynth", found.gansynth)]
    said += [
        (f"data, {key.replace('_', ' ')}", str(value))
        for key, value in found.data.items()
        if not isinstance(value, dict)
    ]
    said.append(("seeds", ", ".join(str(seed) for seed in found.seeds)))
    said += [
        (
            f"run, {run.recipe}, seed {run.seed}",
            f"{run.run or 'composed without a run'}; measured in {run.quality}",
        )
        for run in found.done
    ]
    return [(name, value) for name, value in said if value]
