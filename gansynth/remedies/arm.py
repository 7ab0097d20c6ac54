"""An arm of a comparison: one or several remedies, applied one after the other; and how it is written.

The grammar is ``[only-]NAME[:PARAMETER=NUMBER ...][@DOSE]``, joined by ``+``; it is taken apart here and nowhere else.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gansynth.errors import InputError
from gansynth.metrics.wording import listed
from gansynth.recipes import recipe_names
from gansynth.remedies.folder_images import FolderImages, is_images_folder
from gansynth.remedies.naming import slug
from gansynth.remedies.parameter import is_parameter, number_text, read_parameters
from gansynth.remedies.remedy import REGISTRY, Remedy, Workplace
from gansynth.remedies.synthetic import Synthetic, is_run
from gansynth.remedies.treatment import Treatment
from gansynth.runs.artifact import zoo_models

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset

NONE, AUGMENTATION, OVERSAMPLE = "none", "augmentation", "oversample"
ALONE = "only-"
"""Before the name of a GAN: its images alone, without the real ones."""


@dataclass(frozen=True)
class Part:
    """One remedy of an arm as it is written; nothing is opened, and it need not exist.

    Attributes
    ----------
    name : str
        Of a remedy, a recipe of a GAN, a YAML file, a run folder or a folder of class folders.
    parameters : tuple of (str, float)
        As far as they are given.
    dose : float or None
        None where none is given.
    alone : bool
        Whether its images replace the real ones.
    """

    name: str
    parameters: tuple[tuple[str, float], ...] = ()
    dose: float | None = None
    alone: bool = False

    @classmethod
    def parse(cls, text: str, spec: str) -> Part:
        """Read a part; `spec` is the arm that a message names."""
        called, at, share = text.strip().partition("@")
        dose = _dose(share, spec) if at else None
        name, *settings = (piece.strip() for piece in called.removeprefix(ALONE).split(":"))
        if name not in REGISTRY:  # a path may hold a colon
            pieces, settings = [name, *settings], []
            while len(pieces) > 1 and is_parameter(pieces[-1]):
                settings.insert(0, pieces.pop())
            name = ":".join(pieces)
        known = REGISTRY[name].parameters if name in REGISTRY else ()
        return cls(name, tuple(read_parameters(settings, spec, known).items()), dose, called.startswith(ALONE))

    def __str__(self) -> str:
        of = {parameter.name: parameter for parameter in self.kind.parameters}
        texts = ((name, of[name].text(value) if name in of else number_text(value)) for name, value in self.parameters)
        settings = "".join(f":{name}={text}" for name, text in texts)
        dose = "" if self.dose is None else f"@{number_text(self.dose)}"
        return f"{ALONE if self.alone else ''}{self.name}{settings}{dose}"

    @property
    def kind(self) -> type[Remedy]:
        """What it is: a name that no remedy has is that of a folder of images, or of a GAN."""
        if self.name not in REGISTRY and is_images_folder(self.name):
            return FolderImages
        return REGISTRY.get(self.name, Synthetic)

    def describe(self) -> str:
        """Return what it does, as the subject of a sentence."""
        return self.kind.describe(**dict(self.parameters)) if self.name in REGISTRY else f"synthetic images ({self})"

    def build(self, spec: str) -> Remedy:
        """Return the remedy; InputError for an unknown name, or an impossible dose or parameter."""
        dose = 1.0 if self.dose is None else self.dose
        if self.name in REGISTRY and not self.alone:
            if self.dose is not None and not self.kind.takes_dose:
                raise InputError(
                    f"remedy '{spec}': {self.name} takes no dose; write it without '@{number_text(self.dose)}'"
                )
            return self.kind(dose, **dict(self.parameters))
        if self.name in recipe_names() or is_run(self.name) or Path(self.name).is_file():
            return Synthetic(self.name, dose, alone=self.alone, **dict(self.parameters))
        if self.kind is FolderImages and not self.alone:
            return FolderImages(self.name, dose, **dict(self.parameters))
        known = [*remedy_names(), *recipe_names(), *zoo_models()]
        near = difflib.get_close_matches(self.name, known, 1)
        names = ", ".join(remedy_names())
        others = "every GAN recipe, every run and every folder of class folders"
        hint = f"did you mean '{near[0]}'?" if near else f"there are {names}, and {others}"
        raise InputError(f"remedy '{spec}': '{self.name}' is not a remedy, a GAN recipe or a run folder; {hint}")


@dataclass(frozen=True)
class Arm:
    """Remedies in the order in which they are applied.

    Attributes
    ----------
    parts : tuple of Part
        Empty for "none".

    Examples
    --------
    >>> arm = Arm.parse("augmentation+cb-focal:beta=0.999+oversample@0.50")
    >>> str(arm), arm.dose, str(arm.without_dose())
    ('augmentation+cb-focal:beta=0.999+oversample@0.5', 0.5, 'augmentation+cb-focal:beta=0.999+oversample')
    >>> arm.describe()
    'ordinary augmentation, class-balanced focal loss (beta = 0.999) and showing the rarer classes more often'
    """

    parts: tuple[Part, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Arm:
        """Read an arm as it is written, without opening anything; `parse_arm` also checks that it can be applied.

        Raises
        ------
        InputError
            For a dose or a parameter that is not a number.
        """
        text = text.strip()
        return cls() if text == NONE else cls(tuple(Part.parse(part, text) for part in text.split("+")))

    def __str__(self) -> str:
        return "+".join(map(str, self.parts)) or NONE

    @property
    def spec(self) -> str:
        """The arm as tables and folders call it."""
        return str(self)

    @cached_property
    def remedies(self) -> tuple[Remedy, ...]:
        """What is applied; InputError where there is no such thing."""
        return tuple(part.build(self.spec) for part in self.parts)

    @property
    def alone(self) -> bool:
        """Whether synthetic images replace the real ones."""
        return any(part.alone for part in self.parts)

    def describe(self) -> str:
        """Return what it does, as the subject of a sentence: all its parts."""
        return listed([part.describe() for part in self.parts], most=20) or "the original data"

    @property
    def noun(self) -> str:
        """What a heading calls it."""
        return listed([part.kind.noun or str(part) for part in self.parts], most=20) or "original data"

    @property
    def folder_name(self) -> str:
        """The arm in a path."""
        return slug(self.spec)

    @property
    def neural_only(self) -> bool:
        """Whether the arm means something for neural networks only."""
        return any(remedy.neural_only for remedy in self.remedies)

    @property
    def classical_only(self) -> bool:
        """Whether the arm means something only for classifiers that learn from features."""
        return any(remedy.classical_only for remedy in self.remedies)

    def fits(self, neural: bool) -> bool:
        """Return whether the arm means something for a neural network, or for a classifier of features."""
        return not (self.classical_only if neural else self.neural_only)

    @property
    def cheap(self) -> bool:
        """Whether to treat costs nothing, so that every seed may have a drawing of its own (`Workplace.draws_by`)."""
        return all(remedy.cheap for remedy in self.remedies)

    @property
    def dose(self) -> float | None:
        """The dose, where exactly one of its remedies takes one."""
        doses = [1.0 if part.dose is None else part.dose for part in self.parts if part.kind.takes_dose]
        return doses[0] if len(doses) == 1 else None

    def at_dose(self, dose: float | None) -> Arm:
        """Return the arm with all its doses set (None: left away); one whose remedies take none is refused."""
        if not any(part.kind.takes_dose for part in self.parts):
            raise InputError(f"{self}: takes no dose")
        return Arm(tuple(replace(part, dose=dose) if part.kind.takes_dose else part for part in self.parts))

    def without_dose(self) -> Arm:
        """Return the arm with no dose written."""
        return Arm(tuple(replace(part, dose=None) for part in self.parts))

    def at_no_dose(self) -> Arm:
        """Return what is left of the arm where the dose is 0: those that take none, nor need synthetic images."""
        return Arm(tuple(part for part in self.parts if not (part.kind.takes_dose or part.kind.needs_synthetic)))

    def treat(self, training: CellDataset, place: Workplace) -> Treatment:
        """Return what a classifier of this arm learns from.

        The first call for a split may take long (it trains a GAN and generates); what it made is kept in `place`. Two
        processes must not make that first call at the same time.
        """
        treatment = Treatment.of(training)
        for remedy in self.remedies:
            treatment = remedy.treat(treatment, place)
        return treatment

    def refuse_leaks(self, held_out: CellDataset, place: Workplace) -> None:
        """Refuse (InputError) an arm that adds something made from held-out images, such as a run trained on them."""
        for remedy in self.remedies:
            remedy.refuse_leaks(held_out, place)


def parse_arm(spec: str) -> Arm:
    """Read an arm as users type it.

    Remedies are joined by ``+`` and applied from left to right; ``:name=number`` sets a parameter, ``@`` gives a dose.
    What is not the name of a remedy is a recipe of a GAN, a YAML file, or a run folder; with ``only-`` before it, its
    images replace the real ones.

    Parameters
    ----------
    spec : str

    Raises
    ------
    InputError
        For an unknown name, an impossible dose or parameter, and remedies that do not go together.

    Examples
    --------
    >>> [(r.name, r.dose) for r in parse_arm("augmentation+oversample@0.5").remedies]
    [('augmentation', 1.0), ('oversample', 0.5)]
    >>> parse_arm("cb-focal:beta=0.999").remedies[0].values
    {'beta': 0.999, 'gamma': 2.0}
    """
    arm = Arm.parse(spec)
    _refuse_discord(arm)
    return arm


def remedy_names() -> list[str]:
    """Return the names of the remedies, "none" first; recipes of GANs are remedies too (see `recipe_names`)."""
    return [NONE, *sorted(REGISTRY)]


def _refuse_discord(arm: Arm) -> None:
    """Refuse remedies of which one would undo another, or that no classifier can follow together."""
    deciding: dict[str, str] = {}
    made = False
    for remedy in arm.remedies:
        if remedy.needs_synthetic and (arm.alone or not made):
            raise InputError(
                f"remedy '{arm}': {remedy.name} needs synthetic images beside real ones, and "
                + ("the arm has no real ones" if arm.alone else "no part before it makes any; name a GAN, a run or "
                "naturalize first, as in c-wgan-gp-64+supplement")
            )  # fmt: skip
        made = made or remedy.makes_images
        if remedy.decides in deciding:
            both = f"{deciding[remedy.decides]} and {remedy.name}"
            raise InputError(f"remedy '{arm}': {both} both decide {remedy.decides}; take one")
        if remedy.decides:
            deciding[remedy.decides] = remedy.name
    if arm.neural_only and arm.classical_only:
        raise InputError(
            f"remedy '{arm}': one part means something for networks only, another for classifiers of features "
            "only; compare them as two arms"
        )


def _dose(text: str, spec: str) -> float:
    try:
        dose = float(text)
    except ValueError:
        dose = -1.0
    if not 0 <= dose <= 100:
        first = "; parameters stand before the dose" if ":" in text else ""
        raise InputError(f"remedy '{spec}': dose '{text}' is not a number from 0 to 100; 1 is balance{first}")
    return dose
