"""`gansynth generate` and `gansynth balance`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gansynth.cli.answering import answer, course, forecast_of
from gansynth.cli.arguments import (
    OUT,
    SHARE,
    TRUNCATION,
    Number,
    device_option,
    dry_run_option,
    parse_class_counts,
    parse_count,
    seed_option,
)
from gansynth.cli.completing import DATA, GENERATOR
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError

if TYPE_CHECKING:
    from gansynth.synthesis import BalanceReport, GenerationReport


def _screening_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--keep-copies", cls=Rare, is_flag=True, help="Keep images that nearly equal a training image."),
        click.option("--keep-broken", cls=Rare, is_flag=True, help="Keep images that are unlike every real cell."),
        click.option(
            "--min-confidence",
            metavar="P",
            type=SHARE,
            help="Keep only images that an independent classifier gives its class with at least this probability.",
        ),
        click.option("--resume", is_flag=True, help="Continue a stopped run of the same command."),
        dry_run_option,
    ):
        command = option(command)
    return command


def _tell_of_sizes(data: str, size: int) -> None:
    """Say that the real images of a balanced set are larger than the synthetic ones, which gives these away."""
    from gansynth.studies.quality.sets import MOST_PIXELS, median_edge

    if Path(data).is_dir() and (edge := min(MOST_PIXELS, median_edge(data))) > size:
        click.echo(
            f"note: the real images are at least {edge} pixels wide, the synthetic ones {size}; train classifiers on "
            f"both at {size} (--size {size}), where sharpness does not give the synthetic ones away",
            err=True,
        )


def _refuse_turned_round(data: str, run: str) -> None:
    """Refuse a generator in the place of the data set, and the data set in that of the generator."""
    from gansynth.runs.artifact import shipped
    from gansynth.runs.folder import INFO

    folder = Path(data)
    is_run = (folder / INFO).is_file() if folder.exists() else data in {model.name for model in shipped("generator")}
    if is_run and Path(run).is_dir() and not (Path(run) / INFO).is_file():
        raise InputError(
            f"{data} is a generator, and {run} is not; the data set comes first: "
            f"gansynth balance {shlex.quote(run)} {shlex.quote(data)}"
        )


def _tell(report: GenerationReport | BalanceReport, out: Path) -> None:
    answer(lambda: report.to_json() | course(), lambda: str(report), f"wrote {out}")
    if not report.complete:
        click.echo("gansynth: not every class could be filled (see above)", err=True)
        click.get_current_context().exit(1)


@click.command(cls=OneScreen)
@click.argument("run", shell_complete=GENERATOR)
@click.option("--class", "classes", metavar="NAME[=N]", multiple=True, help="Which class; repeatable.")
@click.option("--count", metavar="N", help="Images for each class named without its own number.")
@click.option("--out", type=OUT, required=True, help="Where the class folders and metadata.csv go.")
@click.option(
    "--truncation",
    metavar="SHARE",
    type=TRUNCATION,
    default=1.0,
    show_default=True,
    help="Below 1: images nearer to the typical one of their class, less varied and less often broken; above 1: more "
    "varied.",
)
@click.option(
    "--guidance",
    cls=Rare,
    metavar="X",
    type=Number(0, 10**7),
    help="Of a diffusion model; above 1, images are more typical of their class and less varied.",
)
@_screening_options
@seed_option
@device_option
def generate(
    run: str,
    classes: tuple[str, ...],
    count: str | None,
    out: Path,
    guidance: float | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Generate N synthetic images of a class.

    RUN is a folder written by train-gan, or a trained model of the zoo (see `gansynth models`).
    Every image and metadata.csv say by which model and from which seed it was made.

    \b
    Example:
      gansynth generate pbc-64 --class promyelocyte --count 100 --out synthetic
      gansynth generate runs/my-cells --class basophil --class monoblast=500 \\
          --count 1000 --min-confidence 0.5 --out synthetic
    """
    from gansynth import gans, synthesis

    source = gans.open_run(run)
    if guidance is not None:
        source = source.guided(guidance)
    if not classes:
        raise InputError(f"which class? Add --class NAME; {run} knows {', '.join(source.class_names)}")
    counts = parse_class_counts(classes, None if count is None else parse_count(count, "--count"))
    if dry_run:
        from gansynth import forecast

        forecast_of(forecast.generating(source, counts, device=options["device"]))
        return
    report = synthesis.generate(source, counts, out, **options)
    _tell(report, out)


@click.command(cls=OneScreen)
@click.argument("data", shell_complete=DATA)
@click.argument("run", shell_complete=GENERATOR)
@click.option("--out", type=OUT, required=True, help="Where the balanced data set goes.")
@click.option(
    "--target",
    metavar="N|max",
    default="max",
    show_default=True,
    help="Images in every class; max: as many as the largest has.",
)
@click.option(
    "--match-stain",
    is_flag=True,
    help="Show synthetic images in the stain of DATA: for a RUN that learned from another laboratory's cells.",
)
@_screening_options
@seed_option
@device_option
def balance(
    data: str,
    run: str,
    out: Path,
    target: str,
    dry_run: bool,
    **options: Any,
) -> None:
    """Fill up the rare classes with synthetic images.

    The training split of DATA gets synthetic images until every class has the target; validation and
    test images stay real. RUN is a run folder or a trained model of the zoo.

    \b
    Example:
      gansynth balance my-cells runs/my-cells --out balanced
      gansynth balance my-cells runs/my-cells --target 1000 --min-confidence 0.5 \\
          --out balanced
      gansynth balance my-cells pbc-64 --match-stain --out balanced
    """
    from gansynth import gans, synthesis
    from gansynth.data.opening import refuse_inside

    _refuse_turned_round(data, run)
    refuse_inside(data, out)
    wanted = "max" if target == "max" else parse_count(target, "--target")
    if dry_run:
        from gansynth import forecast

        forecast_of(forecast.balancing(data, run, target=wanted, seed=options["seed"], device=options["device"]))
        return
    source = gans.open_run(run)
    report = synthesis.balance(data, source, out, target=wanted, **options)
    _tell_of_sizes(data, source.resolution)
    _tell(report, out)
