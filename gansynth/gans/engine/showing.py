"""What a training shows of itself: the sample sheet and the class watch, both from the slow generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gansynth.data.dataset import CellDataset
from gansynth.files.atomic import whole_file
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.watch import ClassWatch, Watcher
from gansynth.gans.fingerprints import TrainingFingerprints
from gansynth.gans.gan import GAN
from gansynth.gans.independent_classifier import IndependentClassifier, train_independent_classifier
from gansynth.gans.pretrained_judge import JUDGE, PretrainedJudge, judging_version, learn_pretrained_judge
from gansynth.gans.run import CLASSIFIER, FINGERPRINTS
from gansynth.gans.sampling import draw_latents, oriented
from gansynth.networks.images import to_uint8
from gansynth.recipes import GanRecipe
from gansynth.runs.device import has_bf16
from gansynth.runs.journal import Journal
from gansynth.runs.state_files import Progress

MARGIN = 2
FONT = ImageFont.load_default(size=13)


def prepare_watch(
    out: Path,
    dataset: CellDataset,
    training: CellDataset,
    recipe: GanRecipe,
    seed: int,
    fabric: Fabric,
    journal: Journal,
    pretrained: Sequence[str] = (),
) -> Watcher:
    """Before the game: fingerprints of the training images, the independent classifier, the pretrained judge (another
    network than those in `pretrained`, which players look through), and the real side of the watch."""
    held_out = dataset.part("val") if (dataset.records["split"] == "val").any() else None
    if not (out / FINGERPRINTS).exists():
        others = held_out if held_out is not None else training.select(np.zeros(0, dtype=np.int64))
        prints = TrainingFingerprints.of(training.images, others.images, others.labels, len(training.class_names))
        prints.save(out / FINGERPRINTS)
    if (out / CLASSIFIER).exists():
        classifier = IndependentClassifier.load(out / CLASSIFIER, fabric.device)
    else:
        classifier = train_independent_classifier(
            training,
            seed=seed,
            device=fabric.device,
            images=recipe.reports.classifier_images,
            on_step=journal.preparation("independent classifier"),
        )
        classifier.save(out / CLASSIFIER)
    real = held_out if held_out is not None and min(held_out.counts().values()) >= 2 else training
    judge = _pretrained_judge(out, training, recipe, fabric.device, journal, pretrained)
    return Watcher(classifier, real, recipe.reports.watch_images, judge)


def _pretrained_judge(
    out: Path,
    training: CellDataset,
    recipe: GanRecipe,
    device: torch.device,
    journal: Journal,
    pretrained: Sequence[str],
) -> PretrainedJudge | None:
    version = judging_version(pretrained)
    if version is None or not recipe.reports.pretrained_judge or len(training.class_names) < 2:
        return None
    if (out / JUDGE).exists():
        return PretrainedJudge.load(out / JUDGE, device)
    judge = learn_pretrained_judge(training, version, device=device, on_step=journal.preparation("pretrained judge"))
    judge.save(out / JUDGE)
    return judge


def show(
    out: Path, gan: GAN, ema: Ema, watcher: Watcher, class_names: tuple[str, ...], at: Progress, journal: Journal
) -> ClassWatch:
    """Write the sample sheet, log the class watch, both from the slow generator, and return what was seen."""
    reports = gan.recipe.reports
    per_class = max(reports.watch_images, reports.sheet_columns)
    images, labels = _samples(gan, ema, len(class_names), per_class)
    first = np.concatenate([np.flatnonzero(labels == c)[: reports.sheet_columns] for c in range(len(class_names))])
    sheet = _write_sheet(out, at.step, images[first], labels[first], class_names)
    seen = watcher.look(images, labels)
    journal.watch(at, seen.table(class_names), seen.warnings(class_names), sheet)
    return seen


def show_beginning(out: Path, gan: GAN, ema: Ema, class_names: tuple[str, ...]) -> None:
    """Write the sheet of step 0, before the judges are trained: what a training begins with.

    A GAN that needs a judge to make a class has none yet.
    """
    if type(gan).label_with is GAN.label_with:
        images, labels = _samples(gan, ema, len(class_names), gan.recipe.reports.sheet_columns)
        _write_sheet(out, 0, images, labels, class_names)


def _write_sheet(
    out: Path, step: int, images: NDArray[np.uint8], labels: NDArray[np.int64], class_names: tuple[str, ...]
) -> Image.Image:
    sheet = class_sheet(images, labels.tolist(), class_names)
    with whole_file(out / "samples" / f"step-{step:08d}.png") as temporary:
        sheet.save(temporary)
    return sheet


@torch.inference_mode()
def _samples(gan: GAN, ema: Ema, n_classes: int, per_class: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    trained, gan.generator = gan.generator, ema.network
    device = next(ema.network.parameters()).device
    images, labels = [], []
    try:
        for c in range(n_classes):
            latents = draw_latents(gan, c, range(per_class)).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
                parts = [
                    to_uint8(gan.generate(part, torch.full((len(part),), c, device=device))).cpu()
                    for part in latents.split(32)
                ]
            images.append(oriented(gan, torch.cat(parts), c, range(per_class)).numpy())
            labels += [c] * per_class
    finally:
        gan.generator = trained
    return np.concatenate(images), np.array(labels, dtype=np.int64)


def class_sheet(images: NDArray[np.uint8], labels: Sequence[int], class_names: Sequence[str]) -> Image.Image:
    """Lay images out in rows, one class a row with its name before it.

    Parameters
    ----------
    images : uint8 array [n, 3, H, W]
    labels : sequence of int, length n
    class_names : sequence of str

    Returns
    -------
    PIL.Image.Image
    """
    size = images.shape[-1]
    rows = [[i for i, label in enumerate(labels) if label == c] for c in range(len(class_names))]
    shown = [(name, row) for name, row in zip(class_names, rows, strict=True) if row]
    left = max(int(FONT.getlength(name)) for name, _ in shown) + 12
    columns = max(len(row) for _, row in shown)
    step = size + MARGIN
    sheet = Image.new("RGB", (left + columns * step, len(shown) * step + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for r, (name, row) in enumerate(shown):
        top = MARGIN + r * step
        draw.text((6, top + size // 2), name, fill="black", font=FONT, anchor="lm")
        for c, index in enumerate(row):
            sheet.paste(Image.fromarray(images[index].transpose(1, 2, 0)), (left + c * step, top))
    return sheet
