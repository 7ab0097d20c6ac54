"""`gansynth sweep`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gansynth.cli.answering import answer, forecast_of
from gansynth.cli.arguments import (
    COUNT,
    OUT,
    backbone_weights_option,
    classifiers_option,
    device_option,
    dry_run_option,
    endpoint_option,
    folds_option,
    jobs_option,
    parse_names,
    parse_numbers,
    recipe_options,
    report_failed,
    seed_option,
    typed_command,
)
from gansynth.cli.completing import ARMS, DATA
from gansynth.cli.screen import OneScreen, Rare


@click.command(cls=OneScreen)
@click.argument("data", shell_complete=DATA)
@click.option(
    "--remedies",
    metavar="A,B,...",
    required=True,
    shell_complete=ARMS,
    help="The arms, as compare takes them: none,focal,...",
)
@classifiers_option
@click.option(
    "--ratios",
    metavar="X,Y,...",
    default="1,5,10,50",
    show_default=True,
    help="Imbalance ratios rho: the largest class over the smallest, in training images.",
)
@click.option(
    "--minority",
    metavar="CLASS,...",
    default="",
    help="Classes that become rare.  [default: those below a tenth of the largest, else the smallest]",
)
@click.option(
    "--thin",
    cls=Rare,
    type=click.Choice(["minority", "both"]),
    default="minority",
    show_default=True,
    help="minority: only the minority becomes rarer; both: below the ratio that DATA has, the other classes are cut, "
    "as in pasupa2020.",
)
@click.option("--most", cls=Rare, type=COUNT, help="At most so many training images of any other class.")
@click.option("--out", type=OUT, required=True, help="Where comparisons, tables, charts and report.html go.")
@click.option("--seeds", type=COUNT, default=3, show_default=True, help="Trainings of each arm on each fold.")
@folds_option
@endpoint_option
@recipe_options
@jobs_option
@backbone_weights_option
@click.option("--resume", is_flag=True, help="Continue: what is finished is not done again; ratios may be added.")
@dry_run_option
@seed_option
@device_option
def sweep(
    data: str,
    remedies: str,
    classifiers: str,
    ratios: str,
    minority: str,
    out: Path,
    dry_run: bool,
    **options: Any,
) -> None:
    """Compare remedies at several imbalance ratios.

    Thins the training images of the minority to each ratio, compares the remedies there on the same real test images,
    and draws macro-F1, accuracy and ROC AUC over the ratio. What was stopped goes on with --resume.

    \b
    Example:
      gansynth sweep my-cells --remedies none,focal,oversample \\
          --minority promyelocyte --out swept
      gansynth sweep my-cells --remedies none,weighted \\
          --classifiers random-forest,svm --most 500 --out swept
      gansynth sweep my-cells --remedies none,focal --ratios 2.03,7.8,37.9 \\
          --thin both --out as-pasupa2020
    """
    from gansynth.cli.tables import sweep_table
    from gansynth.report.comparison.page import write_comparison_page
    from gansynth.report.sweep.page import write_sweep_page
    from gansynth.studies.comparison.settings import ComparisonSettings
    from gansynth.studies.sweep.study import sweep_imbalance

    asked = data, parse_names(remedies), parse_names(classifiers), out
    what = {
        "ratios": parse_numbers(ratios, "--ratios", "1,5,10,50"),
        "minority": parse_names(minority),
        **{name: options.pop(name) for name in ("thin", "most")},
    }
    resume = options.pop("resume")
    # The other options have the names of the settings.
    settings = ComparisonSettings(**{name: value for name, value in options.items() if value is not None})
    if dry_run:
        from gansynth import forecast

        forecast_of(forecast.sweeping(*asked, settings, resume=resume, **what))
        return
    found = sweep_imbalance(*asked, settings=settings, resume=resume, after=write_comparison_page, **what)
    found = replace(found, about=replace(found.about, command=typed_command()))
    found.write(out)
    answer(found.to_json, lambda: sweep_table(found), f"wrote {write_sweep_page(out)}")
    report_failed(len(found.missing))
