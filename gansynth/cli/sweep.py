"""`gansynth sweep`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gansynth.cli.arguments import (
    FOLDER,
    backbone_weights_option,
    device_option,
    jobs_option,
    seed_option,
    typed_command,
)
from gansynth.errors import InputError

if TYPE_CHECKING:
    from gansynth.studies.imbalance_sweep_counts import Thin


@click.command()
@click.argument("data")
@click.option("--remedies", metavar="A,B,...", required=True, help="The arms, as compare takes them: none,focal,...")
@click.option(
    "--classifiers",
    metavar="A,B,...",
    default="",
    help="Recipes of classifiers (models/classifiers), or YAML files.  [default: sequential-cnn]",
)
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
    type=click.Choice(["minority", "both"]),
    default="minority",
    show_default=True,
    help="minority: only the minority becomes rarer; both: below the ratio that DATA has, the other classes are cut, "
    "as in pasupa2020.",
)
@click.option("--most", type=click.IntRange(min=1), help="At most so many training images of any other class.")
@click.option("--out", type=FOLDER, required=True, help="Where comparisons, tables, charts and report.html go.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Trainings of each arm on each fold."
)
@click.option(
    "--folds", type=click.IntRange(min=2), help="Test every image once.  [default: the split of DATA, or one made here]"
)
@click.option(
    "--endpoint",
    type=click.Choice(["macro-F1", "balanced-accuracy"]),
    default="macro-F1",
    show_default=True,
    help="The primary endpoint.",
)
@click.option("--size", type=click.IntRange(8, 1024), help="Edge length in pixels.  [default: the classifiers' own]")
@click.option("--epochs", type=click.IntRange(min=1), help="Of the untreated images.  [default: the classifiers' own]")
@click.option("--set", "changes", metavar="A.B=C", multiple=True, help="Change one value of the classifiers' recipes.")
@click.option("--gan-set", "gan_changes", metavar="A.B=C", multiple=True, help="Change one value of the GANs' recipes.")
@click.option("--gan-images", type=click.IntRange(min=1), help="Real images each GAN's training sees.")
@click.option("--gan-minutes", type=click.FloatRange(min=0, min_open=True), help="Minutes each GAN's training has.")
@jobs_option
@backbone_weights_option
@click.option("--resume", is_flag=True, help="Continue: what is finished is not done again; ratios may be added.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: what results.json holds.")
@seed_option
@device_option
def sweep(
    data: str,
    remedies: str,
    classifiers: str,
    ratios: str,
    minority: str,
    thin: Thin,
    most: int | None,
    out: Path,
    seeds: int,
    folds: int | None,
    endpoint: str,
    size: int | None,
    epochs: int | None,
    changes: tuple[str, ...],
    gan_changes: tuple[str, ...],
    gan_images: int | None,
    gan_minutes: float | None,
    jobs: int | None,
    weights_dir: Path | None,
    resume: bool,
    as_json: bool,
    seed: int,
    device: str,
) -> None:
    """Compare remedies at several imbalance ratios.

    Thins the training images of the minority to each ratio, compares the remedies there on the same real test images,
    and draws macro-F1, accuracy and ROC AUC over the ratio. What was stopped goes on with --resume.

    \b
    Example:
      gansynth sweep my-cells --remedies none,focal,oversample --minority promyelocyte --out swept
      gansynth sweep my-cells --remedies none,weighted --classifiers random-forest,svm --most 500 --out swept
      gansynth sweep my-cells --remedies none,focal --ratios 2.03,7.8,37.9 --thin both --out as-pasupa2020
    """
    from gansynth.cli.tables import sweep_table
    from gansynth.report.comparison_page import write_comparison_page
    from gansynth.report.sweep_page import write_sweep_page
    from gansynth.studies import sweep_imbalance

    found = sweep_imbalance(
        data, _names(remedies), _names(classifiers), out, ratios=_ratios(ratios), minority=_names(minority), thin=thin,
        most=most, seeds=seeds, folds=folds, endpoint=endpoint, size=size, epochs=epochs, changes=changes,
        gan_images=gan_images, gan_minutes=gan_minutes, gan_changes=gan_changes, jobs=jobs, weights_dir=weights_dir,
        resume=resume, seed=seed, device=device, after=write_comparison_page,
    )  # fmt: skip
    found.about["command"] = typed_command()
    found.write(out)
    click.echo(json.dumps(found.to_json(), ensure_ascii=False) if as_json else sweep_table(found))
    click.echo(f"wrote {write_sweep_page(out)}", err=as_json)
    if found.missing:
        click.echo(f"gansynth: {len(found.missing)} trainings failed (see above); try again with --resume", err=True)
        click.get_current_context().exit(1)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _ratios(text: str) -> list[float]:
    found: list[float] = []
    for part in _names(text):
        try:
            found.append(float(part))
        except ValueError:
            raise InputError(f"--ratios: '{part}' is no number; write for example 1,5,10,50") from None
    return found
