"""A folder as `sweep` writes it, with invented figures: without a remedy the figures fall with rho, with one less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.sweep.result import (
    SWEPT,
    About,
    ImbalanceSweep,
    Step,
    SweepFailure,
    SweepSettings,
    SweptEffect,
    SweptValue,
)

COUNTS = {"eosinophil": 600, "promyelocyte": 600, "monocyte": 600}
MINORITY = ("promyelocyte",)


def write_sweep_folder(
    folder: Path,
    *,
    arms: Sequence[str] = ("none", "focal", "oversample"),
    classifiers: Sequence[str] = ("sequential-cnn", "random-forest"),
    ratios: Sequence[float] = (1.0, 5.0, 10.0, 50.0),
    gain: float = 0.06,
    missing: Sequence[SweepFailure] = (),
) -> Path:
    """Write results.json; the last arm gains `gain` for every factor of ten in rho, and p is small from 10 on."""
    figures: list[SweptValue] = []
    effects: list[SweptEffect] = []
    endpoints = [Endpoint("macro-F1"), *(Endpoint("recall", name) for name in MINORITY)]
    asked = [*map(Endpoint, SWEPT), *endpoints[1:]]
    for c, classifier in enumerate(classifiers):
        for a, arm in enumerate(arms):
            for rho in map(float, ratios):
                added = gain * math.log10(rho) * (arm == arms[-1]) + 0.002 * a
                for one in asked:
                    value = 0.9 - 0.05 * c - 0.14 * math.log10(rho) + added
                    figures.append(SweptValue(rho, classifier, arm, one, value, value - 0.03, value + 0.03, 300))
                    if one in endpoints and arm != "none":
                        p = 0.001 if arm == arms[-1] and rho >= 10 and gain else 1.0
                        ends = (added - 0.03, added + 0.03)
                        effects.append(SweptEffect(rho, classifier, arm, "none", one, added, *ends, p / 4, 300, p))
    steps = [Step(rho, float(rho), f"rho-{rho:g}", {**COUNTS, "promyelocyte": round(600 / rho)}) for rho in ratios]
    folder.mkdir(parents=True, exist_ok=True)
    about = About(
        settings=SweepSettings(
            data_sha256="ab" * 32, minority=list(MINORITY), thin="minority", most=None, folds=None, first_seed=0,
            number_of_seeds=3, recipes={name: {} for name in classifiers}, remedies=list(arms), ratios=list(ratios),
        ),
        data="cells",
        classes=list(COUNTS),
        endpoints=endpoints,
        sizes=dict.fromkeys(classifiers, 64),
        seeds=[0, 1, 2],
        tested=dict.fromkeys(COUNTS, 100),
        steps=steps,
        arms=list(arms),
        classifiers=list(classifiers),
        versions={"gansynth": "0.1.0"},
        date="2026-11-21",
        device="cpu",
        command="gansynth sweep cells --remedies none,focal,oversample --out swept",
    )  # fmt: skip
    warnings = ["Fewer than 30 test images of <promyelocyte>: numbers of so few images say little."]
    ImbalanceSweep(about, figures, effects, list(missing), warnings).write(folder)
    return folder
