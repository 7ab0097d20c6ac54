"""Tables with a row per recipe: tables 6 and 7 of hazra2022 and those beside them, the cost, and the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gansynth.metrics.catalogue import METRICS
from gansynth.metrics.estimate import Estimate
from gansynth.report.benchmark.pictures import Measured
from gansynth.report.blocks import Cell, Grid, Row
from gansynth.report.judgement import shortfall
from gansynth.report.metric_tables import Footnotes, how_to_get
from gansynth.report.numbers import MISSING, NONE, column_decimals, duration, mean_and_spread, number
from gansynth.studies.benchmark.ranking import Spread, badness, clearly_better
from gansynth.studies.benchmark.result import Benchmark, BenchmarkRun


def recipe_table(found: Benchmark, measured: Measured, metrics: Sequence[str], caption: str = "") -> Grid | None:
    """Compose a table of recipes by metrics, as mean ± standard deviation over the seeds.

    Parameters
    ----------
    found : Benchmark
    measured : mapping of recipe to tuple of Quality
        They say why a recipe has no value.
    metrics : sequence of str
        Columns. One without a value anywhere is shown as missing where its weights are, and is left out otherwise.
    caption : str
        Said before how to read the table.

    Returns
    -------
    Grid or None
        With a row of what real images score and, for matched similarity, of what the class mean scores. The best of
        a column is marked where its seeds are clear of every other recipe's. None where there is no column.
    """
    missing = {one.metric for one in found.missing}
    columns = [m for m in metrics if found.column(m) or m in missing]
    if not columns:
        return None
    notes, best = Footnotes(), {m: clear_winner(m, found.column(m)) for m in columns}
    rows = []
    for recipe in found.ordered:
        if recipe in measured or found.summary.get(recipe):
            cells = [_cell(found, measured, recipe, m, best[m] == recipe, notes) for m in columns]
            rows.append(Row(recipe, cells, small=_sizes(found, recipe, columns)))
    floors = [found.floor(m) for m in columns]
    if any(value is not None for value in floors):
        pairs = zip(columns, floors, strict=True)
        rows.append(Row("real against real", [Cell(_beside(found, m, v)) for m, v in pairs], "floor"))
    means = [found.class_mean(m) for m in columns]
    if any(value is not None for value in means):
        pairs = zip(columns, means, strict=True)
        rows.append(Row("class mean", [Cell(_beside(found, m, v)) for m, v in pairs], "mean"))
    head = ["GAN", *(METRICS[m].title for m in columns)]
    return Grid(
        head,
        rows,
        f"{caption} {_how_to_read(found, best)}".strip(),
        notes.texts,
        ["", *(METRICS[m].direction for m in columns)],
    )


def clear_winner(metric: str, found: Mapping[str, Spread]) -> str | None:
    """Return the recipe that is clearly better (`clearly_better`) than every other in a metric, or None."""
    if len(found) < 2:
        return None
    first = min(found, key=lambda recipe: badness(metric, found[recipe]))
    others = [one for recipe, one in found.items() if recipe != first]
    return first if all(clearly_better(metric, found[first], other) for other in others) else None


def class_by_recipe(results: Benchmark, metric: str, caption: str) -> Grid | None:
    """Compose a table of classes by recipes for one metric, the darker the further from real cells."""
    spreads = {c: results.column(metric, c) for c in results.class_names}
    recipes = [r for r in results.ordered if any(r in found for found in spreads.values())]
    if not recipes:
        return None
    floors = {c: next((s.floor for s in found.values() if s.floor is not None), None) for c, found in spreads.items()}
    gaps = {(c, r): _gap(metric, s, floors[c]) for c, found in spreads.items() for r, s in found.items()}
    widest = max(gaps.values()) or 1.0
    decimals = column_decimals([s.mean for found in spreads.values() for s in found.values()])
    rows = []
    for c, found in spreads.items():
        winner, cells = clear_winner(metric, found), [Cell(number(metric, floors[c], decimals=decimals))]
        for r in recipes:
            s = found.get(r)
            if s is None:
                cells.append(Cell("–", shade=0.0))
                continue
            spread = "" if s.sd is None else f"± {number(metric, s.sd, decimals=decimals)}"
            text = number(metric, s.mean, decimals=decimals)
            cells.append(Cell(text, spread, shade=gaps[c, r] / widest, best=winner == r))
        rows.append(Row(c, cells))
    read = "The darker, the further from what real cells of the class score."
    if any(cell.best for row in rows for cell in row.cells):
        read += " Underlined: better than every other GAN whatever the seed."
    return Grid(["class", "real", *recipes], rows, f"{caption} {read}")


def cost_table(found: Benchmark) -> Grid:
    """Compose the table of what each recipe costs: parameters, images seen, time to train and to generate."""
    rows = []
    for recipe in found.ordered:
        done = [run for run in found.done if run.recipe == recipe]
        if done:
            rows.append(Row(recipe, _cost_cells(found, done), small=done[0].gan))
    head = ["GAN", "generator", "all players", "images seen", "steps", "time to train", "to generate 1,000"]
    caption = (
        "Parameters of the networks; real images shown in training, counted with repetition; wall time on the same "
        "machine. Where there were several seeds: the mean, and the range where the seeds differ by more than 2%."
    )
    return Grid(
        head, rows, caption, under=["", "parameters", "parameters", "per seed", "per seed", "per seed", "images"]
    )


def _cost_cells(found: Benchmark, runs: Sequence[BenchmarkRun]) -> list[Cell]:
    parameters = runs[0].parameters
    others = ", ".join(f"{player} {_millions(n)}" for player, n in parameters.items() if player != "generator")
    made = found.images_per_class * len(found.class_names)
    cells = [Cell(_millions(parameters.get("generator"))), Cell(_millions(sum(parameters.values()) or None), others)]
    for counts in ([run.images for run in runs], [run.steps for run in runs]):
        known = [n for n in counts if n is not None]
        cells.append(Cell(f"{sum(known) / len(known):,.0f}" if known else "–"))
    generating = [run.generating_seconds for run in runs] if made else []
    for seconds, scale in (([run.seconds for run in runs], 1.0), (generating, 1000 / max(made, 1))):
        values = [scale * one for one in seconds if one is not None]
        if not values:
            cells.append(Cell("–"))
            continue
        low, high = min(values), max(values)
        apart = f"{duration(low)} to {duration(high)}" if high > 1.02 * low and duration(low) != duration(high) else ""
        cells.append(Cell(duration(sum(values) / len(values)), apart))
    return cells


def _cell(found: Benchmark, measured: Measured, recipe: str, metric: str, is_best: bool, notes: Footnotes) -> Cell:
    one = found.summary.get(recipe, {}).get(metric)
    if one is None:
        missing = next((m for m in found.missing if m.metric == metric), None)
        if missing is not None and not found.column(metric):
            return Cell(MISSING, notes=notes.number(how_to_get(missing)))
        why = next((q.metrics[metric].note for q in measured.get(recipe, ()) if metric in q.metrics), "")
        return Cell(NONE, notes=notes.number(why))
    return Cell(mean_and_spread(metric, one.mean, one.sd, _places(found, metric)), best=is_best)


def _places(found: Benchmark, metric: str) -> int:
    return column_decimals([s.mean for s in found.column(metric).values()])


def _beside(found: Benchmark, metric: str, value: float | None) -> str:
    """What real images score, with one decimal more than the column: it may be far smaller."""
    return "" if value is None else number(metric, value, decimals=_places(found, metric) + (abs(value) < 0.1))


def _sizes(found: Benchmark, recipe: str, columns: Sequence[str]) -> str:
    there = [found.summary[recipe][m] for m in columns if m in found.summary.get(recipe, {})]
    sizes = sorted({s.n for s in there})
    if not sizes:
        return ""
    n = f"n = {sizes[0]:,}" if len(sizes) == 1 else f"n = {sizes[0]:,} to {sizes[-1]:,}"
    seeds = max(len(s.values) for s in there)
    return f"{n}, {seeds} seed{'' if seeds == 1 else 's'}"


def _how_to_read(found: Benchmark, best: Mapping[str, str | None]) -> str:
    seeds = len(found.seeds)
    if seeds < 2:
        return "One seed: how far another training would differ is unknown, so nothing is marked as best."
    said = f"Mean ± standard deviation over {seeds} seeds; n: synthetic images of each seed."
    if any(best.values()):
        return f"{said} Underlined: every seed's 95% interval is better than every interval of every other GAN."
    return f"{said} None is marked as best: no GAN's seeds are clear of all others'."


def _gap(metric: str, found: Spread, floor: float | None) -> float:
    """How far from real, in the bad direction; 0 where real is unknown."""
    return shortfall(metric, Estimate(found.mean, found.n, floor=floor)) or 0.0


def _millions(n: int | None) -> str:
    return "–" if n is None else f"{n / 1e6:.2f} M" if n < 1e7 else f"{n / 1e6:.1f} M"
