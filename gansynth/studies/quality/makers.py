"""Which run made these images, and which networks it was trained with: they cannot judge it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gansynth.gans import Run, open_run
from gansynth.gans.run import zoo_models
from gansynth.metrics.catalogue import LITE
from gansynth.networks.efficientnet_lite import SHA256

METADATA = "metadata.csv"


def maker_of(run: str | Path | Run | None, synthetic: str | Path) -> Run | None:
    """Return the run that made the images: the one given, or a model of the zoo that their metadata.csv names.

    None where neither is known, or the images were made by several models.
    """
    if isinstance(run, Run):
        return run
    if run is not None:
        return open_run(run)
    models = _models_of(Path(synthetic) / METADATA)
    if len(models) != 1:
        return None
    return next((one for one in map(open_run, zoo_models()) if one.model_sha256 in models), None)


def judges_for(run: Run | None, asked: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the pretrained judges (`LITE`) among those asked for that were not critics of the run, and a sentence for
    each other one.

    A generator learns to please its critic's features, so a distance in them says nothing; so it is with the critics of
    a run that it began from.
    """
    critics = {} if run is None else _critics(run.info)
    judges, warnings = [], []
    for suffix in asked:
        version = LITE[suffix]
        if f"efficientnet-lite{version}" in critics or SHA256[version] in critics.values():
            warnings.append(
                f"EfficientNet-Lite{version} was a critic of {'' if run is None else run.name}, so it cannot judge its "
                f"images: what ends in {suffix} is left out"
            )
        else:
            judges.append(suffix)
    return judges, warnings


def _critics(info: Mapping[str, Any]) -> dict[str, str]:
    """Return the pretrained networks that a run's players looked through, or those of the runs it began from, by name
    with their sha256."""
    parent = info.get("parent") or {}
    return {**(_critics(parent) if parent else {}), **(info.get("pretrained") or {})}


def _models_of(metadata: Path) -> set[str]:
    if not metadata.is_file():
        return set()
    with metadata.open(encoding="utf-8", newline="") as lines:
        return {row.get("model_sha256") or "" for row in csv.DictReader(lines)}
