"""The curves of a training: loss, and accuracy with macro-F1 (figure 8 of hazra2022)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gansynth.files.atomic import whole_file

_PANELS = (
    ("loss", (("train_loss", "training"), ("val_loss", "validation"))),
    ("share", (("train_accuracy", "training accuracy"), ("val_accuracy", "validation accuracy"),
               ("val_macro_f1", "validation macro-F1"))),
)  # fmt: skip


def draw_curves(curve: list[dict[str, Any]], best_epoch: int, path: Path) -> None:
    """Draw a classifier's curve (see `Classifier.curve`) as a PNG; a line marks the epoch whose weights were kept."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (label, lines) in zip(figure.subplots(1, 2), _PANELS, strict=True):
        for key, name in lines:
            points = [(point["epoch"], point[key]) for point in curve if key in point]
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
