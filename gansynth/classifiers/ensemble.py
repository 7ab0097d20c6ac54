"""Several classifiers whose probabilities are averaged: the Ensemble-Average of abouali2023 (section 3.5.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.classifiers.calibration import LEAST, calibrate
from gansynth.classifiers.classifier import RANDOM_FROZEN, Classifier
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import read_json
from gansynth.files.atomic import write_json, write_text
from gansynth.recipes.classifier import AverageRecipe, ClassifierRecipe, load_classifier_recipe
from gansynth.remedies.treatment import Treatment
from gansynth.runs.folder import INFO, RECIPE, claim_folder
from gansynth.runs.versions import versions

MEMBERS = "members"
"""The folder in a run that holds the members' runs."""


class AverageClassifier(Classifier):
    """The mean of what several classifiers say.

    Parameters
    ----------
    recipe : AverageRecipe
    members : sequence of Classifier
        They know the same classes, in the same order, and take images of the recipe's resolution.

    Raises
    ------
    InputError
        If the members know different classes or take images of different sizes.

    Notes
    -----
    What any member has seen, the ensemble has seen; so leaks are found in it as in each of them.
    """

    def __init__(self, recipe: AverageRecipe, members: Sequence[Classifier]) -> None:
        self.recipe, self.members = recipe, tuple(members)
        self.class_names = self.members[0].class_names
        for member in self.members:
            if member.class_names != self.class_names:
                raise InputError(
                    f"ensemble {recipe.name}: {member.recipe.name} knows other classes than "
                    f"{self.members[0].recipe.name}; train all members on one data set"
                )
            if member.resolution != recipe.resolution:
                raise InputError(
                    f"ensemble {recipe.name}: {member.recipe.name} takes images of {member.resolution} px and the "
                    f"ensemble of {recipe.resolution} px; train all members at one resolution"
                )
        self.seen_sha256 = frozenset().union(*(member.seen_sha256 for member in self.members))
        self.chosen_on_sha256 = frozenset().union(*(member.chosen_on_sha256 for member in self.members))
        self.curve = []
        weights = {member.weights for member in self.members}
        self.weights = next((known for known in (RANDOM_FROZEN, "none", "pretrained") if known in weights), "")

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        self.refuse_other_size(images)
        return np.mean([member.probabilities(images) for member in self.members], axis=0)


def train_average(
    treatment: Treatment | CellDataset,
    recipe: AverageRecipe,
    out: str | Path | None,
    *,
    validation: CellDataset | None,
    seed: int,
    steps: int | None,
    patience: int | None,
    device: str,
    weights_dir: str | Path | None,
    resume: bool,
    progress: bool,
    train_member: Callable[..., Classifier],
) -> AverageClassifier:
    """Train every member by itself, with a seed of its own (`seed`, `seed` + 1, ...), by `train_classifier`.

    A member that is finished is not trained again when the run is resumed.
    """
    out = None if out is None else Path(out)
    if out is not None:
        claim_folder(out, resume)
        write_text(out / RECIPE, recipe.to_yaml())
    members = []
    for k, member in enumerate(recipe.as_trained()):
        folder = None if out is None else out / MEMBERS / f"{k}-{member.name}"
        members.append(
            train_member(
                treatment, member, folder, validation=validation, seed=seed + k, steps=steps, patience=patience,
                device=device, weights_dir=weights_dir, resume=resume and folder is not None and folder.is_dir(),
                progress=progress,
            )
        )  # fmt: skip
    average = AverageClassifier(recipe, members)
    if out is not None:
        _write_info(out, average, seed)
        if validation is not None and len(validation) >= LEAST:
            calibrate(average, validation).calibration.write(out)
    return average


def _write_info(out: Path, average: AverageClassifier, seed: int) -> None:
    info = {
        "kind": "classifier",
        "recipe": average.recipe.name,
        "classifier": "average-ensemble",
        "weights": average.weights,
        "finished": True,
        "seed": seed,
        "versions": versions("gansynth"),
        "class_names": list(average.class_names),
        "members": [member.recipe.name for member in average.members],
        "curve": [],
        "validation_sha256": sorted(average.chosen_on_sha256),
        "training_sha256": sorted(average.seen_sha256),
    }
    write_json(out / INFO, info)


def load_average(folder: Path, *, open_member: Callable[..., Classifier], device: str = "auto") -> AverageClassifier:
    """Open the run folder of an ensemble, whose members `open_classifier` opens.

    Raises
    ------
    InputError
        If it is none, or a member is missing or not the one that the recipe names.
    """
    recipe: ClassifierRecipe = load_classifier_recipe(folder / RECIPE)
    if not isinstance(recipe, AverageRecipe):
        raise InputError(f"{folder / RECIPE}: is not a recipe of an ensemble")
    members = []
    for k, member in enumerate(recipe.as_trained()):
        place = folder / MEMBERS / f"{k}-{member.name}"
        if not place.is_dir():
            raise InputError(f"{place}: is missing; continue the training with `train-classifier --resume`")
        members.append(open_member(place, device=device))
    average = AverageClassifier(recipe, members)
    try:
        names = tuple(read_json(folder / INFO)["class_names"])
    except (ValueError, KeyError, TypeError, OSError):
        raise InputError(f"{folder / INFO}: cannot be read; the run was cut off or edited") from None
    if names != average.class_names:
        raise InputError(f"{folder}: its members know other classes than {INFO} says; the run was edited")
    return average
