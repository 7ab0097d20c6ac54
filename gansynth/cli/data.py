"""`gansynth data ...`: look at, import, crop, split and draw data sets."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.answering import answer, course
from gansynth.cli.arguments import (
    FOLDER,
    OUT,
    SHARE,
    Number,
    Whole,
    device_option,
    out_folder,
    parse_counts,
    parse_sources,
    seed_option,
)
from gansynth.cli.completing import CELL_DETECTOR
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError
from gansynth.files import holding
from gansynth.runs.display import WorkDisplay


@click.group()
def data() -> None:
    """Look at, import, crop, split and draw data sets."""


@data.command(cls=OneScreen)
@click.argument("folder", metavar="DIR", type=FOLDER)
def info(folder: Path) -> None:
    """Show counts per class, sizes, duplicates, bad files.

    DIR holds one folder of images per class (class/image.png); folders may be nested.

    \b
    Example:
      gansynth data info my-cells
      gansynth data info my-cells --json > my-cells.json
    """
    from gansynth.data.info import dataset_info

    report = dataset_info(folder, progress=True)
    answer(report.to_json, report.to_text)


@data.command(cls=OneScreen)
@click.argument("folder", metavar="DIR", type=FOLDER)
@out_folder
def dedupe(folder: Path, out: Path) -> None:
    """Write a data set in which of duplicates one stays.

    DIR stays as it is. OUT gets the images that are kept (as links where possible), metadata.csv and splits.csv with
    their lines, and left_out.csv, which says of every other image why it was left out and which one stands for it.

    \b
    Example:
      gansynth data dedupe my-cells my-cells-once
    """
    from gansynth.data.leaving_out import dedupe as write_without_duplicates

    report = write_without_duplicates(folder, out, progress=True)
    answer(lambda: {"folder": out, **report.to_json(), **course()}, report.to_text, f"wrote {out}")


@data.command(cls=OneScreen)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--out", type=OUT, required=True, help="A new folder for review.html; with --apply for the data set.")
@click.option("--class", "classes", metavar="NAME", multiple=True, help="Show this class only; repeatable.")
@click.option("--only-found", is_flag=True, help="Show only images in which something was found.")
@click.option(
    "--apply",
    "marks",
    metavar="CSV",
    type=FOLDER,
    multiple=True,
    help="Write DIR without the images that this file marks; repeatable, one for each expert.",
)
@click.option("--size", type=Whole(16, 1024), default=128, show_default=True, help="Open images at this edge.")
def review(
    folder: Path, out: Path, classes: tuple[str, ...], only_found: bool, marks: tuple[Path, ...], size: int
) -> None:
    """Look through a data set by eye, and mark images.

    A page shows every image, class by class; on it you mark what to leave out. Those come first in which something was
    found: a duplicate, a second nucleus beside the cell, a cell that the border cuts. Nothing is marked for you. The
    marks are saved as a CSV, and --apply writes the data set without these images, as `data dedupe` does: DIR stays as
    it is.

    \b
    Example:
      gansynth data review my-cells --out review
      gansynth data review my-cells --apply marks.csv --out my-cells-reviewed
    """
    if marks:
        from gansynth.data.leaving_out import leave_out

        if classes or only_found:
            raise click.UsageError("--apply takes marks of the whole data set; leave --class and --only-found out")
        report = leave_out(folder, marks, out, size=size, progress=True)
        answer(lambda: {"folder": out, **report.to_json(), **course()}, report.to_text, f"wrote {out}")
        return
    from gansynth.data import open_dataset
    from gansynth.data.opening import refuse_inside
    from gansynth.report.review.page import suspects, write_review

    refuse_inside(folder, out)
    dataset = open_dataset(folder, size=size, progress=True, splits=False)
    found = suspects(dataset, progress=True)
    page = write_review(dataset, out, found, classes=classes, only_found=only_found)
    answer(
        lambda: {"folder": out, "page": page, "images": len(dataset), "found": len(found), **course()},
        lambda: (
            f"something was found in {len(found):,} of {len(dataset):,} images; look at them before you leave any out"
        ),
        f"wrote {page}",
    )


@data.command(cls=OneScreen, name="import")
@out_folder
@click.option(
    "--source",
    "sources",
    metavar="KIND=PATH",
    multiple=True,
    required=True,
    help="A published set as downloaded: pbc, munich, bone-marrow, bloodmnist, or folders. Repeat to merge several.",
)
@click.option(
    "--classes",
    type=click.Choice(["8", "11", "12"]),
    help="Which classes to make: 8 or 11 of abouali2023, 12 of hazra2022. Default: every cell type is a class.",
)
def import_(out: Path, sources: tuple[str, ...], classes: str | None) -> None:
    """Turn published data sets into one of class folders.

    They are taken as downloaded. Writes class folders and metadata.csv into OUT, and shows the counts before and after
    merging.

    \b
    Example:
      gansynth data import --source pbc=PBC_dataset_normal_DIB --classes 11 cells
      gansynth data import --source pbc=PBC \\
          --source munich=AML-Cytomorphology_LMU --classes 12 cells
    """
    from gansynth.data.sources import import_sources

    report = import_sources(parse_sources(sources), out, scheme=classes)
    answer(lambda: report.to_json() | course(), report.to_text, f"wrote {out}")


@data.command(cls=OneScreen)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--test", type=SHARE, default=0.2, show_default=True, help="Share kept for testing.")
@click.option("--val", type=SHARE, default=0.1, show_default=True, help="Share kept for validation.")
@click.option(
    "--group",
    metavar="COLUMN",
    default="group",
    show_default=True,
    help="Column of metadata.csv, such as patient, that never straddles a split.",
)
@click.option(
    "--seen-by",
    "generators",
    metavar="RUN",
    multiple=True,
    help="Keep for training what this generator has learned from, so that training may begin with it; repeatable.",
)
@click.option("--force", is_flag=True, help="Replace a splits.csv that is there; the old one is kept beside.")
@seed_option
@holding("folder")
def split(
    folder: Path, test: float, val: float, group: str, generators: tuple[str, ...], force: bool, seed: int
) -> None:
    """Divide a data set into train, val and test.

    Writes splits.csv beside the classes. Every class is divided in the same proportions. Duplicates and groups stay on
    one side.

    \b
    Example:
      gansynth data split my-cells
      gansynth data split my-cells --test 0.25 --val 0 --group patient --seed 1 \\
          --force
      gansynth data split my-cells --seen-by pbc-64
    """
    from gansynth.data import open_dataset
    from gansynth.data.split import SPLITS, refuse_second_split, split_dataset, write_splits

    refuse_second_split(folder, force)
    seen: frozenset[str] = frozenset()
    if generators:
        from gansynth.gans import open_run

        seen = seen.union(*(open_run(generator).training_sha256 for generator in generators))
    dataset = split_dataset(
        open_dataset(folder, progress=True, splits=False),
        test=test,
        val=val,
        seed=seed,
        groups=group,
        seen=seen,
        progress=True,
    )
    written = write_splits(dataset, folder, force=force)
    counts = {part: dataset.counts((dataset.records["split"] == part).to_numpy()) for part in SPLITS}
    answer(
        lambda: {"file": written, **counts, **course()},
        lambda: "\n".join(f"{part:<6}{sum(counts[part].values()):>8,} images" for part in SPLITS),
        f"wrote {written}",
    )


@data.command(cls=OneScreen)
@click.argument("smears", type=FOLDER)
@out_folder
@click.option(
    "--cell-diameter",
    metavar="PIXELS",
    type=Number(4, 4000),
    help="Width of a usual red cell in the fields; default: measured in them.",
)
@click.option("--size", type=Whole(16, 1024), default=224, show_default=True, help="Edge length of a cell's image.")
@click.option(
    "--red-frame",
    cls=Rare,
    metavar="DIAMETERS",
    type=Number(0.5, 20),
    default=1.5,
    show_default=True,
    help="Red cells' diameters that fit into a red cell's image: enlargement is size / (frame x diameter).",
)
@click.option(
    "--white-frame",
    cls=Rare,
    metavar="DIAMETERS",
    type=Number(0.5, 20),
    default=3.0,
    show_default=True,
    help="The same for a white cell's image.",
)
@click.option(
    "--surround",
    type=click.Choice(["zero", "smear"]),
    default="smear",
    show_default=True,
    help="What lies around the cell's box: black, or the smear itself.",
)
@click.option("--whole-only", is_flag=True, help="Write no image of a cell that the field's border cuts.")
@click.option(
    "--boxes",
    "cut_from",
    type=click.Choice(["found", "drawn"]),
    default="found",
    show_default=True,
    help="Cut what is found, or what is drawn in Pascal VOC files.",
)
@click.option(
    "--finder",
    cls=Rare,
    type=click.Choice(["learned", "classical"]),
    default="learned",
    show_default=True,
    help="Who finds: a small network taught on people's boxes, or nuclear stain and Hough's circles.",
)
@click.option(
    "--detector",
    cls=Rare,
    metavar="FOLDER",
    shell_complete=CELL_DETECTOR,
    help="A learned finder of your own instead of the one that ships; see docs/smear.md for how it is taught.",
)
@click.option(
    "--annotations",
    metavar="DIR",
    type=FOLDER,
    help="Where the Pascal VOC files are; default: beside the images, or in a folder Annotations beside theirs.",
)
@click.option(
    "--super-resolution",
    cls=Rare,
    metavar="FILE",
    type=FOLDER,
    help="Weights of a network that enlarges (needs the package spandrel); default: Lanczos's filter.",
)
@device_option
def crop(
    smears: Path,
    out: Path,
    cell_diameter: float | None,
    size: int,
    red_frame: float,
    white_frame: float,
    surround: str,
    whole_only: bool,
    cut_from: str,
    finder: str,
    detector: str | None,
    annotations: Path | None,
    super_resolution: Path | None,
    device: str,
) -> None:
    """Cut the white and the red cells out of smear fields.

    Each cell becomes an image. SMEARS is an image, or a folder of fields of one magnification. OUT gets cells/ (a data
    set: one folder per class, the field as group), boxes.csv, annotations/ (Pascal VOC) and overlays/ to check by eye.
    Where Pascal VOC files are present, what is found is scored against them.

    \b
    Example:
      gansynth data crop smears cut
      gansynth data crop smears cut --whole-only --size 128
      gansynth data crop smears cut --boxes drawn --annotations smears/Annotations
    """
    from gansynth.smears.cropping import CropSettings, crop_smears
    from gansynth.smears.cut import Surround
    from gansynth.smears.finding import Finder

    settings = CropSettings(
        size, red_frame, white_frame, Surround(surround), whole_only, cut_from, Finder(finder), detector
    )
    with WorkDisplay("fields") as display:
        report = crop_smears(
            smears,
            out,
            settings,
            cell_diameter=cell_diameter,
            annotations=annotations,
            super_resolution=super_resolution,
            device=device,
            on_field=display.update,
        )
    answer(report.to_json, report.to_text, f"wrote {out}")


@data.command(cls=OneScreen)
@out_folder
@click.option(
    "--counts", metavar="CLASS=N,...", help="Cells per class; default: the twelve classes of hazra2022, scaled down."
)
@click.option("--size", type=Whole(16, 512), default=128, show_default=True, help="Edge length in pixels.")
@seed_option
def phantom(out: Path, counts: str | None, size: int, seed: int) -> None:
    """Draw phantom blood cells: class folders for trying things out. They are not real cells.

    \b
    Example:
      gansynth data phantom phantom-cells
      gansynth data phantom phantom-cells \\
          --counts neutrophil=100,eosinophil=60,basophil=8 --seed 1
    """
    from gansynth.data.phantom import PHANTOM_COUNTS, write_phantom

    wanted = PHANTOM_COUNTS if counts is None else parse_counts(counts, "--counts")
    if not wanted:
        raise InputError("--counts: empty; write for example basophil=20,promyelocyte=30")
    write_phantom(out, wanted, size, seed)
    answer(lambda: {"folder": out, "classes": wanted, "size": size, **course()}, wrote=f"wrote {out}")
