"""`gansynth sheet`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gansynth.cli.answering import answer, course, warn
from gansynth.cli.arguments import EDGE, OUT_FILE, Whole, seed_option
from gansynth.cli.completing import DATA, IMAGES_FOLDER
from gansynth.cli.screen import OneScreen

if TYPE_CHECKING:
    from gansynth.studies.contact_sheet import Sort


@click.command(cls=OneScreen)
@click.argument("folder", shell_complete=IMAGES_FOLDER)
@click.option("--out", type=OUT_FILE, default=Path("sheet.png"), show_default=True, help="The picture, a PNG.")
@click.option("--beside", metavar="REAL", shell_complete=DATA, help="Show real cells of the same class beside them.")
@click.option(
    "--pairs", is_flag=True, help="Show under each cell its nearest training image in REAL, and how far it is."
)
@click.option(
    "--sort",
    type=click.Choice(["name", "random", "confidence", "nearest"]),
    default="name",
    show_default=True,
    help="Which cells come first: least confident, or nearest to a training image.",
)
@click.option("--per-class", type=Whole(1, 100), default=8, show_default=True, help="Cells of each class and side.")
@click.option(
    "--size", type=EDGE, help="Edge length of the cells in pixels.  [default: that of the images, at most 256]"
)
@seed_option
def sheet(
    folder: str, out: Path, beside: str | None, pairs: bool, sort: Sort, per_class: int, size: int | None, seed: int
) -> None:
    """Show a folder of cells as a contact sheet, by class.

    \b
    Example:
      gansynth sheet synthetic --beside my-cells --out sheet.png
      gansynth sheet synthetic --beside my-cells --sort nearest --pairs \\
          --out nearest.png
      gansynth sheet synthetic --sort confidence --out doubtful.png

    FOLDER holds images per class, or images alone. Where REAL has a split, cells stand beside its validation and test
    images, and the nearest ones are looked for among its training images.
    """
    from gansynth.data.opening import refuse_inside
    from gansynth.report.contact_sheet import write_contact_sheet
    from gansynth.studies.contact_sheet import contact_sheet

    for data in (folder, *([] if beside is None else [beside])):
        refuse_inside(data, out)
    found = contact_sheet(
        folder, beside, sort=sort, pairs=pairs, per_class=per_class, size=size, seed=seed, progress=True
    )
    for warning in found.warnings:
        warn(warning)
    picture = write_contact_sheet(found, out)
    shown = {one.name: {"images": one.count, "shown": len(one.cells), "beside": len(one.real)} for one in found.classes}
    answer(lambda: {"picture": picture, "classes": shown, **course()}, wrote=f"wrote {picture}")
