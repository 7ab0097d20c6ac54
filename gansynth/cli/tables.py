"""Results as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gansynth.classifiers.explain.files import ExplainedFile
    from gansynth.classifiers.published_files import Look
    from gansynth.doctor import Checkup
    from gansynth.metrics.estimate import Estimate
    from gansynth.studies.benchmark.result import Benchmark
    from gansynth.studies.comparison.result import Comparison
    from gansynth.studies.quality.result import Quality
    from gansynth.studies.quiz import QuizScore
    from gansynth.studies.search.result import RemedySearch
    from gansynth.studies.sweep.result import ImbalanceSweep


def weights_table(looks: Sequence[Look]) -> str:
    """Return every weight file, what it is for, whether it is there, and how those that are missing are had."""
    rows: list[tuple[str, ...]] = [("name", "used for", "file", "state", "sha256")]
    for look in looks:
        state = f"{look.state}, loads" if look.loaded else look.state
        if look.state == "present" and look.expected == ("an installed package",):
            state += " (installed)"
        rows.append(
            (look.name, look.used_for, look.file, state, f"{look.sha256[:9]}..." if look.sha256 else "not known")
        )
    missing = dict.fromkeys(f"{look.file}: {look.how}" for look in looks if look.state == "missing")
    return "\n".join([_aligned(rows), "", *missing])


def checkup_table(found: Checkup) -> str:
    """Return what this machine has and what to expect of it, a line each."""
    rows = [("system", found.system), *found.versions.items()]
    rows.append(("device", f"{found.device}, {'with' if found.bfloat16 else 'without'} fast bfloat16"))
    rows.append(("processors", f"{found.processors}, and {found.threads} threads in torch"))
    rows += [("free space", f"{one.free_bytes / 1e9:,.1f} GB for {one.what}: {one.folder}") for one in found.space]
    rows += [(f"shipped {kind}s", ", ".join(names)) for kind, names in found.models.items()]
    there = [name for name, state in found.weights.items() if state == "present"]
    rows.append(("published weights", f"{len(there)} of {len(found.weights)} there: {', '.join(there) or 'none'}"))
    if found.speed is not None:
        one = found.speed
        measured = f"{one.steps} steps of {one.batch_size} images in {one.seconds:.1f} s, {one.precision}"
        rows.append(("training speed", f"{one.images_per_second:,.0f} images a second by {one.recipe} ({measured})"))
        rows.append(("a whole training", f"{_minutes(one.minutes)} for the {one.recipe_steps:,} steps of {one.recipe}"))
    width = max(len(name) for name, _ in rows)
    lines = [f"{name.ljust(width)}  {value}" for name, value in rows]
    return "\n".join([*lines, *(f"problem: {problem}" for problem in found.problems)])


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"


def quality_table(quality: Quality) -> str:
    """Return the verdict with what it rests on, the numbers that it speaks of, those of every class that matter most,
    what is missing, and the warnings."""
    from gansynth.metrics.catalogue import METRICS, first_by_class
    from gansynth.report.quality.verdict import findings, spoken, verdict

    shown = [name for name in quality.metrics if name in spoken(quality) or METRICS[name].compute is not None]
    rows: list[tuple[str, ...]] = [("metric", "value", "95% interval", "n", "real against real", "better")]
    for name in shown:
        found = quality.metrics[name]
        floor = _number(found.floor) + (f" (n {found.floor_n:,})" if found.floor_n not in (None, found.n) else "")
        rows.append((METRICS[name].title, *_cells(found), floor, METRICS[name].better))
    text = "\n".join([verdict(quality), *(f"- {one}" for one in findings(quality))])
    text += "\n\n" + _aligned(rows) if shown else ""
    per_class = [name for name in first_by_class("first") if any(name in row for row in quality.classes.values())]
    if len(quality.classes) > 1 and per_class:
        rows = [("class", "n", *(f"{METRICS[name].title} (real)" for name in per_class))]
        for c, row in quality.classes.items():
            cells = [f"{_number(row[m].value)} ({_number(row[m].floor)})" if m in row else "-" for m in per_class]
            n = max((found.n for found in row.values()), default=0)
            rows.append((c, f"{n:,}", *cells))
        text += "\n\n" + _aligned(_that_fit(rows, _COLUMNS))
    measured = [name for name, found in quality.metrics.items() if found.value is not None and name not in shown]
    notes = (
        [f"{len(measured)} more numbers are in metrics.csv and on the page of --out, and in --json"] if measured else []
    )
    notes += [
        found.note if found.note.startswith(name) else f"{name}: {found.note}"
        for name, found in quality.metrics.items()
        if found.value is None and found.note
    ]
    missing: dict[tuple[str, str, str], list[str]] = {}
    for one in quality.missing:
        missing.setdefault((one.file, one.looked_in, one.how), []).append(one.metric)
    notes += [
        f"missing: {', '.join(metrics)}: no {file} in {looked_in}; {how}"
        for (file, looked_in, how), metrics in missing.items()
    ]
    notes += [f"warning: {warning}" for warning in quality.warnings]
    return "\n".join([text, "", *notes]) if notes else text


def quiz_table(score: QuizScore) -> str:
    """Return every reader's verdict and figures, over all cells and class by class."""
    parts = [f"quiz {score.quiz}, {score.cells} cells"]
    for one in score.readers:
        rows: list[tuple[str, ...]] = [("", "value", "95% interval", "n")]
        rows += [(name, *_cells(found)) for name, found in one.overall.metrics().items()]
        if one.overall.detection.criterion is not None:
            rows.append(("criterion (above 0: prefers to say real)", _number(one.overall.detection.criterion), "", ""))
        parts.append(f"{one.verdict}\n\n{_aligned(rows)}")
        if len(one.classes) > 1:
            heads = ("class", *next(iter(one.classes.values())).metrics())
            rows = [heads]
            for name, of_class in one.classes.items():
                rows.append((name, *(_counted(found) for found in of_class.metrics().values())))
            parts.append(_aligned(rows))
    mean = score.mean
    if mean is not None:
        parts.append(
            f"mean d' of {mean.n} readers: {_with_interval(mean.value, mean.interval)} "
            "(interval over readers of these same cells)"
        )
    return "\n\n".join(parts)


