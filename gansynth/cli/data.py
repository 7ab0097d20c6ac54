"""`gansynth data ...`: look at, import, split and draw data sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gansynth.cli.arguments import FOLDER, parse_counts_list, parse_sources, seed_option


@click.group()
def data() -> None:
    """Look at, import, split and draw data sets."""


@data.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else.")
def info(folder: Path, as_json: bool) -> None:
    """Show counts per class, the imbalance ratio, sizes, duplicates and unreadable files.

    DIR holds one folder of images per class (class/image.png); folders may be nested.

    \b
    Example:
      gansynth data info my-cells
      gansynth data info my-cells --json > my-cells.json
    """
    from gansynth.data.info import dataset_info

    report = dataset_info(folder)
    click.echo(json.dumps(report.to_json()) if as_json else report.to_text())


@data.command("import")
@click.argument("out", type=FOLDER)
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
    """Turn published data sets, as downloaded, into one data set of class folders.

    Writes class folders and metadata.csv into OUT, and shows the counts before and after merging.

    \b
    Example:
      gansynth data import --source pbc=PBC_dataset_normal_DIB --classes 11 cells
      gansynth data import --source pbc=PBC --source munich=AML-Cytomorphology_LMU --classes 12 cells
    """
    from gansynth.data.sources import import_sources

    report = import_sources(parse_sources(sources), out, scheme=classes)
    click.echo(report.to_text())
    click.echo(f"wrote {out}")


@data.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--test", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Share kept for testing.")
@click.option("--val", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share kept for validation.")
@click.option(
    "--group",
    metavar="COLUMN",
    default="group",
    show_default=True,
    help="Column of metadata.csv, such as patient, that never straddles a split.",
)
@seed_option
def split(folder: Path, test: float, val: float, group: str, seed: int) -> None:
    """Divide a data set into train, val and test; write splits.csv beside its classes.

    Every class is divided in the same proportions. Duplicates and groups stay on one side.

    \b
    Example:
      gansynth data split my-cells
      gansynth data split my-cells --test 0.25 --val 0 --group patient --seed 1
    """
    from gansynth.data import open_dataset
    from gansynth.data.split import split_dataset, write_splits

    dataset = split_dataset(
        open_dataset(folder, progress=True, splits=False), test=test, val=val, seed=seed, groups=group
    )
    written = write_splits(dataset, folder)
    for part in ("train", "val", "test"):
        click.echo(f"{part:<6}{int((dataset.records['split'] == part).sum()):>8,} images")
    click.echo(f"wrote {written}")


@data.command()
@click.argument("out", type=FOLDER)
@click.option(
    "--counts", metavar="CLASS=N,...", help="Cells per class; default: the twelve classes of hazra2022, scaled down."
)
@click.option("--size", type=click.IntRange(16, 512), default=128, show_default=True, help="Edge length in pixels.")
@seed_option
def phantom(out: Path, counts: str | None, size: int, seed: int) -> None:
    """Draw phantom blood cells: class folders for trying things out. They are no real cells.

    \b
    Example:
      gansynth data phantom phantom-cells
      gansynth data phantom phantom-cells --counts neutrophil=100,eosinophil=60,basophil=8 --seed 1
    """
    from gansynth.data.phantom import PHANTOM_COUNTS, write_phantom

    write_phantom(out, parse_counts_list(counts) or PHANTOM_COUNTS, size, seed)
    click.echo(f"wrote {out}")
