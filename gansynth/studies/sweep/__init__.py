"""Sweep: a comparison at each imbalance ratio."""
