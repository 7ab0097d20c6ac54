"""The numbers a remedy takes beside its dose: ``focal:gamma=1`` for `focal`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gansynth.errors import InputError


@dataclass(frozen=True)
class Parameter:
    """A number that a remedy takes.

    Attributes
    ----------
    name : str
    default : float
    least, most : float
        Both are allowed.
    what : str
        What it decides, in a few words.
    whole : bool
        Whether it counts something.
    tried : tuple of float
        What a search tries where nothing is asked for; empty leaves it at its default.
    """

    name: str
    default: float
    least: float
    most: float
    what: str
    whole: bool = False
    tried: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.what}, {self.least:g} to {self.most:g}, else {self.default:g})"

    def allows(self, value: float) -> bool:
        """Return whether it may have this value."""
        return self.least <= value <= self.most and (not self.whole or value == int(value))


def with_defaults(remedy: str, parameters: Sequence[Parameter], given: Mapping[str, float]) -> dict[str, float]:
    """Return the value of every parameter: the one given, or the default.

    Raises
    ------
    InputError
        For one that the remedy does not take, or that lies outside its range.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name, value in given.items():
        if name not in known:
            takes = f"it takes {'; '.join(map(str, parameters))}" if parameters else "it takes none"
            raise InputError(f"{remedy} takes no parameter '{name}'; {takes}")
        if not known[name].allows(value):
            kind = "whole number" if known[name].whole else "number"
            least, most = known[name].least, known[name].most
            raise InputError(f"{remedy}: {name}={value:g} is not a {kind} from {least:g} to {most:g}")
    return {parameter.name: float(given.get(parameter.name, parameter.default)) for parameter in parameters}


def is_parameter(text: str) -> bool:
    """Return whether a text is ``name=number``."""
    name, equals, value = text.partition("=")
    try:
        return bool(name.strip() and equals and math.isfinite(float(value)))
    except ValueError:
        return False


def number_text(value: float) -> str:
    """Write a number so that it is read back the same, and no ``+`` is in it.

    Examples
    --------
    >>> number_text(0.5), number_text(3.0), number_text(1e16), number_text(1 / 3)
    ('0.5', '3', '1e16', '0.3333333333333333')
    """
    short = f"{value:g}"
    return (short if float(short) == value else repr(value)).replace("e+", "e")


def read_parameters(texts: Sequence[str], spec: str) -> dict[str, float]:
    """Read ``name=value`` texts.

    Raises
    ------
    InputError
        For a text that is none, a value that is not a number, or a name that is there twice.

    Examples
    --------
    >>> read_parameters(["beta=0.999", "gamma=1"], "cb-focal:beta=0.999:gamma=1")
    {'beta': 0.999, 'gamma': 1.0}
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not name or not math.isfinite(number):
            raise InputError(f"remedy '{spec}': '{text}' is not name=number; write for example focal:gamma=2")
        if name in found:
            raise InputError(f"remedy '{spec}': {name} is given twice; give it once")
        found[name] = number
    return found
