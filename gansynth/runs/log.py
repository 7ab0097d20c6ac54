"""The log of a training, as it is read back: what `gansynth.runs.journal` wrote, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

LOG = "log.jsonl"

Watched = Mapping[str, float | None]
"""What the class watch says of a class: "recall", "diversity", "real_recall"."""


@dataclass(frozen=True)
class LoggedStep:
    """What was logged of one step.

    Attributes
    ----------
    step : int
    images : int
        Real images seen so far.
    seconds : float
        Trained so far, over all sessions.
    terms : dict of str to float
        Mean loss terms since the last record, such as "critic/penalty".
    watch : dict of class to `Watched`
        Empty where the classes were not looked at.
    """

    step: int
    images: int
    seconds: float
    terms: Mapping[str, float]
    watch: Mapping[str, Watched] = field(default_factory=dict)


def read_log(folder: Path) -> list[LoggedStep]:
    """Read the log of a run's folder, in the order of the steps; nothing where there is none.

    What is not of a step that was timed is left out: notes, and the line that a killed training was writing.
    """
    path = folder / LOG
    found: dict[int, LoggedStep] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
            step = int(row["step"])
            if "seconds" in row:
                terms = {name: value for name, value in row.items() if "/" in name}
                found[step] = LoggedStep(step, int(row["images"]), float(row["seconds"]), terms)
            elif "watch" in row and step in found:
                found[step] = replace(found[step], watch=row["watch"])
        except (ValueError, KeyError, TypeError):
            continue
    return list(found.values())
