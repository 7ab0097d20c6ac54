"""gansynth: balance a class-labelled image data set with synthetic images of its rare classes.

The public names below are imported when they are first used, so that `import gansynth` and
`gansynth --help` cost no import of torch.

Examples
--------
>>> import gansynth
>>> cells = gansynth.open_dataset("phantom", size=64)  # doctest: +SKIP
>>> run = gansynth.train_gan(cells, "c-wgan-gp-64", "runs/phantom", minutes=10)  # doctest: +SKIP
>>> gansynth.balance("phantom", run, "balanced", target="max")  # doctest: +SKIP
>>> gansynth.quality("my-cells", "synthetic").metrics["KD-cell"]  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gansynth.version import __version__

if TYPE_CHECKING:
    from gansynth.classifiers import open_classifier, train_classifier
    from gansynth.classifiers.explain import explain
    from gansynth.data import CellDataset, open_dataset
    from gansynth.errors import InputError
    from gansynth.gans import build_gan, open_run, train_gan
    from gansynth.recipes import load_recipe
    from gansynth.studies.benchmark.study import benchmark
    from gansynth.studies.comparison.study import compare
    from gansynth.studies.quality.study import quality
    from gansynth.studies.search.study import search_remedy
    from gansynth.studies.sweep.study import sweep_imbalance
    from gansynth.synthesis import GANOverSampler, MixedDataset, balance, generate
    from gansynth.synthesis.naturalize.naturalizing import naturalize

_HOME = {
    "CellDataset": "gansynth.data",
    "GANOverSampler": "gansynth.synthesis",
    "InputError": "gansynth.errors",
    "MixedDataset": "gansynth.synthesis",
    "balance": "gansynth.synthesis",
    "benchmark": "gansynth.studies.benchmark.study",
    "build_gan": "gansynth.gans",
    "compare": "gansynth.studies.comparison.study",
    "explain": "gansynth.classifiers.explain",
    "generate": "gansynth.synthesis",
    "load_recipe": "gansynth.recipes",
    "naturalize": "gansynth.synthesis.naturalize.naturalizing",
    "open_classifier": "gansynth.classifiers",
    "open_dataset": "gansynth.data",
    "open_run": "gansynth.gans",
    "quality": "gansynth.studies.quality.study",
    "search_remedy": "gansynth.studies.search.study",
    "sweep_imbalance": "gansynth.studies.sweep.study",
    "train_classifier": "gansynth.classifiers",
    "train_gan": "gansynth.gans",
}

__all__ = [
    "CellDataset",
    "GANOverSampler",
    "InputError",
    "MixedDataset",
    "__version__",
    "balance",
    "benchmark",
    "build_gan",
    "compare",
    "explain",
    "generate",
    "load_recipe",
    "naturalize",
    "open_classifier",
    "open_dataset",
    "open_run",
    "quality",
    "search_remedy",
    "sweep_imbalance",
    "train_classifier",
    "train_gan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gansynth' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
