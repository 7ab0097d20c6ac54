"""The page of `search-remedy`: whether any parameters of a remedy are worth a comparison, and which."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from gansynth.files.atomic import write_text
from gansynth.metrics.wording import counted, inside, p_value, places, share, signed, signed_ends
from gansynth.remedies.arm import NONE
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Row, Text
from gansynth.report.drawing import opaque
from gansynth.report.numbers import listed, sentence
from gansynth.report.page import Page, Section, write_page
from gansynth.report.search.chart import trials_chart
from gansynth.studies.search.result import CHOSEN_BY, CandidateResult, OverFolds, RemedySearch

FEW_FOLDS = 3
"""Folds below which the test of a difference says next to nothing."""


def write_search_page(folder: Path | str) -> Path:
    """Write `report.html` and the figure as SVG into a folder that `search-remedy` wrote, and return the page's path.

    Raises
    ------
    InputError
        If the folder does not hold what `search-remedy` writes.
    """
    folder = Path(folder)
    search = RemedySearch.read(folder)
    drawn = trials_chart(search) if search.highest is not None else ""
    if drawn:
        write_text(folder / "trials.svg", opaque(drawn))
    return write_page(folder / "report.html", search_page(search, drawn))


def search_page(search: RemedySearch, drawn: str) -> Page:
    """Compose the page from what was searched, and its figure; an empty figure is left out."""
    arms = [row.arm for row in search.rows]
    return Page(
        title=f"Which parameters of {search.settings.remedy}?",
        subtitle=_subtitle(search),
        verdict=sentence(search.verdict(), arms),
        findings=search_findings(search),
        warnings=_warnings(search),
        sections=[_tried(search, drawn), *_failed(search)],
        lead=1,
        commands=_commands(search),
        commands_title="Next",
        facts=_facts(search),
        wide=True,
    )


def search_findings(search: RemedySearch) -> list[str]:
    """Count the candidates that the folds show to be better, or worse, than the first arm beside the search."""
    searched = [row for row in search.whole if row.values]
    if not searched:
        return []
    against = search.against
    better = [row.arm for row in searched if row.gain.shown]
    worse = [row.arm for row in searched if row.gain.interval[1] is not None and row.gain.interval[1] < 0]
    higher = sum(row.gain.value is not None and row.gain.value > 0 for row in searched)
    if better:
        first = f"Shown by the folds to be better than {against}: {listed(better)}, of {len(searched)} that were tried."
    else:
        first = f"The folds show none of the {len(searched)} candidates to be better than {against}"
        first += (
            f"; {higher} {'has' if higher == 1 else 'have'} a higher mean." if higher else ", nor is any mean higher."
        )
    return [first, *([f"Shown to be worse: {listed(worse)}."] if worse else [])]


def _subtitle(search: RemedySearch) -> str:
    classes = search.about.classes
    classifier, n = search.settings.recipe.get("name", ""), sum(1 for row in search.rows if row.values)
    return (
        f"{counted(n, 'candidate')} with {classifier}, cross-validated in {search.settings.folds} folds of "
        f"the training split ({sum(classes.values()):,} images of {len(classes)} classes); validation and test images "
        "were not looked at"
    )


def _warnings(search: RemedySearch) -> list[str]:
    said = []
    if search.settings.folds < FEW_FOLDS:
        said.append(f"{search.settings.folds} folds say little of how sure a difference is; five are usual.")
    if search.settings.rarity:
        held = ", ".join(f"{name} to {n:,}" for name, n in search.settings.rarity.items())
        said.append(f"Rarity was made: training images were held to a number for {held}.")
    return said


def _tried(search: RemedySearch, drawn: str) -> Section:
    blocks: list[Block] = [_table(search)]
    if drawn:
        caption = (
            f"The {CHOSEN_BY} of each candidate in the order in which they were tried, the best so far, and (dashed) "
            f"what was not searched. Bars: 95% interval of the difference from {search.against}, drawn from its line; "
            "a bar that does not meet the line shows a difference. Filled: the candidate worth a comparison."
        )
        blocks.append(Drawings([Drawing(drawn, caption, "Score by trial")]))
    return Section("What was tried", blocks=blocks)


def _table(search: RemedySearch) -> Grid:
    ends = [row.gain.interval for row in search.rows if row.arm != search.against]
    decimals = places(*(high - low for low, high in ends if low is not None and high is not None))
    number = {row.arm: k for k, row in search.tried}
    rows = []
    for row in search.rows:
        named = "none (as they are)" if row.arm == NONE else row.arm
        missing = search.settings.folds - row.folds
        small = f"{missing} of {search.settings.folds} folds missing" if missing else ""
        shown = f"{number[row.arm]}. {named}" if row.values else named
        is_best = search.best is not None and row.arm == search.best.arm
        rows.append(Row(shown, _cells(row, decimals, is_best, search.against), "" if row.values else "mean", small))
    head = ["trial", CHOSEN_BY, "difference", "p", f"recall of {search.about.rarest}", "accuracy", "best epoch"]
    under = ["", "mean ± sd", f"from {search.against}", "of the folds", "the rarest class", "", ""]
    caption = (
        f"Means and standard deviations over the folds. Differences in {inside(CHOSEN_BY)} with 95% intervals and p of "
        "the t-test corrected for training images that folds share (Nadeau and Bengio 2003), not corrected for the "
        "number of candidates. Grey: not searched. Bold: worth a comparison."
    )
    return Grid(head, rows, caption, under=under)


def _cells(row: CandidateResult, decimals: int, is_best: bool, against: str) -> list[Cell]:
    low, high = row.gain.interval
    known = None if low is None or high is None else (low, high)
    first = row.arm == against
    return [
        _over_folds(row.scores[CHOSEN_BY], decimals, is_best),
        Cell("–") if first else Cell(signed(row.gain.value, decimals), signed_ends(known, decimals)),
        Cell("–" if first else p_value(row.gain.p)),
        _over_folds(row.recall, decimals),
        _over_folds(row.scores["accuracy"], decimals),
        Cell(share(row.epoch, 1)),
    ]


def _over_folds(found: OverFolds, decimals: int, best: bool = False) -> Cell:
    return Cell(share(found.mean, decimals), "" if found.sd is None else f"± {share(found.sd, decimals)}", best=best)


def _failed(search: RemedySearch) -> list[Section]:
    if not search.failed:
        return []
    rows = [Row(cell, [Cell(error, words=True)]) for cell, error in search.failed.items()]
    grid = Grid(["training", "what happened"], rows, "The same command with --resume tries them again.")
    return [Section("Trainings that failed", blocks=[Text("One failure costs the others nothing."), grid])]


def _commands(search: RemedySearch) -> list[tuple[str, str]]:
    found = []
    if search.best is not None:
        arms = ",".join(dict.fromkeys([search.against, search.best.arm]))
        words = ["gansynth", "compare", search.about.data or "my-cells", "--remedies", arms]
        recipe, rarity = search.settings.recipe, search.settings.rarity
        words += ["--classifiers", str(recipe.get("name", ""))]
        words += ["--size", str(recipe["resolution"])] if "resolution" in recipe else []
        words += ["--rarity", ",".join(f"{name}={n}" for name, n in rarity.items())] if rarity else []
        words += ["--seed", str(search.settings.seed), "--out", "compared"]
        found.append((shlex.join(words), "Compare the best on images that were not searched"))
    if search.about.command:
        found.append((search.about.command, "Search again, or continue with --resume; values may be added"))
    return found


def _facts(search: RemedySearch) -> list[tuple[str, str]]:
    of, about = search.settings, search.about
    said = [
        ("gansynth", of.gansynth),
        ("data", about.data),
        ("training split, sha256", of.data_sha256),
        (
            "images of a fold",
            f"{_span(about.learned_from)} to learn from, {_span(about.scored_on)} scored",
        ),
        ("seed", str(of.seed)),
    ]
    return [(name, value) for name, value in said if value]


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
