"""Recipes: everything that decides a training, typed and checked, in one YAML file.

A recipe of the zoo is opened by its name, any other by its path. What the file does not say has the default
written here; what it says and this file does not know is refused with the line it stands on.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from gansynth.errors import InputError
from gansynth.recipe_text import NotYaml, parse_yaml

ZOO = "gansynth.zoo"
"""The data package that holds the model zoo."""


def _number(value: Any) -> Any:
    # YAML reads yes, on and true alike, and pydantic would take them for 1.
    if isinstance(value, bool):
        raise ValueError(f"should be a number (found {value})")
    return value


Number = BeforeValidator(_number)
Positive = Annotated[float, Number, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Number, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Number, Field(ge=1, le=10**12)]
Width = Annotated[int, Number, Field(ge=1, le=65_536)]
"""Of a layer, a batch or a latent: beyond it no machine has the memory."""
Channels = Annotated[tuple[Width, ...], Field(min_length=1)]


class Section(BaseModel):
    """A part of a recipe: frozen, and closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class PaperNetworks(Section):
    """Tables 3, 4 and 5 of hazra2022."""

    family: Literal["hazra2022"]
    width: Width = 64


class CompactNetworks(Section):
    """The networks of `gansynth.networks.compact`; channels are listed from the lowest resolution for the generator
    and from the highest for the critic and the classifier."""

    family: Literal["compact"]
    generator: Channels
    critic: Channels
    classifier: Channels
    style: Width = 128
    projection: bool = False
    deviation_group: Width = 4


class Losses(Section):
    """Weights of the terms of the losses."""

    gradient_penalty: NonNegative = 10.0
    penalty_every: Count = 1
    drift: NonNegative = 0.0
    classifier_real: NonNegative = 1.0
    generator_class: NonNegative = 0.1
    mode_seeking: NonNegative = 0.0


class LearningRates(Section):
    generator: Positive = 1e-4
    critic: Positive = 1e-4
    classifier: Positive = 1e-4


class Training(Section):
    """The game: how long, how often each player moves, and how far; `warm_up` steps before it belong to methods that
    prepare their players (BAGAN-GP)."""

    steps: Count = 100_000
    warm_up: Annotated[int, Number, Field(ge=0, le=10**12)] = 0
    batch_size: Annotated[int, Number, Field(ge=2, le=65_536)] = 64
    critic_steps: Count = 5
    generator_batch_factor: Annotated[int, Field(ge=1, le=64)] = 1
    learning_rates: LearningRates = LearningRates()
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.0, 0.9)
    decay: Literal["none", "linear"] = "none"
    ema_half_life: Positive = 10_000
    ema_ramp: Annotated[float, Field(gt=0, le=1)] | None = 0.05
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(str)] = "auto"


class Sampling(Section):
    """The distribution that the labels of real and of generated batches are both drawn from: p ~ n^alpha.

    Labels come in groups of so many images of one class. With the critic's `deviation_group`, it then sees how much
    images vary inside a class; in mixed groups the differences between classes hide that a class has collapsed.
    """

    mode: Literal["natural", "balanced", "tempered"] = "tempered"
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.5
    group: Count = 1


class Augmentation(Section):
    """`orientations` turns and flips real images (no orientation of a cell is special); the others are DiffAugment
    (Zhao et al. 2020), applied to real and generated images alike, in all turns."""

    orientations: bool = True
    policy: Literal["none", "stain", "color"] = "stain"
    translation: Annotated[float, Field(ge=0, le=0.5)] = 0.125
    cutout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Reports(Section):
    """How often the log, the sample sheet with the class watch, and the saved state appear, in steps; how many images
    of each class are watched; how many the independent classifier learns from before the game (default: 20 times
    the training split, at least 6,400 and at most 100,000)."""

    log_every: Count = 50
    sheet_every: Count = 1000
    save_every: Count = 1000
    sheet_columns: Annotated[int, Field(ge=1, le=100)] = 8
    watch_images: Annotated[int, Field(ge=2, le=10_000)] = 64
    classifier_images: Count | None = None


