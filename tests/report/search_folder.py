"""A folder as `search-remedy` writes it, with invented numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gansynth.studies.search.result import (
    CHOSEN_BY,
    SHOWN,
    About,
    CandidateResult,
    Gain,
    OverFolds,
    RemedySearch,
    SearchSettings,
)

BASE = 0.7


def write_search_folder(
    folder: Path,
    *,
    gains: Sequence[float] = (-0.02, 0.03, 0.08, 0.05),
    half: float = 0.04,
    beside: Mapping[str, float] = {"none": BASE, "oversample": 0.72},
    unfinished: int = 0,
    failed: Mapping[str, str] = {},
    folds: int = 5,
) -> Path:
    """Write results.json and search.csv: candidates with these gains against the first arm of `beside`, each known to
    `half`; of the last `unfinished` of them a fold is missing."""
    first = next(iter(beside))
    rows = [_row(arm, {}, mean, mean - beside[first], 0.0 if arm == first else half, folds)
            for arm, mean in beside.items()]  # fmt: skip
    for k, gain in enumerate(gains):
        finished = folds - (k >= len(gains) - unfinished)
        beta = round(0.9 + 0.01 * k, 2)
        rows.append(_row(f"cb-focal:beta={beta:g}", {"beta": beta}, beside[first] + gain, gain, half, finished))
    settings = SearchSettings(
        gansynth="0.1.0",
        data_sha256="ab" * 32,
        remedy="cb-focal",
        folds=folds,
        rarity={"smudge <cell>": 30},
        recipe={"name": "sequential-cnn", "resolution": 64},
        beside=list(beside),
        seed=0,
        arms=[row.arm for row in rows],
        values=[row.values for row in rows],
    )
    folder.mkdir(parents=True, exist_ok=True)
    about = About(
        settings, {"basophil": 90, "smudge <cell>": 30}, "smudge <cell>", [96] * folds, [24] * folds, "my cells",
        "gansynth search-remedy 'my cells' --remedy cb-focal --out searched",
    )  # fmt: skip
    RemedySearch(about, rows, dict(failed)).write(folder)
    return folder


def _row(arm: str, values: dict[str, float], mean: float, gain: float, half: float, folds: int) -> CandidateResult:
    scores = {name: OverFolds(mean + 0.05 * (name != CHOSEN_BY), 0.02) for name in SHOWN}
    found = Gain(gain, (gain - half, gain + half), 0.01 if gain > half else 0.4, folds)
    return CandidateResult(arm, values, folds, 7.4, scores, OverFolds(mean - 0.2, 0.05), found)
