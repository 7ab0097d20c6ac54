"""Tables with a row per recipe: tables 6 and 7 of hazra2022 and those beside them, the cost, and the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gansynth.metrics.estimate import Estimate
from gansynth.report.benchmark_folder import BenchmarkResults
from gansynth.report.blocks import Cell, Grid, Row
from gansynth.report.judgement import shortfall
from gansynth.report.metric_tables import Footnotes, how_to_get
from gansynth.report.numbers import MISSING, NONE, better, column_decimals, duration, mean_and_spread, number
from gansynth.studies.catalogue import METRICS
from gansynth.studies.ranking import Spread, badness, clearly_better

TABLE_6 = ("FID", "precision", "F1", "recall", "LPIPS", "IS")
TABLE_7 = ("PSNR", "SSIM", "l1", "l2")
DISTANCES = ("KID", "KD-cell", "FD-cell", "KD-dinobloom", "FD-dinobloom")
MANIFOLD = (
    *("improved-precision", "improved-recall", "density", "coverage"),
    *("improved-precision-cell", "improved-recall-cell", "density-cell", "coverage-cell"),
)
REST = ("MS-SSIM", "LPIPS-diversity", "diversity-cell", "memorisation", "copies")


def recipe_table(results: BenchmarkResults, metrics: Sequence[str], caption: str = "") -> Grid | None:
    """Compose a table of recipes by metrics, as mean ± standard deviation over the seeds.

    Parameters
    ----------
    results : BenchmarkResults
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
    columns = [m for m in metrics if results.has(m) or m in results.missing]
    if not columns:
        return None
    notes, best = Footnotes(), {m: clear_winner(m, _column(results, m)) for m in columns}
    rows = []
    for recipe in results.recipes:
        if recipe in results.quality or results.summary.get(recipe):
            cells = [_cell(results, recipe, m, best[m] == recipe, notes) for m in columns]
            rows.append(Row(recipe, cells, small=_sizes(results, recipe, columns)))
    floors = [results.floor(m) for m in columns]
    if any(value is not None for value in floors):
        pairs = zip(columns, floors, strict=True)
        rows.append(Row("real against real", [Cell(_beside(results, m, v)) for m, v in pairs], "floor"))
    means = [results.class_mean(m) for m in columns]
    if any(value is not None for value in means):
        pairs = zip(columns, means, strict=True)
        rows.append(Row("class mean", [Cell(_beside(results, m, v)) for m, v in pairs], "mean"))
    head = ["GAN", *(METRICS[m].title for m in columns)]
    return Grid(
        head, rows, f"{caption} {_how_to_read(results, best)}".strip(), notes.texts, ["", *map(better, columns)]
    )


def clear_winner(metric: str, found: Mapping[str, Spread]) -> str | None:
    """Return the recipe that is best whatever the seed, or None.

    Parameters
    ----------
    metric : str
    found : mapping of recipe to Spread

    Returns
    -------
    str or None
        The recipe whose seeds' intervals all lie on the better side of those of every other recipe. None with one
        recipe, or where one was trained with a single seed: how far another training would differ is then unknown.
    """
    if len(found) < 2 or any(len(one.values) < 2 for one in found.values()):
        return None
    first = min(found, key=lambda recipe: badness(metric, found[recipe]))
    others = [one for recipe, one in found.items() if recipe != first]
    return first if all(clearly_better(metric, found[first], other) for other in others) else None


def class_by_recipe(results: BenchmarkResults, metric: str, caption: str) -> Grid | None:
    """Compose a table of classes by recipes for one metric, the darker the further from real cells."""
    spreads = {c: _of_class(results, c, metric) for c in results.class_names}
    recipes = [r for r in results.recipes if any(r in found for found in spreads.values())]
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


def cost_table(results: BenchmarkResults) -> Grid:
    """Compose the table of what each recipe costs: parameters, images seen, time to train and to generate."""
    rows = []
    for recipe in results.recipes:
        done = [run for run in results.runs if run["recipe"] == recipe and run.get("status") == "done"]
        if done:
            rows.append(Row(recipe, _cost_cells(results, done), small=str(done[0].get("gan") or "")))
    head = ["GAN", "generator", "all players", "images seen", "steps", "time to train", "to generate 1,000"]
    caption = (
        "Parameters of the networks; real images shown in training, counted with repetition; wall time on the same "
        "machine. Where there were several seeds: the mean, and the range where the seeds differ by more than 2%."
    )
    return Grid(
        head, rows, caption, under=["", "parameters", "parameters", "per seed", "per seed", "per seed", "images"]
    )


