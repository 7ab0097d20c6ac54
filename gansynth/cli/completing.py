"""What the shell offers where a user presses Tab: names that gansynth knows, then folders and files.

Each function here is the `shell_complete` of an argument or option. None imports torch: the shell waits for the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _gans() -> list[str]:
    from gansynth.recipes import recipe_names

    return recipe_names()


def _classifiers() -> list[str]:
    from gansynth.recipes.classifier import classifier_recipe_names

    return classifier_recipe_names()


def _remedies() -> list[str]:
    from gansynth.remedies import remedy_names

    return remedy_names()


def _generators() -> list[str]:
    from gansynth.runs.artifact import zoo_models

    return zoo_models()


def _cell_encoders() -> list[str]:
    from gansynth.runs.artifact import shipped

    return ["own", *(model.name for model in shipped("cell encoder"))]


def _cell_detectors() -> list[str]:
    from gansynth.runs.artifact import shipped

    return [model.name for model in shipped("cell detector")]


def _name_of(*sources: Callable[[], list[str]], path: str | None) -> Completer:
    """Complete one name; where none begins so, a path ("file" or "dir"), or nothing (None)."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = _offer("", _known(sources), incomplete)
        return names or ([] if path is None else [CompletionItem(incomplete, type=path)])

    return complete


def _list_of(*sources: Callable[[], list[str]], parts: str = ",", path: str) -> Completer:
    """Complete the last name of several that stand between some characters."""
    begun = re.compile(rf"(?:.*[{parts}])?")

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = begun.match(incomplete)
        before = found.group() if found else ""
        names = _offer(before, _known(sources), incomplete.removeprefix(before))
        # The shell completes a path as a whole word: after a comma it cannot.
        return names if names or before else [CompletionItem(incomplete, type=path)]

    return complete


def _known(sources: Iterable[Callable[[], list[str]]]) -> list[str]:
    return sorted({name for source in sources for name in source()})


def _offer(before: str, names: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(before + name) for name in names if name.startswith(begun)]


DATA = _name_of(lambda: ["phantom"], path="dir")
"""A data set."""
IMAGES_FOLDER = _name_of(path="dir")
PATHS = _name_of(path="file")
GENERATOR = _name_of(_generators, path="dir")
"""A trained generator: of the zoo, or a run's folder."""
GAN_RECIPE = _name_of(_gans, path="file")
CLASSIFIER_RECIPE = _name_of(_classifiers, path="file")
CLASSIFIER_RECIPES = _list_of(_classifiers, path="file")
ARM = _list_of(_remedies, _gans, _generators, parts="+", path="dir")
ARMS = _list_of(_remedies, _gans, _generators, parts=",+", path="dir")
"""Remedies of a comparison; a name is completed, the numbers after it are not."""
BENCHMARKED = _list_of(_gans, _generators, lambda: ["naturalize"], path="dir")
LOGGER = _name_of(lambda: ["mlflow", "wandb"], path=None)
"""As in `gansynth.runs.loggers`, which takes long to load."""
CELL_ENCODER = _name_of(_cell_encoders, path="dir")
CELL_DETECTOR = _name_of(_cell_detectors, path="dir")