def _counted(found: Estimate) -> str:
    return "-" if found.value is None else f"{_number(found.value)} (n {found.n})"


def benchmark_table(benchmark: Benchmark) -> str:
    """Return the ranking with the metrics it rests on, and the verdict."""
    from gansynth.metrics.catalogue import METRICS
    from gansynth.studies.benchmark.ranking import ranked_metrics

    metrics = ranked_metrics(benchmark.summary)
    rows: list[tuple[str, ...]] = [("recipe", "mean rank", *(METRICS[m].title for m in metrics))]
    for place in benchmark.ranking:
        cells = []
        for m in metrics:
            one = benchmark.summary[place.recipe].get(m)
            sd = f" ± {_number(one.sd)}" if one is not None and one.sd is not None else ""
            cells.append("-" if one is None else f"{_number(one.mean)}{sd}")
        rows.append((place.recipe, _number(place.mean_rank), *cells))
    rows.append(("(real against real)", "", *(_number(benchmark.floor(m)) for m in metrics)))
    return f"{_aligned(rows)}\n\n{benchmark.verdict}"


def comparison_table(comparison: Comparison) -> str:
    """Return the endpoints of every arm, the effects of the arms, the doses that help most, and the warnings."""
    from gansynth.metrics.wording import p_value
    from gansynth.studies.comparison.entries import each_pair_once

    endpoints, primary = comparison.about.endpoints, comparison.about.endpoints[0]
    above = comparison.superclasses
    heads = [*map(str, endpoints), *([f"{primary} of superclasses"] if above else [])]
    rows: list[tuple[str, ...]] = [("classifier", "arm", *heads)]
    for entry in comparison.arms:
        cells = [_estimate(entry.estimate(one)) for one in endpoints]
        if above:
            lifted = above.entry(entry.arm, entry.classifier)
            cells.append(_estimate(lifted.estimate(primary) if lifted else None))
        rows.append((entry.classifier, entry.arm, *cells))
    text = _aligned(rows)
    if comparison.effects:
        rows = [("classifier", "arm", "against", "endpoint", "difference", "p", "p (Holm)")]
        for e in each_pair_once(comparison.effects):
            difference = _with_interval(e.value, e.interval)
            rows.append((e.classifier, e.arm, e.against, str(e.endpoint), difference, p_value(e.p), p_value(e.p_holm)))
        text += "\n\n" + _aligned(rows)
    if comparison.conditions:
        from gansynth.cells.spoiling import SPOILINGS

        rows = [("classifier", "arm", *(f"{primary} {SPOILINGS[name].title}" for name in comparison.conditions))]
        for entry in comparison.arms:
            found = [level.entry(entry.arm, entry.classifier) for level in comparison.conditions.values()]
            cells = [_estimate(one.estimate(primary) if one else None) for one in found]
            rows.append((entry.classifier, entry.arm, *cells))
        text += "\n\n" + _aligned(rows)
    for best in comparison.best_dose:
        text += f"\nbest dose of {best.remedy} for {best.endpoint} ({best.classifier}): {best.dose:g}"
    for warning in comparison.warnings:
        text += f"\nwarning: {warning}"
    if comparison.recommendation is not None:
        text += f"\n\n{comparison.recommendation}\n  {comparison.recommendation.command}"
    return text


