"""The training of a neural classifier from its first step to its run folder."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from pathlib import Path

import torch

from gansynth.classifiers.backbones import maps_of
from gansynth.classifiers.batches import Batches
from gansynth.classifiers.classifier import RANDOM_FROZEN
from gansynth.classifiers.classifier_run import (
    Plan,
    begin_folder,
    load_state,
    save_state,
    weights_of,
    write_info,
    write_model,
)
from gansynth.classifiers.curves import Epoch, draw_curves
from gansynth.classifiers.neural import NeuralClassifier, build_network
from gansynth.classifiers.neural_training import Course, build_optimizer, train_network
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.networks.backbone import Backbone
from gansynth.networks.cbam_ensemble import CbamEnsemble
from gansynth.networks.head import with_cosine_head, with_shifted_head
from gansynth.networks.split_batch_norm import joined, split
from gansynth.recipes.classifier import CbamRecipe, NeuralRecipe
from gansynth.remedies.treatment import Treatment
from gansynth.runs.device import chosen_device, placed
from gansynth.runs.folder import RECIPE, claim_folder
from gansynth.runs.journal import Journal
from gansynth.runs.state_files import Progress, recorded_threads
from gansynth.runs.threads import settle_threads

BACKBONES = "backbones"
"""Folder inside the run of an ensemble by attention for the runs of backbones that were tuned alone first."""


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
    """Train a network as `gansynth.classifiers.train_classifier` says.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupted; the state is saved.
    """
    if steps is not None and steps < 1:
        raise InputError(f"--steps {steps}: give a number above 0")
    if out is not None:
        claim_folder(out, resume)
    if weights_of(recipe) == RANDOM_FROZEN:
        warnings.warn(
            f"recipe {recipe.name}: weights none with frozen true trains a head on a trunk of random weights that "
            "never learns; leave out --weights none, or give --set network.frozen=false to train all of it",
            stacklevel=2,
        )
    where = chosen_device(device)
    about_threads = "" if out is None else settle_threads(where, recorded_threads(out))
    each = steps_per_epoch(treatment, recipe)
    plan = Plan(
        treatment, validation, recipe,
        steps=recipe.training.epochs * each if steps is None else steps,
        patience=recipe.training.patience if patience is None else patience,
        seed=seed,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []), ExitStack() as stack:
        torch.manual_seed(seed)
        network = build_network(recipe, len(treatment.images.class_names), weights_dir)
        if isinstance(recipe, CbamRecipe) and recipe.network.tuned_first:
            assert isinstance(network, CbamEnsemble)
            if out is not None and not (out / RECIPE).exists():
                begin_folder(out, recipe)  # what is cut off while a backbone learns goes on, too
            for k, alone in enumerate(recipe.alone()):
                folder = None if out is None else out / BACKBONES / f"{k}"
                tuned = train_neural(
                    treatment, alone, folder, validation=validation, seed=seed, steps=steps, patience=patience,
                    device=device, weights_dir=weights_dir, resume=folder is not None and folder.is_dir(),
                    progress=progress,
                )  # fmt: skip
                assert isinstance(tuned.network, Backbone)
                network.take_trunk(k, maps_of(tuned.network.trunk))
        if treatment.cosine_scale is not None:
            network = with_cosine_head(network, len(treatment.images.class_names), treatment.cosine_scale)
        if treatment.supplement is not None and treatment.supplement.statistics != "mixed":
            network = split(network, treatment.supplement.statistics)
        placed(network, where)
        optimizer = build_optimizer(network, recipe.training)
        course, journal = Course(), None
        identity = plan.identity if out is not None else ""
        if out is not None:
            course = load_state(out, network, optimizer, identity)
            begin_folder(out, recipe)
            journal = stack.enter_context(Journal(out, course.step, terminal=progress, enabled=True))
            if about_threads:
                journal.note(course.step, about_threads)
            journal.begin(course.step / plan.steps)

        def on_check(point: Epoch) -> None:
            if journal is not None:
                at = Progress(course.step, course.step * recipe.training.batch_size, course.seconds)
                journal.log(at, _terms(point), course.step / plan.steps)

        def on_save() -> None:
            if out is not None:
                save_state(out, network, optimizer, course, identity)
                write_info(out, plan, course, where, finished=False)

        finished = train_network(
            network, Batches(treatment, recipe.training, seed, where, plan.steps), recipe, optimizer, course,
            steps=plan.steps, steps_per_epoch=each, patience=plan.patience, validation=validation, seed=seed,
            on_check=on_check, on_save=on_save,
        )  # fmt: skip
    if not finished:
        raise KeyboardInterrupt
    network = joined(network).eval()
    if treatment.prediction_shift is not None:
        network = with_shifted_head(network, len(treatment.images.class_names), treatment.prediction_shift)
    if out is not None:
        write_model(out, network, plan)
        draw_curves(course.curve, course.best_epoch, out / "curves.png")
        write_info(out, plan, course, where, finished=True)
    return NeuralClassifier(
        network, recipe, treatment.images.class_names, where, seen_sha256=plan.seen_sha256,
        chosen_on_sha256=plan.chosen_on_sha256, curve=course.curve, weights=weights_of(recipe),
    )  # fmt: skip


def steps_per_epoch(treatment: Treatment, recipe: NeuralRecipe) -> int:
    """Return how many steps show as many images as there are real ones, whatever a remedy added or left out."""
    images = treatment.images
    real = int((images.records["origin"] != "synthetic").sum()) or len(images)
    return -(-real // recipe.training.batch_size)


_TERMS = {
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "val_loss": "val/loss",
    "val_accuracy": "val/accuracy",
    "val_macro_f1": "val/macro-F1",
}


def _terms(point: Epoch) -> dict[str, float]:
    return {said: value for name, said in _TERMS.items() if (value := point.value(name)) is not None}
