"""Recipes: everything that decides a training, typed and checked, in one YAML file.

A recipe of the zoo is opened by its name, any other by its path. What the file does not say has the default
written here; what it says and this file does not know is refused with the line it stands on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gansynth.errors import InputError
from gansynth.recipes.declared import (
    UNDECLARED,
    Declared,
    Networks,
    NoLosses,
    UndeclaredLosses,
    declared_by,
)
from gansynth.recipes.reading import (
    ZOO,
    Count,
    Name,
    Number,
    Positive,
    Section,
    Width,
    read_recipe,
    zoo_recipes,
)

__all__ = ["ZOO", "GanRecipe", "load_recipe", "recipe_names"]


_S = TypeVar("_S", bound=Section)


class LearningRates(Section):
    generator: Positive = 1e-4
    critic: Positive = 1e-4
    classifier: Positive = 1e-4
    texture: Positive = 2e-4


class Training(Section):
    """The game: how long, how often each player moves, and how far; `warm_up` steps before it belong to methods that
    prepare their players (BAGAN-GP, C-WGAN-GP); a second critic, on pretrained features, joins at `texture_since`."""

    steps: Count = 100_000
    warm_up: Annotated[int, Number, Field(ge=0, le=10**12)] = 0
    texture_since: Annotated[int, Number, Field(ge=0, le=10**12)] = 0
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
    """DiffAugment (Zhao et al. 2020), applied to real and generated images alike, in all turns. `orientations` turns
    and flips each image: no orientation of a cell is special. Turned real images alone would make the generator draw
    all eight orientations at once, cells that are symmetric under rotation."""

    orientations: bool = True
    policy: Literal["none", "stain", "color"] = "stain"
    translation: Annotated[float, Field(ge=0, le=0.5)] = 0.125
    cutout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Reports(Section):
    """How often the log, the sample sheet with the class watch, and the saved state appear, in steps; how many images
    of each class are watched; how many the independent classifier learns from before the game (default: 20 times
    the training split, at least 6,400 and at most 100,000).

    `keep` says which generator the run is: the last, or that of the look at which most classes were recognised and
    varied (`ClassWatch.score`). The training is the same. `pretrained_judge` is whether a pretrained network watches,
    too."""

    log_every: Count = 50
    sheet_every: Count = 1000
    save_every: Count = 1000
    sheet_columns: Annotated[int, Field(ge=1, le=100)] = 8
    watch_images: Annotated[int, Field(ge=2, le=10_000)] = 64
    classifier_images: Count | None = None
    keep: Literal["last", "recognised"] = "last"
    pretrained_judge: bool = True


class GanRecipe(Section):
    """One GAN and its training."""

    name: Name
    gan: str
    resolution: Annotated[int, Field(ge=8, le=1024)]
    latent: Width
    networks: SerializeAsAny[Networks]
    losses: SerializeAsAny[Section] = Field(default_factory=NoLosses, validate_default=True)
    training: Training = Training()
    sampling: Sampling = Sampling()
    augmentation: Augmentation = Augmentation()
    reports: Reports = Reports()

    @field_validator("networks", mode="before")
    @classmethod
    def _networks_of_the_gan(cls, value: Any, info: ValidationInfo) -> Networks:
        return declared_by(str(info.data.get("gan"))).networks_of(_given(value))

    @field_validator("losses", mode="before")
    @classmethod
    def _losses_of_the_gan(cls, value: Any, info: ValidationInfo) -> Section:
        return declared_by(str(info.data.get("gan"))).losses.model_validate(_given(value))

    def declared(self) -> GanRecipe:
        """Return the recipe with the networks and weights that its GAN declares, if it was read before the GAN was
        known.

        Raises
        ------
        InputError
            If one of them is none of the GAN's.
        """
        if not isinstance(self.losses, UndeclaredLosses) or declared_by(self.gan) is UNDECLARED:
            return self
        try:
            return GanRecipe.model_validate(self.model_dump())
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            raise InputError(f"recipe {self.name}: '{name}': {first['msg']}") from None

    def weights(self, of: type[_S]) -> _S:
        """Return `losses`, which are of the kind that the recipe's GAN declares."""
        assert isinstance(self.losses, of)
        return self.losses

    @model_validator(mode="after")
    def _fits(self) -> GanRecipe:
        if self.training.batch_size % self.sampling.group:
            raise ValueError(
                f"training.batch_size {self.training.batch_size} is not a multiple of sampling.group "
                f"{self.sampling.group}"
            )
        self.networks.refuse_unfit(self.resolution)
        return self


def _given(value: Any) -> Any:
    return value.model_dump() if isinstance(value, Section) else value


def recipe_names() -> list[str]:
    """Return the names of the recipes in the zoo, sorted."""
    return zoo_recipes()


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
    return read_recipe(
        recipe,
        overrides,
        folder="",
        kind_of=lambda values: GanRecipe,
        sections_of=lambda values: _sections(declared_by(str(values.get("gan"))), values),
    )


def _sections(declared: Declared, values: dict[str, Any]) -> dict[str, type[Section]]:
    """Return the types of the sections that a GAN declares, its networks of the family that the values name."""
    networks = values.get("networks")
    chosen = declared.of_family(networks.get("family") if isinstance(networks, dict) else None)
    return {"losses": declared.losses} | ({} if chosen is None else {"networks": chosen})
