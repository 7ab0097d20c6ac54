"""`gansynth quiz`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from gansynth.cli.answering import answer, course, warn
from gansynth.cli.arguments import COUNT, EDGE, FOLDER, OUT, seed_option
from gansynth.cli.completing import PATHS
from gansynth.cli.screen import OneScreen
from gansynth.errors import InputError


@click.command(cls=OneScreen)
@click.argument("paths", nargs=-1, metavar="REAL SYNTHETIC | --score ANSWERS...", shell_complete=PATHS)
@click.option("--out", type=OUT, help="A new folder for quiz.html, which readers get, and key.csv, which they do not.")
@click.option("--count", type=COUNT, default=80, show_default=True, help="Cells in all, half of them synthetic.")
@click.option("--size", type=EDGE, help="Show all cells at this edge length.  [default: the smaller of both folders']")
@click.option("--score", is_flag=True, help="Score the ANSWERS that readers saved, a file or more for each.")
@click.option("--key", type=FOLDER, help="With --score: the quiz's folder or key.  [default: beside ANSWERS]")
@seed_option
def quiz(
    paths: tuple[str, ...],
    out: Path | None,
    count: int,
    size: int | None,
    score: bool,
    key: Path | None,
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
        _score(paths, key)
        return
    if len(paths) != 2:
        from gansynth.metrics.wording import counted

        raise InputError(
            f"{counted(len(paths), 'folder')}: give REAL and SYNTHETIC, or --score and the answers that readers saved"
        )
    if key is not None:
        raise InputError("--key belongs to --score; leave it out, or add --score")
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
        warn(warning)
    counts = Counter(cell.class_name for cell in drawn.key.cells)
    n, secret = len(drawn), page.with_name("key.csv")
    answer(
        lambda: {"folder": out, "page": page, "key": secret, "cells": n, "classes": counts, **course()},
        lambda: f"{n} cells in {len(drawn.key.class_names)} classes, {n // 2} real and {n // 2} synthetic",
        f"wrote {page} (for readers) and {secret} (not for them)\n"
        f"score what they save: gansynth quiz --score ANSWERS.csv --key {out}",
    )


def _score(answers: tuple[str, ...], key: Path | None) -> None:
    from gansynth.cli.tables import quiz_table
    from gansynth.studies.quiz import score_quiz

    found = score_quiz(answers, key)
    answer(found.to_json, lambda: quiz_table(found))
