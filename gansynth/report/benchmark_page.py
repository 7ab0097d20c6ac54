"""The page of `benchmark`: GANs side by side."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gansynth.report.benchmark_folder import BenchmarkResults, read_benchmark_folder
from gansynth.report.benchmark_pictures import lineup, maps, nearest
from gansynth.report.blocks import Block, Cell, Grid, Row, Text
from gansynth.report.metric_tables import meanings
from gansynth.report.numbers import listed, mean_and_spread, number, sentence
from gansynth.report.page import Page, Section, write_page
from gansynth.report.recipe_curves import curves
from gansynth.report.recipe_tables import (
    DISTANCES,
    MANIFOLD,
    REST,
    TABLE_6,
    TABLE_7,
    class_by_recipe,
    cost_table,
    recipe_table,
)
from gansynth.studies.catalogue import METRICS


def write_benchmark_page(folder: Path) -> Path:
    """Write `report.html` into a folder that `benchmark` wrote, and return its path.

    Parameters
    ----------
    folder : pathlib.Path
        See `gansynth.report.benchmark_folder.read_benchmark_folder`.

    Raises
    ------
    InputError
        If the folder does not hold what `benchmark` writes.
    """
    folder = Path(folder)
    return write_page(folder / "report.html", benchmark_page(read_benchmark_folder(folder)))


def benchmark_page(results: BenchmarkResults) -> Page:
    """Compose the page from what was measured."""
    facts = results.facts
    seeds, data = len(facts.get("seeds", [])) or 1, facts.get("data") or {}
    where = f"on {data['path']}, " if data.get("path") else ""
    sections = [
        *_ranking(results),
        *lineup(results),
        *_tables(results),
        *_classes(results),
        *_costs(results),
        *curves(results),
        *nearest(results),
        *maps(results),
        *_failed(results),
        Section(
            "What each metric means", blocks=[meanings([m for m in METRICS if results.has(m) or m in results.missing])]
        ),
    ]
    return Page(
        title="GANs side by side",
        subtitle=f"{len(facts['recipes'])} recipes {where}{len(results.class_names)} classes, "
        f"{facts['size']}\u00a0×\u00a0{facts['size']} pixels, {seeds} seed{'' if seeds == 1 else 's'}, "
        f"{facts['images_per_class']:,} synthetic images per class; {_budget(results)}",
        verdict=str(facts.get("verdict") or "No recipe has been measured yet."),
        figures=_figures(results),
        warnings=_warnings(results),
        sections=sections,
        commands=[(_command(results), "Run it again, or continue it: finished runs are kept")],
        commands_title="Reproduce",
        facts=_facts(results),
        wide=True,
    )


def _figures(results: BenchmarkResults) -> list[tuple[str, str]]:
    done = [run for run in results.runs if run.get("status") == "done"]
    figures = [(f"{len(done)} of {len(results.runs)}", "runs finished and measured")]
    primary, leader = results.facts.get("primary"), next(iter(results.recipes), None)
    for metric in (primary, "recall", "copies"):
        spread = results.summary.get(leader or "", {}).get(metric or "")
        if metric in METRICS and spread is not None:
            real = results.floor(metric)
            beside = "" if real is None else f"; real cells {number(metric, real, spread.mean)}"
            title = f"{METRICS[metric].title} of {leader}, first in the ranking{beside}"
            figures.append((mean_and_spread(metric, spread.mean, spread.sd), title))
    return figures


def _warnings(results: BenchmarkResults) -> list[str]:
    """The study's warnings, then those of each measured run with the run's name; the same words once."""
    found = list(results.facts.get("warnings", []))
    said: dict[str, list[str]] = {}
    for recipe, measured in results.quality.items():
        for one in measured:
            for warning in one.facts.get("warnings", []):
                said.setdefault(warning, []).append(recipe)
    for warning, recipes in said.items():
        everyone = set(recipes) == set(results.quality)
        text = warning if everyone else f"{', '.join(dict.fromkeys(recipes))}: {warning}"
        if text not in found and warning not in found:
            found.append(text)
    unsaid = [run for run in results.failed if not any(run["recipe"] in warning for warning in found)]
    if unsaid:
        names = ", ".join(f"{run['recipe']} (seed {run['seed']})" for run in unsaid)
        found.append(f"Not finished: {names}. Their errors stand below.")
    return [sentence(warning, results.recipes) for warning in found]


def _ranking(results: BenchmarkResults) -> list[Section]:
    ranking = results.facts.get("ranking", [])
    if not ranking:
        return []
    columns = list(dict.fromkeys(metric for entry in ranking for metric in entry.get("ranks", {})))
    rows = []
    for place, entry in enumerate(ranking, start=1):
        ranks = entry.get("ranks", {})
        cells = [Cell(str(place)), Cell(_rank(entry.get("mean_rank")))]
        cells += [Cell(_rank(ranks.get(m))) for m in columns]
        rows.append(Row(entry["recipe"], cells))
    primary = results.facts.get("primary")
    caption = (
        "Rank of each GAN in the metrics that select (1 is best), their mean, and the order that follows. Matched "
        "similarity never selects: a blur would win it."
    )
    if primary in METRICS:
        caption += f" The primary metric, named before the runs: {METRICS[primary].title}."
    heads = [METRICS[m].title if m in METRICS else m for m in columns]
    return [Section("Ranking", blocks=[Grid(["GAN", "place", "mean rank", *heads], rows, caption)])]


def _tables(results: BenchmarkResults) -> list[Section]:
    paper = "As table 6 of Hazra et al. 2022."
    pairings = {str(one.facts.get("pairing")) for measured in results.quality.values() for one in measured}
    similar = (
        f"As table 7 of Hazra et al. 2022; against held-out real images of the class ({listed(sorted(pairings))})."
    )
    if any(results.class_mean(m) is not None for m in TABLE_7):
        similar += " Where the class mean, a blur, beats a GAN, the metric says nothing about realism."
    parts = [
        ("As table 6: FID, precision, F1, recall, LPIPS, IS", TABLE_6, paper),
        ("As table 7: PSNR, SSIM, l1, l2", TABLE_7, similar),
        ("Other distances", DISTANCES, "Unbiased distances (KID, KD) lead at small n; each pair in the same features."),
        ("Realism and variety", MANIFOLD, "Precision: realism; recall and coverage: variety."),
        ("Diversity, memorisation, copies", REST, "A generator that copies or repeats itself shows here."),
    ]
    sections = []
    for title, metrics, caption in parts:
        table = recipe_table(results, metrics, caption)
        if table:
            sections.append(Section(title, blocks=[table]))
    return sections


def _classes(results: BenchmarkResults) -> list[Section]:
    blocks: list[Block] = []
    best = results.facts.get("best") or {}
    rows = [
        Row(
            name,
            [
                Cell(str(entry["recipe"]), words=True),
                Cell(METRICS[entry["metric"]].title, words=True),
                Cell(number(entry["metric"], entry.get("value"))),
                Cell(_against_next(entry), words=True),
            ],
        )
        for name in results.class_names
        if (entry := best.get(name)) and entry.get("metric") in METRICS
    ]
    if rows:
        caption = "The GAN that comes first in each class, and whether all seeds' intervals tell it from the next."
        blocks.append(Grid(["class", "first", "by", "value", "against the next"], rows, caption))
    for metric, caption in (
        ("recall", "Share of the images asked for as a class that an independent classifier puts into it."),
        ("KD-cell", "Distance from the real cells of the class in the features of the cell encoder."),
        ("diversity-cell", "Mean distance between two images of the class; far below real: collapse."),
        ("LPIPS-diversity", "Mean perceptual distance between two images of the class; far below real: collapse."),
    ):
        table = class_by_recipe(results, metric, caption)
        if table:
            blocks += [Text(f"{METRICS[metric].title}, class by class", strong=True), table]
    return [Section("Which GAN for which class", blocks=blocks)] if blocks else []


def _costs(results: BenchmarkResults) -> list[Section]:
    table = cost_table(results)
    return [Section("What it costs", blocks=[table])] if table.rows else []


def _failed(results: BenchmarkResults) -> list[Section]:
    if not results.failed:
        return []
    rows = [
        Row(str(run["recipe"]), [Cell(str(run["seed"])), Cell(str(run.get("error") or run.get("status")), words=True)])
        for run in results.failed
    ]
    return [
        Section(
            "Runs that did not finish",
            blocks=[Grid(["recipe", "seed", "what happened"], rows, "One failure costs the others nothing.")],
        )
    ]


def _rank(rank: float | None) -> str:
    return "–" if rank is None else f"{rank:.2f}".rstrip("0").rstrip(".")


def _against_next(entry: Mapping[str, Any]) -> str:
    if not entry.get("second"):
        return "no other"
    return f"clear of {entry['second']}" if entry.get("clear") else f"cannot be told from {entry['second']}"


def _budget(results: BenchmarkResults) -> str:
    budget = results.facts.get("budget") or {}
    parts = []
    if budget.get("images"):
        parts.append(f"{budget['images']:,} images")
    if budget.get("minutes"):
        parts.append(f"{budget['minutes']:g} minutes")
    return f"each trained for {' or '.join(parts)}" if parts else "each trained for its recipe's own length"


def _command(results: BenchmarkResults) -> str:
    facts = results.facts
    if facts.get("command"):
        return str(facts["command"])
    seeds, budget = facts.get("seeds") or [0], facts.get("budget") or {}
    words = ["gansynth", "benchmark", str((facts.get("data") or {}).get("path", "DATA"))]
    words += ["--recipes", ",".join(facts["recipes"]), "--seeds", str(len(seeds)), "--seed", str(min(seeds))]
    for option in ("images", "minutes"):
        words += [f"--{option}", f"{budget[option]}"] if budget.get(option) else []
    words += ["--count", str(facts["images_per_class"]), "--out", str(results.folder)]
    return shlex.join([*words, "--resume"])


def _facts(results: BenchmarkResults) -> list[tuple[str, str]]:
    facts = results.facts
    said = [("gansynth", str(facts["gansynth"]))]
    said += [
        (f"data, {key.replace('_', ' ')}", str(value))
        for key, value in (facts.get("data") or {}).items()
        if not isinstance(value, dict)
    ]
    said.append(("seeds", ", ".join(str(seed) for seed in facts.get("seeds", []))))
    said += [
        (
            f"run, {run['recipe']}, seed {run['seed']}",
            f"{run.get('run') or 'composed without a run'}; measured in {run.get('quality')}",
        )
        for run in results.runs
        if run.get("status") == "done"
    ]
    return [(name, value) for name, value in said if value]
