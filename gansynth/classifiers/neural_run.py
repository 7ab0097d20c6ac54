"""The training of a neural classifier from its first step to its run folder."""

from __future__ import annotations

from pathlib import Path

import torch

from gansynth.classifier_recipes import NeuralRecipe
from gansynth.classifiers.batches import Batches
from gansynth.classifiers.neural import NeuralClassifier, build_network
from gansynth.classifiers.neural_training import Course, build_optimizer, train_network
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.gans.device import chosen_device
from gansynth.gans.memory import keep_freed_memory
from gansynth.remedies.treatment import Treatment


def train_neural(
    treatment: Treatment,
    recipe: NeuralRecipe,
    out: Path | None,
    *,
    validation: CellDataset | None,
    seed: int,
    steps: int | None,
    patience: int | None,
    device: str,
    weights_dir: Path | None,
    resume: bool,
    progress: bool,
) -> NeuralClassifier:
    """Train a network as `gansynth.classifiers.train_classifier` says."""
    if out is not None:
        raise InputError("run folders of classifiers come with the next commit")
    where = chosen_device(device)
    if where.type == "cpu":
        keep_freed_memory()
    images = treatment.images
    real = int((images.records["origin"] != "synthetic").sum()) or len(images)
    steps_per_epoch = -(-real // recipe.training.batch_size)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(seed)
        network = build_network(recipe, len(images.class_names), weights_dir)
        network.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        course = Course()
        train_network(
            network, Batches(treatment, recipe.training, seed, where), recipe,
            build_optimizer(network, recipe.training), course,
            steps=recipe.training.epochs * steps_per_epoch if steps is None else steps,
            steps_per_epoch=steps_per_epoch,
            patience=recipe.training.patience if patience is None else patience,
            validation=validation, seed=seed, on_check=lambda point: None, on_save=lambda: None,
        )  # fmt: skip
    network.eval()
    seen = frozenset(images.records["sha256"].to_numpy()[treatment.rows])
    chosen_on = frozenset(validation.records["sha256"]) if validation is not None else frozenset()
    return NeuralClassifier(
        network, recipe, images.class_names, where, seen_sha256=seen, chosen_on_sha256=chosen_on, curve=course.curve
    )
