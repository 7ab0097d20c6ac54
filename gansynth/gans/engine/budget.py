"""How long a training goes on: generator iterations, images, or minutes, whichever is reached first."""

from __future__ import annotations

from dataclasses import dataclass

from gansynth.errors import InputError
from gansynth.runs.state_files import Progress


@dataclass(frozen=True)
class Budget:
    """Limits of a training; None sets none.

    Attributes
    ----------
    steps : int or None
        Generator iterations.
    images : int or None
        Real images the critic sees.
    minutes : float or None
        Wall time in training, over all sessions.
    """

    steps: int | None
    images: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name, limit in (("--steps", self.steps), ("--images", self.images), ("--minutes", self.minutes)):
            if limit is not None and not 0 < limit < float("inf"):
                raise InputError(f"{name} {limit}: give a number above 0")

    def share(self, progress: Progress) -> float:
        """Return how much of the budget is spent, 0..1 and beyond."""
        spent = [
            done / limit
            for done, limit in (
                (progress.step, self.steps),
                (progress.images, self.images),
                (progress.seconds / 60, self.minutes),
            )
            if limit is not None
        ]
        return max(spent, default=0.0)
