"""One number with what a reader needs to believe it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
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
    interval: tuple[float, float] | None = None
    floor: float | None = None
    floor_n: int | None = None
    class_mean: float | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON, which knows neither NaN nor infinity: both become None."""
        found: dict[str, Any] = {
            "value": _finite(self.value),
            "n": self.n,
            "interval": None if self.interval is None else [_finite(end) for end in self.interval],
            "floor": _finite(self.floor),
        }
        if self.floor_n is not None:
            found["floor_n"] = self.floor_n
        if self.class_mean is not None:
            found["class_mean"] = _finite(self.class_mean)
        if self.note:
            found["note"] = self.note
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Estimate:
        """Read what `to_json` wrote."""
        ends = found.get("interval")
        return cls(
            value=found["value"],
            n=found["n"],
            interval=None if ends is None or None in ends else (ends[0], ends[1]),
            floor=found.get("floor"),
            floor_n=found.get("floor_n"),
            class_mean=found.get("class_mean"),
            note=found.get("note", ""),
        )


def too_few(n: int, needed: int, what: str) -> Estimate:
    """Return an estimate without a value: `what` (such as "FID") needs `needed` images and there are `n`."""
    return Estimate(None, n, note=f"{what} needs at least {needed} images; there are {n}")


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
