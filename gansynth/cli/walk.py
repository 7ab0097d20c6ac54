"""`gansynth walk`."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.answering import answer, course
from gansynth.cli.arguments import OUT_FILE, TRUNCATION, Whole, device_option, parse_names, seed_option
from gansynth.cli.completing import GENERATOR
from gansynth.cli.screen import OneScreen
from gansynth.errors import InputError


@click.command(cls=OneScreen)
@click.argument("run", shell_complete=GENERATOR)
@click.option("--classes", metavar="A[,B,...]", required=True, help="One class, or those to walk through in turn.")
@click.option(
    "--out", type=OUT_FILE, default=Path("walk.gif"), show_default=True, help="The GIF; a strip lies beside it."
)
@click.option("--cells", type=Whole(2, 50), default=3, show_default=True, help="Of one class: how many cells to pass.")
@click.option("--steps", type=Whole(1, 500), default=24, show_default=True, help="Frames from one cell to the next.")
@click.option("--truncation", metavar="SHARE", type=TRUNCATION, default=1.0, show_default=True, help="As for generate.")
@seed_option
@device_option
def walk(run: str, classes: str, out: Path, cells: int, steps: int, truncation: float, seed: int, device: str) -> None:
    """Walk from one synthetic cell to the next, as a GIF.

    \b
    Example:
      gansynth walk pbc-64 --classes promyelocyte --out promyelocytes.gif
      gansynth walk pbc-64 --classes promyelocyte,myelocyte,metamyelocyte \\
          --out maturing.gif

    At every stop stands the cell that `generate` makes for the class and the seed. A generator that has learned passes
    through cells; one that has learned by heart jumps from one to the other. A walk between classes needs a recipe of
    the compact family. It shows what the generator connects, not how cells mature.
    """
    from gansynth import gans
    from gansynth.gans.walk import stops_of
    from gansynth.gans.walk import walk as walked
    from gansynth.report.walk import write_walk

    names = parse_names(classes)
    if not names:
        raise InputError("--classes: empty; name one class, or several separated by commas")
    found = walked(gans.open_run(run), stops_of(names, cells, seed), steps=steps, truncation=truncation, device=device)
    gif, strip = write_walk(found, out)
    stops = [{"class": name, "seed": k, "frame": frame} for (name, k), frame in zip(found.stops, found.at, strict=True)]
    answer(
        lambda: {"gif": gif, "strip": strip, "frames": len(found.frames), "stops": stops, **course()},
        wrote=f"wrote {gif} and {strip}",
    )
