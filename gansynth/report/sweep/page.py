"""The page of `sweep`: how much imbalance classifiers stand, and what each remedy adds at which ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gansynth.files.atomic import write_text
from gansynth.metrics.wording import counted, ends, inside, p_words, places, share, signed, signed_ends
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Link, Links, Row
from gansynth.report.drawing import opaque
from gansynth.report.numbers import listed, sentence
from gansynth.report.page import Page, Section, write_page
from gansynth.report.sweep.charts import difference_chart, ratio_chart
from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.sweep.result import ImbalanceSweep, Point

Charts = Mapping[tuple[Endpoint, str], str]

MEANING = {
    "macro-F1": "The mean of the classes' F1: every class counts as much, however rare it was to learn from.",
    "accuracy": "The share of all test images classified rightly. Frequent classes decide it, so it may hardly move "
    "while the rare classes are lost.",
    "ROC-AUC": "How often a cell of a class gets a higher probability for it than another cell: one class against the "
    "rest, mean of the classes. It does not depend on where the line between classes is drawn, as the others do.",
}


def write_sweep_page(folder: Path | str) -> Path:
    """Write `report.html` and the charts as SVG into a folder that `sweep` wrote, and return the page's path.

    Raises
    ------
    InputError
        If the folder does not hold what `sweep` writes.
    """
    folder = Path(folder)
    results = ImbalanceSweep.read(folder)
    charts = _charts(results)
    for (endpoint, classifier), drawn in charts.items():
        what = "-".join(filter(None, [endpoint.metric, endpoint.class_name])).replace("/", "_")
        write_text(folder / f"{what}-{classifier}.svg", opaque(drawn))
    return write_page(folder / "report.html", sweep_page(results, charts))


def sweep_page(results: ImbalanceSweep, charts: Charts) -> Page:
    """Compose the page from what was swept, and its charts by endpoint and classifier."""
    overall = [one for one in results.swept if one.class_name is None]
    rare = [one for one in results.swept if one.class_name is not None]
    about = results.about
    return Page(
        title="How much imbalance is too much?",
        subtitle=_subtitle(results),
        verdict=sweep_verdict(results),
        findings=sweep_findings(results),
        warnings=[sentence(text, results.arm_names) for text in results.warnings],
        sections=[
            *(Section(one.title, [MEANING[one.metric]], blocks=_figures(results, charts, one)) for one in overall),
            *_differences(results),
            *_recalls(results, charts, rare),
            _kept(results),
            _comparisons(results),
        ],
        commands=[(results.about.command, "Run it again, or continue it with --resume")]
        if results.about.command
        else (),
        commands_title="Reproduce",
        facts=[
            *about.versions.items(),
            ("data", about.data),
            ("minority", ", ".join(results.settings.minority)),
            ("seeds", ", ".join(map(str, about.seeds))),
            ("device", about.device),
            ("date", about.date),
        ],
        wide=True,
    )


def sweep_verdict(results: ImbalanceSweep) -> str:
    """Say how far the primary endpoint falls without a remedy, and which remedy stands best at the highest ratio."""
    endpoint, classifier = results.primary, _best_classifier(results)
    what = f"{inside(endpoint.title)} of {classifier}"
    curve = results.curve(NONE, classifier, endpoint)
    if not curve:
        return f"The arm none is not among the arms, so nothing says what a remedy adds to {what}."
    first, last = curve[0], curve[-1]
    said = f"Without a remedy, the {what} is {_value(first)} at ρ = {first.rho:.3g}."
    if len(curve) > 1:
        moved = f"{'falls' if last.value < first.value else 'rises'} from {_value(first)}"
        if _value(first) == _value(last):
            said = f"Without a remedy, the {what} is {_value(first)} at ρ = {first.rho:.3g} and at ρ = {last.rho:.3g}."
        else:
            said = (
                f"Without a remedy, the {what} {moved} at ρ = {first.rho:.3g} to {_value(last)} at ρ = {last.rho:.3g}."
            )
    there = {arm: results.curve(arm, classifier, endpoint) for arm in results.arm_names if arm != NONE}
    at_last = {arm: points[-1] for arm, points in there.items() if points and points[-1].rho == last.rho}
    if not at_last:
        return said
    arm = max(at_last, key=lambda name: at_last[name].value)
    tested = [point for point in results.differences(arm, classifier, endpoint) if point.rho == last.rho]
    best = f" There {arm} stands highest with {_value(at_last[arm])}"
    if not tested or tested[0].p is None:
        return f"{said}{best}."
    gap = tested[0]
    sure = "" if gap.shown else ", which the test does not distinguish from none"
    decimals = _decimals([gap])
    more = f"{signed(gap.value, decimals)} ({signed_ends(gap.interval, decimals)}), {p_words(gap.p)}"
    return f"{said}{best}: {more}, corrected for all remedies and ratios{sure}."


def sweep_findings(results: ImbalanceSweep) -> list[str]:
    """Count at how many ratios each remedy is shown to be better or worse than none, for every classifier."""
    found = []
    for classifier in results.measured:
        tallies: dict[str, list[str]] = {}
        for arm in results.arm_names:
            points = results.differences(arm, classifier, results.primary)
            better = [f"{p.rho:.3g}" for p in points if p.shown and p.value > 0]
            worse = [f"{p.rho:.3g}" for p in points if p.shown and p.value < 0]
            for word, at in (("better", better), ("worse", worse)):
                if at:
                    tallies.setdefault(word, []).append(f"{arm} (ρ = {', '.join(at)})")
        n = len([arm for arm in results.arm_names if arm != NONE])
        parts = [f"shown to be {word} than none: {listed(names, 12)}" for word, names in tallies.items()]
        said = "; ".join(parts) if parts else f"no remedy of {n} can be distinguished from none at any ratio"
        found.append(f"{results.primary.title}, {classifier}: {said}.")
    return found


def _subtitle(results: ImbalanceSweep) -> str:
    rhos = results.rhos
    arms, classifiers = counted(len(results.arm_names), "arm"), counted(len(results.measured), "classifier")
    return (
        f"{arms} by {classifiers} at imbalance ratios of "
        f"{listed([f'{rho:.3g}' for rho in rhos], len(rhos))}, on {results.about.data}; rare: "
        f"{listed(results.settings.minority)}; tested on the same real images at every ratio"
    )


def _charts(results: ImbalanceSweep) -> dict[tuple[Endpoint, str], str]:
    """Draw every metric of every classifier, the classes' recall of the best one alone."""
    best = _best_classifier(results)
    found = {}
    for endpoint in results.swept:
        for classifier in results.measured if endpoint.class_name is None else [best]:
            lines = {arm: results.curve(arm, classifier, endpoint) for arm in results.arm_names}
            found[endpoint, classifier] = ratio_chart(lines, inside(endpoint.title), **of_the_rare(results))
    return found


