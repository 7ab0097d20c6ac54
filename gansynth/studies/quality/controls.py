"""Real cells that were spoiled a little: what a judge says of them shows what its number means."""

from __future__ import annotations

from gansynth.cells.spoiling import SPOILINGS

JPEG = "jpeg-60"
"""The control that distances are measured by."""

CONTROLS = {name: SPOILINGS[name] for name in (JPEG, "blur-0.7")}
"""What is done to held-out real cells, at the size at which images are compared."""

HELD_OUT = "held-out"
"""The row of the same real cells as they are."""

TITLES = {HELD_OUT: "real, held out", **{name: f"real, {control.title}" for name, control in CONTROLS.items()}}
"""What a table calls each row."""
