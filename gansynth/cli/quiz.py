"""`gansynth quiz`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gansynth.cli.arguments import COUNT, EDGE, FOLDER, OUT, seed_option
from gansynth.cli.completing import PATHS
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError


@click.command(cls=OneScreen)
@click.argument("paths", nargs=-1, metavar="REAL SYNTHETIC | --score ANSWERS...", shell_complete=PATHS)
@click.option("--out", type=OUT, help="A new folder for quiz.html, which readers get, and key.csv, which they do not.")
@click.option("--count", type=COUNT, default=80, show_default=True, help="Cells in all, half of them synthetic.")
@click.option("--size", type=EDGE, help="Show all cells at this edge length.  [default: the smaller of both folders']")
@click.option("--score", is_flag=True, help="Score the ANSWERS that readers saved, a file or more for each.")
@click.option("--key", type=FOLDER, help="With --score: the quiz's folder or key.  [default: beside ANSWERS]")
@click.option("--json", "as_json", cls=Rare, is_flag=True, help="With --score: print one JSON object.")
@seed_option
def quiz(
    paths: tuple[str, ...],
    out: Path | None,
    count: int,
    size: int | None,
    score: bool,
    key: Path | None,
    as_json: bool,
    seed: int,
) -> None:
    """Ask experts which cells are real and which synthetic.

    \b
    Example:
      gansynth quiz my-cells synthetic --out quiz
      gansynth quiz --score answers-anna.csv answers-ben.csv --key quiz

    Writes one page that works in any browser, without a network: a cell at a time, real or synthetic, and which class?
    Every class has as many real cells as synthetic ones, in random order; the answers are not in the page. Where REAL
    has a split, only its validation and test images are shown.

    --score gives each reader's accuracy and d' (0: guessing) with its interval, and how often the class was named, of
    real and of synthetic cells.
    """
    if score:
        if out is not None:
            raise InputError("--out is where a quiz is written; with --score, name it with --key")
        _score(paths, key, as_json)
        return
    if len(paths) != 2:
        raise InputError(
            f"{len(paths)} folders: give REAL and SYNTHETIC, or --score and the answers that readers saved"
        )
    if key is not None or as_json:
        raise InputError("--key and --json belong to --score; leave them out, or add --score")
    if out is None:
        raise InputError("where to? Add --out DIR, a new folder")
    _write(paths[0], paths[1], out, count, size, seed)


def _write(real: str, synthetic: str, out: Path, count: int, size: int | None, seed: int) -> None:
    from gansynth.data.opening import refuse_inside
    from gansynth.report.quiz.page import write_quiz
    from gansynth.studies.quiz import draw_quiz

    refuse_inside(real, out)
    refuse_inside(synthetic, out)
    drawn = draw_quiz(real, synthetic, count=count, seed=seed, size=size, progress=True)
    page = write_quiz(drawn, out)
    for warning in drawn.warnings:
        click.echo(f"warning: {warning}", err=True)
    n = len(drawn)
    click.echo(f"{n} cells in {len(drawn.key.class_names)} classes, {n // 2} real and {n // 2} synthetic")
    click.echo(f"wrote {page} (for readers) and {page.with_name('key.csv')} (not for them)")
    click.echo(f"score what they save: gansynth quiz --score ANSWERS.csv --key {out}")


def _score(answers: tuple[str, ...], key: Path | None, as_json: bool) -> None:
    from gansynth.cli.tables import quiz_table
    from gansynth.studies.quiz import score_quiz

    found = score_quiz(answers, key)
    click.echo(json.dumps(found.to_json(), ensure_ascii=False) if as_json else quiz_table(found))
