"""A run's folder: what its files are called, and claiming it: a new one, or one whose training goes on, never one of
something else."""

from __future__ import annotations

import re
from pathlib import Path

from gansynth.errors import InputError
from gansynth.files import is_text, shown

MODEL = "model.safetensors"
RECIPE = "recipe.yaml"
INFO = "run.json"
REMEDY = "remedy"
"""Folder inside a classifier's run for what its remedy made before the classifier learned: a GAN, synthetic images."""

_UNFINISHED = re.compile(r"\..+\.[a-z0-9_]{8}\.(json|jsonl|yaml|safetensors|png)|\.tmp[A-Za-z0-9]{6}")
"""What `gansynth.files.atomic.whole_file` calls a file that is not whole yet, and safetensors, from 0.8 on, weights."""


def claim_folder(out: Path, resume: bool) -> None:
    """Make the folder, or refuse one that holds something else, or that weights and logs cannot be written into."""
    if not is_text(out):
        raise InputError(f"{shown(out)}: the name is not valid UTF-8, which weights and logs need; give another --out")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; give a folder for the run")
    held = any(path.name != REMEDY for path in out.iterdir()) if out.is_dir() else False
    run = (out / INFO).exists() or (out / RECIPE).exists()
    if held and not resume:
        what = "already holds a run; continue it with --resume" if run else "is not empty; empty it"
        raise InputError(f"{out}: {what}, or give another --out")
    if held and not run:
        raise InputError(f"{out}: holds other files and no run to resume; give another --out")
    out.mkdir(parents=True, exist_ok=True)
    for left in (*out.glob(".*"), *out.glob("state/.*"), *out.glob("samples/.*")):
        if left.is_file() and _UNFINISHED.fullmatch(left.name):
            left.unlink()
