"""Recipes of classifiers: what a classifier is and how it learns, typed and checked, in one YAML file.

They lie in ``models/classifiers/``. Neural ones have the sections `network`, `training` and `augmentation`, classical
ones the section `classical`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from gansynth.recipe_reading import (
    Channels,
    Count,
    NonNegative,
    Number,
    Positive,
    Section,
    UnknownKind,
    Width,
    read_recipe,
    zoo_recipes,
)

FOLDER = "classifiers"
"""Where these recipes lie in the zoo."""

Share = Annotated[float, Number, Field(ge=0, lt=1)]


class SequentialNetwork(Section):
    """Section 2.2.3 and figure 3 of hazra2022, which leave the numbers open.

    `kernel` and `stride` are the first convolution's; without a stride it is 2 from 128 px on, else 1.
    """

    channels: Annotated[Channels, Field(min_length=4, max_length=4)] = (16, 32, 64, 128)
    kernel: Literal[3, 5, 7] = 5
    stride: Annotated[int, Number, Field(ge=1, le=4)] | None = None
    dropout: Share = 0.3
    negative_slope: Share = 0.1


class CustomNetwork(Section):
    """Figure 9 of abouali2023."""

    channels: Annotated[Channels, Field(min_length=4, max_length=4)] = (16, 32, 64, 128)
    hidden: Width = 128


class BackboneNetwork(Section):
    """A network of torchvision or timm with a new head.

    `input_size` is the edge that images are brought to before it; `frozen` leaves all but the head as it is (transfer
    learning), else everything is tuned; `weights` are those that the library publishes, or none.
    """

    library: Literal["torchvision", "timm"]
    model: str
    weights: Literal["pretrained", "none"] = "pretrained"
    frozen: bool = False
    input_size: Annotated[int, Number, Field(ge=32, le=1024)] = 224
    dropout: Share = 0.2


class Training(Section):
    """How a network learns.

    An epoch shows as many images as there are real training images, whatever a remedy added: so the same number of
    epochs is the same number of steps in every arm of a comparison. `sampling` "natural" shows every row of the
    treatment equally often; the others draw the classes by p ~ n^alpha, or equally. `patience` counts epochs without
    a better macro-F1 on the validation images; 0 never stops early. `calibrated` sets the temperature on them.
    """

    epochs: Annotated[int, Number, Field(ge=1, le=100_000)] = 50
    batch_size: Annotated[int, Number, Field(ge=2, le=65_536)] = 64
    learning_rate: Positive = 2e-3
    weight_decay: NonNegative = 0.01
    schedule: Literal["cosine", "constant"] = "cosine"
    warm_up: Share = 0.05
    patience: Annotated[int, Number, Field(ge=0)] = 15
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(str)] = "auto"
    sampling: Literal["natural", "balanced", "tempered"] = "natural"
    alpha: Annotated[float, Number, Field(ge=0, le=1)] = 0.5
    label_smoothing: Share = 0.0
    calibrated: bool = False


class ClassifierRecipe(Section):
    """One classifier. Opened recipes are of one of the classes below; this is what they share."""

    name: str
    classifier: str
    resolution: Annotated[int, Number, Field(ge=8, le=1024)]


class NeuralRecipe(ClassifierRecipe):
    """A network. `augmentation` concerns a plain training split: a treatment says itself whether it is augmented."""

    network: Section
    training: Training = Training()
    augmentation: Literal["none", "ordinary"] = "ordinary"


class SequentialRecipe(NeuralRecipe):
    classifier: Literal["sequential-cnn"]
    network: SequentialNetwork = SequentialNetwork()

    @property
    def stride(self) -> int:
        """Of the first convolution."""
        return self.network.stride or (2 if self.resolution >= 128 else 1)

    @model_validator(mode="after")
    def _fits(self) -> SequentialRecipe:
        return _halved_four_times(self, self.stride)


class CustomRecipe(NeuralRecipe):
    classifier: Literal["custom-cnn"]
    network: CustomNetwork = CustomNetwork()

    @model_validator(mode="after")
    def _fits(self) -> CustomRecipe:
        return _halved_four_times(self)


class BackboneRecipe(NeuralRecipe):
    classifier: Literal["backbone"]
    network: BackboneNetwork


class Classical(Section):
    """What a classical classifier looks at.

    `features`: "pixels" (flattened), "encoder" (a cell encoder trained on the real training images), "encoder:NAME"
    (one that ships, or a folder) or "backbone:RECIPE" (the features under the head of a backbone). `components`: the
    principal components that are kept, or null to keep the features as they are. `augmented_copies`: how many altered
    copies of every image are learned from besides it, where a remedy asks for augmentation.
    """

    features: Annotated[str, Field(pattern=r"^(pixels|encoder|encoder:.+|backbone:.+)$")] = "pixels"
    components: Width | None = 64
    augmented_copies: Annotated[int, Number, Field(ge=1, le=100)] = 4


class NaiveBayes(Classical):
    pass


class LogisticRegression(Classical):
    C: Positive = 1.0
    iterations: Count = 1000


class SupportVectors(Classical):
    C: Positive = 1.0
    kernel: Literal["linear", "rbf", "poly", "sigmoid"] = "rbf"
    gamma: Positive | Literal["scale", "auto"] = "scale"


class Forest(Classical):
    trees: Count = 300
    leaf: Count = 1


class ClassicalRecipe(ClassifierRecipe):
    classical: Classical


class LogisticRegressionRecipe(ClassicalRecipe):
    classifier: Literal["logistic-regression"]
    classical: LogisticRegression = LogisticRegression()


class NaiveBayesRecipe(ClassicalRecipe):
    classifier: Literal["naive-bayes"]
    classical: NaiveBayes = NaiveBayes()


class SupportVectorRecipe(ClassicalRecipe):
    classifier: Literal["svm"]
    classical: SupportVectors = SupportVectors()


class ForestRecipe(ClassicalRecipe):
    classifier: Literal["random-forest"]
    classical: Forest = Forest()


_KINDS: dict[str, type[ClassifierRecipe]] = {
    "sequential-cnn": SequentialRecipe,
    "custom-cnn": CustomRecipe,
    "backbone": BackboneRecipe,
    "logistic-regression": LogisticRegressionRecipe,
    "naive-bayes": NaiveBayesRecipe,
    "svm": SupportVectorRecipe,
    "random-forest": ForestRecipe,
}


def classifier_recipe_names() -> list[str]:
    """Return the names of the classifiers' recipes in the zoo, sorted."""
    return zoo_recipes(FOLDER)


