"""Real cells that were spoiled a little: what a judge says of them shows what its number means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gansynth.cells.spoiling import Pixels, as_jpeg, blurred


@dataclass(frozen=True)
class Control:
    """A way to spoil a real cell.

    Attributes
    ----------
    name : str
        Its key in results.json.
    title : str
        What a table calls such cells.
    alter : callable
        uint8 [n, 3, H, W] to the same.
    """

    name: str
    title: str
    alter: Callable[[Pixels], Pixels]


JPEG = "jpeg-60"
"""The control that distances are measured by."""

CONTROLS = {
    control.name: control
    for control in (
        Control(JPEG, "real, as JPEG of quality 60", as_jpeg),
        Control("blur-0.7", "real, blurred by 0.7 px", blurred),
    )
}
"""What is done to held-out real cells, at the size at which images are compared."""

HELD_OUT = "held-out"
"""The row of the same real cells as they are."""

TITLES = {HELD_OUT: "real, held out", **{name: control.title for name, control in CONTROLS.items()}}
"""What a table calls each row."""
