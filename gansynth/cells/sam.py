"""Segment Anything (Kirillov et al. 2023) as a second way to cut a cell, as abouali2023 did.

The package and its weights are the user's: gansynth ships neither. The classical cut says where to look (the middle of
the nucleus, the boxes of red cells), Segment Anything draws the outlines.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.segmentation import NOTHING, CellMasks, as_rgb, outline_problem, segment_cell
from gansynth.errors import InputError
from gansynth.metrics.extractors.weights import WeightFile, find_weights, folders, read_state

_PUBLISHED = "https://dl.fbaipublicfiles.com/segment_anything/"
MODELS = {
    "vit_h": ("sam_vit_h_4b8939.pth", "4b8939"),
    "vit_l": ("sam_vit_l_0b3195.pth", "0b3195"),
    "vit_b": ("sam_vit_b_01ec64.pth", "01ec64"),
}
"""Name in the package's registry to published file and the first digits of its sha256; the best first."""


def published_sam(kind: str) -> WeightFile:
    """Return the published file of a model of the package's registry."""
    file, digits = MODELS[kind]
    return WeightFile(file, digits, "--segmenter sam", _PUBLISHED + file)


def sam_segmenter(
    weights_dir: str | Path | None = None, device: str = "cpu", *, kind: str | None = None
) -> tuple[Callable[[NDArray[np.uint8]], CellMasks], str]:
    """Load Segment Anything.

    Parameters
    ----------
    weights_dir : path-like, optional
        Folder of weight files; see `gansynth.metrics.extractors.weights.folders`. The largest model there is taken.
    device : str
        "cpu" or "cuda".
    kind : str, optional
        Of `MODELS`, instead of the largest.

    Returns
    -------
    (segmenter, name)
        A function like `segment_cell`, and the name of the model with the digits of its weights.

    Raises
    ------
    InputError
        If the package or the weights are absent, or a file is not the published one; with how to get it.
    """
    try:
        package = importlib.import_module("segment_anything")
    except ImportError:
        raise InputError(
            "--segmenter sam: the package segment-anything is not installed; `pip install segment-anything`, or leave "
            "the option away for the segmenter that needs no weights"
        ) from None
    places = folders(weights_dir)
    there = [kind for kind, (file, _) in MODELS.items() if any((place / file).is_file() for place in places)]
    kind = kind or (there[0] if there else "vit_b")
    weights = find_weights(published_sam(kind), weights_dir)
    network = package.sam_model_registry[kind]()
    try:
        network.load_state_dict(read_state(weights))
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{weights}: holds other weights than {kind} ({reason}); download it again") from None
    predictor = package.SamPredictor(network.to(device).eval())
    return (lambda image: segment_with(predictor, image)), f"sam-{kind}-{MODELS[kind][1]}"


def segment_with(predictor: Any, image: NDArray[np.uint8]) -> CellMasks:
    """Segment one cell image with a predictor of the package.

    Parameters
    ----------
    predictor : segment_anything.SamPredictor
    image : uint8 [3, H, W]

    Returns
    -------
    CellMasks
    """
    where = segment_cell(image)
    if where.problem == NOTHING:
        return where
    predictor.set_image(as_rgb(image))
    middle = np.argwhere(where.nucleus if where.nucleus.any() else where.cell).mean(axis=0)[::-1]
    masks, scores, _ = predictor.predict(
        point_coords=middle[None], point_labels=np.ones(1, dtype=np.int64), multimask_output=True
    )
    # Of its three answers (a part, the whole, what is around it) the surest that holds the nucleus and not the image.
    nucleus = max(int(where.nucleus.sum()), 1)
    fits = [
        bool((mask & where.nucleus).sum() > 0.9 * nucleus and mask.mean() < 0.6 and mask.sum() >= nucleus)
        for mask in np.asarray(masks, dtype=bool)
    ]
    if not any(fits):
        return replace(where, problem="Segment Anything found no outline around the nucleus")
    cell = np.asarray(masks, dtype=bool)[int(np.argmax(np.where(fits, scores, -np.inf)))]
    red = np.zeros_like(where.red)
    for i in range(1, int(where.red.max()) + 1):
        rows, columns = np.nonzero(where.red == i)
        box = np.array([columns.min(), rows.min(), columns.max(), rows.max()])
        outline, _, _ = predictor.predict(box=box[None], multimask_output=False)
        red[np.asarray(outline[0], dtype=bool) & ~cell & (red == 0)] = i
    return CellMasks(where.nucleus & cell, cell, red, outline_problem(cell))
