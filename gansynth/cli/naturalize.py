"""`gansynth naturalize`: composites of training images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gansynth.cli.answering import answer, course
from gansynth.cli.arguments import FOLDER, OUT, Whole, device_option, parse_class_counts, parse_count, seed_option
from gansynth.cli.completing import DATA
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError

if TYPE_CHECKING:
    from gansynth.synthesis.naturalize.composing import Paste


@click.command(cls=OneScreen)
@click.argument("data", shell_complete=DATA)
@click.option("--class", "classes", metavar="NAME[=N]", multiple=True, help="Which class; repeatable.")
@click.option("--count", metavar="N", help="Images for each class named without its own number.")
@click.option("--out", type=OUT, required=True, help="Where the class folders and metadata.csv go.")
@click.option("--size", type=Whole(32, 1024), default=128, show_default=True, help="Edge of the images in pixels.")
@click.option("--red-cells", type=Whole(0, 200), default=8, show_default=True, help="Red cells in each image, at most.")
@click.option(
    "--paste",
    cls=Rare,
    type=click.Choice(["density", "alpha"]),
    default="density",
    show_default=True,
    help="How a cell comes onto another slide: its density is added, or its own colours cover what is there.",
)
@click.option(
    "--segmenter",
    cls=Rare,
    type=click.Choice(["classical", "sam"]),
    default="classical",
    show_default=True,
    help="What cuts cells out; sam: Segment Anything, whose package and weights are yours to bring.",
)
@click.option("--weights-dir", cls=Rare, type=FOLDER, help="Folder with the weights of Segment Anything.")
@click.option("--resume", is_flag=True, help="Continue a stopped run of the same command.")
@seed_option
@device_option
def naturalize(
    data: str,
    classes: tuple[str, ...],
    count: str | None,
    out: Path,
    size: int,
    red_cells: int,
    paste: Paste,
    segmenter: str,
    weights_dir: Path | None,
    resume: bool,
    seed: int,
    device: str,
) -> None:
    """Compose new images of a class from cut-out cells.

    A nucleated cell, red cells and a clean slide of DATA's training images are put together to new images; no network
    is trained. metadata.csv names the training images of every part. Validation and test images are never used.

    \b
    Example:
      gansynth naturalize my-cells --class promyelocyte --count 1000 \\
          --out composites
      gansynth naturalize my-cells --class basophil=200 --class promyelocyte=900 \\
          --red-cells 12 --out more
    """
    from gansynth import synthesis
    from gansynth.data.opening import refuse_inside
    from gansynth.synthesis.naturalize import naturalizing
    from gansynth.synthesis.naturalize.parts import training_images

    refuse_inside(data, out)
    training = training_images(data, size, seed=seed, progress=True)
    if not classes:
        raise InputError(f"which class? Add --class NAME; {data} has {', '.join(training.class_names)}")
    counts = parse_class_counts(classes, None if count is None else parse_count(count, "--count"))
    cut, name = synthesis.chosen_segmenter(segmenter, weights_dir, device)
    report = naturalizing.naturalize(
        training,
        counts,
        out,
        seed=seed,
        red_cells=red_cells,
        paste=paste,
        segmenter=cut,
        segmenter_name=name,
        resume=resume,
    )
    answer(lambda: report.to_json() | course(), lambda: str(report), f"wrote {out}")
