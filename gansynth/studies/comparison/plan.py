"""What a comparison is asked for: arms, classifiers, seeds, endpoints; and what its folder belongs to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.files import known_classes
from gansynth.recipes.classifier import ClassifierRecipe, NeuralRecipe, load_classifier_recipe
from gansynth.remedies import Arm, parse_arm
from gansynth.remedies.arm import ALONE, AUGMENTATION, NONE, OVERSAMPLE
from gansynth.remedies.synthetic import Synthetic
from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.comparison.settings import ComparisonSettings

RECIPES, SPLITS = "classifiers", "splits"
"""Folders of a comparison for the recipes of its classifiers, and for its folds."""

BASELINES = (NONE, AUGMENTATION, OVERSAMPLE)
IN_USE = ("precision-at-recall", "calibration-error")
_RARE_SHARE = 10


@dataclass(frozen=True)
class Plan:
    """A comparison as it is carried out.

    Attributes
    ----------
    data : str
    out : pathlib.Path
    arms : tuple of Arm
        Doses written out, those of `swap` at the end.
    classifiers : tuple of ClassifierRecipe
    seeds : tuple of int
        With those of a comparison that is continued.
    settings : ComparisonSettings
    progress : bool
    """

    data: str
    out: Path
    arms: tuple[Arm, ...]
    classifiers: tuple[ClassifierRecipe, ...]
    seeds: tuple[int, ...]
    settings: ComparisonSettings
    progress: bool

    @property
    def is_paper(self) -> bool:
        """Whether the images are divided after they are balanced."""
        return self.settings.protocol == "paper"

    def arms_of(self, classifier: ClassifierRecipe) -> list[Arm]:
        """Return the arms that mean something for a classifier."""
        return [arm for arm in self.arms if arm.fits(classifier.neural)]

    @property
    def sizes(self) -> list[int]:
        """Edge lengths of the images the classifiers look at, each once."""
        return list(dict.fromkeys(recipe.resolution for recipe in self.classifiers))


def write_out_arms(
    remedies: Iterable[str], doses: Sequence[float] = (), swap: bool = False, kept: Iterable[str] = ()
) -> tuple[Arm, ...]:
    """Return the arms of a comparison in the order in which tables show them.

    Parameters
    ----------
    remedies : iterable of str
        As `parse_arm` reads them.
    doses : sequence of float
        Every arm that takes a dose and has none of its own is written out at each; dose 0 is the arm ``none``.
    swap : bool
        Whether every GAN gets an arm of its images alone (``only-``).
    kept : iterable of str
        Arms that are there already, as they are.

    Raises
    ------
    InputError
        For an unknown remedy, an impossible dose, or no arm at all.
    """
    found = {spec: parse_arm(spec) for spec in kept}
    for text in remedies:
        arm = parse_arm(text)
        for one in _at_doses(arm, doses):
            found.setdefault(one.spec, one)
    if swap:
        for remedy in gans_of(found.values()).values():
            spec = f"{ALONE}{remedy.title}"
            found.setdefault(spec, parse_arm(spec))
    if not found:
        raise InputError("no remedy; give --remedies with at least one, such as none,oversample,c-wgan-gp-64")
    twice: dict[str, str] = {}
    for spec, arm in found.items():
        other = twice.setdefault(arm.folder_name.casefold(), spec)
        if other != spec:
            raise InputError(f"--remedies: '{other}' and '{spec}' would share a folder; give one of them another name")
    return tuple(found.values())


def gans_of(arms: Iterable[Arm]) -> dict[str, Synthetic]:
    """Return the GANs of some arms as users type them, each once."""
    found = [remedy for arm in arms for remedy in arm.remedies if isinstance(remedy, Synthetic)]
    return {remedy.title: remedy for remedy in reversed(found)}


def load_classifiers(
    names: Iterable[str], changes: Sequence[str] = (), size: int | None = None, epochs: int | None = None
) -> tuple[ClassifierRecipe, ...]:
    """Read the recipes of a comparison's classifiers.

    A change is made to every recipe that has what it changes; one that no recipe has is refused. So
    ``training.batch_size=32`` does not get in the way of a random forest.

    Parameters
    ----------
    names : iterable of str
        Recipes of the zoo or YAML files.
    changes : sequence of str
        Such as ``"training.batch_size=32"``.
    size : int, optional
        Edge length of the images for all of them.
    epochs : int, optional
        For those that are trained in steps.

    Raises
    ------
    InputError
        For an unknown recipe or setting, or a classifier named twice.
    """
    wanted = list(changes)
    wanted += [f"resolution={size}"] if size is not None else []
    wanted += [f"training.epochs={epochs}"] if epochs is not None else []
    found: list[ClassifierRecipe] = []
    used: set[str] = set()
    names = list(names)
    for name in names:
        plain = load_classifier_recipe(name).model_dump()
        mine = [change for change in wanted if _has(plain, change)]
        used.update(mine)
        found.append(load_classifier_recipe(name, mine))
    unused = [change for change in changes if found and change not in used]
    if unused:
        for name in names:
            if unused[0].partition(".")[0].strip() in load_classifier_recipe(name).model_dump():
                load_classifier_recipe(name, [unused[0]])  # refuses it, and knows what was meant
        raise InputError(f"--set {unused[0]}: no classifier of this comparison has such a setting")
    titles = [recipe.name for recipe in found]
    twice = sorted({title for title in titles if titles.count(title) > 1})
    if twice:
        raise InputError(f"--classifiers: {', '.join(twice)} is named twice; give each recipe a `name` of its own")
    return tuple(found)


def steps_of(recipe: ClassifierRecipe, training_images: int) -> int | None:
    """Return the optimizer steps of every arm: the epochs of the untreated training split; None without steps."""
    if not isinstance(recipe, NeuralRecipe):
        return None
    return recipe.training.epochs * math.ceil(training_images / recipe.training.batch_size)


def rare_classes(
    counts: Mapping[str, float], rarity: Mapping[str, int], named: Sequence[str], option: str = "--rare"
) -> list[str]:
    """Return the classes whose recall is an endpoint.

    Those named; else those of `rarity`; else those with fewer than a tenth of the largest class's training images;
    else the smallest.

    Parameters
    ----------
    counts : mapping of str to number
        Training images by class.
    rarity, named
        See `compare`.
    option : str
        Where they are named.

    Raises
    ------
    InputError
        If a class is named that is not there.
    """
    if named or rarity:
        return list(dict.fromkeys(known_classes(named or rarity, counts, option if named else "--rarity")))
    most = max(counts.values())
    few = [name for name, n in counts.items() if n * _RARE_SHARE < most]
    return few or [min(counts, key=lambda name: counts[name])]


def endpoints_of(primary: str, rare: Sequence[str]) -> tuple[Endpoint, ...]:
    """Return the endpoints: the primary one, then the recall of each rare class."""
    return (Endpoint(primary), *(Endpoint("recall", name) for name in rare))


def endpoints_in_use(rare: Sequence[str]) -> tuple[Endpoint, ...]:
    """Return what rare classes need beyond their recall: precision where most of them are found, and calibration."""
    return tuple(Endpoint(metric, name) for metric in IN_USE for name in rare)


def _at_doses(arm: Arm, doses: Sequence[float]) -> list[Arm]:
    takes = [part for part in arm.parts if part.kind.takes_dose and not part.alone]
    if not doses or not takes or any(part.dose is not None for part in arm.parts):
        return [arm]
    # Dose 1 is what the arm is without a dose: one name for one thing.
    return [Arm() if dose == 0 else arm if dose == 1 else arm.at_dose(dose) for dose in doses]


def _has(recipe: Mapping[str, Any], change: str) -> bool:
    """Return whether a recipe has the value that a change names."""
    at: Any = recipe
    *sections, last = change.partition("=")[0].strip().split(".")
    for section in sections:
        at = at.get(section) if isinstance(at, Mapping) else None
    return isinstance(at, Mapping) and last in at
