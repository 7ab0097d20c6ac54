"""Studies: how good synthetic images are (`quality`), which GAN makes the best (`benchmark`), what helps (`compare`).

Imported when first used: a report needs no more of this room than the names of the metrics.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansynth.studies.benchmark_result import Benchmark
    from gansynth.studies.benchmark_study import benchmark
    from gansynth.studies.comparison_result import Comparison
    from gansynth.studies.comparison_study import compare
    from gansynth.studies.imbalance_sweep import sweep_imbalance
    from gansynth.studies.imbalance_sweep_result import ImbalanceSweep
    from gansynth.studies.quality_result import Quality
    from gansynth.studies.quality_study import quality
    from gansynth.studies.remedy_search import search_remedy
    from gansynth.studies.remedy_search_result import RemedySearch

__all__ = [
    "Benchmark",
    "Comparison",
    "ImbalanceSweep",
    "Quality",
    "RemedySearch",
    "benchmark",
    "compare",
    "quality",
    "search_remedy",
    "sweep_imbalance",
]

_HOME = {
    "Benchmark": "benchmark_result",
    "Comparison": "comparison_result",
    "ImbalanceSweep": "imbalance_sweep_result",
    "Quality": "quality_result",
    "benchmark": "benchmark_study",
    "compare": "comparison_study",
    "quality": "quality_study",
    "RemedySearch": "remedy_search_result",
    "search_remedy": "remedy_search",
    "sweep_imbalance": "imbalance_sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gansynth.studies' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gansynth.studies.{_HOME[name]}"), name)
    globals()[name] = value
    return value
