"""MedMNIST's `.npz` files: images and labels of the parts train, val and test as arrays."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansynth.data.folders import shown
from gansynth.errors import InputError
from gansynth.files import open_regular

PARTS = ("train", "val", "test")


def read_npz(path: Path, known: Container[int]) -> tuple[NDArray[np.uint8], list[int], list[str]]:
    """Read the arrays `{train,val,test}_images` and `..._labels` of a MedMNIST file.

    Parameters
    ----------
    path : pathlib.Path
    known : container of int
        The label numbers that may occur.

    Returns
    -------
    images : uint8 array, shape [N, H, W, 3]
    labels : list of int, N
    splits : list of str, N

    Raises
    ------
    InputError
        If the file is not such an archive, or its arrays have other types, shapes or labels.
    """
    images, labels, splits = [], [], []
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            for part in PARTS:
                if f"{part}_images" not in archive and f"{part}_labels" not in archive:
                    continue
                images.append(_checked_images(path, part, archive[f"{part}_images"]))
                labels.append(_checked_labels(path, part, archive[f"{part}_labels"], len(images[-1]), known))
                splits += [part] * len(images[-1])
    except InputError:
        raise
    # A damaged archive fails wherever its damage lies: in zipfile, in zlib, in the array's header.
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{shown(path)}: not a readable MedMNIST .npz file ({reason}); download it again") from error
    if not images:
        raise InputError(f"{shown(path)}: no array train_images, val_images or test_images; give a MedMNIST .npz file")
    if len({part.shape[1:] for part in images}) > 1:
        raise InputError(f"{shown(path)}: the parts have images of different sizes; give a MedMNIST .npz file")
    return np.concatenate(images), np.concatenate(labels).tolist(), splits


def _checked_images(path: Path, part: str, found: NDArray[np.generic]) -> NDArray[np.uint8]:
    if found.dtype != np.uint8 or found.ndim not in (3, 4) or (found.ndim == 4 and found.shape[3] != 3):
        raise InputError(
            f"{shown(path)}: {part}_images is {found.dtype} {list(found.shape)}; expected uint8 [N, H, W, 3]"
        )
    pixels = found.astype(np.uint8)
    return pixels if pixels.ndim == 4 else np.repeat(pixels[..., None], 3, axis=3)


def _checked_labels(
    path: Path, part: str, found: NDArray[np.generic], n: int, known: Container[int]
) -> NDArray[np.int64]:
    if not np.issubdtype(found.dtype, np.integer) or found.size != n:
        raise InputError(
            f"{shown(path)}: {part}_labels is {found.dtype} {list(found.shape)}; expected {n} whole numbers"
        )
    labels = found.reshape(-1).astype(np.int64)
    strange = [label for label in np.unique(labels).tolist() if label not in known]
    if strange:
        raise InputError(f"{shown(path)}: {part}_labels holds {strange[0]}, which is not a class of this set")
    return labels


def write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write one RGB image, uint8 [H, W, 3], as PNG."""
    Image.fromarray(pixels).save(path, format="PNG", compress_level=1)
