"""Which of a paper's networks can be trained: with published weights, from scratch in their stead, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gansynth.classifiers.backbones import published_weights
from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.metrics.extractors.weights import MissingWeights
from gansynth.recipes.classifier import (
    AverageRecipe,
    BackboneRecipe,
    CbamRecipe,
    ClassifierRecipe,
    Trunk,
    load_classifier_recipe,
)
from paper_study import Options

SMALLEST = 64
"""Images are brought to this edge at least before a backbone: AlexNet makes no map of smaller ones."""


@dataclass(frozen=True)
class Network:
    """A recipe, and how it is trained.

    Attributes
    ----------
    name : str
        Of the recipe in the zoo.
    spec : str
        What a comparison is given; "" where the network is not trained.
    missing : tuple of str
        Weight files that are published and not there.
    published : bool
        Whether it begins with published weights.
    """

    name: str
    spec: str
    missing: tuple[str, ...] = ()
    published: bool = False

    @property
    def weights(self) -> str:
        """What a table says of its weights."""
        said = f"missing: {', '.join(self.missing)}" if self.missing else "published" if self.published else ""
        return "; ".join(filter(None, [said, "" if self.published or not self.spec else "from scratch"]))

    @property
    def kind(self) -> str:
        """What a sentence says of a network that stands in for a larger one."""
        return "a smaller network that begins with ImageNet's weights" if self.published else "a network from scratch"


def network(name: str, asked: Options, from_scratch: Collection[str] = ()) -> Network:
    """Return how a recipe of the zoo is trained.

    Parameters
    ----------
    name : str
    asked : Options
        Weight files are looked for in its folder; recipes for a training from scratch are written into
        ``OUT/recipes``, with the size of its images instead of the published one.
    from_scratch : collection of str
        Recipes that are trained without the published weights where these are missing; "all" means all.

    Raises
    ------
    InputError
        If there is no such recipe, or a weight file is not the published one.
    """
    recipe = load_classifier_recipe(name)
    files = _published_files(recipe)
    missing = tuple(dict.fromkeys(file for file in files if not _is_there(recipe, file, asked.weights_dir)))
    if not missing:
        return Network(name, name, published=bool(files))
    if name not in from_scratch and "all" not in from_scratch:
        return Network(name, "", missing)
    file = asked.out / "recipes" / f"{name}.yaml"
    values = recipe.model_dump(mode="json")
    _from_scratch(values, asked.amount.size or recipe.resolution)
    write_text(file, yaml.safe_dump(values, sort_keys=False))
    return Network(name, str(file), missing)


def networks(names: Sequence[str], asked: Options, from_scratch: Collection[str]) -> dict[str, Network]:
    """Return how each of some recipes is trained; one to be trained from scratch must be among them.

    Raises
    ------
    InputError
        As `network` does, and for a name that the study does not have.
    """
    unknown = sorted(set(from_scratch) - {*names, "all", "none"})
    if unknown:
        raise InputError(f"--scratch: the study has no network '{unknown[0]}'; it has {', '.join(names)}")
    return {name: network(name, asked, from_scratch) for name in names}


def _published_files(recipe: ClassifierRecipe) -> dict[str, Trunk]:
    """Return the trunks that begin with published weights, by the file of these."""
    if isinstance(recipe, AverageRecipe):
        return {file: trunk for member in recipe.as_trained() for file, trunk in _published_files(member).items()}
    if not isinstance(recipe, (BackboneRecipe, CbamRecipe)) or recipe.network.weights == "none":
        return {}
    trunks = (recipe.network,) if isinstance(recipe, BackboneRecipe) else recipe.network.backbones
    return {published_weights(recipe.name, trunk).file.name: trunk for trunk in trunks}


def _is_there(recipe: ClassifierRecipe, file: str, weights_dir: Path | None) -> bool:
    try:
        published_weights(recipe.name, _published_files(recipe)[file]).find(weights_dir)
    except MissingWeights:
        return False
    return True


def _from_scratch(values: dict[str, Any], size: int) -> None:
    """Change a recipe, as plain values, to one without published weights that looks at images of `size`."""
    values["resolution"] = size
    section = values.get("network", {})
    if "weights" in section:
        section["weights"] = "none"
    for trunk in (section, *section.get("backbones", ())):
        if "input_size" in trunk:
            trunk["input_size"] = max(size, SMALLEST)
    for member in values.get("members", ()):
        _from_scratch(member, size)
