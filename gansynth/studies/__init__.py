"""Studies: how good synthetic images are (`quality`), and which GAN makes the best (`benchmark`)."""

from gansynth.studies.benchmark_result import Benchmark
from gansynth.studies.benchmark_study import benchmark
from gansynth.studies.quality_result import Quality
from gansynth.studies.quality_study import quality

__all__ = ["Benchmark", "Quality", "benchmark", "quality"]
