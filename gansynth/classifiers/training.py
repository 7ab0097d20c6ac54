"""From a training split, or what a remedy made of it, to a classifier: the one entrance for all kinds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansynth.classifiers.calibration import LEAST, calibrate
from gansynth.classifiers.classifier import RANDOM_FROZEN, Classifier
from gansynth.data.dataset import CellDataset
from gansynth.data.split import split_dataset
from gansynth.errors import InputError
from gansynth.files import holding
from gansynth.files.atomic import write_json
from gansynth.metrics.classification import Scores, classification_scores
from gansynth.recipes.classifier import (
    AverageRecipe,
    BackboneRecipe,
    ClassicalRecipe,
    ClassifierRecipe,
    NeuralRecipe,
    load_classifier_recipe,
)
from gansynth.remedies.arm import NONE, parse_arm
from gansynth.remedies.remedy import Workplace
from gansynth.remedies.treatment import Treatment
from gansynth.runs.folder import INFO, RECIPE, REMEDY, claim_folder

DEFAULT_RECIPE = "sequential-cnn"


@holding()
def train_classifier(
    treatment: Treatment | CellDataset,
    recipe: str | ClassifierRecipe,
    out: str | Path | None = None,
    *,
    validation: CellDataset | None,
    seed: int = 0,
    steps: int | None = None,
    patience: int | None = None,
    device: str = "auto",
    weights_dir: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Classifier:
    """Train a classifier.

    Parameters
    ----------
    treatment : Treatment or CellDataset
        What it learns from. A plain training split is augmented, and treated with a remedy, if the recipe says so; a
        treatment says it itself.
    recipe : str or ClassifierRecipe
        A recipe, its name in the zoo, or its path.
    out : path, optional
        Folder of the run; without it nothing is written.
    validation : CellDataset or None
        Real images. The weights with the best macro-F1 on them are kept, and the run gets the temperature that
        calibrates it on them. Without them the last weights are kept.
    seed : int
        Decides everything random; the caller's random state is left as it was.
    steps : int, optional
        Optimizer steps. Default: the recipe's epochs, each as many steps as it takes to show as many images as there
        are real ones in the treatment. Means nothing for classical classifiers.
    patience : int, optional
        Epochs without a better macro-F1 before it stops; 0 never stops early. Default: the recipe's.
    device : {"auto", "cpu", "cuda"}
    weights_dir : path, optional
        Where published weights of backbones lie.
    resume : bool
        Continue the run in `out`. The weights are those of a training never interrupted, bit for bit on the CPU.
    progress : bool
        Report on the terminal.

    Raises
    ------
    InputError
        If the images do not fit the recipe, the folder holds something else, published weights are missing, or the
        training diverges.
    """
    recipe = recipe if isinstance(recipe, ClassifierRecipe) else load_classifier_recipe(recipe)
    if isinstance(recipe, AverageRecipe):
        from gansynth.classifiers.ensemble import train_average

        return train_average(
            treatment, recipe, out, validation=validation, seed=seed, steps=steps, patience=patience, device=device,
            weights_dir=weights_dir, resume=resume, progress=progress, train_member=train_classifier,
        )  # fmt: skip
    if isinstance(treatment, CellDataset):
        treatment = _plain(treatment, recipe, seed)
    elif isinstance(recipe, BackboneRecipe) and recipe.remedy != NONE:
        raise InputError(
            f"recipe {recipe.name} brings a remedy of its own ({recipe.remedy}), and the arm brings another; compare "
            f"the arm '{recipe.remedy}' with a recipe that brings none, such as resnet152, or give --set remedy=none"
        )
    _refuse_unfit(treatment, validation, recipe)
    out = None if out is None else Path(out)
    weights_dir = None if weights_dir is None else Path(weights_dir)
    classifier: Classifier
    if isinstance(recipe, ClassicalRecipe):
        from gansynth.classifiers.classical import load_classical, save_classical, train_classical

        if out is not None:
            claim_folder(out, resume)
        if out is not None and resume and (out / INFO).is_file():
            return load_classical(out)
        classifier = classical = train_classical(treatment, recipe, seed=seed, device=device, weights_dir=weights_dir)
        if out is not None:
            save_classical(classical, out)
    else:
        from gansynth.classifiers.neural_run import train_neural

        assert isinstance(recipe, NeuralRecipe)
        classifier = train_neural(
            treatment, recipe, out, validation=validation, seed=seed, steps=steps, patience=patience, device=device,
            weights_dir=weights_dir, resume=resume, progress=progress,
        )  # fmt: skip
    wanted = isinstance(recipe, NeuralRecipe) and recipe.training.calibrated
    if validation is None or not (wanted or (out is not None and len(validation) >= LEAST)):
        return classifier
    calibrated = calibrate(classifier, validation)
    if out is not None:
        calibrated.calibration.write(out)
    return calibrated if wanted else classifier


def _plain(training: CellDataset, recipe: ClassifierRecipe, seed: int) -> Treatment:
    """Return a plain training split with the augmentation and the remedy that the recipe asks for."""
    augmented = isinstance(recipe, NeuralRecipe) and recipe.augmentation != "none"
    treatment = Treatment(training, Treatment.of(training).rows, augmented=augmented)
    for remedy in parse_arm(recipe.remedy).remedies if isinstance(recipe, BackboneRecipe) else ():
        if not remedy.cheap:
            raise InputError(
                f"recipe {recipe.name}: remedy '{remedy.name}' makes images first; a recipe takes losses and samplings "
                "only. Compare it as an arm, or train on a balanced folder"
            )
        treatment = remedy.treat(treatment, Workplace(Path(), lambda _: training, seed=seed))
    return treatment


def _refuse_unfit(treatment: Treatment, validation: CellDataset | None, recipe: ClassifierRecipe) -> None:
    for images, what in ((treatment.images, "training"), (validation, "validation")):
        if images is not None and images.size != recipe.resolution:
            raise InputError(
                f"{what} images are {images.size} px and recipe {recipe.name} takes {recipe.resolution} px; open the "
                f"data set with size={recipe.resolution}, or change the recipe (--set resolution={images.size})"
            )
    if validation is not None and validation.class_names != treatment.images.class_names:
        raise InputError("training and validation images have other classes; take both from one data set")
    if validation is None and isinstance(recipe, NeuralRecipe) and recipe.training.calibrated:
        raise InputError("training.calibrated needs validation images; give some, or leave it out")
    _refuse_deaf(treatment, recipe)
    if sum(n > 0 for n in treatment.counts().values()) < 2:
        raise InputError("a classifier learns to distinguish classes; give a training split with two classes or more")


def _refuse_deaf(treatment: Treatment, recipe: ClassifierRecipe) -> None:
    """Refuse what this kind of classifier cannot follow: nothing that a remedy asks for is left out in silence."""
    if isinstance(recipe, NeuralRecipe):
        if treatment.in_features is not None:
            raise InputError(
                f"{treatment.in_features.kind} makes points between features, and {recipe.name} learns from images; "
                "give it to a classifier of features, such as random-forest or svm"
            )
        if treatment.loss is not None and recipe.training.label_smoothing:
            raise InputError(
                f"recipe {recipe.name} smooths labels, and the remedy's own loss does not; give "
                "--set training.label_smoothing=0"
            )
    elif treatment.mix is not None or treatment.sampling is not None:
        raise InputError(f"{recipe.name} learns without batches, and the remedy is about batches; leave it out")


@dataclass(frozen=True)
class Outcome:
    """A classifier, and how it does.

    Attributes
    ----------
    classifier : Classifier
    validation, test : Scores or None
    """

    classifier: Classifier
    validation: Scores | None
    test: Scores | None

    def to_json(self) -> dict[str, Any]:
        """Return recipe and classes, and the numbers of all classes together on either set of images."""
        scored = {"validation": self.validation, "test": self.test}
        return {"recipe": self.classifier.recipe.name, "classes": list(self.classifier.class_names)} | {
            name: None if scores is None else {"images": int(scores.confusion.sum()), **scores.overall}
            for name, scores in scored.items()
        }

    @property
    def sentence(self) -> str:
        """How it does, in one line."""
        parts = [
            f"macro-F1 {scores.overall['macro-F1']:.3f} and accuracy {scores.overall['accuracy']:.3f} on "
            f"{int(scores.confusion.sum())} {name} images"
            for name, scores in (("validation", self.validation), ("test", self.test))
            if scores is not None
        ]
        said = "; ".join(parts) or "no validation images to score it on"
        frozen = " (only the head has learned, on a trunk of random weights)"
        return said + frozen * (self.classifier.weights == RANDOM_FROZEN)


@holding()
def train_on_split(
    dataset: CellDataset,
    recipe: str | ClassifierRecipe,
    out: str | Path,
    *,
    remedy: str | None = None,
    reopen: Callable[[int], CellDataset] | None = None,
    test: bool = False,
    seed: int = 0,
    device: str = "auto",
    weights_dir: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Outcome:
    """Train on the training split of a data set, choose on its validation split, and score.

    Parameters
    ----------
    dataset : CellDataset
        One that has not been split is split first, with the defaults of `split_dataset`. Only real images are
        validated and tested on.
    remedy : str, optional
        An arm as `compare` takes it (see `gansynth.remedies.parse_arm`): the classifier learns what it learns there.
        What is made first (a GAN, synthetic images, teachers) is kept in ``remedy/`` inside the run. Default: what the
        recipe says.
    reopen : callable, optional
        Given an edge length in pixels, `dataset` at that size, for a remedy whose networks take another.
    test : bool
        Score on the test split too, and write ``test.json`` into the run.
    recipe, out, seed, device, weights_dir, resume, progress
        See `train_classifier`.
    """
    if not (dataset.records["split"] == "train").any():
        dataset = split_dataset(dataset, seed=seed, progress=progress)
    held_out = {name: _real_part(dataset, name) for name in ("val", "test")}
    if test and held_out["test"] is None:
        raise InputError("no real image belongs to the test split; leave out --test, or split the data again")
    learning = dataset.part("train") if remedy is None else _treated(
        dataset, remedy, recipe, Path(out), reopen, held_out["test"], seed=seed, device=device, resume=resume,
        progress=progress,
    )  # fmt: skip
    classifier = train_classifier(
        learning,
        recipe,
        out,
        validation=held_out["val"],
        seed=seed,
        device=device,
        weights_dir=weights_dir,
        resume=resume,
        progress=progress,
    )
    scores = {
        name: classification_scores(part.labels, classifier.probabilities(part.images), len(part.class_names))
        for name, part in held_out.items()
        if part is not None and (test or name == "val")
    }
    if test:
        found = scores["test"]
        classes = dict(zip(dataset.class_names, found.classes, strict=True))
        write_json(
            Path(out) / "test.json",
            {"overall": found.overall, "classes": classes, "confusion": found.confusion.tolist()},
        )
    return Outcome(classifier, scores.get("val"), scores.get("test"))


def _treated(
    dataset: CellDataset,
    remedy: str,
    recipe: str | ClassifierRecipe,
    out: Path,
    reopen: Callable[[int], CellDataset] | None,
    tested: CellDataset | None,
    *,
    seed: int,
    device: str,
    resume: bool,
    progress: bool,
) -> Treatment:
    """Return what an arm of a comparison learns from, of this data set's training split."""
    arm = parse_arm(remedy)
    recipe = recipe if isinstance(recipe, ClassifierRecipe) else load_classifier_recipe(recipe)
    neural = isinstance(recipe, NeuralRecipe)
    if not arm.fits(neural):
        kind = "classifiers of features" if neural else "networks"
        raise InputError(f"remedy '{arm}' means something for {kind} only, and {recipe.name} is not one of them")

    def learning(size: int) -> CellDataset:
        if size != dataset.size and reopen is None:
            raise InputError(f"remedy '{arm}' needs the images at {size} px, and they were opened at {dataset.size} px")
        found = dataset if size == dataset.size or reopen is None else reopen(size)
        if not (found.records["split"] == "train").any():
            found = split_dataset(found, seed=seed, progress=progress)
        return found.select(found.records["split"].isin(["train", "val"]).to_numpy())

    claim_folder(out, resume)
    place = Workplace(out / REMEDY, learning, seed=seed, device=device, progress=progress)
    treatment = arm.treat(dataset.part("train"), place)
    if tested is not None:
        arm.refuse_leaks(tested, place)
    for note in treatment.notes:
        warnings.warn(note, stacklevel=3)
    return treatment


def choose_classifier_recipe(
    recipe: str | Path | None, changes: Sequence[str], out: Path, *, resume: bool
) -> ClassifierRecipe:
    """Return the recipe to train by: the one named; else, when resuming, the run's own; else the sequential CNN."""
    if recipe is None and resume and (out / RECIPE).is_file():
        return load_classifier_recipe(out, changes)
    return load_classifier_recipe(recipe or DEFAULT_RECIPE, changes)


def _real_part(dataset: CellDataset, split: str) -> CellDataset | None:
    chosen = (dataset.records["split"] == split) & (dataset.records["origin"] != "synthetic")
    return dataset.select(chosen.to_numpy()) if chosen.any() else None
