"""From a trained run to synthetic images: N of a class, a balanced data set, an over-sampler.

The over-sampler and composites are imported when they are first used: imbalanced-learn takes all of scikit-learn with
it, segmentation scikit-image, and whoever generates needs neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gansynth.synthesis.balancing import balance
from gansynth.synthesis.generation import generate
from gansynth.synthesis.mixed_dataset import MixedDataset
from gansynth.synthesis.provenance import Provenance, read_provenance
from gansynth.synthesis.report import BalanceReport, ClassReport, GenerationReport

if TYPE_CHECKING:
    from gansynth.synthesis.naturalize.naturalizing import ClassCuts, NaturalizeReport
    from gansynth.synthesis.naturalize.parts import chosen_segmenter, training_images
    from gansynth.synthesis.oversampling import GANOverSampler

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

_HOME = {
    "ClassCuts": "naturalize.naturalizing",
    "GANOverSampler": "oversampling",
    "NaturalizeReport": "naturalize.naturalizing",
    "chosen_segmenter": "naturalize.parts",
    "training_images": "naturalize.parts",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"gansynth.synthesis.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
