"""One number with what a reader needs to believe it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from gansynth.files.json_object import IF_GIVEN, JsonObject

Interval = Annotated[
    tuple[float, float] | None, BeforeValidator(lambda ends: None if ends is None or None in ends else ends)
]
"""95%; what JSON holds of one with an end that is not finite is none."""


@dataclass(frozen=True)
class Estimate(JsonObject):
    """A metric's value with its n, its uncertainty, and what real images score.

    Attributes
    ----------
    value : float or None
        None where it could not be computed; `note` then says why.
    n : int
        Synthetic images it was computed on.
    interval : (float, float) or None
        95% interval.
    floor : float or None
        The same metric between real images and other real images: what a perfect generator would score.
    floor_n : int or None
        Images on each side of the floor. With fewer than `n`, a floor of FID or FD is an upper bound: its bias
        falls with n.
    class_mean : float or None
        For matched similarity, what the mean real image of the class scores: a blur that no generator should be
        beaten by, and that often wins.
    note : str
        Why there is no value, or what to bear in mind.

    Examples
    --------
    >>> Estimate(0.5, 20, (0.4, 0.6)).to_json()["interval"]
    [0.4, 0.6]
    """

    value: float | None
    n: int
    interval: Interval = None
    floor: float | None = None
    floor_n: Annotated[int | None, IF_GIVEN] = None
    class_mean: Annotated[float | None, IF_GIVEN] = None
    note: Annotated[str, IF_GIVEN] = ""


def too_few(n: int, needed: int, what: str) -> Estimate:
    """Return an estimate without a value: `what` (such as "FID") needs `needed` images and there are `n`."""
    return Estimate(None, n, note=f"{what} needs at least {needed} images; there are {n}")


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