class GanRecipe(Section):
    """One GAN and its training."""

    name: str
    gan: str
    resolution: Annotated[int, Field(ge=8, le=1024)]
    latent: Width
    networks: Annotated[PaperNetworks | CompactNetworks, Field(discriminator="family")]
    losses: Losses = Losses()
    training: Training = Training()
    sampling: Sampling = Sampling()
    augmentation: Augmentation = Augmentation()
    reports: Reports = Reports()

    @model_validator(mode="after")
    def _fits(self) -> GanRecipe:
        r, networks = self.resolution, self.networks
        if self.training.batch_size % self.sampling.group:
            raise ValueError(
                f"training.batch_size {self.training.batch_size} is no multiple of sampling.group {self.sampling.group}"
            )
        if isinstance(networks, PaperNetworks):
            if r % 16:
                raise ValueError(f"resolution {r} is not a multiple of 16, which tables 3 to 5 of hazra2022 need")
            return self
        if 4 * 2 ** (len(networks.generator) - 1) != r:
            raise ValueError(
                f"resolution {r} does not fit networks.generator: {len(networks.generator)} numbers of channels "
                f"make {4 * 2 ** (len(networks.generator) - 1)} px"
            )
        for player in ("critic", "classifier"):
            channels = getattr(networks, player)
            if 4 * 2 ** len(channels) != r:
                raise ValueError(
                    f"resolution {r} does not fit networks.{player}: {len(channels)} numbers of channels take "
                    f"{4 * 2 ** len(channels)} px"
                )
        return self

    def to_yaml(self) -> str:
        """Return the recipe with every value spelled out; `load_recipe` reads it back."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def recipe_names() -> list[str]:
    """Return the names of the recipes in the zoo, sorted."""
    return sorted(p.name.removesuffix(".yaml") for p in resources.files(ZOO).iterdir() if p.name.endswith(".yaml"))


def load_recipe(recipe: str | Path, overrides: Sequence[str] = ()) -> GanRecipe:
    """Open a recipe by its name in the zoo or by its path.

    Parameters
    ----------
    recipe : str or path
        A name as `recipe_names` lists them, a YAML file, or a run folder (its ``recipe.yaml``).
    overrides : sequence of str
        Changes such as ``"training.batch_size=32"``; the value is read as YAML.

    Raises
    ------
    InputError
        For an unknown name, a file that is not YAML, or an unknown or impossible value, with its line.

    Examples
    --------
    >>> load_recipe("c-wgan-gp-64", ["training.batch_size=16"]).training.batch_size
    16
    """
    where, text = _read(recipe)
    try:
        values, at = parse_yaml(text)
    except NotYaml as error:
        place = f"{where}, line {error.line}" if error.line else where
        raise InputError(f"{place}: not a YAML file: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(k, str) for k in values):
        raise InputError(
            f"{where}: a recipe is a YAML mapping with `name`, `gan`, `resolution`, ...; found something else"
        )
    lines = {path: f"line {line}" for path, line in at.items()}
    for change in overrides:
        lines[_override(values, change)] = f"--set {change}"
    try:
        return GanRecipe.model_validate(values)
    except ValidationError as error:
        raise InputError(_sentence(error, where, lines)) from None


def _read(recipe: str | Path) -> tuple[str, str]:
    path = Path(recipe)
    if path.is_dir():
        path = path / "recipe.yaml"
    named = resources.files(ZOO) / f"{recipe}.yaml" if str(recipe) in recipe_names() else None
    try:
        if named is not None and not path.is_file():
            return f"recipe {recipe}", named.read_text(encoding="utf-8")
        if path.is_file():
            return str(path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a recipe ({error.__class__.__name__}); give a YAML file") from None
    near = difflib.get_close_matches(str(recipe), recipe_names(), 1)
    hint = f"did you mean '{near[0]}'?" if near else f"the zoo has {', '.join(recipe_names())}"
    raise InputError(f"no recipe named '{recipe}' and no such file; {hint}")


def _override(values: dict[str, Any], change: str) -> tuple[str, ...]:
    key, sign, text = change.partition("=")
    path = tuple(key.strip().split("."))
    if not sign or not all(path):
        raise InputError(f"--set {change}: write it as section.name=value, for example training.batch_size=32")
    try:
        value, _ = parse_yaml(text)
    except NotYaml as error:
        raise InputError(f"--set {change:.60}: the value after '=' is not YAML ({error})") from None
    section = values
    for name in path[:-1]:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise InputError(f"--set {change}: '{name}' is a value, not a section")
    section[path[-1]] = value
    return path


def _sentence(error: ValidationError, where: str, lines: dict[tuple[str, ...], str]) -> str:
    first = error.errors()[0]
    path = tuple(str(p) for p in first["loc"] if p not in ("hazra2022", "compact"))
    name = ".".join(path)
    known = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)
    place = where if known is None else f"{where}, {known}"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path[-1], _names(path[:-1]), 1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; known here: {', '.join(_names(path[:-1]))}"
        return f"{place}: unknown name '{name}'{hint}"
    if first["type"] == "missing":
        return f"{place}: '{name}' is missing; add it"
    message = first["msg"].removeprefix("Value error, ")
    found = "" if first["type"] == "value_error" else f" (found {first['input']!r:.60})"
    return f"{place}: {name + ': ' if name else ''}{message}{found}"


def _names(path: tuple[str, ...]) -> list[str]:
    """Return the names known in a section of the recipe."""
    sections: dict[str, list[type[BaseModel]]] = {
        "networks": [PaperNetworks, CompactNetworks],
        "losses": [Losses],
        "training": [Training],
        "learning_rates": [LearningRates],
        "sampling": [Sampling],
        "augmentation": [Augmentation],
        "reports": [Reports],
    }
    models = sections.get(path[-1], [GanRecipe]) if path else [GanRecipe]
    return sorted({name for model in models for name in model.model_fields})