def of_the_rare(results: ImbalanceSweep) -> dict[str, Any]:
    """Return what `ratio_chart` says of the class that becomes rare, where it is one: how many images it has."""
    if len(results.settings.minority) != 1:
        return {}
    [rare] = results.settings.minority
    return {"rare": rare, "images": {step.rho: step.counts[rare] for step in results.about.steps}}


def _figures(results: ImbalanceSweep, charts: Charts, endpoint: Endpoint) -> list[Block]:
    caption = "At the right end the highest imbalance. Bands and bars: 95% intervals; the table has them all."
    drawings = [Drawing(drawn, caption, name, 36) for (one, name), drawn in charts.items() if one == endpoint]
    return [Drawings(drawings), _table(results, endpoint)]


def _table(results: ImbalanceSweep, endpoint: Endpoint) -> Grid:
    """Compose a table like table 3 of pasupa2020: a row per arm, a column per ratio."""
    rows = []
    for classifier in results.measured:
        rows.append(Row(classifier, kind="group"))
        for arm in results.arm_names:
            points = {point.rho: point for point in results.curve(arm, classifier, endpoint)}
            shown = {p.rho for p in results.differences(arm, classifier, endpoint) if p.shown}
            cells = []
            for rho in results.rhos:
                point = points.get(rho)
                decimals = _decimals([point] if point else [])
                text = share(point.value, decimals) if point else "–"
                cells.append(Cell(text, ends(point.interval, decimals) if point else "", best=rho in shown))
            rows.append(Row("none (as they are)" if arm == NONE else arm, cells, "mean" if arm == NONE else ""))
    tested = any(results.differences(arm, results.measured[0], endpoint) for arm in results.arm_names)
    over = "test images, trainings and folds" if results.settings.folds else "test images and trainings"
    caption = f"Mean over the trainings; small numbers: 95% intervals over {over}."
    caption += (
        " Bold: shown to differ from none, corrected for all remedies and ratios."
        if tested
        else " Not an endpoint: the differences were not tested."
    )
    return Grid(["ρ", *(f"{rho:.3g}" for rho in results.rhos)], rows, caption)


