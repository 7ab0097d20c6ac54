"""An arm of a comparison: one or several remedies, applied one after the other."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gansynth.errors import InputError
from gansynth.recipes import recipe_names
from gansynth.remedies.naming import slug
from gansynth.remedies.parameter import read_parameters
from gansynth.remedies.remedy import REGISTRY, Remedy, Workplace
from gansynth.remedies.synthetic import Synthetic, is_run
from gansynth.remedies.treatment import Treatment
from gansynth.shipped import zoo_models

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset

NONE = "none"
ALONE = "only-"


@dataclass(frozen=True)
class Arm:
    """Remedies in the order in which they are applied.

    Attributes
    ----------
    spec : str
        What the user typed, and tables show.
    remedies : tuple of Remedy
        Empty for "none".
    """

    spec: str
    remedies: tuple[Remedy, ...]

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
        doses = [remedy.dose for remedy in self.remedies if remedy.takes_dose]
        return doses[0] if len(doses) == 1 else None

    def at_dose(self, dose: float) -> Arm:
        """Return the arm with all its doses set; one whose remedies take none is refused."""
        parts = []
        for part in self.spec.split("+"):
            called, _, _ = part.partition("@")
            name = called.partition(":")[0].strip()
            takes = name not in REGISTRY or REGISTRY[name].takes_dose
            parts.append(f"{called}@{dose:g}" if takes and name != NONE else part)
        if parts == self.spec.split("+") and self.dose is None:
            raise InputError(f"{self.spec}: takes no dose")
        return parse_arm("+".join(parts))

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
    What is no remedy's name is a recipe of a GAN, a YAML file, or a run folder; with ``only-`` before it, its images
    replace the real ones.

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
    spec = spec.strip()
    if spec == NONE:
        return Arm(spec, ())
    arm = Arm(spec, tuple(_remedy(part.strip(), spec) for part in spec.split("+")))
    _refuse_discord(arm)
    return arm


def remedy_names() -> list[str]:
    """Return the names of the remedies, "none" first; recipes of GANs are remedies too (see `recipe_names`)."""
    return [NONE, *sorted(REGISTRY)]


def _refuse_discord(arm: Arm) -> None:
    """Refuse remedies of which one would undo another, or that no classifier can follow together."""
    deciding: dict[str, str] = {}
    for remedy in arm.remedies:
        if remedy.decides in deciding:
            both = f"{deciding[remedy.decides]} and {remedy.name}"
            raise InputError(f"remedy '{arm.spec}': {both} both decide {remedy.decides}; take one")
        if remedy.decides:
            deciding[remedy.decides] = remedy.name
    if arm.neural_only and arm.classical_only:
        raise InputError(
            f"remedy '{arm.spec}': one part means something for networks only, another for classifiers of features "
            "only; compare them as two arms"
        )


def _remedy(part: str, spec: str) -> Remedy:
    called, at, text = part.partition("@")
    dose = _dose(text, spec) if at else 1.0
    name, *settings = (piece.strip() for piece in called.split(":"))
    if name in REGISTRY:
        if at and not REGISTRY[name].takes_dose:
            raise InputError(f"remedy '{spec}': {name} takes no dose; write it without '@{text}'")
        return REGISTRY[name](dose, **read_parameters(settings, spec))
    if not _is_gan(called.removeprefix(ALONE)):  # a path may hold a colon
        called = name
    source = called.removeprefix(ALONE)
    if _is_gan(source):
        given = read_parameters(settings, spec) if called == name else {}
        return Synthetic(source, dose, alone=called.startswith(ALONE), **given)
    known = [*remedy_names(), *recipe_names(), *zoo_models()]
    near = difflib.get_close_matches(name.removeprefix(ALONE), known, 1)
    hint = (
        f"did you mean '{near[0]}'?" if near else f"there are {', '.join(remedy_names())}, and every GAN recipe or run"
    )
    raise InputError(f"remedy '{spec}': '{source}' is no remedy, no GAN recipe and no run folder; {hint}")


def _is_gan(source: str) -> bool:
    return source in recipe_names() or is_run(source) or Path(source).is_file()


def _dose(text: str, spec: str) -> float:
    try:
        dose = float(text)
    except ValueError:
        dose = -1.0
    if not 0 <= dose <= 100:
        first = "; parameters stand before the dose" if ":" in text else ""
        raise InputError(f"remedy '{spec}': dose '{text}' is no number from 0 to 100; 1 is balance{first}")
    return dose
