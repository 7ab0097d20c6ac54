"""Classifiers that learn from real cells: so far the cell encoder, in whose features FD-cell is measured."""

from gansynth.classifiers.cell_encoder import CellEncoder, open_encoder, train_cell_encoder, zoo_encoders

__all__ = ["CellEncoder", "open_encoder", "train_cell_encoder", "zoo_encoders"]
