"""The phantom: blood cells that are drawn, for trying things out and for tests."""

from gansynth.data.phantom.dataset import PHANTOM_COUNTS, draw_cell, phantom_dataset, write_phantom

__all__ = [
    "PHANTOM_COUNTS",
    "draw_cell",
    "phantom_dataset",
    "write_phantom",
]
