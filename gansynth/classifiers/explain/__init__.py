"""Where a classifier looks: class activation maps, and how much of them lies in the cell."""

from gansynth.classifiers.explain.explanation import Explanation, Method, explain

__all__ = [
    "Explanation",
    "Method",
    "explain",
]