def load_classifier_recipe(recipe: str | Path, overrides: Sequence[str] = ()) -> ClassifierRecipe:
    """Open a classifier's recipe by its name in the zoo or by its path.

    Parameters
    ----------
    recipe : str or path
        A name as `classifier_recipe_names` lists them, a YAML file, or a run folder (its ``recipe.yaml``).
    overrides : sequence of str
        Changes such as ``"training.epochs=15"``; the value is read as YAML.

    Raises
    ------
    InputError
        For an unknown name, a file that is not YAML, or an unknown or impossible value, with its line.

    Examples
    --------
    >>> load_classifier_recipe("sequential-cnn", ["resolution=64"]).resolution
    64
    """
    return read_recipe(recipe, overrides, folder=FOLDER, kind_of=_kind)


def _kind(values: dict[str, Any]) -> type[ClassifierRecipe]:
    kind = values.get("classifier")
    if kind is None:
        raise UnknownKind("classifier", "'classifier' is missing; add it")
    if str(kind) not in _KINDS:
        raise UnknownKind("classifier", f"classifier: no classifier '{kind}'; there are {', '.join(_KINDS)}")
    return _KINDS[str(kind)]


def _halved_four_times(recipe: Any, stride: int = 1) -> Any:
    if recipe.resolution < 16 * stride:
        raise ValueError(
            f"resolution {recipe.resolution} is below {16 * stride}, and the network makes maps smaller by as much"
        )
    return recipe
