"""What every remedy for imbalance is: a change of what a classifier learns from.

A new remedy is one file in this folder with one class::

    @register("oversample")
    class OverSampling(Remedy):
        takes_dose = True

        def treat(self, treatment, place):
            ...
            return replace(treatment, rows=...)      # or images=, loss=, mix=, sampling=, class_weight=, ...

Nothing else changes: `gansynth compare --remedies oversample` finds it by its name. One that takes numbers lists them
in `parameters`, and finds them in ``self.values``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from gansynth.remedies.class_weights import targets as targets
from gansynth.remedies.parameter import Parameter, number_text, with_defaults
from gansynth.remedies.treatment import Treatment

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset


@dataclass(frozen=True)
class GanBudget:
    """How long a GAN that a remedy needs is trained: its recipe's steps where nothing is given.

    Attributes
    ----------
    images : int or None
        Real images it sees.
    minutes : float or None
        Wall time.
    """

    images: int | None = None
    minutes: float | None = None


@dataclass(frozen=True)
class Workplace:
    """Where a remedy works, for one split of the data.

    Attributes
    ----------
    folder : pathlib.Path
        Its own for this split: GAN runs go to ``folder/gans``, synthetic images to ``folder/synthetic``.
    learning : callable
        Given an edge length in pixels, the images that may be learned from (training and validation) at that size.
    seed : int
        Decides everything random, together with the remedy.
    drawing_seed : int, optional
        Decides, instead of `seed`, what is drawn at no cost (which rows are repeated or left out), so that each seed of
        a comparison has a drawing of its own. Default: `seed`.
    budget : GanBudget
    device : str
    progress : bool
    gan_changes : tuple of str
        Changes to the recipes of GANs that are trained here, such as ``"training.batch_size=16"``.
    min_confidence : float, optional
        Keep only synthetic images that a run's independent classifier gives at least this probability of their class,
        where an arm does not say otherwise.
    """

    folder: Path
    learning: Callable[[int], CellDataset]
    seed: int = 0
    budget: GanBudget = GanBudget()
    device: str = "auto"
    progress: bool = True
    drawing_seed: int | None = None
    gan_changes: tuple[str, ...] = ()
    min_confidence: float | None = None

    @property
    def draws_by(self) -> int:
        """The seed of what is drawn at no cost."""
        return self.seed if self.drawing_seed is None else self.drawing_seed


class Remedy(ABC):
    """Base of all remedies.

    Parameters
    ----------
    dose : float
        For those that take one, the share of the way to balance: 0 changes nothing, 1 makes all classes as large,
        more than 1 makes the rare classes the large ones.
    **values : float
        Of its parameters; the others have their defaults.

    Attributes
    ----------
    parameters : tuple of Parameter
        The numbers it takes beside its dose.
    neural_only, classical_only : bool
        Whether it means something only for networks, or only for classifiers that learn from features.
    cheap : bool
        Whether to treat costs nothing and keeps nothing, so that it may be done anew for each seed.
    decides : str
        What it alone can decide ("the loss"): two remedies that decide the same do not go together.
    noun, action : str
        What a page calls it ("over-sampling"), and what it says that it does, as the subject of a sentence ("showing
        the rarer classes more often"). Default: its name; its noun.
    makes_images : bool
        Whether it adds images that are not real.
    needs_synthetic : bool
        Whether it decides about synthetic images that a part of the arm before it has added.

    Raises
    ------
    InputError
        For a parameter that it does not take, or a value outside its range.
    """

    name: ClassVar[str]
    takes_dose: ClassVar[bool] = False
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    neural_only: ClassVar[bool] = False
    classical_only: ClassVar[bool] = False
    cheap: ClassVar[bool] = False
    decides: ClassVar[str] = ""
    noun: ClassVar[str] = ""
    action: ClassVar[str] = ""
    makes_images: ClassVar[bool] = False
    needs_synthetic: ClassVar[bool] = False

    def __init__(self, dose: float = 1.0, **values: float) -> None:
        self.dose = dose
        self.values = with_defaults(getattr(self, "name", type(self).__name__), self.parameters, values)

    @classmethod
    def describe(cls, **values: float) -> str:
        """Return what it does with these parameters, as the subject of a sentence."""
        of = {parameter.name: parameter for parameter in cls.parameters}
        texts = ((name, of[name].text(value) if name in of else number_text(value)) for name, value in values.items())
        given = ", ".join(f"{name} = {text}" for name, text in texts)
        return (cls.action or cls.noun or cls.name) + (f" ({given})" if given else "")

    @abstractmethod
    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        """Return what the classifier learns from instead of `treatment`.

        What takes long (a GAN) is done once and kept in the workplace: to treat again costs little.

        Parameters
        ----------
        treatment : Treatment
            A training split, perhaps changed by other remedies before.
        place : Workplace

        Raises
        ------
        InputError
            If the remedy cannot be applied to these data.
        """

    def refuse_leaks(self, held_out: CellDataset, place: Workplace) -> None:  # noqa: B027
        """Refuse (InputError) if what the remedy adds to a training split was made from held-out images."""


REGISTRY: dict[str, type[Remedy]] = {}
_R = TypeVar("_R", bound=type[Remedy])


def register(name: str) -> Callable[[_R], _R]:
    """Class decorator: make a remedy available to `compare` as `name`."""

    def decorate(cls: _R) -> _R:
        cls.name = name
        REGISTRY[name] = cls
        return cls

    return decorate


def counts_of(treatment: Treatment) -> NDArray[np.int64]:
    """Return how many images of each class a loss or a shift of thresholds is to reckon with, int64 [C].

    Those of `Treatment.rows`; those of a supplement only as far as it asks for it (`Supplement.counted`).
    """
    beside, k = treatment.supplement, len(treatment.images.class_names)
    n = np.bincount(treatment.labels, minlength=k)
    if beside is None or beside.counted == "real":
        return n
    added = np.bincount(treatment.images.labels[beside.rows], minlength=k)
    if beside.counted == "all":
        return np.asarray(n + added, np.int64)
    # In a batch they have share * weight against 1 - share of the real ones, whatever their number.
    weight = beside.share * beside.weight / (1 - beside.share) * n.sum() / added.sum()
    return np.asarray(np.round(n + weight * added), np.int64)
