"""A folder as `sweep` writes it, with invented figures: without a remedy the figures fall with rho, with one less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gansynth.studies.imbalance_sweep_result import SWEPT, ImbalanceSweep

COUNTS = {"eosinophil": 600, "promyelocyte": 600, "monocyte": 600}
MINORITY = ("promyelocyte",)


def write_sweep_folder(
    folder: Path,
    *,
    arms: Sequence[str] = ("none", "focal", "oversample"),
    classifiers: Sequence[str] = ("sequential-cnn", "random-forest"),
    ratios: Sequence[float] = (1, 5, 10, 50),
    gain: float = 0.06,
    missing: Sequence[dict[str, Any]] = (),
) -> Path:
    """Write results.json; the last arm gains `gain` for every factor of ten in rho, and p is small from 10 on."""
    figures: list[dict[str, Any]] = []
    effects: list[dict[str, Any]] = []
    endpoints = [{"metric": "macro-F1", "class": None}, *({"metric": "recall", "class": name} for name in MINORITY)]
    asked = [*({"metric": name, "class": None} for name in SWEPT), *endpoints[1:]]
    for c, classifier in enumerate(classifiers):
        for a, arm in enumerate(arms):
            for rho in ratios:
                added = gain * math.log10(rho) * (arm == arms[-1]) + 0.002 * a
                for one in asked:
                    value = 0.9 - 0.05 * c - 0.14 * math.log10(rho) + added
                    row = {"rho": float(rho), "classifier": classifier, "arm": arm, **one}
                    figures.append({**row, "value": value, "low": value - 0.03, "high": value + 0.03, "n": 300})
                    if one in endpoints and arm != "none":
                        p = 0.001 if arm == arms[-1] and rho >= 10 and gain else 1.0
                        effect = {"against": "none", "value": added, "low": added - 0.03, "high": added + 0.03}
                        effects.append({**row, **effect, "p": p / 4, "p_holm": p, "n": 300})
    about = {
        "data": "cells", "classes": list(COUNTS), "minority": list(MINORITY), "thin": "minority", "arms": list(arms),
        "classifiers": list(classifiers), "endpoints": endpoints, "tested": dict.fromkeys(COUNTS, 100),
        "seeds": [0, 1, 2], "versions": {"gansynth": "0.1.0"}, "device": "cpu", "date": "2026-11-21",
        "command": "gansynth sweep cells --remedies none,focal,oversample --out swept",
        "steps": [
            {
                "ratio": rho, "rho": float(rho), "folder": f"rho-{rho:g}",
                "counts": {**COUNTS, "promyelocyte": round(600 / rho)}, "learned_from": 1200 + round(600 / rho),
            }
            for rho in ratios
        ],
    }  # fmt: skip
    warnings = ["Fewer than 30 test images of <promyelocyte>: figures of so few images say little."]
    folder.mkdir(parents=True, exist_ok=True)
    ImbalanceSweep(about, figures, effects, list(missing), warnings).write(folder)
    return folder
