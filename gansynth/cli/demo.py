"""`gansynth demo`."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.answering import answer, course
from gansynth.cli.arguments import (
    OUT,
    Number,
    device_option,
    seed_option,
)
from gansynth.cli.screen import OneScreen


@click.command(cls=OneScreen)
@click.option(
    "--out", type=OUT, help="Where the page and the images go.  [default: demo, or demo-2, ... where that is there]"
)
@click.option(
    "--minutes", type=Number(0.05, 600), help="How long to train.  [default: 1; 2.5 without a shipped generator]"
)
@click.option("--force", is_flag=True, help="Replace an earlier demo in --out, its run included.")
@seed_option
@device_option
def demo(out: Path | None, minutes: float | None, force: bool, seed: int, device: str) -> None:
    """Show the whole story in minutes, on phantom cells.

    Draws cells, fine-tunes the generator that ships, balances, and compares what helps a classifier. Needs no data, no
    GPU and no internet; six minutes at most on two cores. Writes one page, report.html, with the pictures, and beside
    each the command that does the same with your own cells.

    \b
    Example:
      gansynth demo
      gansynth demo --out my-first-look --seed 1
    """
    from gansynth.demo import free_name, run_demo

    page = run_demo(free_name() if out is None else out, minutes=minutes, seed=seed, device=device, force=force)
    answer(lambda: {"folder": page.parent, "page": page, **course()}, wrote=f"wrote {page}")
