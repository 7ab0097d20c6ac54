"""A run: the folder a training leaves, and the zoo model that has the same shape."""

from __future__ import annotations

from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from gansynth.errors import InputError, nearest_name
from gansynth.files import NoSuchFile, read_json
from gansynth.files.hashing import file_sha256
from gansynth.gans.fingerprints import TrainingFingerprints
from gansynth.gans.gan import build_gan
from gansynth.gans.independent_classifier import IndependentClassifier
from gansynth.gans.sampling import LoadedGenerator
from gansynth.networks.compact import SkipGenerator
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.recipes.reading import ZOO
from gansynth.runs.names import INFO, MODEL, RECIPE
from gansynth.runs.shipped import zoo_models
from gansynth.runs.weights import read_weights

CLASSIFIER = "independent_classifier.safetensors"
FINGERPRINTS = "training_fingerprints.safetensors"


class Run:
    """A trained GAN.

    Attributes
    ----------
    path : pathlib.Path
    name : str
        The folder's name.
    recipe : GanRecipe
    class_names : tuple of str
    info : dict
        What ``run.json`` holds: versions, seed, device, timings, training images.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        try:
            self.info: dict[str, Any] = read_json(path / INFO)
            self.class_names = tuple(str(name) for name in self.info["class_names"])
        except NoSuchFile:
            raise InputError(
                f"{path}: not a run folder (it has no {INFO}); give the folder that train-gan wrote"
            ) from None
        except (KeyError, TypeError):
            raise InputError(f"{path / INFO}: cannot be read; the run was cut off or edited") from None
        self.recipe: GanRecipe = load_recipe(path / RECIPE)
        if not (path / MODEL).is_file():
            raise InputError(f"{path}: has no {MODEL} yet; continue the training with `train-gan --resume`")

    @property
    def resolution(self) -> int:
        """Edge length of the generated images in pixels."""
        return self.recipe.resolution

    @cached_property
    def model_sha256(self) -> str:
        """The sha256 of ``model.safetensors``: which weights made an image."""
        return file_sha256(self.path / MODEL)

    @cached_property
    def training_sha256(self) -> frozenset[str]:
        """The sha256 of every training image's pixels, those of a run it began with included."""
        parent = self.info.get("parent") or {}
        return frozenset(self.info.get("training_sha256", ())) | frozenset(parent.get("training_sha256", ()))

    @cached_property
    def fingerprints(self) -> TrainingFingerprints | None:
        """What recognises copies of training images; None where the run has none."""
        path = self.path / FINGERPRINTS
        return TrainingFingerprints.load(path) if path.is_file() else None

    def class_index(self, name: str) -> int:
        """Return the index of a class.

        Raises
        ------
        InputError
            For a class the run was not trained on; a near miss suggests the right name.
        """
        if name in self.class_names:
            return self.class_names.index(name)
        near = nearest_name(name, self.class_names)
        hint = f"did you mean '{near}'?" if near else f"it knows {', '.join(self.class_names)}"
        raise InputError(f"run {self.name} has no class '{name}'; {hint}")

    def generator(self, device: torch.device | str = "cpu", truncation: float = 1.0) -> LoadedGenerator:
        """Load the generator for generating: see `LoadedGenerator`.

        Parameters
        ----------
        device : torch.device or str
        truncation : float
            How far images may be from the typical one of their class, 0 to 1; 1 leaves them as they are.

        Raises
        ------
        InputError
            If the weights do not fit the recipe, `truncation` is not a share, or the generator has no styles to
            truncate.
        """
        if not 0 <= truncation <= 1:
            raise InputError(f"a truncation of {truncation}: give a number from 0 to 1")
        tensors, _ = read_weights(self.path / MODEL)
        gan = build_gan(self.recipe, self.class_names)
        network = gan.generator
        try:
            network.load_state_dict({k.removeprefix("generator."): v.float() for k, v in tensors.items()})
        except RuntimeError:
            raise InputError(f"{self.path / MODEL}: does not fit {RECIPE} beside it; the run was edited") from None
        if truncation < 1:
            if not isinstance(network, SkipGenerator):
                raise InputError(
                    f"{self.name}: only a generator with styles (networks of family compact) can be truncated; "
                    "generate without --truncation"
                )
            network.truncate(truncation)
        classifier = self.independent_classifier(device)
        if classifier is not None:
            gan.label_with(classifier)
        return LoadedGenerator(gan, torch.device(device))

    def independent_classifier(self, device: torch.device | str = "cpu") -> IndependentClassifier | None:
        """Load the classifier that took no part in the game; None where the run has none."""
        path = self.path / CLASSIFIER
        return IndependentClassifier.load(path, torch.device(device)) if path.is_file() else None


def open_run(name_or_path: str | Path) -> Run:
    """Open a run folder, or a trained model of the zoo by its name.

    Raises
    ------
    InputError
        If there is neither; a near miss among the zoo's names is suggested.

    Examples
    --------
    >>> open_run("pbc-64").class_index("promyelocyte")
    9
    """
    path = Path(name_or_path)
    if path.is_dir():
        return Run(path)
    models = zoo_models()
    if str(name_or_path) in models:
        return Run(Path(str(resources.files(ZOO) / str(name_or_path))))
    near = nearest_name(str(name_or_path), models)
    hint = f"did you mean '{near}'?" if near else f"the zoo has {', '.join(models) or 'no trained model'}"
    raise InputError(f"no run folder and no trained model '{name_or_path}'; {hint}")
