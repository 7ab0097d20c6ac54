"""The page of `compare`: whether balancing helped, for which cells, and how sure that is."""

from __future__ import annotations

from pathlib import Path

from gansynth.classifiers.classifier import RANDOM_FROZEN
from gansynth.metrics.wording import capital, counted
from gansynth.report.blocks import Cell, Grid, Row
from gansynth.report.comparison.arms import shortened
from gansynth.report.comparison.cells import misclassified, recognition, samples
from gansynth.report.comparison.classes import classes, confusion
from gansynth.report.comparison.costs import costs, swaps
from gansynth.report.comparison.curves import training_curves
from gansynth.report.comparison.doses import doses
from gansynth.report.comparison.effects import effects
from gansynth.report.comparison.in_use import in_use
from gansynth.report.comparison.leaderboard import leaderboard
from gansynth.report.comparison.levels import levels, robustness
from gansynth.report.comparison.models import meanings, models
from gansynth.report.comparison.protocols import protocols
from gansynth.report.numbers import sentence
from gansynth.report.page import Page, Section, folded_after, write_page
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import PAPER_FLAW, findings, key_figures, verdict


def write_comparison_page(folder: Path | str, clean: Path | str | None = None) -> Path:
    """Write `report.html` into a folder that `compare` wrote, and return its path.

    Parameters
    ----------
    folder : path-like
        See `gansynth.studies.comparison.result.Comparison.read`.
    clean : path-like or None
        For a comparison with the paper's protocol: one of the same data with the clean one, to show the difference.

    Raises
    ------
    InputError
        If a folder does not hold what `compare` writes.
    """
    folder = Path(folder)
    beside = None if clean is None else Comparison.read(Path(clean))
    return write_page(folder / "report.html", comparison_page(Comparison.read(folder), beside))


def comparison_page(results: Comparison, clean: Comparison | None = None) -> Page:
    """Compose the page from what was compared; `clean` as in `write_comparison_page`."""
    results = shortened(results)
    advice = results.recommendation
    title = "Does balancing help?"
    sections = [
        *protocols(results, clean),
        *leaderboard(results),
        *effects(results),
        *models(results),
        *classes(results),
        *levels(results),
        *in_use(results),
        *robustness(results),
        *misclassified(results),
        *training_curves(results),
        *samples(results),
        *doses(results),
        *confusion(results),
        *recognition(results),
        *swaps(results),
        *costs(results),
        *_not_finished(results),
        Section("What each number means", blocks=[meanings()]),
    ]
    return Page(
        title=f"{title} The paper's protocol" if results.is_paper else title,
        subtitle=_subtitle(results),
        verdict=verdict(results) if advice is None else capital(str(advice)),
        findings=[*([] if advice is None else [verdict(results)]), *findings(results)],
        figures=key_figures(results),
        warnings=_warnings(results),
        sections=folded_after(sections, 1),
        lead=1,
        commands=_commands(results),
        commands_title="Next" if results.recommendation else "Reproduce",
        facts=_facts(results),
        wide=True,
    )


def _commands(results: Comparison) -> list[tuple[str, str]]:
    found = []
    if results.recommendation is not None:
        what = f"Train {results.recommendation.classifier} with {results.recommendation.use}, as recommended"
        found.append((results.recommendation.command, what))
    if results.about.command:
        found.append((results.about.command, "Run the comparison again, or continue it with --resume"))
    return found


def _subtitle(results: Comparison) -> str:
    about = results.about
    seeds = counted(len(about.seeds), "seed")
    parts = [
        f"{counted(len(results.arm_names), 'arm')} by {counted(len(results.classifiers), 'classifier')}",
        f"on {about.data}" if about.data else "",
        f"{len(results.class_names)} classes",
        f"{about.size}\u00a0×\u00a0{about.size} pixels",
        f"{counted(about.folds, 'fold')}, {seeds}" if about.folds > 1 else f"one split, {seeds}",
        "protocol: paper (numbers too good)" if results.is_paper else "tested on real images only",
    ]
    return ", ".join(part for part in parts if part)


def _warnings(results: Comparison) -> list[str]:
    said = list(results.warnings)
    found = [PAPER_FLAW] if results.is_paper and not any("too good" in warning for warning in said) else []
    cells = results.cells()
    if cells is not None and (cells.records["origin"] == "phantom").all():
        said.append("The cells are drawings of the phantom: nothing on this page speaks of real cells.")
    if results.about.rarity:
        held = ", ".join(f"{name} to {n:,}" for name, n in results.about.rarity.items())
        said.append(f"Rarity was made: training images were held to a number for {held}. The rest left the experiment.")
    scratch = list(dict.fromkeys(e.classifier for e in results.arms if e.weights == "none"))
    if scratch:
        said.append(f"Trained from scratch, without the published weights: {', '.join(scratch)}.")
    frozen = list(dict.fromkeys(e.classifier for e in results.arms if e.weights == RANDOM_FROZEN))
    if frozen:
        said.append(f"Only the head has learned, on a trunk of random weights: {', '.join(frozen)}.")
    known = [*results.arm_names, *results.classifiers]
    return list(dict.fromkeys([*found, *(sentence(text, known) for text in said)]))


def _not_finished(results: Comparison) -> list[Section]:
    rows = [
        Row(one.arm, [*(Cell(str(v)) for v in (one.classifier, one.fold, one.seed)), Cell(one.error, words=True)])
        for one in results.missing
    ]
    if not rows:
        return []
    caption = "One failure costs the others nothing; an arm with a training that failed has no numbers."
    grid = Grid(["arm", "classifier", "fold", "seed", "what happened"], rows, caption)
    return [Section("Trainings that did not finish", blocks=[grid])]


def _facts(results: Comparison) -> list[tuple[str, str]]:
    about = results.about
    said = [
        *about.versions.items(),
        ("data", about.data),
        ("arms", ", ".join(results.arm_names)),
        ("classifiers", ", ".join(results.classifiers)),
        ("endpoints named before the run", ", ".join(map(str, about.endpoints))),
        ("seeds", ", ".join(map(str, about.seeds))),
        ("folds", str(about.folds)),
        ("protocol", about.protocol),
        ("device", about.device),
        ("date", about.date),
    ]
    return [(name, value) for name, value in said if value]
