"""Opening what `train_classifier` left."""

from __future__ import annotations

from pathlib import Path

from gansynth.classifiers.calibration import Calibrated, Calibration
from gansynth.classifiers.classifier import Classifier
from gansynth.errors import InputError
from gansynth.recipes.classifier import AverageRecipe, ClassicalRecipe, load_classifier_recipe
from gansynth.runs.artifact import find_artifact, kind_of
from gansynth.runs.device import chosen_device
from gansynth.runs.folder import INFO, RECIPE


def open_classifier(folder: str | Path, *, calibrated: bool | None = None, device: str = "auto") -> Classifier:
    """Open the run folder of a classifier: a network, a classical one, or an ensemble.

    Parameters
    ----------
    folder : path-like
    calibrated : bool, optional
        Whether probabilities are tempered as the validation images asked for. Default: what the recipe says.
    device : {"auto", "cpu", "cuda"}

    Raises
    ------
    InputError
        If it is not such a folder, or was cut off or edited, or has no calibration where one is asked for.
    """
    folder = find_artifact(folder, "classifier").folder
    if not (folder / INFO).is_file() or not (folder / RECIPE).is_file():
        raise InputError(
            f"{folder}: is not the run of a classifier (it has no {INFO} or no {RECIPE}); give the folder that "
            "train-classifier wrote"
        )
    recipe = load_classifier_recipe(folder / RECIPE)
    if isinstance(recipe, AverageRecipe):
        from gansynth.classifiers.ensemble import load_average

        classifier: Classifier = load_average(folder, open_member=open_classifier, device=device)
        asked = bool(calibrated)
    elif isinstance(recipe, ClassicalRecipe):
        from gansynth.classifiers.classical import load_classical

        classifier = load_classical(folder)
        asked = bool(calibrated)
    else:
        from gansynth.classifiers.classifier_run import load_neural

        neural = load_neural(folder, chosen_device(device))
        classifier, asked = neural, neural.recipe.training.calibrated if calibrated is None else calibrated
    return Calibrated(classifier, Calibration.read(folder)) if asked else classifier


def is_classifier(folder: str | Path) -> bool:
    """Return whether a folder is the run of a classifier."""
    return kind_of(Path(folder)) == "classifier"
