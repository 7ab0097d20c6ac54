"""From a trained run to synthetic images: N of a class, a balanced data set, an over-sampler."""

from __future__ import annotations

from gansynth.synthesis.balancing import balance
from gansynth.synthesis.generation import generate
from gansynth.synthesis.mixed_dataset import MixedDataset
from gansynth.synthesis.naturalize.naturalizing import ClassCuts, NaturalizeReport
from gansynth.synthesis.naturalize.parts import chosen_segmenter, training_images
from gansynth.synthesis.oversampling import GANOverSampler
from gansynth.synthesis.provenance import Provenance, read_provenance
from gansynth.synthesis.report import BalanceReport, ClassReport, GenerationReport

__all__ = [
    "BalanceReport",
    "ClassCuts",
    "ClassReport",
    "GANOverSampler",
    "GenerationReport",
    "MixedDataset",
    "NaturalizeReport",
    "Provenance",
    "balance",
    "chosen_segmenter",
    "generate",
    "read_provenance",
    "training_images",
]
