"""`gansynth data nuclei`: the nuclei of a data set as a table."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.answering import answer
from gansynth.cli.arguments import (
    COUNT,
    OUT,
    Whole,
    seed_option,
)
from gansynth.cli.completing import DATA
from gansynth.cli.screen import OneScreen, Rare
from gansynth.runs.display import WorkDisplay


@click.command(cls=OneScreen)
@click.argument("data", shell_complete=DATA)
@click.option("--out", type=OUT, required=True, help="Where nuclei.csv, outlines.png and report.json go.")
@click.option(
    "--size",
    type=Whole(32, 1024),
    default=128,
    show_default=True,
    help="Edge of the images in pixels; nuclei are cut at 112 to 160.",
)
@click.option("--jobs", cls=Rare, type=COUNT, help="Processes.  [default: as many as there are cores]")
@seed_option
def nuclei(data: str, out: Path, size: int, jobs: int | None, seed: int) -> None:
    """Measure the nucleus of every cell: lobes, shape, colour, texture.

    DATA holds single cells, each in the middle of its image. nuclei.csv has a row for each image with what was
    measured, or why the cell could not be cut out; outlines.png shows cells of each class, drawn at random by the
    seed, with the outlines of nucleus and cell: look at it before you trust the table.

    \b
    Example:
      gansynth data nuclei my-cells --out nuclei
      gansynth data nuclei my-cells --out nuclei --size 224 --json > nuclei.json
    """
    from gansynth.cells.nuclei_folder import write_nuclei
    from gansynth.data.opening import open_dataset, refuse_inside

    refuse_inside(data, out)
    dataset = open_dataset(data, size, progress=True)
    with WorkDisplay("cells") as display:
        report = write_nuclei(dataset, out, seed=seed, jobs=jobs, progress=display.update)
    answer(report.to_json, report.to_text, f"wrote {out}")
