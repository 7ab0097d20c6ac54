"""From a training split, or what a remedy made of it, to a classifier: the one entrance for all kinds."""

from __future__ import annotations

from pathlib import Path

from gansynth.classifier_recipes import ClassicalRecipe, ClassifierRecipe, NeuralRecipe, load_classifier_recipe
from gansynth.classifiers.classifier import Classifier
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.remedies.treatment import Treatment


def train_classifier(
    treatment: Treatment | CellDataset,
    recipe: str | ClassifierRecipe,
    out: Path | None = None,
    *,
    validation: CellDataset | None,
    seed: int = 0,
    steps: int | None = None,
    patience: int | None = None,
    device: str = "auto",
    weights_dir: Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Classifier:
    """Train a classifier.

    Parameters
    ----------
    treatment : Treatment or CellDataset
        What it learns from. A plain training split is augmented if the recipe says so; a treatment says it itself.
    recipe : str or ClassifierRecipe
        A recipe, its name in the zoo, or its path.
    out : path, optional
        Folder of the run; without it nothing is written.
    validation : CellDataset or None
        The weights with the best macro-F1 on these images are kept. Without them it is the last weights.
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
    if isinstance(treatment, CellDataset):
        augmented = isinstance(recipe, NeuralRecipe) and recipe.augmentation == "ordinary"
        treatment = Treatment(treatment, Treatment.of(treatment).rows, augmented=augmented)
    _refuse_unfit(treatment, validation, recipe)
    if isinstance(recipe, ClassicalRecipe):
        from gansynth.classifiers.classical import save_classical, train_classical

        classical: Classifier = train_classical(treatment, recipe, seed=seed)
        if out is not None:
            save_classical(classical, out)
        return classical
    from gansynth.classifiers.neural_run import train_neural

    assert isinstance(recipe, NeuralRecipe)
    return train_neural(
        treatment, recipe, out, validation=validation, seed=seed, steps=steps, patience=patience, device=device,
        weights_dir=weights_dir, resume=resume, progress=progress,
    )  # fmt: skip


def _refuse_unfit(treatment: Treatment, validation: CellDataset | None, recipe: ClassifierRecipe) -> None:
    for images, what in ((treatment.images, "training"), (validation, "validation")):
        if images is not None and images.size != recipe.resolution:
            raise InputError(
                f"{what} images are {images.size} px and recipe {recipe.name} takes {recipe.resolution} px; open the "
                f"data set with size={recipe.resolution}, or change the recipe (--set resolution={images.size})"
            )
    if validation is not None and validation.class_names != treatment.images.class_names:
        raise InputError("training and validation images have other classes; take both from one data set")
    if sum(n > 0 for n in treatment.counts().values()) < 2:
        raise InputError("a classifier learns to tell classes apart; give a training split with two classes or more")
