"""The run folder of a neural classifier: its state, its weights, and what is known about how they came about."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from gansynth.classifiers.classifier import RANDOM_FROZEN
from gansynth.classifiers.curves import Epoch
from gansynth.classifiers.neural import NeuralClassifier, build_network, computes_in_bf16
from gansynth.classifiers.neural_training import Course, learned_weights
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import read_json
from gansynth.files.atomic import write_json, write_text
from gansynth.networks.head import with_cosine_head, with_shifted_head
from gansynth.recipes.classifier import NeuralRecipe, PublishedNetwork, load_classifier_recipe
from gansynth.remedies.treatment import Treatment
from gansynth.runs.device import placed
from gansynth.runs.folder import INFO, MODEL, RECIPE
from gansynth.runs.state_files import optimizer_tensors, read_newest_state, write_state
from gansynth.runs.versions import version_of, versions
from gansynth.runs.weights import read_weights, refuse_other_run, write_weights


@dataclass(frozen=True)
class Plan:
    """What decides a training, beside the code.

    Attributes
    ----------
    treatment : Treatment
    validation : CellDataset or None
    recipe : NeuralRecipe
    steps, patience, seed : int
    """

    treatment: Treatment
    validation: CellDataset | None
    recipe: NeuralRecipe
    steps: int
    patience: int
    seed: int

    @property
    def identity(self) -> str:
        """What must be the same for a training to be continued."""
        t = self.treatment
        asked = dict(t.settings)
        settings = [self.recipe.model_dump(mode="json"), self.steps, self.patience, self.seed, t.augmented]
        settings += [asked.pop("loss", ""), *asked.items()]
        digest = hashlib.sha256(json.dumps([*settings, t.images.class_names], sort_keys=True).encode())
        for dataset in (t.images, self.validation):
            if dataset is not None:
                digest.update("".join(dataset.records["sha256"]).encode() + dataset.labels.tobytes())
        digest.update(t.learned_rows.tobytes())
        if t.supplement is not None and t.supplement.probabilities is not None:
            digest.update(t.supplement.probabilities.tobytes())
        return digest.hexdigest()

    @property
    def seen_sha256(self) -> frozenset[str]:
        """The sha256 of every image that is learned from."""
        return frozenset(self.treatment.images.records["sha256"].to_numpy()[self.treatment.learned_rows])

    @property
    def chosen_on_sha256(self) -> frozenset[str]:
        """The sha256 of every validation image."""
        return frozenset() if self.validation is None else frozenset(self.validation.records["sha256"])


def save_state(folder: Path, network: nn.Module, optimizer: Optimizer, course: Course, identity: str) -> None:
    """Write a state, whole, and drop all but the newest."""
    tensors = {f"network.{name}": tensor for name, tensor in learned_weights(network).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in course.best.items()}
    tensors |= optimizer_tensors(optimizer, "optimizer")
    tensors["sums"] = course.sums
    card = {
        "identity": identity,
        "seconds": repr(course.seconds),
        "best_epoch": str(course.best_epoch),
        "curve": json.dumps([point.to_json() for point in course.curve]),
    }
    write_state(folder, course.step, tensors, card)


def load_state(folder: Path, network: nn.Module, optimizer: Optimizer, identity: str) -> Course:
    """Restore the newest state in `folder`; a fresh `Course` where there is none.

    Raises
    ------
    InputError
        If the newest state is unreadable, incomplete, or belongs to another training; or if a trained run has none.
    """
    another = (
        "with another recipe, another number of steps or another seed; resume with the same ones, or train into "
        "another folder"
    )
    state = read_newest_state(folder, identity, another, "train into another folder")
    if state is None:
        return Course()
    network.load_state_dict(state.under("network"), strict=False)
    state.restore(optimizer, "optimizer")
    device = optimizer.param_groups[0]["params"][0].device
    return Course(
        step=state.step,
        seconds=float(state.card["seconds"]),
        curve=[Epoch.from_json(point) for point in json.loads(state.card["curve"])],
        sums=state.tensors["sums"],
        best={name: tensor.to(device) for name, tensor in state.under("best").items()},
        best_epoch=int(state.card["best_epoch"]),
    )


def begin_folder(out: Path, recipe: NeuralRecipe) -> None:
    """Write the recipe, which is now known to fit the state in the folder."""
    write_text(out / RECIPE, recipe.to_yaml())


def write_model(out: Path, network: nn.Module, plan: Plan) -> None:
    """Write the weights with all it takes to use them elsewhere."""
    card = {
        "gansynth": version_of("gansynth"),
        "class_names": json.dumps(plan.treatment.images.class_names),
        "recipe": plan.recipe.to_yaml(),
        "identity": plan.identity,
    }
    write_weights(out / MODEL, network.state_dict(), card)


def write_info(out: Path, plan: Plan, course: Course, device: torch.device, *, finished: bool) -> None:
    """Write ``run.json``: versions, seed, device, timings, curve, and the sha256 of every image that was used."""
    images = plan.treatment.images
    packages = ("gansynth", "torch", "torchvision", "timm", "numpy")
    info: dict[str, Any] = {
        "kind": "classifier",
        "recipe": plan.recipe.name,
        "classifier": plan.recipe.classifier,
        "weights": weights_of(plan.recipe),
        "finished": finished,
        "step": course.step,
        "steps": plan.steps,
        "best_epoch": course.best_epoch or None,
        "seconds": round(course.seconds, 1),
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seed": plan.seed,
        "identity": plan.identity,
        "patience": plan.patience,
        "augmented": plan.treatment.augmented,
        "treatment": plan.treatment.settings,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.machine(),
        "threads": torch.get_num_threads(),
        "precision": "bf16" if computes_in_bf16(plan.recipe, device) else "32",
        "versions": versions(*packages),
        "class_names": list(images.class_names),
        "training_counts": plan.treatment.counts(),
        "synthetic_counts": plan.treatment.synthetic_counts(),
        "curve": [point.to_json() for point in course.curve],
        "validation_sha256": sorted(plan.chosen_on_sha256),
        "training_sha256": sorted(plan.seen_sha256),
    }
    write_json(out / INFO, info)


def weights_of(recipe: NeuralRecipe) -> str:
    """Return what `Classifier.weights` says of a recipe."""
    network = recipe.network
    if not isinstance(network, PublishedNetwork):
        return ""
    never_learned = network.frozen and not getattr(network, "tuned_first", False)
    return RANDOM_FROZEN if never_learned and network.weights == "none" else network.weights


def load_neural(folder: Path, device: torch.device) -> NeuralClassifier:
    """Open the run folder of a neural classifier.

    Raises
    ------
    InputError
        If it is none, or was cut off or edited.
    """
    recipe = load_classifier_recipe(folder / RECIPE)
    try:
        info = read_json(folder / INFO)
        class_names = tuple(str(name) for name in info["class_names"])
        seen, chosen_on = frozenset(info["training_sha256"]), frozenset(info["validation_sha256"])
        curve = [Epoch.from_json(point) for point in info["curve"]]
        treatment = dict(info.get("treatment", {}))
        cosine_scale = None if treatment.get("cosine_scale") is None else float(treatment["cosine_scale"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{folder / INFO}: cannot be read; the run was cut off or edited") from None
    if not isinstance(recipe, NeuralRecipe):
        raise InputError(f"{folder / RECIPE}: is not a recipe of a network, but {INFO} beside it is a network's")
    if not (folder / MODEL).is_file():
        raise InputError(f"{folder}: has no {MODEL} yet; continue the training with `train-classifier --resume`")
    tensors, card = read_weights(folder / MODEL)
    refuse_other_run(card, info, folder / MODEL)
    network = build_network(_without_published_weights(recipe), len(class_names))
    if cosine_scale is not None:
        network = with_cosine_head(network, len(class_names), cosine_scale)
    if "prediction_shift" in treatment:
        network = with_shifted_head(network, len(class_names))
    try:
        network.load_state_dict(tensors)
    except RuntimeError:
        raise InputError(f"{folder / MODEL}: does not fit {RECIPE} beside it; the run was edited") from None
    placed(network, device).eval()
    return NeuralClassifier(
        network, recipe, class_names, device, seen_sha256=seen, chosen_on_sha256=chosen_on, curve=curve,
        weights=weights_of(recipe),
    )  # fmt: skip


def _without_published_weights(recipe: NeuralRecipe) -> NeuralRecipe:
    if not isinstance(recipe.network, PublishedNetwork):
        return recipe
    return recipe.model_copy(update={"network": recipe.network.model_copy(update={"weights": "none"})})
