"""A run: the folder a training leaves, and the zoo model that has the same shape."""

from __future__ import annotations

import math
from copy import copy
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansynth.errors import InputError
from gansynth.files import is_named, known_classes
from gansynth.files.regular import file_sha256
from gansynth.gans.fingerprints import TrainingFingerprints
from gansynth.gans.gan import GAN, build_gan
from gansynth.gans.independent_classifier import IndependentClassifier
from gansynth.gans.sampling import CHUNK, LoadedGenerator
from gansynth.networks.compact import SkipGenerator
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.recipes.declared import DiffusionNetworks
from gansynth.runs.artifact import Artifact, find_artifact
from gansynth.runs.device import chosen_device
from gansynth.runs.folder import MODEL, RECIPE
from gansynth.runs.weights import read_weights, refuse_other_run

MOST_TRUNCATION = 2
"""Twice as far from the typical image as a generator draws by itself; what lies beyond was never trained."""

SPREAD = "spread"
"""A tensor [classes] beside the generator's weights: what every truncation is multiplied by (see `export_run`)."""

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
    training_sha256 : frozenset of str
        The sha256 of every training image's pixels, those of a run it began with included.

    Raises
    ------
    InputError
        If the folder is not a run, or its ``run.json`` does not say which images it has seen.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        artifact = Artifact("generator", path)
        self.path, self.name = path, artifact.name
        self._loaded: tuple[tuple[str, float], LoadedGenerator] | None = None
        self.info, self.class_names = artifact.info, artifact.class_names
        self.training_sha256 = artifact.training_sha256
        self.recipe: GanRecipe = load_recipe(path / RECIPE)
        if not (path / MODEL).is_file():
            raise InputError(f"{path}: has no {MODEL} yet; continue the training with `train-gan --resume`")

    def __repr__(self) -> str:
        return f"Run({self.name}: {self.recipe.gan}, {self.resolution} px, {len(self.class_names)} classes)"

    @property
    def resolution(self) -> int:
        """Edge length of the generated images in pixels."""
        return self.recipe.resolution

    @property
    def step(self) -> int:
        """Generator iterations that were made."""
        return int(self.info["step"])

    @property
    def images(self) -> int:
        """Real images that were seen."""
        return int(self.info["images"])

    @property
    def seconds(self) -> float:
        """How long it was trained, over all sessions."""
        return float(self.info["seconds"])

    @property
    def seed(self) -> int:
        return int(self.info.get("seed", 0))

    @property
    def finished(self) -> bool:
        """Whether the training came to its end."""
        return bool(self.info.get("finished"))

    def has_had(self, images: int | None, minutes: float | None) -> bool:
        """Return whether it was trained for so many images or minutes; to its end, where neither is given."""
        if images is None and minutes is None:
            return self.finished
        return (images is not None and self.images >= images) or (minutes is not None and self.seconds >= 60 * minutes)

    @cached_property
    def model_sha256(self) -> str:
        """The sha256 of ``model.safetensors``: which weights made an image."""
        return file_sha256(self.path / MODEL)

    @cached_property
    def fingerprints(self) -> TrainingFingerprints | None:
        """What recognises copies of training images; None where the run has none."""
        path = self.path / FINGERPRINTS
        return TrainingFingerprints.load(path) if is_named(path) else None

    def class_index(self, name: str) -> int:
        """Return the index of a class, however its accents are composed.

        Raises
        ------
        InputError
            For a class the run was not trained on; a near miss suggests the right name.
        """
        (known,) = known_classes([name], self.class_names, f"run {self.name}")
        return self.class_names.index(known)

    @property
    def guidance(self) -> float:
        """How far a diffusion model moves images away from what it would draw of no class; 1 is not at all, as GANs."""
        networks = self.recipe.networks
        return networks.guidance if isinstance(networks, DiffusionNetworks) else 1.0

    def guided(self, guidance: float) -> Run:
        """Return the run of a diffusion model as one that generates with another guidance.

        Parameters
        ----------
        guidance : float
            Not negative; 1 is none. Above it images are more typical of their class, less varied, and take twice
            as long (Ho & Salimans 2022).

        Raises
        ------
        InputError
            If it is no such number, or the run is not a diffusion model's.
        """
        networks = self.recipe.networks
        if not (math.isfinite(guidance) and guidance >= 0):
            raise InputError(f"a guidance of {guidance}: give a number from 0 on; 1 is none")
        if not isinstance(networks, DiffusionNetworks):
            raise InputError(
                f"{self.name}: only a diffusion model (recipe edm-64) can be guided; generate without --guidance"
            )
        run = copy(self)
        changed = networks.model_copy(update={"guidance": float(guidance)})
        run.recipe, run._loaded = self.recipe.model_copy(update={"networks": changed}), None
        return run

    def generator(self, device: torch.device | str = "cpu", truncation: float = 1.0) -> LoadedGenerator:
        """Load the generator for generating: see `LoadedGenerator`.

        Parameters
        ----------
        device : torch.device or str
        truncation : float
            How far images may be from the typical one of their class, 0 to 2; 1 leaves them as they are.

        Raises
        ------
        InputError
            If the weights do not fit the recipe, `truncation` is out of range, or the generator has no styles to
            truncate.
        """
        gan = self.load_gan(truncation)
        classifier = self.independent_classifier(device)
        if classifier is not None:
            gan.label_with(classifier)
        return LoadedGenerator(gan, torch.device(device))

    def spread_in(self, found: Tensor | None) -> Tensor:
        """Return what each class's truncation is multiplied by, float32 [C]: 1 where the weights hold none.

        Raises
        ------
        InputError
            If what they hold is not one number from 0 to 2 for each class, as `export_run` writes it.
        """
        n = len(self.class_names)
        if found is None:
            return torch.ones(n)
        if found.shape != (n,) or not bool(((found >= 0) & (found <= MOST_TRUNCATION)).all()):
            raise InputError(
                f"{self.path / MODEL}: its {SPREAD} is not one number from 0 to {MOST_TRUNCATION} for each of {n} "
                "classes; the file was edited, so restore it"
            )
        return found.float()

    def load_gan(self, truncation: float = 1.0) -> GAN:
        """Return the GAN with its trained generator, on the CPU and in float32.

        Its other players are untrained, or missing where they take long to open (`GAN.to_generate`).

        Raises
        ------
        InputError
            As `generator`.
        """
        if not 0 <= truncation <= MOST_TRUNCATION:
            raise InputError(f"a truncation of {truncation}: give a number from 0 to {MOST_TRUNCATION}")
        tensors, card = read_weights(self.path / MODEL)
        refuse_other_run(card, self.info, self.path / MODEL)
        spread = tensors.pop(SPREAD, None)
        gan = build_gan(self.recipe, self.class_names, to_generate=True)
        network = gan.generator
        try:
            network.load_state_dict({k.removeprefix("generator."): v.float() for k, v in tensors.items()})
        except RuntimeError:
            raise InputError(f"{self.path / MODEL}: does not fit {RECIPE} beside it; the run was edited") from None
        shares = truncation * self.spread_in(spread)
        if not bool((shares == 1).all()):
            if not isinstance(network, SkipGenerator):
                raise InputError(
                    f"{self.name}: only a generator with styles (networks of family compact) can be truncated; "
                    "generate without --truncation"
                )
            network.truncate(shares)
        return gan

    def sample(
        self, class_name: str, n: int, *, seed: int = 0, truncation: float = 1.0, device: str = "auto"
    ) -> NDArray[np.uint8]:
        """Return synthetic images of a class: the pixels that `gansynth.generate` writes for the same seeds.

        Image i has the seed `seed` + i. Nothing is screened out; `generate` leaves out copies of training images. The
        generator stays loaded for the next call.

        Parameters
        ----------
        class_name : str
        n : int
            At least 1.
        seed : int
            Of the first image, not negative.
        truncation : float
            Below 1, images nearer to the typical one of their class, above 1 farther (see `generator`).
        device : {"auto", "cpu", "cuda"}

        Returns
        -------
        uint8 array [n, 3, R, R]
            RGB.

        Raises
        ------
        InputError
            For a class the run was not trained on, or a number out of range.

        Examples
        --------
        >>> open_run("pbc-64").sample("promyelocyte", 4, seed=7).shape
        (4, 3, 64, 64)
        """
        index = self.class_index(class_name)
        if n < 1:
            raise InputError(f"{n} images of {class_name}: give a whole number above zero")
        if seed < 0 or seed + n + CHUNK >= 2**63:
            raise InputError(f"seed {seed}: give a whole number from 0 that leaves room for the images below 2^63")
        asked = str(chosen_device(device)), float(truncation)
        if self._loaded is None or self._loaded[0] != asked:
            self._loaded = asked, self.generator(*asked)
        return self._loaded[1](index, np.arange(seed, seed + n, dtype=np.int64))

    def independent_classifier(self, device: torch.device | str = "cpu") -> IndependentClassifier | None:
        """Load the classifier that took no part in the game; None where the run has none."""
        path = self.path / CLASSIFIER
        return IndependentClassifier.load(path, torch.device(device)) if is_named(path) else None


def open_run(name_or_path: str | Path) -> Run:
    """Open a run folder, or a trained model of the zoo by its name.

    Raises
    ------
    InputError
        If there is neither, or it is something else that was trained (see `find_artifact`).

    Examples
    --------
    >>> open_run("pbc-64").class_index("promyelocyte")
    9
    """
    return Run(find_artifact(name_or_path, "generator").folder)