def _cost_cells(results: BenchmarkResults, runs: Sequence[Mapping[str, Any]]) -> list[Cell]:
    parameters = {player: int(n) for player, n in (runs[0].get("parameters") or {}).items()}
    others = ", ".join(f"{player} {_millions(n)}" for player, n in parameters.items() if player != "generator")
    made = int(results.facts.get("images_per_class") or 0) * len(results.class_names)
    cells = [Cell(_millions(parameters.get("generator"))), Cell(_millions(sum(parameters.values()) or None), others)]
    for key in ("images", "steps"):
        values = [float(run[key]) for run in runs if run.get(key) is not None]
        cells.append(Cell(f"{sum(values) / len(values):,.0f}" if values else "–"))
    for key, scale in (("seconds", 1.0), ("generating_seconds", 1000 / made if made else 0.0)):
        values = [scale * float(run[key]) for run in runs if run.get(key) is not None]
        if not values or not scale:
            cells.append(Cell("–"))
            continue
        low, high = min(values), max(values)
        apart = f"{duration(low)} to {duration(high)}" if high > 1.02 * low and duration(low) != duration(high) else ""
        cells.append(Cell(duration(sum(values) / len(values)), apart))
    return cells


def _cell(results: BenchmarkResults, recipe: str, metric: str, is_best: bool, notes: Footnotes) -> Cell:
    found = results.summary.get(recipe, {}).get(metric)
    if found is None:
        if metric in results.missing and not results.has(metric):
            return Cell(MISSING, notes=notes.number(how_to_get(results.missing[metric])))
        why = next((q.metrics[metric].note for q in results.quality.get(recipe, ()) if metric in q.metrics), "")
        return Cell(NONE, notes=notes.number(why))
    decimals = _places(results, metric)
    return Cell(mean_and_spread(metric, found.mean, found.sd, decimals), best=is_best)


def _places(results: BenchmarkResults, metric: str) -> int:
    return column_decimals([s.mean for s in _column(results, metric).values()])


def _beside(results: BenchmarkResults, metric: str, value: float | None) -> str:
    """What real images score, with one decimal more than the column: it may be far smaller."""
    return "" if value is None else number(metric, value, decimals=_places(results, metric) + (abs(value) < 0.1))


def _sizes(results: BenchmarkResults, recipe: str, columns: Sequence[str]) -> str:
    found = [results.summary[recipe][m] for m in columns if m in results.summary.get(recipe, {})]
    sizes = sorted({s.n for s in found})
    if not sizes:
        return ""
    n = f"n = {sizes[0]:,}" if len(sizes) == 1 else f"n = {sizes[0]:,} to {sizes[-1]:,}"
    seeds = max(len(s.values) for s in found)
    return f"{n}, {seeds} seed{'' if seeds == 1 else 's'}"


def _how_to_read(results: BenchmarkResults, best: Mapping[str, str | None]) -> str:
    seeds = len(results.facts.get("seeds", [])) or 1
    if seeds < 2:
        return "One seed: how far another training would differ is unknown, so nothing is marked as best."
    said = f"Mean ± standard deviation over {seeds} seeds; n: synthetic images of each seed."
    if any(best.values()):
        return f"{said} Underlined: every seed's 95% interval is better than every interval of every other GAN."
    return f"{said} None is marked as best: no GAN's seeds are clear of all others'."


def _column(results: BenchmarkResults, metric: str) -> dict[str, Spread]:
    return {recipe: found[metric] for recipe, found in results.summary.items() if metric in found}


def _of_class(results: BenchmarkResults, name: str, metric: str) -> dict[str, Spread]:
    per_recipe = {recipe: found.get(name, {}) for recipe, found in results.summary_classes.items()}
    return {recipe: found[metric] for recipe, found in per_recipe.items() if metric in found}


def _gap(metric: str, found: Spread, floor: float | None) -> float:
    """How far from real, in the bad direction; 0 where real is unknown."""
    return shortfall(metric, Estimate(found.mean, found.n, floor=floor)) or 0.0


def _millions(n: int | None) -> str:
    return "–" if n is None else f"{n / 1e6:.2f} M" if n < 1e7 else f"{n / 1e6:.1f} M"
