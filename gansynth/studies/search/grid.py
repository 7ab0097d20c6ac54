"""Which values of a remedy's parameters a search tries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from gansynth.errors import InputError
from gansynth.remedies import Arm, parse_arm

DOSE = "dose"
DOSES = (0.25, 0.5, 1.0)
"""What a search tries of a remedy that takes a dose and no parameter worth a search."""


@dataclass(frozen=True)
class Candidate:
    """One point of the grid.

    Attributes
    ----------
    arm : Arm
    values : dict of str to float
        What was set, in the order of the grid; "dose" for the dose. Empty for what only stands beside.
    """

    arm: Arm
    values: dict[str, float]


def candidates_of(remedy: str, grid: Mapping[str, Sequence[float]]) -> list[Candidate]:
    """Return every combination of values as an arm.

    Parameters
    ----------
    remedy : str
        As `parse_arm` reads it. Of several joined by ``+`` the last is searched; what it sets itself stays.
    grid : mapping of str to sequence of float
        Values by parameter, or of the dose. Empty: those that the remedy's parameters say are worth trying.

    Raises
    ------
    InputError
        For a remedy with nothing to search, or a grid that it does not take.

    Examples
    --------
    >>> [one.arm.spec for one in candidates_of("augmentation+cb-focal:gamma=1", {"beta": [0.9, 0.99]})]
    ['augmentation+cb-focal:gamma=1:beta=0.9', 'augmentation+cb-focal:gamma=1:beta=0.99']
    """
    arm = parse_arm(remedy)
    if not arm.parts:
        raise InputError(f"--remedy {remedy}: has nothing to search; give a remedy with a parameter or a dose")
    *before, last = arm.parts
    fixed = {name for name, _ in last.parameters} | (set() if last.dose is None else {DOSE})
    searched = arm.remedies[-1]
    wanted = {name: tuple(values) for name, values in grid.items()}
    if not wanted:
        wanted = {p.name: p.tried for p in searched.parameters if p.tried and p.name not in fixed}
        if not wanted and searched.takes_dose and last.dose is None:
            wanted = {DOSE: DOSES}
    if not wanted:
        takes = ", ".join(map(str, searched.parameters)) or "no parameters"
        raise InputError(f"--remedy {remedy}: nothing is left to search ({takes}); give --grid NAME=VALUE,VALUE")
    for name, values in wanted.items():
        if name in fixed:
            raise InputError(f"--grid {name}: --remedy {remedy} sets it already; leave one of them out")
        if not values:
            raise InputError(f"--grid {name}: has no values; write for example {name}=0.5,1,2")
    found = []
    for numbers in product(*wanted.values()):
        point = dict(zip(wanted, numbers, strict=True))
        settings = tuple((name, value) for name, value in point.items() if name != DOSE)
        part = replace(last, parameters=last.parameters + settings, dose=point.get(DOSE, last.dose))
        found.append(Candidate(parse_arm(str(Arm((*before, part)))), point))
    return found
