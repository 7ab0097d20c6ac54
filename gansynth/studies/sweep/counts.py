"""How many training images each class keeps at an imbalance ratio (pasupa2020, eq. 5 and table 2)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from gansynth.errors import InputError
from gansynth.files import known_classes

Thin = Literal["minority", "both"]
THIN: tuple[Thin, ...] = get_args(Thin)


def imbalance_ratio(counts: Mapping[str, int]) -> float:
    """Return rho: the largest class over the smallest (pasupa2020, eq. 5, after Buda et al. 2018).

    Examples
    --------
    >>> round(imbalance_ratio({"codocyte": 345, "hypochromia": 356, "normal": 2691}), 2)
    7.8
    """
    return max(counts.values()) / min(counts.values())


def counts_at(
    ratios: Sequence[float],
    counts: Mapping[str, int],
    minority: Sequence[str],
    *,
    thin: Thin = "minority",
    most: int | None = None,
) -> list[dict[str, int]]:
    """Return how many training images of each class are kept at each ratio.

    Parameters
    ----------
    ratios : sequence of float
        1 or more.
    counts : mapping of str to int
        Training images that there are.
    minority : sequence of str
        The classes that are rare at a high ratio; at least one class is none of them.
    thin : "minority" or "both"
        "minority": the other classes are cut to one size that also the lowest of `ratios` can be made from, and then
        stay as they are; only the minority becomes rarer, so that what is kept at a ratio is part of what is kept at
        any lower one. "both": as pasupa2020 (table 2), which thins the minority above the ratio that the data have, and
        the other classes below it; more images take part, and there are fewer of them at low ratios.
    most : int, optional
        Of the other classes, at most so many.

    Returns
    -------
    list of dict of str to int
        As long as `ratios`. Every minority class that is thinned has the same number.

    Raises
    ------
    InputError
        For a ratio below 1, one that leaves no image of a class, two that leave the same images, or classes that do
        not fit.

    Examples
    --------
    >>> cells = {"codocyte": 345, "hypochromia": 356, "normal": 2691}
    >>> counts_at([2691 / 150], cells, ["codocyte", "hypochromia"], thin="both")
    [{'codocyte': 150, 'hypochromia': 150, 'normal': 2691}]
    >>> counts_at([2, 10], cells, ["codocyte", "hypochromia"])[1]
    {'codocyte': 69, 'hypochromia': 69, 'normal': 690}
    """
    minority = known_classes(minority, counts, "--minority")
    others = [name for name in counts if name not in minority]
    _check(ratios, others, most)
    smallest = min(counts.values())
    largest = min(max(counts[name] for name in others), most or max(counts.values()))
    if thin == "minority":
        largest = min(largest, math.floor(min(ratios) * smallest + 1e-9))
    found: list[dict[str, int]] = []
    for ratio in ratios:
        common, rare = largest, round(largest / ratio)
        if thin == "both" and ratio <= largest / smallest:
            common = rare = max(1, round(ratio * smallest))
        if not rare:
            raise InputError(f"--ratios {ratio:g}: {largest:,} images over {ratio:g} leave none of {minority[0]}")
        kept = {name: min(n, rare if name in minority else common) for name, n in counts.items()}
        if kept in found:
            twice = ratios[found.index(kept)]
            raise InputError(f"--ratios {twice:g},{ratio:g}: both leave the same images; leave one of them out")
        found.append(kept)
    return found


def _check(ratios: Sequence[float], others: Sequence[str], most: int | None) -> None:
    wrong = [ratio for ratio in ratios if not 1 <= ratio < math.inf]
    if wrong or not ratios:
        said = f"{wrong[0]:g} is not a number from 1 on" if wrong else "names none"
        raise InputError(f"--ratios: {said}; write for example 1,5,10,50")
    if not others:
        raise InputError("--minority: names every class; leave out at least one, against which the others are rare")
    if most is not None and most < 1:
        raise InputError(f"--most {most}: give at least 1")
