"""The curve of a training: loss, and accuracy with macro-F1, epoch by epoch (figure 8 of hazra2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from gansynth.files.atomic import whole_file
from gansynth.files.json_object import IF_GIVEN, JsonObject

_PANELS = (
    ("loss", (("train_loss", "training"), ("val_loss", "validation"))),
    ("share", (("train_accuracy", "training accuracy"), ("val_accuracy", "validation accuracy"),
               ("val_macro_f1", "validation macro-F1"))),
)  # fmt: skip


@dataclass(frozen=True)
class Epoch(JsonObject):
    """How a network did when an epoch ended, on what it learned from and on the validation images.

    Attributes
    ----------
    epoch, step : int
        Done so far.
    train_loss, train_accuracy : float
        Means over the epoch, while it went on.
    val_loss, val_accuracy, val_macro_f1 : float or None
        None without validation images.
    """

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: Annotated[float | None, IF_GIVEN] = None
    val_accuracy: Annotated[float | None, IF_GIVEN] = None
    val_macro_f1: Annotated[float | None, IF_GIVEN] = None

    def value(self, name: str) -> float | None:
        """Return a number by its name; None where there is none of it."""
        found: float | None = getattr(self, name, None)
        return found


def draw_curves(curve: Sequence[Epoch], best_epoch: int, path: Path) -> None:
    """Draw a classifier's curve as a PNG; a line marks the epoch whose weights were kept."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (label, lines) in zip(figure.subplots(1, 2), _PANELS, strict=True):
        for key, name in lines:
            points = [(point.epoch, value) for point in curve if (value := point.value(key)) is not None]
            if points:
                axes.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 20 else None)
        if best_epoch:
            axes.axvline(best_epoch, color="grey", linewidth=0.8, linestyle=":", label=f"kept: epoch {best_epoch}")
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize="small")
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
