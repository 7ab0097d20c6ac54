"""Recipes of classifiers: what a classifier is and how it learns, typed and checked, in one YAML file.

They lie in ``models/classifiers/``. Neural ones have the sections `network`, `training` and `augmentation`, classical
ones the section `classical`, ensembles that average have `members`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from gansynth.errors import InputError
from gansynth.plugins import load_plugins
from gansynth.recipes.reading import (
    Channels,
    Count,
    Name,
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


class Trunk(Section):
    """A network of torchvision or timm; `input_size` is the edge that images are brought to before it."""

    library: Literal["torchvision", "timm"]
    model: str
    input_size: Annotated[int, Number, Field(ge=32, le=1024)] = 224


class PublishedNetwork(Section):
    """What begins with weights that somebody publishes.

    `frozen` leaves all but the head as it is (transfer learning), else everything is tuned; `weights` are those that
    the library publishes, or none.
    """

    weights: Literal["pretrained", "none"] = "pretrained"
    frozen: bool = False
    dropout: Share = 0.2


class BackboneNetwork(PublishedNetwork, Trunk):
    """A trunk with a new head."""


def _trunk(value: Any) -> Any:
    """Return the trunk of the backbone that a recipe's name stands for."""
    if not isinstance(value, str):
        return value
    recipe = _of_a_recipe(value)
    if not isinstance(recipe, BackboneRecipe):
        raise ValueError(f"recipe '{value}' is not a backbone")
    return Trunk(**{name: getattr(recipe.network, name) for name in Trunk.model_fields})


class CbamNetwork(PublishedNetwork):
    """Two or more trunks under one block of attention (CBAM) and one head: the Ensemble-CBAM of abouali2023.

    `backbones` are names of recipes or trunks written out; `spatial` is how positions are weighted: by a "perceptron"
    (eq. 2 of the paper) or by a "convolution" (Woo et al. 2018); `reduction` is by how much the attention's hidden
    layers are narrower than the maps; `hidden` is the width of the head's hidden layer. With `tuned_first` every
    backbone is tuned alone before the ensemble begins with it; `frozen` then leaves it as it was tuned.
    """

    backbones: Annotated[tuple[Annotated[Trunk, BeforeValidator(_trunk)], ...], Field(min_length=2, max_length=4)]
    spatial: Literal["perceptron", "convolution"] = "perceptron"
    reduction: Annotated[int, Number, Field(ge=1, le=256)] = 16
    hidden: Width = 256
    tuned_first: bool = False


class Training(Section):
    """How a network learns.

    An epoch shows as many images as there are real training images, whatever a remedy added: so the same number of
    epochs is the same number of steps in every arm of a comparison. `sampling` "natural" shows every row of the
    treatment equally often; the others draw the classes by p ~ n^alpha, or equally. `keep` says which epoch's weights
    are kept: that of the best macro-F1 on the validation images, or that of the least loss there. `patience` counts
    epochs without a better one; 0 never stops early. `calibrated` sets the temperature on them. `optimizer` "adam" is
    Adam as published, whose weight decay is part of the gradient.
    """

    epochs: Annotated[int, Number, Field(ge=1, le=100_000)] = 50
    batch_size: Annotated[int, Number, Field(ge=2, le=65_536)] = 64
    optimizer: Literal["adamw", "adam"] = "adamw"
    learning_rate: Positive = 2e-3
    weight_decay: NonNegative = 0.01
    schedule: Literal["cosine", "constant"] = "cosine"
    warm_up: Share = 0.05
    keep: Literal["macro-F1", "loss"] = "macro-F1"
    patience: Annotated[int, Number, Field(ge=0)] = 15
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(str)] = "auto"
    sampling: Literal["natural", "balanced", "tempered"] = "natural"
    alpha: Annotated[float, Number, Field(ge=0, le=1)] = 0.5
    label_smoothing: Share = 0.0
    calibrated: bool = False


class ClassifierRecipe(Section):
    """One classifier. Opened recipes are of one of the classes below; this is what they share."""

    name: Name
    classifier: str
    resolution: Annotated[int, Number, Field(ge=8, le=1024)]

    @property
    def neural(self) -> bool:
        """Whether all of it is networks, so that a remedy may change loss and sampling."""
        return False


class NeuralRecipe(ClassifierRecipe):
    """A network.

    `augmentation` says how images are altered: "ordinary" (flips, turns, a slight jitter of colour), "orientations"
    (the eight orientations of the square alone) or "free" (any angle, and saturation too). With "none" a plain training
    split is not altered; a treatment says itself whether it is, and then alters as "ordinary" does.
    """

    network: Section
    training: Training = Training()
    augmentation: Literal["none", "ordinary", "orientations", "free"] = "ordinary"

    @property
    def neural(self) -> bool:
        return True


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
    """`remedy`, like `augmentation`, concerns a plain training split: CBCM (guo2022) is a backbone with its remedy."""

    classifier: Literal["backbone"]
    network: BackboneNetwork
    remedy: str = "none"


class CbamRecipe(NeuralRecipe):
    classifier: Literal["cbam-ensemble"]
    network: CbamNetwork

    def alone(self) -> tuple[BackboneRecipe, ...]:
        """Return the recipes by which `tuned_first` tunes the backbones, each alone."""
        of_all: dict[str, Any] = {"weights": self.network.weights, "dropout": self.network.dropout}
        return tuple(
            BackboneRecipe(
                name=f"{self.name}-{k}", classifier="backbone", resolution=self.resolution, training=self.training,
                augmentation=self.augmentation, network=BackboneNetwork(**trunk.model_dump(), **of_all),
            )
            for k, trunk in enumerate(self.network.backbones)
        )  # fmt: skip


