"""The cell encoder: a small classifier of real cells whose features FD-cell and its kin are measured in.

It needs no download: one ships for PBC (`open_encoder("pbc-encoder")`), and one is trained on a user's own split in
minutes. A distance in its features is named after it (FD-cell) and is never called FID.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from gansynth.classifiers.encoder_training import BATCH, EDGE, trained_network
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files.atomic import write_json
from gansynth.networks.cell_encoder import CellEncoderNetwork
from gansynth.networks.images import resized, to_float
from gansynth.runs.artifact import Artifact, find_artifact, shipped
from gansynth.runs.device import placed
from gansynth.runs.versions import versions
from gansynth.runs.weights import halved, read_weights, widened, write_weights

WEIGHTS = "encoder.safetensors"
INFO = "encoder.json"

FEWEST_SEEN = 6_400
"""Images that a training sees, however few there are."""


class CellEncoder:
    """Features and class logits of cells.

    Parameters
    ----------
    network : CellEncoderNetwork
    info : dict
        What ``encoder.json`` holds: class names, training images, how it was trained, versions.
    device : torch.device

    Attributes
    ----------
    name : str
        "cell": the suffix of every metric in its features.
    class_names : tuple of str
        What column c of the logits means.
    """

    name = "cell"

    def __init__(self, network: CellEncoderNetwork, info: dict[str, Any], device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.network = placed(network, self.device).eval()
        self.info = info
        self.class_names = tuple(str(name) for name in info["class_names"])

    @cached_property
    def sha256(self) -> str:
        """The sha256 of the weights' names and values: under which statistics in its features may be kept."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode() + np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
        return digest.hexdigest()

    @cached_property
    def training_sha256(self) -> frozenset[str]:
        """The sha256 of every training image's pixels."""
        return frozenset(self.info.get("training_sha256", ()))

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Encode images in 32-bit arithmetic.

        Parameters
        ----------
        images : uint8 array, shape [n, 3, H, W]
            RGB, 0..255, of any size; resized to 64 x 64 px with an antialiasing filter.

        Returns
        -------
        dict
            "features", float32 [n, d], and "logits", float32 [n, C]. Row i depends on image i only.
        """
        features = np.empty((len(images), 8 * self.network.width), dtype=np.float32)
        logits = np.empty((len(images), len(self.class_names)), dtype=np.float32)
        with torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False):
            for start in range(0, len(images), BATCH):
                part = slice(start, min(start + BATCH, len(images)))
                batch = torch.from_numpy(np.ascontiguousarray(images[part])).to(self.device)
                missing = BATCH - len(batch)
                last = self.network.features(resized(to_float(F.pad(batch, (0, 0, 0, 0, 0, 0, 0, missing))), EDGE))
                features[part] = (last * self.network.scale)[: len(batch)].cpu().numpy()
                logits[part] = self.network.logits(last)[: len(batch)].cpu().numpy()
        return {"features": features, "logits": logits}

    def fit_scale(self, images: NDArray[np.uint8]) -> None:
        """Scale the features so that their variance over these (training) images is 1 on average.

        A kernel distance depends on the size of the numbers; so encoders trained on different data compare better.
        """
        self.network.scale.fill_(1)
        variance = self(images[:: max(1, len(images) // 4096)])["features"].var(axis=0).mean()
        self.network.scale.fill_(1 / max(float(np.sqrt(variance)), 1e-6))
        self.__dict__.pop("sha256", None)

    def rounded(self) -> CellEncoder:
        """Return the encoder with its weights rounded to what 16 bits hold."""
        network = CellEncoderNetwork(len(self.class_names), self.network.width)
        network.load_state_dict(widened(halved(self.network.state_dict())))
        return CellEncoder(network, {**self.info, "bits": 16}, self.device)

    def save(self, folder: Path | str) -> None:
        """Write ``encoder.safetensors`` (16-bit after `rounded`, else 32-bit) and ``encoder.json``."""
        folder = Path(folder)
        state = dict(self.network.state_dict())
        if self.info.get("bits") == 16:
            state = halved(state)
        shape = {"n_classes": str(self.network.n_classes), "width": str(self.network.width)}
        write_weights(folder / WEIGHTS, state, shape)
        write_json(folder / INFO, {**self.info, "sha256": self.sha256})

    @classmethod
    def load(cls, folder: Path | str, device: torch.device | str = "cpu") -> CellEncoder:
        """Read a folder that `save` wrote.

        Raises
        ------
        InputError
            If it is not such a folder, or its weights are not those that ``encoder.json`` names.
        """
        artifact = Artifact("cell encoder", folder := Path(folder))
        info, classes = artifact.info, len(artifact.class_names)
        tensors, shape = read_weights(folder / WEIGHTS)
        try:
            network = CellEncoderNetwork(classes, int(shape["width"]))
            network.load_state_dict(widened(tensors))
        except (KeyError, ValueError, RuntimeError):
            raise InputError(f"{folder / WEIGHTS}: does not fit {INFO} beside it; the encoder was edited") from None
        encoder = cls(network, info, device)
        if encoder.sha256 != info.get("sha256"):
            raise InputError(f"{folder / WEIGHTS}: is not the file that {INFO} beside it names (sha256 differs)")
        return encoder


def zoo_encoders() -> list[str]:
    """Return the names of the cell encoders that ship, sorted."""
    return [model.name for model in shipped("cell encoder")]


def open_encoder(name_or_path: str | Path, device: torch.device | str = "cpu") -> CellEncoder:
    """Open a cell encoder's folder, or one of the zoo by its name.

    Raises
    ------
    InputError
        If there is neither, or it is something else that was trained (see `find_artifact`).

    Examples
    --------
    >>> open_encoder("pbc-encoder").class_names[9]
    'promyelocyte'
    """
    return CellEncoder.load(find_artifact(name_or_path, "cell encoder").folder, device)


def train_cell_encoder(
    train: CellDataset,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    images: int | None = None,
    width: int = 32,
    begin_with: CellEncoder | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> CellEncoder:
    """Train a cell encoder on a training split.

    The classes are drawn by the square root of their size; a cell is turned, flipped, and seen a little nearer,
    brighter and otherwise stained. It is neither blurred nor made noisy, and its stain changes little: features that
    were trained to pass over such faults could not report them. The first part of the training looks at 48 px, which
    halves its time. At the end the normalisations' statistics are measured anew on the images as they are (Wu and
    Johnson 2021, section 3), since the network has seen them nearer and in another mix.

    Parameters
    ----------
    train : CellDataset
        Real training images (or phantom ones); nothing else may be in it.
    seed : int
        Decides initialisation, order and augmentation; the caller's random state is left as it was. Equal seeds give
        equal weights on one machine with one number of threads.
    device : torch.device or str
    images : int, optional
        Images to see in all. Default: 13 times the training split, at least 6,400 and at most 120,000.
    width : int
        Channels of the first layer.
    begin_with : CellEncoder, optional
        Go on from these weights, at 64 px and half the learning rate. Its training images count as this one's too.
    on_step : callable, optional
        Called with (steps done, steps in all).

    Raises
    ------
    InputError
        If an image is synthetic, fewer than two classes have images, or `begin_with` knows other classes.
    """
    _refuse_unfit(train)
    if begin_with is not None and begin_with.class_names != train.class_names:
        raise InputError("the cell encoder to begin with knows other classes than the training split has")
    device, begun = torch.device(device), time.monotonic()
    steps = max(1, (images or int(np.clip(13 * len(train), FEWEST_SEEN, 120_000))) // BATCH)
    network = trained_network(
        train,
        steps,
        seed=seed,
        device=device,
        width=width,
        begin_with=None if begin_with is None else begin_with.network,
        on_step=on_step,
    )
    own = train.records["sha256"].tolist()
    info = {
        "class_names": list(train.class_names),
        "seed": seed,
        "images_seen": steps * BATCH,
        "seconds": round(time.monotonic() - begun, 1),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.machine(),
        "threads": torch.get_num_threads(),
        "versions": versions(*_PACKAGES),
        "began_with": {k: begin_with.info[k] for k in _NOTED} if begin_with else None,
        "training_counts": train.counts(),
        "training_origin": sorted(set(train.records["origin"])),
        "training_sha256": own + sorted(begin_with.training_sha256.difference(own) if begin_with else ()),
    }
    encoder = CellEncoder(network, info, device)
    encoder.fit_scale(train.images)
    return encoder


_PACKAGES = ("gansynth", "torch", "numpy")
_NOTED = ("seed", "images_seen", "seconds")


def _refuse_unfit(train: CellDataset) -> None:
    synthetic = int((train.records["origin"] == "synthetic").sum())
    if synthetic:
        raise InputError(
            f"{synthetic} of {len(train)} images are synthetic; a cell encoder judges synthetic images and learns "
            "from real ones only"
        )
    if sum(n > 0 for n in train.counts().values()) < 2:
        raise InputError("a cell encoder learns to distinguish classes; give a training split with two classes or more")
