"""`gansynth search-remedy`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gansynth.cli.answering import answer, forecast_of
from gansynth.cli.arguments import (
    COUNT,
    EDGE,
    OUT,
    SEVERAL,
    backbone_weights_option,
    device_option,
    dry_run_option,
    jobs_option,
    parse_counts,
    parse_names,
    seed_option,
    typed_command,
)
from gansynth.cli.completing import ARM, ARMS, CLASSIFIER_RECIPE, DATA
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError


@click.command(cls=OneScreen, name="search-remedy")
@click.argument("data", shell_complete=DATA)
@click.option(
    "--remedy",
    required=True,
    shell_complete=ARM,
    help="Such as cb-focal; of several (augmentation+focal) the last.",
)
@click.option(
    "--classifier",
    default="sequential-cnn",
    show_default=True,
    shell_complete=CLASSIFIER_RECIPE,
    help="A recipe, or a YAML file.",
)
@click.option("--out", type=OUT, required=True, help="Where predictions, the table and a page go.")
@click.option(
    "--grid",
    metavar="NAME=X,Y,...",
    multiple=True,
    help="Values of a parameter, or of the dose; repeatable.  [default: what docs/remedies.md lists]",
)
@click.option(
    "--beside",
    cls=Rare,
    metavar="A,B,...",
    default="none",
    show_default=True,
    shell_complete=ARMS,
    help="Arms to stand in the table too.",
)
@click.option("--folds", type=SEVERAL, default=5, show_default=True, help="Of the training split.")
@click.option("--rarity", metavar="CLASS=N,...", default="", help="Keep only N training images of a class.")
@click.option("--size", type=EDGE, help="Edge length in pixels.  [default: the classifier's own]")
@click.option("--epochs", cls=Rare, type=COUNT, help="Instead of the recipe's epochs.")
@click.option(
    "--set", "changes", cls=Rare, metavar="A.B=C", multiple=True, help="Change one value of the classifier's recipe."
)
@jobs_option
@backbone_weights_option
@click.option("--resume", is_flag=True, help="Continue: what is finished is not done again; values may be added.")
@dry_run_option
@seed_option
@device_option
def search_remedy(
    data: str,
    remedy: str,
    out: Path,
    grid: tuple[str, ...],
    beside: str,
    rarity: str,
    dry_run: bool,
    **options: Any,
) -> None:
    """Find good parameters of a remedy by cross-validation.

    It divides the training split; validation and test images are not looked at. The best of many is too good by
    chance: what it is worth, compare says, on images that the search has not seen.

    \b
    Example:
      gansynth search-remedy my-cells --remedy cb-focal --out searched
      gansynth search-remedy my-cells --remedy focal --grid gamma=0.5,1,2 \\
          --grid power=0,0.5,1 --out searched
      gansynth search-remedy my-cells --remedy smote --classifier random-forest \\
          --grid dose=0.5,1 --out searched
    """
    from gansynth.cli.tables import search_table
    from gansynth.report.search.page import write_search_page
    from gansynth.studies.search.study import SearchOptions
    from gansynth.studies.search.study import search_remedy as search

    what = {"grid": _grid(grid), "beside": _beside(beside), **{k: options.pop(k) for k in ("classifier", "resume")}}
    # The other options have the names of the settings.
    how = SearchOptions(rarity=parse_counts(rarity, "--rarity"), **options)
    if dry_run:
        from gansynth import forecast

        forecast_of(forecast.searching(data, remedy, out, how, **what))
        return
    found = search(data, remedy, out, settings=how, **what)
    found = replace(found, about=replace(found.about, command=typed_command()))
    found.write(out)
    answer(found.to_json, lambda: search_table(found), f"wrote {write_search_page(out)}")
    if found.failed:
        click.echo(f"gansynth: {len(found.failed)} trainings failed; try again with --resume", err=True)
        click.get_current_context().exit(1)


def _beside(text: str) -> list[str]:
    found = parse_names(text)
    if not found:
        raise InputError("--beside: names no arm; write for example none,oversample-turned")
    return found


def _grid(texts: tuple[str, ...]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        try:
            numbers = [float(value) for value in values.split(",") if value.strip()]
        except ValueError:
            numbers = []
        if not equals or not name.strip() or not numbers:
            raise InputError(f"--grid {text}: is not NAME=X,Y,...; write for example beta=0.9,0.99,0.999")
        if name.strip() in found:
            raise InputError(f"--grid {name.strip()} is given twice; give all its values at once")
        found[name.strip()] = numbers
    return found
