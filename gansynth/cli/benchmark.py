"""`gansynth benchmark`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gansynth.cli.answering import answer, forecast_of
from gansynth.cli.arguments import (
    COUNT,
    MINUTES,
    OUT,
    SEVERAL,
    device_option,
    dry_run_option,
    parse_names,
    seed_option,
    typed_command,
)
from gansynth.cli.completing import BENCHMARKED, DATA
from gansynth.cli.quality import measuring_options
from gansynth.cli.screen import OneScreen, Rare


@click.command(cls=OneScreen)
@click.argument("data", shell_complete=DATA)
@click.option(
    "--recipes",
    shell_complete=BENCHMARKED,
    required=True,
    metavar="A,B,...",
    help="Recipes of the zoo (see `gansynth models`), YAML files, or run folders and trained generators of the zoo, "
    "which are taken as they are; naturalize: composites of training images.",
)
@click.option("--seeds", type=COUNT, default=2, show_default=True, help="Trainings of each recipe.")
@click.option("--out", type=OUT, required=True, help="Where runs, images, tables and report.html go.")
@click.option("--images", type=COUNT, help="Real images each training sees.  [default: the recipes']")
@click.option("--minutes", type=MINUTES, help="Minutes each training has.")
@click.option(
    "--count",
    type=SEVERAL,
    default=200,
    show_default=True,
    help="Synthetic images of each class.",
)
@click.option(
    "--set", "changes", cls=Rare, metavar="A.B=C", multiple=True, help="Change one value of every recipe; repeatable."
)
@measuring_options
@click.option("--devices", cls=Rare, type=COUNT, default=1, show_default=True, help="As for train-gan.")
@click.option("--resume", is_flag=True, help="Continue: what is finished is not done again.")
@dry_run_option
@seed_option
@device_option
def benchmark(
    data: str,
    recipes: str,
    out: Path,
    resume: bool,
    dry_run: bool,
    **options: Any,
) -> None:
    """Compare GANs on one data set, with the same budget.

    Trains every recipe with every seed on the training images of DATA, generates, measures as `quality` does, and
    ranks. Composites of cut cells (`gansynth naturalize`) stand beside the GANs as the recipe naturalize. A benchmark
    that was stopped goes on with --resume; a recipe that fails does not cost the others.

    \b
    Example:
      gansynth benchmark my-cells --recipes c-wgan-gp-64,ac-gan-64,dcgan-64 \\
          --images 400000 --out gans
      gansynth benchmark my-cells --recipes c-wgan-gp-64,ac-gan-64,dcgan-64 \\
          --images 400000 --out gans --resume
      gansynth benchmark my-cells --recipes runs/my-gan,naturalize --count 300 \\
          --out beside
    """
    from gansynth.cli.tables import benchmark_table
    from gansynth.report.benchmark.page import write_benchmark_page
    from gansynth.studies.benchmark import study

    settings = study.BenchmarkSettings(**options)
    if dry_run:
        from gansynth import forecast

        forecast_of(forecast.benchmarking(data, parse_names(recipes), settings))
        return
    found = study.benchmark(data, parse_names(recipes), out, settings=settings, resume=resume)
    found = replace(found, command=typed_command())
    found.write(out)
    answer(found.to_json, lambda: benchmark_table(found), f"wrote {write_benchmark_page(out)}")
    if found.failed:
        click.echo(f"gansynth: {len(found.failed)} of {len(found.runs)} runs failed (see above)", err=True)
        click.get_current_context().exit(1)
