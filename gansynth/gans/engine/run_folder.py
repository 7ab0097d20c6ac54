"""Writing a run: claiming its folder, its weights, and what is known about how they came about."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import is_named
from gansynth.files.atomic import write_json, write_text
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.transfer import Lineage
from gansynth.gans.pretrained_judge import JUDGE
from gansynth.gans.run import CLASSIFIER, FINGERPRINTS
from gansynth.networks.efficientnet_lite import weights_sha256
from gansynth.recipes import GanRecipe
from gansynth.runs.folder import INFO, MODEL, RECIPE
from gansynth.runs.state_files import Progress
from gansynth.runs.versions import version_of, versions
from gansynth.runs.weights import read_metadata, state_tensors, write_weights


def identity_of(training: CellDataset, recipe: GanRecipe, seed: int) -> str:
    """Return what must be the same for a training to be continued: images, recipe (but for how long and how often
    to report), seed."""
    settings = recipe.model_dump(mode="json")
    for name in ("steps",) if recipe.training.decay == "none" else ():
        settings["training"].pop(name)
    if not recipe.training.warm_up:  # unknown to trainings that began before there was one
        settings["training"].pop("warm_up")
    if settings["networks"].get("classifier_norm") == "none":
        settings["networks"].pop("classifier_norm")
    settings.pop("reports")
    digest = hashlib.sha256(json.dumps([settings, seed, list(training.class_names)], sort_keys=True).encode())
    digest.update("".join(training.records["sha256"]).encode())
    digest.update(training.labels.tobytes())
    return digest.hexdigest()


def identity_of_run(training: str, lineage: Lineage | None) -> str:
    """Return what ties weights to the ``run.json`` beside them: which training (`identity_of`) wrote both, begun with
    which weights."""
    return training if lineage is None else hashlib.sha256(f"{training} {lineage.weights_sha256}".encode()).hexdigest()


def begin_folder(out: Path, recipe: GanRecipe, start: Progress) -> None:
    """Write the recipe, which is now known to fit the state in the folder.

    Where there is no state, what a killed training prepared goes, with the weights that it may have chosen already: it
    may be of other images.
    """
    write_text(out / RECIPE, recipe.to_yaml())
    if start.step == 0:
        for name in (MODEL, CLASSIFIER, FINGERPRINTS, JUDGE):
            (out / name).unlink(missing_ok=True)


def write_model(
    out: Path,
    recipe: GanRecipe,
    class_names: tuple[str, ...],
    ema: Ema,
    identity: str,
    chosen: tuple[int, float] | None = None,
) -> None:
    """Write the slow generator with all it takes to use it elsewhere, the identity of its run (`identity_of_run`), and
    the step and score that it was chosen by."""
    card = {
        "gansynth": version_of("gansynth"),
        "class_names": json.dumps(class_names),
        "recipe": recipe.to_yaml(),
        "identity": identity,
    }
    if chosen is not None:
        card["step"], card["score"] = str(chosen[0]), repr(chosen[1])
    write_weights(out / MODEL, state_tensors(ema.network, "generator"), card)


def best_score(out: Path) -> float:
    """Return the score that chose the generator in a run's folder; below every score where none did.

    Raises
    ------
    InputError
        If what stands there is not a number: no later score would be above it.
    """
    if not is_named(out / MODEL):
        return -1.0
    try:
        score = float(read_metadata(out / MODEL).get("score", -1.0))
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise InputError(f"{out / MODEL}: its score is not a number; the run was edited, so restore it")
    return score


def write_info(
    out: Path,
    training: CellDataset,
    recipe: GanRecipe,
    seed: int,
    fabric: Fabric,
    at: Progress,
    lineage: Lineage | None,
    identity: str,
    *,
    pretrained: Sequence[str],
    finished: bool,
) -> None:
    """Write ``run.json``: versions, seed, device, timings, lineage, identity, the sha256 of every training image, and
    that of each pretrained network that a player looks through."""
    own = training.records["sha256"].tolist()
    if lineage is not None:
        lineage = replace(lineage, training_sha256=tuple(sorted(set(lineage.training_sha256) - set(own))))
    packages = ("gansynth", "torch", "torchvision", "lightning-fabric", "numpy")
    info: dict[str, Any] = {
        "recipe": recipe.name,
        "gan": recipe.gan,
        "finished": finished,
        "step": at.step,
        "images": at.images,
        "seconds": round(at.seconds, 1),
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seed": seed,
        "identity": identity,
        "device": torch.cuda.get_device_name() if fabric.device.type == "cuda" else platform.machine(),
        "processes": fabric.world_size,
        "threads": torch.get_num_threads(),
        "precision": str(fabric.strategy.precision.precision),
        "versions": versions(*packages),
        "class_names": list(training.class_names),
        "training_counts": training.counts(),
        "pretrained": {name: weights_sha256(name) for name in pretrained},
        "training_origin": sorted(set(training.records["origin"])),
        "parent": None if lineage is None else lineage.to_json(),
        "training_sha256": own,
    }
    write_json(out / INFO, info)
