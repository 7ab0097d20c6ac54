"""`gansynth compare`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gansynth.cli.answering import answer, forecast_of
from gansynth.cli.arguments import (
    COUNT,
    FOLDER,
    OUT,
    SHARE,
    backbone_weights_option,
    classifiers_option,
    device_option,
    dry_run_option,
    endpoint_option,
    folds_option,
    jobs_option,
    parse_counts,
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
    shell_complete=ARMS,
    metavar="A,B,...",
    default="",
    help="The arms: none, oversample-turned, posthoc-logit-adjustment and others (docs/remedies.md), recipes of GANs "
    "(trained here, on the training images alone), run folders; joined by +, with parameters after : and a dose after "
    "@ (augmentation+cb-focal:beta=0.999, c-wgan-gp-64@0.5).",
)
@classifiers_option
@click.option("--out", type=OUT, required=True, help="Where predictions, tables and report.html go.")
@click.option("--seeds", type=COUNT, help="Trainings of each arm on each fold.  [default: 3]")
@folds_option
@click.option(
    "--doses", cls=Rare, metavar="X,Y,...", default="", help="Shares of the way to balance, such as 0.25,0.5,1,1.5."
)
@click.option("--rarity", metavar="CLASS=N,...", default="", help="Keep only N training images of a class.")
@click.option("--rare", cls=Rare, metavar="CLASS,...", default="", help="Classes whose recall is an endpoint.")
@click.option(
    "--tree",
    cls=Rare,
    metavar="FILE",
    type=FOLDER,
    help="Superclasses with their classes (YAML), reported too.  [default: granulocyte and agranulocyte, where known]",
)
@endpoint_option
@click.option(
    "--protocol",
    cls=Rare,
    type=click.Choice(["clean", "paper"]),
    default="clean",
    show_default=True,
    help="paper balances before it splits, as hazra2022: too good, for that paper's tables only.",
)
@click.option(
    "--swap", cls=Rare, is_flag=True, help="Also train on synthetic and test on real images, and the reverse."
)
@click.option(
    "--robustness",
    cls=Rare,
    is_flag=True,
    help="Also test on the same cells as JPEG, blurred, brighter and in another stain.",
)
@recipe_options
@click.option("--min-confidence", cls=Rare, type=SHARE, help="Keep synthetic images that are recognised so surely.")
@jobs_option
@backbone_weights_option
@click.option("--resume", is_flag=True, help="Continue: what is finished is not done again; arms may be added.")
@dry_run_option
@seed_option
@device_option
def compare(
    data: str,
    remedies: str,
    classifiers: str,
    out: Path,
    doses: str,
    rarity: str,
    rare: str,
    resume: bool,
    dry_run: bool,
    **options: Any,
) -> None:
    """Test on real cells which remedy helps a classifier.

    Splits DATA before anything learns, gives every arm the same splits, seeds and optimizer steps, tests on real
    images, and says how much each remedy helps and how sure that is. What was stopped goes on with --resume.

    \b
    Example:
      gansynth compare my-cells --classifiers sequential-cnn,random-forest \\
          --remedies none,oversample-turned,projected-c-wgan-gp-64 \\
          --size 64 --folds 2 --out compared
      gansynth compare my-cells --out compared --folds 2 --resume
    """
    from gansynth.cli.tables import comparison_table
    from gansynth.report.comparison.page import write_comparison_page
    from gansynth.studies.comparison import settings, study

    # The other options have the names of the settings.
    asked = settings.ComparisonSettings(
        doses=parse_numbers(doses, "--doses", "0.25,0.5,1,1.5"),
        rarity=parse_counts(rarity, "--rarity"),
        rare=parse_names(rare),
        **options,
    )
    arms, names = parse_names(remedies), parse_names(classifiers)
    if dry_run:
        from gansynth import forecast

        forecast_of(forecast.comparing(data, arms, names, out, asked, resume=resume))
        return
    found = study.compare(data, arms, names, out, settings=asked, resume=resume)
    found = replace(found, about=replace(found.about, command=typed_command()))
    found.write(out)
    answer(found.to_json, lambda: comparison_table(found), f"wrote {write_comparison_page(out)}")
    report_failed(len(found.missing))
