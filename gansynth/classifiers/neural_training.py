"""How a network learns to classify: one loop, checked on the validation images once an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from gansynth.classifiers.augmentation import ALTERATIONS, ordinary_augmentation
from gansynth.classifiers.batches import Batches
from gansynth.classifiers.curves import Epoch
from gansynth.classifiers.neural import computes_in_bf16, probabilities_of
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.metrics.confusion_scores import confusion_matrix, overall_figure
from gansynth.networks.split_batch_norm import say_how_many_are_real
from gansynth.recipes.classifier import NeuralRecipe, Training
from gansynth.runs.interruption import interruptible
from gansynth.runs.state_files import seed_step

SECONDS_BETWEEN_STATES = 15.0


@dataclass
class Course:
    """How far a training is, and what is the best so far.

    Attributes
    ----------
    step : int
        Steps done.
    seconds : float
        Wall time, over all sessions.
    curve : list of Epoch
    sums : float64 Tensor, shape [3]
        Loss, right answers and images since the last check.
    best : dict of str to Tensor
        The learned weights of the best epoch on the validation images; empty without such images.
    best_epoch : int
    """

    step: int = 0
    seconds: float = 0.0
    curve: list[Epoch] = field(default_factory=list)
    sums: Tensor = field(default_factory=lambda: torch.zeros(3, dtype=torch.float64))
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0


def build_optimizer(network: nn.Module, training: Training) -> Optimizer:
    """Return a fused AdamW, or Adam, over what learns; norms and biases do not decay."""
    learning = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": training.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam
    return kind([g for g in groups if g["params"]], lr=training.learning_rate, fused=True)


def learned_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return what a training changes: parameters that learn, and the statistics of the normalisations."""
    resting = {name for name, p in network.named_parameters() if not p.requires_grad}
    return {name: tensor for name, tensor in network.state_dict().items() if name not in resting}


def train_network(
    network: nn.Module,
    batches: Batches,
    recipe: NeuralRecipe,
    optimizer: Optimizer,
    course: Course,
    *,
    steps: int,
    steps_per_epoch: int,
    patience: int,
    validation: CellDataset | None,
    seed: int,
    on_check: Callable[[Epoch], None],
    on_save: Callable[[], None],
) -> bool:
    """Train until `steps` are done or patience ends (return True), or the user interrupts (False).

    At the end the network has its best weights, if there are validation images; `on_save` came before that.

    Raises
    ------
    InputError
        If the loss is no longer a number.
    """
    treatment, device = batches.treatment, batches.device
    bf16 = computes_in_bf16(recipe, device)
    altered = ALTERATIONS.get(recipe.augmentation, ordinary_augmentation)
    smoothing = recipe.training.label_smoothing
    loss_of = treatment.loss or (lambda z, y, done: F.cross_entropy(z, y, label_smoothing=smoothing))
    began, saved = time.monotonic() - course.seconds, time.monotonic()
    course.sums = course.sums.to(device)
    network.train()
    with interruptible() as interrupted:
        while course.step < steps and not _patience_ended(course, patience) and not interrupted.is_set():
            step = course.step
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe.training, step, steps)
            images, labels = batches.draw(step)
            added = batches.supplement_size(step)
            images, supplement = images.split([len(images) - added, added])
            labels, supplement_labels = labels.split([len(labels) - added, added])
            seed_step(seed, step, 0)
            if treatment.augmented:
                images = altered(images)
            others, kept = None, 1.0
            if treatment.mix is not None:
                images, partner, kept = treatment.mix(images)
                others = labels[partner]
            if added:
                supplement = altered(supplement) if treatment.augmented else supplement
                images = torch.cat([images, supplement])
            if treatment.supplement is not None:
                say_how_many_are_real(network, len(labels))
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                logits = network(images)
            logits, supplement_logits = logits.float().split([len(labels), added])
            loss = loss_of(logits, labels, step / steps)
            if others is not None:
                loss = kept * loss + (1 - kept) * loss_of(logits, others, step / steps)
            if added and treatment.supplement is not None:
                n, m = len(labels), treatment.supplement.weight * added
                loss = (n * loss + m * loss_of(supplement_logits, supplement_labels, step / steps)) / (n + m)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                found = logits.argmax(dim=1)
                right = (found == labels).sum()
                if others is not None:
                    right = kept * right + (1 - kept) * (found == others).sum()
                course.sums += torch.stack([loss.detach().double() * len(labels), right, right.new_tensor(len(labels))])
            course.step, course.seconds = step + 1, time.monotonic() - began
            if course.step % steps_per_epoch == 0 or course.step == steps:
                point = _check(network, course, validation, steps_per_epoch, device, bf16, recipe.training.keep)
                course.seconds = time.monotonic() - began
                on_check(point)
                if time.monotonic() - saved > SECONDS_BETWEEN_STATES:
                    on_save()
                    saved = time.monotonic()
    on_save()
    finished = course.step >= steps or _patience_ended(course, patience)
    if finished and course.best:
        network.load_state_dict(course.best, strict=False)
    return finished


def learning_rate(training: Training, step: int, steps: int) -> float:
    """Return the rate at a step: it rises over the warm-up, then stays or falls along a cosine (almost) to zero."""
    warm = training.warm_up * steps
    if step < warm:
        return training.learning_rate * (step + 1) / (warm + 1)
    if training.schedule == "constant":
        return training.learning_rate
    share = (step - warm) / max(1.0, steps - warm)
    return training.learning_rate * max(0.5 * (1 + math.cos(math.pi * share)), 1e-3)


def _check(
    network: nn.Module,
    course: Course,
    validation: CellDataset | None,
    steps_per_epoch: int,
    device: torch.device,
    bf16: bool,
    keep: Literal["macro-F1", "loss"],
) -> Epoch:
    loss, right, n = course.sums.tolist()
    if not math.isfinite(loss):
        raise InputError(
            f"training diverged before step {course.step}: the loss is not a number; lower --set training.learning_rate"
        )
    course.sums.zero_()
    point = Epoch(-(-course.step // steps_per_epoch), course.step, round(loss / n, 6), round(right / n, 6))
    if validation is not None and len(validation):
        p = probabilities_of(network, validation.images, device, bf16=bf16)
        labels, found = validation.labels, p.argmax(axis=1)
        table = confusion_matrix(labels, found, p.shape[1])
        of_truth = np.clip(p[np.arange(len(labels)), labels], 1e-12, None)
        point = replace(
            point,
            val_loss=round(float(-np.log(of_truth).mean()), 6),
            val_accuracy=round(float((found == labels).mean()), 6),
            val_macro_f1=round(float(overall_figure(table, "macro-F1")), 6),
        )
        if not course.best or _worth(point, keep) > max(_worth(earlier, keep) for earlier in course.curve):
            course.best = {name: tensor.detach().clone() for name, tensor in learned_weights(network).items()}
            course.best_epoch = point.epoch
    course.curve.append(point)
    return point


def _worth(point: Epoch, keep: Literal["macro-F1", "loss"]) -> float:
    """Return what the epoch whose weights are kept has most of."""
    assert point.val_macro_f1 is not None and point.val_loss is not None
    return point.val_macro_f1 if keep == "macro-F1" else -point.val_loss


def _patience_ended(course: Course, patience: int) -> bool:
    if not patience or not course.best:
        return False
    return course.curve[-1].epoch - course.best_epoch >= patience
