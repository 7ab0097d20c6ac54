"""`gansynth demo`."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.arguments import (
    OUT,
    Number,
    device_option,
    seed_option,
)


@click.command()
@click.option("--out", type=OUT, default=Path("demo"), show_default=True, help="Where the page and the images go.")
@click.option("--minutes", type=Number(0.05, 600), default=2.5, show_default=True, help="How long to train.")
@seed_option
@device_option
def demo(out: Path, minutes: float, seed: int, device: str) -> None:
    """Show the whole story in minutes, on phantom cells.

    Draws cells, trains a generator, balances, takes a first look at quality. Needs no data, no GPU and
    no internet; four minutes or so on two cores, six on a slow or busy machine. Writes one page, report.html, with the
    pictures, and beside each the command that does the same with your own cells.

    \b
    Example:
      gansynth demo
      gansynth demo --out my-first-look --seed 1
    """
    from gansynth.demo import run_demo

    page = run_demo(out, minutes=minutes, seed=seed, device=device)
    click.echo(f"wrote {page}")
