"""`GANOverSampler`: over-sampling with synthetic images, in imbalanced-learn's convention."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import torch
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length, check_random_state
from torch.nn import functional as F

from gansynth.data.dataset import CellDataset
from gansynth.data.picture import pixel_sha256
from gansynth.errors import InputError
from gansynth.runs.device import chosen_device
from gansynth.runs.folder import INFO
from gansynth.synthesis.chunks import chunks_of_class
from gansynth.synthesis.report import ClassReport
from gansynth.synthesis.screening import Screen, check_confidence

if TYPE_CHECKING:
    from gansynth.gans import Run


class GANOverSampler(BaseOverSampler):  # type: ignore[misc]  # imbalanced-learn has no types
    """Add synthetic images to the classes that have few.

    It trains a GAN on the images given, or takes one that is trained already. Inside an
    `imblearn.pipeline.Pipeline` it sees the training part only and does nothing at prediction.

    Parameters
    ----------
    recipe : str, default="c-wgan-gp-64"
        Recipe to train by where no `run` is given.
    run : Run, path-like or str, default=None
        A trained run, its folder, or the name of a trained model of the zoo. Its class names are
        compared with the labels as text: label 3 is the class "3".
    minutes : float, default=10
        How long to train. It has no effect where `steps` or `run` is given.
    steps : int, default=None
        How many generator steps to train for.
    image_shape : tuple (height, width, 3), default=None
        Shape of the images where X is flat. By default they are taken for square RGB images.
    folder : path-like, default=None
        Where the trained run is kept; by default it is thrown away. A second fit on the same images with the same
        `random_state` takes the run that is there; any other is refused.
    min_confidence : float, default=None
        Keep only images that the run's independent classifier gives their class with at least this
        probability.
    sampling_strategy : float, str, dict or callable, default="auto"
        As in every over-sampler of imbalanced-learn: "auto" fills all classes up to the largest.
    random_state : int, RandomState instance or None, default=None
        Decides the training and the seeds of the images.
    device : {"auto", "cpu", "cuda"}, default="auto"
    progress : bool, default=False
        Show how far the training is.

    Attributes
    ----------
    sampling_strategy_ : dict
        Images to add per class.
    run_ : Run
        The run the images came from (where it was given, or is kept in `folder`).
    n_features_in_ : int
        Values per image.

    Notes
    -----
    X holds RGB values 0..255, either as images [n, height, width, 3] or flat [n, height * width * 3], of any numeric
    type that holds them; images [n, 3, height, width], as `open_dataset` gives them, are taken, too. The result has the
    same layout and type; the given images come first, unchanged.
    Images are brought to the recipe's resolution for training, and back.

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.linear_model import LogisticRegression
    >>> sampler = GANOverSampler(run="pbc-64", random_state=0)
    >>> model = make_pipeline(sampler, LogisticRegression())
    >>> model.fit(X, y)  # X: uint8 [n, 64 * 64 * 3], y: "basophil", "promyelocyte", ...  # doctest: +SKIP
    >>> X_balanced, y_balanced = sampler.fit_resample(X, y)  # doctest: +SKIP
    """

    # Checked here and in words, as the rest of this project does.
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseOverSampler._parameter_constraints,
        **dict.fromkeys(
            (
                "recipe",
                "run",
                "minutes",
                "steps",
                "image_shape",
                "folder",
                "min_confidence",
                "device",
                "progress",
            ),
            "no_validation",
        ),
    }

    def __init__(
        self,
        recipe: str = "c-wgan-gp-64",
        *,
        run: Run | str | Path | None = None,
        minutes: float = 10.0,
        steps: int | None = None,
        image_shape: tuple[int, int, int] | None = None,
        folder: str | Path | None = None,
        min_confidence: float | None = None,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        device: str = "auto",
        progress: bool = False,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.recipe = recipe
        self.run = run
        self.minutes = minutes
        self.steps = steps
        self.image_shape = image_shape
        self.folder = folder
        self.min_confidence = min_confidence
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def _check_X_y(self, X: Any, y: Any, accept_sparse: Any = False) -> tuple[Any, Any, bool]:
        if np.ndim(X) <= 2:
            checked: tuple[Any, Any, bool] = super()._check_X_y(X, y, accept_sparse=False)
            return checked
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X = check_array(X, allow_nd=True, dtype="numeric")
        check_consistent_length(X, y)
        self.n_features_in_ = math.prod(X.shape[1:])
        return X, y, binarize_y

    def _fit_resample(self, X: NDArray[Any], y: NDArray[Any], **params: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        check_confidence(self.min_confidence)
        images = self._images(X)
        labels, codes = np.unique(y, return_inverse=True)
        names = [str(label) for label in labels]
        if len(set(names)) < len(names):
            raise InputError("two labels read the same as text; give the classes different names")
        wanted = {label: n for label, n in self.sampling_strategy_.items() if n > 0}
        if not wanted:
            return X.copy(), y.copy()
        random = check_random_state(self.random_state)
        training_seed, seed = (int(random.randint(2**31 - 1)) for _ in range(2))
        with tempfile.TemporaryDirectory(prefix="gansynth-") as temporary:
            run = self._trained(images, codes, names, training_seed, Path(temporary))
            device = chosen_device(self.device)
            generator, screen = run.generator(device), Screen(run, device, self.min_confidence)
            new_X, new_y = [X], [y]
            for label, n in wanted.items():
                made = _generate(run, generator, screen, str(label), n, seed)
                made = _resized(made, images.shape[2:])
                if not _has_channels_first(X):
                    made = made.transpose(0, 2, 3, 1)
                new_X.append(made.reshape(n, *X.shape[1:]).astype(X.dtype))
                new_y.append(np.full(n, label, dtype=y.dtype))
        return np.concatenate(new_X), np.concatenate(new_y)

    def _images(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """Return X as uint8 images [n, 3, H, W]."""
        if X.dtype.kind not in "uif" or (X.dtype.kind != "f" and np.iinfo(X.dtype).max < 255):
            raise InputError(f"X has the type {X.dtype}, which does not hold 0 to 255: give uint8 or a larger type")
        shape = X.shape[1:] if X.ndim == 4 else self.image_shape
        if _has_channels_first(X):
            shape = (*X.shape[2:], 3)
        if shape is None:
            edge = math.isqrt(self.n_features_in_ // 3)
            shape = (edge, edge, 3)
        if X.ndim not in (2, 4) or len(shape) != 3 or shape[2] != 3 or math.prod(shape) != math.prod(X.shape[1:]):
            raise InputError(
                f"X has the shape {X.shape}: give RGB images [n, height, width, 3], or [n, height * width * 3] with "
                "image_shape=(height, width, 3)"
            )
        low, high = X.min(), X.max()
        if low < -_ROUNDING or high > 255 + _ROUNDING:
            raise InputError(f"X holds values from {low} to {high}: give RGB values from 0 to 255")
        if X.dtype.kind == "f" and 0 < high <= 1:
            raise InputError("X holds values from 0 to 1: give RGB values from 0 to 255 (multiply by 255)")
        pixels = X if _has_channels_first(X) else X.reshape(len(X), *shape).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(np.rint(pixels) if X.dtype.kind == "f" else pixels).astype(np.uint8)

    def _trained(
        self, images: NDArray[np.uint8], codes: NDArray[np.int64], names: list[str], seed: int, temporary: Path
    ) -> Run:
        from gansynth.gans import open_run, train_gan
        from gansynth.recipes import load_recipe

        if self.run is not None:
            run = open_run(self.run) if isinstance(self.run, (str, Path)) else self.run
            self.run_ = run
            return run
        recipe = load_recipe(self.recipe)
        square = _resized(images, (recipe.resolution, recipe.resolution))
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.argsort(order)
        records = pd.DataFrame(
            {
                "path": [f"{names[code]}/{i:06d}" for i, code in enumerate(codes)],
                "sha256": [pixel_sha256(image.transpose(1, 2, 0)) for image in images],
                "source": "",
                "group": "",
                "split": "train",
                "origin": "real",
            }
        )
        dataset = CellDataset(square, rank[codes].astype(np.int64), tuple(names[i] for i in order), records)
        run = train_gan(
            dataset,
            recipe,
            temporary / "run" if self.folder is None else Path(self.folder),
            steps=self.steps,
            minutes=self.minutes if self.steps is None else None,
            seed=seed,
            resume=self.folder is not None and (Path(self.folder) / INFO).exists(),
            device=self.device,
            progress=self.progress,
        )
        if self.folder is not None:
            self.run_ = run
        return run


_ROUNDING = 1e-3
"""What a value may lie beyond 0 or 255 by: a rescaled 255 comes back as 255.00000000000006."""


def _has_channels_first(X: NDArray[Any]) -> bool:
    return X.ndim == 4 and X.shape[3] != 3 and X.shape[1] == 3


def _generate(run: Run, generator: Any, screen: Screen, name: str, n: int, seed: int) -> NDArray[np.uint8]:
    tries = n * (20 if screen.may_drop else 1)
    index = run.class_index(name)
    chunks = [kept for _, kept in chunks_of_class(generator, screen, ClassReport(name, n), index, seed, tries)]
    images = np.concatenate(chunks)
    if len(images) < n:
        raise InputError(
            f"only {len(images)} of {n} images of class {name} passed in {tries} tries; train longer, or lower "
            "min_confidence"
        )
    return images


def _resized(images: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Bring uint8 images [n, 3, H, W] to another height and width."""
    if images.shape[2:] == tuple(shape):
        return images
    parts = [
        F.interpolate(torch.from_numpy(images[i : i + 256]).float(), size=tuple(shape), mode="bicubic", antialias=True)
        .round_()
        .clamp_(0, 255)
        .to(torch.uint8)
        .numpy()
        for i in range(0, len(images), 256)
    ]
    return np.concatenate(parts)
