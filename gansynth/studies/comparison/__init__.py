"""Comparison: which remedy helps which classifier, on which class."""
