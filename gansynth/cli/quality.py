"""`gansynth quality`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gansynth.cli.answering import answer, answers_in_json
from gansynth.cli.arguments import (
    COUNT,
    EDGE,
    FOLDER,
    OUT,
    Command,
    device_option,
    seed_option,
    typed_command,
)
from gansynth.cli.completing import CELL_ENCODER, DATA, GENERATOR, IMAGES_FOLDER
from gansynth.cli.screen import OneScreen, Rare


def measuring_options(command: Command) -> Command:
    """Add what `quality` and `benchmark` measure by: encoder, pairing, size, weights."""
    for option in reversed(
        (
            click.option(
                "--encoder",
                shell_complete=CELL_ENCODER,
                cls=Rare,
                default="auto",
                show_default=True,
                help="Cell encoder of FD-cell, KD-cell, precision and recall: one of the zoo, a folder, or `own`, "
                "trained on the real training images. auto: the zoo's where it was trained on these images, else own.",
            ),
            click.option(
                "--pairing",
                cls=Rare,
                type=click.Choice(["one-to-one", "random", "nearest"]),
                default="one-to-one",
                show_default=True,
                help="Which real image a synthetic one is compared with for LPIPS, PSNR, SSIM, l1, l2.",
            ),
            click.option("--size", cls=Rare, type=EDGE, help="Compare at this edge length.  [default: the smallest]"),
            click.option(
                "--weights-dir",
                cls=Rare,
                type=FOLDER,
                help="Where Inception's and AlexNet's weights are (docs/weights.md).",
            ),
            click.option(
                "--dinobloom", cls=Rare, type=FOLDER, metavar="FILE", help="DinoBloom's weight file, for FD-dinobloom."
            ),
        )
    ):
        command = option(command)
    return command


@click.command(cls=OneScreen)
@click.argument("real", shell_complete=DATA)
@click.argument("synthetic", shell_complete=IMAGES_FOLDER)
@click.option("--out", type=OUT, help="A folder for tables, pictures and report.html.")
@click.option(
    "--run",
    metavar="RUN",
    shell_complete=GENERATOR,
    help="The run that made the images; refused if it saw the held-out images.  [default: looked for, in the zoo and "
    "beside both folders, by the model that metadata.csv names]",
)
@measuring_options
@click.option(
    "--sample",
    type=COUNT,
    help="Measure at most so many held-out real and synthetic images of each class, drawn at random; copies are looked "
    "for among all training images.  [default: all]",
)
@seed_option
@device_option
def quality(
    real: str,
    synthetic: str,
    out: Path | None,
    **options: Any,
) -> None:
    """Measure how good synthetic images are, class by class.

    REAL and SYNTHETIC are folders of images per class, or of images alone; they need not come from gansynth. Where
    REAL has a split, its validation and test images are the measure, its training images are what copies are looked
    for among.

    \b
    Example:
      gansynth quality my-cells synthetic --out quality
      gansynth quality my-cells synthetic --json > quality.json
    """
    from gansynth.cli.tables import quality_table
    from gansynth.data.opening import refuse_inside
    from gansynth.studies.quality import study

    if out is not None:
        refuse_inside(real, out)
        refuse_inside(synthetic, out)
    found = study.quality(real, synthetic, **options)
    found = replace(found, about=replace(found.about, command=typed_command()))
    answer(found.to_json, lambda: quality_table(found))
    if out is not None:
        from gansynth.report.quality.page import write_quality_page

        found.write(out)
        page = write_quality_page(out)
        click.echo(f"wrote {page}", err=answers_in_json())
