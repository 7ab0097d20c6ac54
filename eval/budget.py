"""How much a study may cost: --budget quick, day or full, and what that takes on two processor cores, said first.

A study that can be stopped goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Budget = Literal["quick", "day", "full"]
BUDGETS: tuple[Budget, ...] = get_args(Budget)


@dataclass(frozen=True)
class Amount:
    """How much a study trains within one of its budgets.

    Attributes
    ----------
    size : int or None
        Edge length in pixels; None: the classifiers' own.
    epochs : int or None
        Of the untreated images; None: the classifiers' own.
    seeds : int
    folds : int or None
        None: the split of the data, or one made by the comparison.
    images : float
        Of the training images, how many are kept, in any unit that is the same for a study's budgets.
    """

    size: int | None
    epochs: int | None
    seeds: int = 1
    folds: int | None = None
    images: float = 1.0

    @property
    def work(self) -> float | None:
        """Pixels that are learned from, in a unit of its own; None where the classifiers decide."""
        if self.size is None or self.epochs is None:
            return None
        return self.images * self.size**2 * self.epochs * self.seeds * (self.folds or 1)


@dataclass(frozen=True)
class Timed:
    """A run of a study whose time is known.

    Attributes
    ----------
    minutes : float
        On two processor cores.
    amount : Amount
        What it trained.
    besides : str
        What was not in it and comes on top with larger budgets, such as "networks from scratch".
    """

    minutes: float
    amount: Amount
    besides: str = ""


def add_budget(parser: argparse.ArgumentParser, default: Budget = "day") -> None:
    """Give a study's command line its --budget."""
    parser.add_argument(
        "--budget",
        choices=BUDGETS,
        default=default,
        help="quick: minutes on two processor cores; day: up to a day and a night; full: as published, wants a GPU "
        f"(default {default})",
    )


def parsed(
    parser: argparse.ArgumentParser,
    values: Mapping[Budget, Mapping[str, float]],
    timed: Callable[[argparse.Namespace], float],
    words: Sequence[str] | None = None,
) -> argparse.Namespace:
    """Parse the command line of a study that is not one of a paper; what it leaves open has the budget's value.

    Parameters
    ----------
    parser : ArgumentParser
        Gets a --budget. Options that a budget decides have no default.
    values : mapping of Budget to mapping of str to float
        By budget and option.
    timed : callable
        From the options to the minutes that they take on two processor cores.
    words : sequence of str, optional
        Default: those of the process.
    """
    add_budget(parser)
    given = parser.parse_args(words)
    own = values[given.budget]
    for name, value in own.items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    said = ", ".join(f"{name} {getattr(given, name):g}" for name in own)
    print(f"--budget {given.budget}: {said}; about {duration(timed(given))} on two processor cores.", flush=True)
    return given


def minutes(amount: Amount, timed: Timed) -> float | None:
    """Return how long an amount takes on two cores, in proportion to the pixels learned from; None: not known.

    Examples
    --------
    >>> minutes(Amount(64, 12, seeds=3), Timed(10, Amount(32, 6, seeds=3)))
    80.0
    >>> minutes(Amount(None, 100), Timed(10, Amount(32, 6)))
    """
    work, known = amount.work, timed.amount.work
    return None if work is None or known is None else timed.minutes * work / known


def announced(budget: Budget, amount: Amount, timed: Timed | None) -> str:
    """Return the first line that a study prints.

    Examples
    --------
    >>> announced("quick", Amount(32, 6), Timed(14, Amount(32, 6)))
    '--budget quick: about 14 minutes on two processor cores. Stopped, it goes on by the same command.'
    """
    found = None if timed is None else minutes(amount, timed)
    if found is None:
        said = "wants a GPU; not timed" if budget == "full" else "not timed on two processor cores"
    else:
        said = f"about {duration(found)} on two processor cores"
    more = f" (and more for {timed.besides})" if timed is not None and timed.besides and budget != "quick" else ""
    return f"--budget {budget}: {said}{more}. Stopped, it goes on by the same command."


def duration(minutes: float) -> str:
    """Return a time as a person says it.

    Examples
    --------
    >>> duration(14.2), duration(100), duration(1000), duration(5000)
    ('14 minutes', '1.7 hours', '17 hours', '3.5 days')
    """
    for unit, length in (("days", 1440.0), ("hours", 60.0)):
        if minutes >= 1.5 * length:
            return f"{minutes / length:.2g} {unit}"
    return f"{max(1.0, minutes):.0f} minutes"
