"""What the files of a run are called."""

from __future__ import annotations

MODEL = "model.safetensors"
RECIPE = "recipe.yaml"
INFO = "run.json"