class Classical(Section):
    """What a classical classifier looks at.

    `features`: "pixels" (flattened), "nuclei" (lobes, shape, colour and texture), "encoder" (a cell encoder trained on
    the real training images), "encoder:NAME" (one that ships, or a folder), "backbone:RECIPE" (the features under the
    head of a backbone) or "stages:RECIPE" (mean and standard deviation of the maps of all stages of an
    EfficientNet-Lite). `components`: the principal components that are kept, or null to keep the features as they are.
    `augmented_copies`: how many altered copies of every image are learned from besides it, where a remedy asks for
    augmentation.
    """

    features: Annotated[str, Field(pattern=r"^(pixels|nuclei|encoder|encoder:.+|backbone:.+|stages:.+)$")] = "pixels"
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


class FeatureLayers(Classical):
    """A network on features: `channels` of its convolutions along them."""

    channels: Annotated[Channels, Field(min_length=1, max_length=4)] = (16, 32)
    epochs: Annotated[int, Number, Field(ge=1, le=10_000)] = 60
    learning_rate: Positive = 1e-3


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


class FeatureNetworkRecipe(ClassicalRecipe):
    """Not a `NeuralRecipe`: it learns from features, so that remedies treat it as they treat a forest."""

    classifier: Literal["feature-network"]
    classical: FeatureLayers = FeatureLayers()


class MembersNetwork(Section):
    """What replaces the members' own `network` section; null keeps theirs."""

    weights: Literal["pretrained", "none"] | None = None
    frozen: bool | None = None


class MembersTraining(Section):
    """What replaces the members' own `training` section; null keeps theirs."""

    epochs: Annotated[int, Number, Field(ge=1, le=100_000)] | None = None
    batch_size: Annotated[int, Number, Field(ge=2, le=65_536)] | None = None
    learning_rate: Positive | None = None
    patience: Annotated[int, Number, Field(ge=0)] | None = None
    calibrated: bool | None = None


def _member(value: Any) -> Any:
    """Return the recipe that a name or a written-out recipe stands for."""
    if isinstance(value, str):
        return _of_a_recipe(value)
    if isinstance(value, dict):
        try:
            return _kind(value).model_validate(value)
        except UnknownKind as error:
            raise ValueError(str(error)) from None
    return value


class AverageRecipe(ClassifierRecipe):
    """Classifiers that learn by themselves and whose probabilities are averaged: the Ensemble-Average of abouali2023.

    `members` are names of recipes, YAML files or recipes written out. All look at images of this `resolution`.
    """

    classifier: Literal["average-ensemble"]
    members: Annotated[
        tuple[Annotated[SerializeAsAny[ClassifierRecipe], BeforeValidator(_member)], ...],
        Field(min_length=2, max_length=20),
    ]
    network: MembersNetwork = MembersNetwork()
    training: MembersTraining = MembersTraining()

    @property
    def neural(self) -> bool:
        return all(member.neural for member in self.members)

    @model_validator(mode="after")
    def _fits(self) -> AverageRecipe:
        if any(isinstance(member, AverageRecipe) for member in self.members):
            raise ValueError("a member is an ensemble itself; name its members instead")
        self.as_trained()
        return self

    def as_trained(self) -> tuple[ClassifierRecipe, ...]:
        """Return the members with this recipe's resolution and with what it replaces."""
        found = []
        for member in self.members:
            values = member.model_dump(mode="json") | {"resolution": self.resolution}
            for section in ("network", "training"):
                own = values.get(section, {})
                given = getattr(self, section).model_dump(mode="json", exclude_none=True)
                own.update({name: value for name, value in given.items() if name in own})
            found.append(type(member).model_validate(values))
        return tuple(found)


KINDS: dict[str, type[ClassifierRecipe]] = {
    "sequential-cnn": SequentialRecipe,
    "custom-cnn": CustomRecipe,
    "backbone": BackboneRecipe,
    "cbam-ensemble": CbamRecipe,
    "average-ensemble": AverageRecipe,
    "logistic-regression": LogisticRegressionRecipe,
    "naive-bayes": NaiveBayesRecipe,
    "svm": SupportVectorRecipe,
    "random-forest": ForestRecipe,
    "feature-network": FeatureNetworkRecipe,
}
"""The type of recipe by what a recipe says that it is (``classifier: ...``). Other packages add theirs with
`gansynth.classifiers.register`."""


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


def _of_a_recipe(name: str) -> ClassifierRecipe:
    """Return a recipe that another one names; what is wrong with it is raised as pydantic expects it."""
    try:
        return load_classifier_recipe(name)
    except InputError as error:
        raise ValueError(str(error)) from None


def _kind(values: dict[str, Any]) -> type[ClassifierRecipe]:
    kind = values.get("classifier")
    if kind is None:
        raise UnknownKind("classifier", "'classifier' is missing; add it")
    if str(kind) not in KINDS:
        load_plugins("gansynth.classifiers")
    if str(kind) not in KINDS:
        raise UnknownKind("classifier", f"classifier: no classifier '{kind}'; there are {', '.join(KINDS)}")
    return KINDS[str(kind)]


def _halved_four_times(recipe: Any, stride: int = 1) -> Any:
    if recipe.resolution < 16 * stride:
        raise ValueError(
            f"resolution {recipe.resolution} is below {16 * stride}, and the network makes maps smaller by as much"
        )
    return recipe
