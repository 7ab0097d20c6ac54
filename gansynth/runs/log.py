"""``log.jsonl``: what a training recorded, a line each time, and the one way to read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gansynth.files import is_named, open_regular

LOG = "log.jsonl"


@dataclass(frozen=True)
class Record:
    """What was recorded at a step.

    Attributes
    ----------
    step : int
    images : int or None
        Real images seen so far; None where no terms were recorded.
    seconds : float or None
        Of training, over all sessions; None where no terms were recorded.
    terms : mapping of str to float
        Mean loss terms since the last record; those of a GAN are called ``player/term``.
    watch : mapping of class to (mapping of str to (float or None))
        What the class watch saw.
    note : str
        What is to be known about this training.
    """

    step: int
    images: int | None = None
    seconds: float | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    watch: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    note: str = ""

    def to_line(self) -> str:
        """Return its line of the log, without the end of the line."""
        found: dict[str, object] = {"step": self.step}
        for name in ("images", "seconds"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        found |= self.terms
        for name in ("watch", "note"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        return json.dumps(found, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> Record | None:
        """Read what `to_line` gave; None for half a line, as a killed training leaves it."""
        try:
            found = json.loads(line)
            known = {name: found.pop(name) for name in ("step", "images", "seconds", "watch", "note") if name in found}
            return cls(**known, terms=found) if isinstance(known["step"], int) else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def read_log(folder: Path) -> list[Record]:
    """Return the records of a run's log, in the order in which they were written; none where there is no log.

    Raises
    ------
    InputError
        If something else than a file has its name.
    """
    path = folder / LOG
    if not is_named(path):
        return []
    with open_regular(path) as file:
        lines = file.read().decode("utf-8", "replace").split("\n")
    return [record for record in map(Record.from_line, lines) if record is not None]