def search_table(search: RemedySearch) -> str:
    """Return the numbers of every candidate as pasupa2020 shows them (table 1), and whether one is worth anything."""
    from gansynth.metrics.wording import p_value
    from gansynth.studies.search.result import CHOSEN_BY, SHOWN

    heads = ("arm", "best epoch", *SHOWN, f"recall of {search.about.rarest}", f"{CHOSEN_BY} gained", "p")
    rows: list[tuple[str, ...]] = [heads]
    for row in search.rows:
        cells = [
            _number(one.mean) + ("" if one.sd is None else f" ± {_number(one.sd)}")
            for one in (*row.scores.values(), row.recall)
        ]
        gained = _with_interval(row.gain.value, _interval(*row.gain.interval))
        rows.append((row.arm, _number(row.epoch), *cells, gained, p_value(row.gain.p)))
    text = _aligned(rows)
    folds, first = search.settings.folds, search.settings.arms[0]
    text += f"\n\nmean ± standard deviation over {folds} folds of the training split; gained against {first}"
    text += f"\n{search.verdict()}"
    for cell, error in search.failed.items():
        text += f"\nfailed: {cell}: {error}"
    return text


def shares_table(explained: Sequence[ExplainedFile]) -> str:
    """Return how much of the attribution lies in the cell, for every class that was asked about."""
    from gansynth.classifiers.explain.files import shares_by_class, shares_of

    classes = shares_by_class(explained)
    of = {**classes, "all images": shares_of(explained)} if len(classes) != 1 else classes
    both = any(shares.before is not None for shares in of.values())
    heads = ["asked about", "n", *(["before", "after", "difference"] if both else ["in the cell"]), "cell's share"]
    rows = [tuple(heads)]
    for name, shares in of.items():
        found = [shares.before, shares.after, shares.difference] if both else [shares.after]
        rows.append((name, f"{shares.after.n:,}", *map(_estimate, found), _number(shares.area.value)))
    text = _aligned(rows)
    signs = {shares.difference.value > 0 for shares in of.values() if shares.difference and shares.difference.value}
    if len(signs) > 1:
        text += (
            "\nThe classes do not agree on the sign of the difference: read them one by one, not all images together."
        )
    return text


def sweep_table(sweep: ImbalanceSweep) -> str:
    """Return macro-F1, accuracy and ROC AUC of every arm over the imbalance ratio, and the warnings."""
    rows: list[tuple[str, ...]] = [("classifier", "arm", "metric", *(f"rho {rho:.3g}" for rho in sweep.rhos))]
    for classifier in sweep.about.classifiers:
        for endpoint in sweep.swept:
            for arm in sweep.about.arms if endpoint.class_name is None else ():
                at = {point.rho: point for point in sweep.curve(arm, classifier, endpoint)}
                if at:
                    held = [at.get(rho) for rho in sweep.rhos]
                    cells = ["-" if one is None else _with_interval(one.value, one.interval) for one in held]
                    rows.append((classifier, arm, endpoint.metric, *cells))
    text = _aligned(rows)
    for failed in sweep.missing:
        one = failed.training
        text += f"\nfailed: rho {failed.rho:.3g}, {one.arm}, {one.classifier}: {one.error}"
    for warning in sweep.warnings:
        text += f"\nwarning: {warning}"
    return text


def _interval(low: float | None, high: float | None) -> Sequence[float] | None:
    return None if low is None or high is None else (low, high)


def _estimate(found: Estimate | None) -> str:
    return "-" if found is None else _with_interval(found.value, found.interval)


def _with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    return _number(value) + ("" if interval is None else f" ({_number(interval[0])} to {_number(interval[1])})")


def _cells(found: Estimate) -> tuple[str, str, str]:
    interval = "-" if found.interval is None else f"{_number(found.interval[0])} to {_number(found.interval[1])}"
    return _number(found.value), interval, f"{found.n:,}"


def _number(value: float | None) -> str:
    if value is None or value != value:
        return "-"
    size = abs(value)
    if 0 < size < 1e-4:
        return "< 0.001" if value > 0 else "> -0.001"
    return f"{value:.0f}" if size >= 1000 else f"{value:.1f}" if size >= 100 else f"{value:.3g}"


_COLUMNS = 80
"""Of a terminal; a table that is wider is not read."""


def _that_fit(rows: Sequence[Sequence[str]], columns: int) -> list[list[str]]:
    """Return the first cells of every row, as many as fit side by side; the first two always."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    n = max(k for k in range(1, len(widths) + 1) if k <= 2 or sum(widths[:k]) + 2 * (k - 1) <= columns)
    return [list(row[:n]) for row in rows]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    )
