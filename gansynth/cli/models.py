"""`gansynth models`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from gansynth.cli.answering import answer, answers_in_json
from gansynth.cli.screen import OneScreen

if TYPE_CHECKING:
    from gansynth.remedies import Remedy


@click.command(cls=OneScreen)
def models() -> None:
    """List recipes, remedies, and what ships trained.

    \b
    Example:
      gansynth models
      gansynth models --json
    """
    from gansynth.recipes import load_recipe, recipe_names
    from gansynth.recipes.classifier import classifier_recipe_names, load_classifier_recipe
    from gansynth.remedies.remedy import REGISTRY
    from gansynth.runs.artifact import shipped

    if answers_in_json():
        names = {
            "gans": recipe_names(),
            "remedies": sorted(REGISTRY),
            "classifiers": classifier_recipe_names(),
            "generators": [model.name for model in shipped("generator")],
            "cell encoders": [model.name for model in shipped("cell encoder")],
            "cell detectors": [model.name for model in shipped("cell detector")],
        }
        answer(lambda: names)
        return
    gans = ((recipe.name, f"{recipe.gan}, {_size(recipe.resolution)}") for recipe in map(load_recipe, recipe_names()))
    _list("GANs, for train-gan --recipe and compare --remedies", gans)
    remedies = ((name, _takes(remedy)) for name, remedy in sorted(REGISTRY.items()))
    _list("other remedies, for compare --remedies (docs/remedies.md says what they do)", remedies)
    known = map(load_classifier_recipe, classifier_recipe_names())
    _list(
        "classifiers, for train-classifier --recipe and compare --classifiers",
        ((recipe.name, _size(recipe.resolution)) for recipe in known),
    )
    trained = (
        (model.name, f"{_size(load_recipe(model.folder).resolution)}; {', '.join(model.class_names)}")
        for model in shipped("generator")
    )
    _list("trained generators, for generate and balance", trained)
    encoders = ((model.name, ", ".join(model.class_names)) for model in shipped("cell encoder"))
    _list("cell encoders, for quality --encoder", encoders)
    detectors = ((model.name, ", ".join(model.class_names)) for model in shipped("cell detector"))
    _list("cell detectors, for data crop --detector", detectors)


def _list(what: str, entries: Iterable[tuple[str, str]]) -> None:
    rows = list(entries)
    width = max((len(name) for name, _ in rows), default=0)
    click.echo(f"{what}:")
    for name, about in rows:
        click.echo(f"  {name:<{width}}  {about}".rstrip())


def _takes(remedy: type[Remedy]) -> str:
    """Return what a remedy is for, and the numbers it takes with their defaults."""
    parts = ["dose"] if remedy.takes_dose else []
    parts += [f"{parameter.name} {parameter.text(parameter.default)}" for parameter in remedy.parameters]
    if remedy.neural_only or remedy.classical_only:
        parts.append("networks only" if remedy.neural_only else "classifiers of features only")
    return ", ".join(parts)


def _size(pixels: int) -> str:
    return f"{pixels} x {pixels} pixels"
