"""Classifiers: networks, backbones and classical ones, and the cell encoder, in whose features FD-cell is measured."""

from gansynth.classifiers.cell_encoder import CellEncoder, open_encoder, train_cell_encoder, zoo_encoders
from gansynth.classifiers.classifier import Classifier
from gansynth.classifiers.classify import classify
from gansynth.classifiers.opening import open_classifier
from gansynth.classifiers.registry import register
from gansynth.classifiers.training import train_classifier

__all__ = [
    "CellEncoder",
    "Classifier",
    "classify",
    "open_classifier",
    "open_encoder",
    "register",
    "train_cell_encoder",
    "train_classifier",
    "zoo_encoders",
]
