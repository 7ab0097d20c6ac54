"""What the files of a run are called."""

from __future__ import annotations

MODEL = "model.safetensors"
RECIPE = "recipe.yaml"
INFO = "run.json"
REMEDY = "remedy"
"""Folder inside a classifier's run for what its remedy made before the classifier learned: a GAN, synthetic images."""