def _differences(results: ImbalanceSweep) -> list[Section]:
    """Show how far every remedy is from none over the ratio, as figure 13 of pasupa2020, with intervals."""
    items = []
    for classifier in results.measured:
        found = {arm: results.differences(arm, classifier, results.primary) for arm in results.arm_names if arm != NONE}
        found = {arm: points for arm, points in found.items() if points}
        if found:
            caption = "With 95% intervals; filled: shown by the test, corrected for all remedies and ratios."
            label = f"{inside(results.primary.title)}, remedy minus none"
            items.append(Drawing(difference_chart(found, label), caption, classifier, 14 * min(3, len(found))))
    text = (
        "The same classifier, test images, seeds and number of optimizer steps, with the remedy and without. Pasupa et "
        "al. 2020 expect more from a remedy the higher the ratio (figure 13): points that rise to the right."
    )
    return [Section("What each remedy adds", [text], blocks=[Drawings(items)])] if items else []


def _recalls(results: ImbalanceSweep, charts: Charts, rare: Sequence[Endpoint]) -> list[Section]:
    items = [
        Drawing(drawn, f"{name}, with 95% intervals.", one.title, 36)
        for (one, name), drawn in charts.items()
        if one in rare
    ]
    if not items:
        return []
    text = "Of the test images of a class that became rare, the share that is recognised."
    return [Section("The rare classes", [text], blocks=[Drawings(items), *(_named(results, one) for one in rare)])]


def _named(results: ImbalanceSweep, endpoint: Endpoint) -> Grid:
    grid = _table(results, endpoint)
    return Grid([f"{endpoint.title}, ρ", *grid.head[1:]], grid.rows, grid.caption)


def _kept(results: ImbalanceSweep) -> Section:
    """Show what was learned from at each ratio, as table 2 of pasupa2020."""
    names = [
        *results.settings.minority,
        *(name for name in results.about.classes if name not in results.settings.minority),
    ]
    rows = []
    for step in results.about.steps:
        cells = [Cell(f"{step.counts[name]:,}") for name in names] + [Cell(f"{step.learned_from:,}")]
        asked = f"asked for {step.ratio:g}" if round(step.ratio, 2) != round(step.rho, 2) else ""
        rows.append(Row(f"{step.rho:.4g}", cells, small=asked))
    tested = results.about.tested
    rows.append(
        Row("tested", [Cell(f"{tested[name]:,}") for name in names] + [Cell(f"{sum(tested.values()):,}")], "floor")
    )
    how = {
        "minority": "The other classes are held at one size; only the minority becomes rarer.",
        "both": "As in the paper: the minority is thinned above the ratio that the data have, the other classes below "
        "it, so that there is less to learn from at low ratios.",
    }
    caption = (
        f"Training images by class, the minority first. {how[results.settings.thin]} Whole images seldom give a ratio "
        "exactly; values stand at the ratio that they give. Test images are the same at every ratio."
    )
    return Section("What was learned from", blocks=[Grid(["ρ", *names, "in all"], rows, caption)])


def _comparisons(results: ImbalanceSweep) -> Section:
    links = [
        Link(f"{step.folder}/report.html", f"ρ = {step.rho:.3g}: every class, every number, the cells themselves")
        for step in results.about.steps
    ]
    return Section("The comparison behind each ratio", blocks=[Links(links)])


def _best_classifier(results: ImbalanceSweep) -> str:
    """Return the classifier that does best without a remedy at the lowest ratio: a weak one gains from anything."""

    def first(name: str) -> float:
        curve = results.curve(NONE, name, results.primary)
        return curve[0].value if curve else -1.0

    return max(results.measured, key=first)


def _value(point: Point) -> str:
    decimals = _decimals([point])
    around = f" ({ends(point.interval, decimals)})" if point.interval else ""
    return f"{share(point.value, decimals)}{around}"


def _decimals(points: Sequence[Point]) -> int:
    return places(*(p.interval[1] - p.interval[0] for p in points if p.interval is not None))
