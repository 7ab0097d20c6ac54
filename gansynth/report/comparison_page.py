"""The page of `compare`: whether balancing helped, for which cells, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gansynth.classifiers.classifier import RANDOM_FROZEN
from gansynth.report.blocks import Cell, Grid, Row
from gansynth.report.comparison_cells import misclassified, samples
from gansynth.report.comparison_classes import classes, confusion
from gansynth.report.comparison_costs import costs, swaps
from gansynth.report.comparison_curves import training_curves
from gansynth.report.comparison_doses import doses
from gansynth.report.comparison_effects import effects
from gansynth.report.comparison_figures import meanings
from gansynth.report.comparison_folder import ComparisonResults, read_comparison_folder
from gansynth.report.comparison_leaderboard import leaderboard
from gansynth.report.comparison_levels import levels
from gansynth.report.comparison_models import models
from gansynth.report.comparison_protocols import protocols
from gansynth.report.comparison_recognition import recognition
from gansynth.report.comparison_verdict import PAPER_FLAW, findings, key_figures, verdict
from gansynth.report.metric_tables import how_to_get
from gansynth.report.numbers import sentence
from gansynth.report.page import Page, Section, write_page


def write_comparison_page(folder: Path | str, clean: Path | str | None = None) -> Path:
    """Write `report.html` into a folder that `compare` wrote, and return its path.

    Parameters
    ----------
    folder : path-like
        See `gansynth.report.comparison_folder.read_comparison_folder`.
    clean : path-like or None
        For a comparison with the paper's protocol: one of the same data with the clean one, to show the difference.

    Raises
    ------
    InputError
        If a folder does not hold what `compare` writes.
    """
    folder = Path(folder)
    beside = None if clean is None else read_comparison_folder(Path(clean))
    return write_page(folder / "report.html", comparison_page(read_comparison_folder(folder), beside))


def comparison_page(results: ComparisonResults, clean: ComparisonResults | None = None) -> Page:
    """Compose the page from what was compared; `clean` as in `write_comparison_page`."""
    about = results.about
    title = "Does balancing help?"
    return Page(
        title=f"{title} The paper's protocol" if results.is_paper else title,
        subtitle=_subtitle(results),
        verdict=verdict(results),
        findings=findings(results),
        figures=key_figures(results),
        warnings=_warnings(results),
        sections=[
            *protocols(results, clean),
            *leaderboard(results),
            *effects(results),
            *models(results),
            *classes(results),
            *levels(results),
            *misclassified(results),
            *training_curves(results),
            *samples(results),
            *doses(results),
            *confusion(results),
            *recognition(results),
            *swaps(results),
            *costs(results),
            *_not_finished(results),
            Section("What each figure means", blocks=[meanings()]),
        ],
        commands=[(str(about["command"]), "Run it again, or continue it with --resume")]
        if about.get("command")
        else (),
        commands_title="Reproduce",
        facts=_facts(results),
        wide=True,
    )


def _subtitle(results: ComparisonResults) -> str:
    about, size = results.about, results.about.get("size")
    folds, seeds = int(about.get("folds") or 1), len(about.get("seeds") or [0])
    parts = [
        f"{_count(len(results.arm_names), 'arm')} by {_count(len(results.classifiers), 'classifier')}",
        f"on {about['data']}" if about.get("data") else "",
        f"{len(results.class_names)} classes",
        f"{size}\u00a0×\u00a0{size} pixels" if size else "",
        f"{_count(folds, 'fold')}, {_count(seeds, 'seed')}" if folds > 1 else f"one split, {_count(seeds, 'seed')}",
        "protocol: paper (figures too good)" if results.is_paper else "tested on real images only",
    ]
    return ", ".join(part for part in parts if part)


def _warnings(results: ComparisonResults) -> list[str]:
    said = [str(warning) for warning in results.facts.get("warnings") or []]
    found = [PAPER_FLAW] if results.is_paper and not any("too good" in warning for warning in said) else []
    said += [_missing(entry) for entry in results.facts.get("missing") or [] if not _failed(entry)]
    cells = results.cells()
    if cells is not None and (cells.records["origin"] == "phantom").all():
        said.append("The cells are drawings of the phantom: nothing on this page speaks of real cells.")
    rarity = results.about.get("rarity") or {}
    if rarity:
        held = ", ".join(f"{name} to {n:,}" for name, n in rarity.items())
        said.append(f"Rarity was made: training images were held to a number for {held}. The rest left the experiment.")
    scratch = [e.classifier for e in results.arms if e.weights == "none" and e.classifier not in _NOT_PUBLISHED]
    if scratch:
        names = ", ".join(dict.fromkeys(scratch))
        said.append(f"Trained from scratch, without the published weights: {names}.")
    frozen = list(dict.fromkeys(e.classifier for e in results.arms if e.weights == RANDOM_FROZEN))
    if frozen:
        said.append(f"Only the head has learned, on a trunk of random weights: {', '.join(frozen)}.")
    known = [*results.arm_names, *results.classifiers]
    return list(dict.fromkeys([*found, *(sentence(text, known) for text in said)]))


_NOT_PUBLISHED = {"sequential-cnn", "custom-cnn"}
"""Networks of which there are no published weights."""


def _failed(entry: Any) -> bool:
    return isinstance(entry, Mapping) and bool(entry.get("error")) and "arm" in entry


def _not_finished(results: ComparisonResults) -> list[Section]:
    rows = [
        Row(str(entry["arm"]), [Cell(str(entry.get(key, ""))) for key in ("classifier", "fold", "seed")]
            + [Cell(str(entry["error"]), words=True)])
        for entry in results.facts.get("missing") or [] if _failed(entry)
    ]  # fmt: skip
    if not rows:
        return []
    caption = "One failure costs the others nothing; an arm with a training that failed has no figures."
    grid = Grid(["arm", "classifier", "fold", "seed", "what happened"], rows, caption)
    return [Section("Trainings that did not finish", blocks=[grid])]


def _missing(entry: Any) -> str:
    """A missing arm or file as a sentence, however it is written down."""
    if not isinstance(entry, Mapping):
        return str(entry)
    if entry.get("file"):
        return how_to_get(entry)
    why = str(entry.get("why") or entry.get("error") or entry.get("note") or "")
    what = ", ".join(f"{value}" for key, value in entry.items() if key not in ("why", "error", "note") and value != "")
    return f"Not there: {what}. {sentence(why)}".strip() if why else f"Not there: {what}"


def _facts(results: ComparisonResults) -> list[tuple[str, str]]:
    about = results.about
    said = [
        *((str(name), str(version)) for name, version in (about.get("versions") or {}).items()),
        ("data", str(about.get("data") or "")),
        ("arms", ", ".join(results.arm_names)),
        ("classifiers", ", ".join(results.classifiers)),
        ("endpoints named before the run", ", ".join(_endpoint(e.metric, e.class_name) for e in results.endpoints)),
        ("seeds", ", ".join(str(seed) for seed in about.get("seeds") or [])),
        ("folds", str(about.get("folds") or "")),
        ("protocol", str(about.get("protocol") or "")),
        ("device", str(about.get("device") or "")),
        ("date", str(about.get("date") or "")),
    ]
    return [(name, value) for name, value in said if value]


def _endpoint(metric: str, class_name: str | None) -> str:
    return metric if class_name is None else f"{metric} of {class_name}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
