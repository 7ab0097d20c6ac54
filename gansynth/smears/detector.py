"""The cells of a smear field, found by a small network that has learned from boxes which people drew.

The network sees what the classical path sees: optical density against the clean slide, in a picture in which a red
cell has a fixed width. So neither magnification nor white balance are for it to learn. White cells that it passes over
are found by their stain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gansynth.cells.stain import background_colour, optical_density
from gansynth.data.folders import shown
from gansynth.errors import InputError
from gansynth.files.atomic import write_json
from gansynth.files.regular import file_sha256
from gansynth.networks.cell_detector import DEEPEST, STRIDE, CellDetectorNetwork
from gansynth.runs.artifact import Artifact, find_artifact
from gansynth.runs.device import chosen_device
from gansynth.runs.weights import halved, read_weights, widened, write_weights
from gansynth.smears.boxes import RED_CELL, WHITE_CELL, CellBox, corners, one_each, overlap
from gansynth.smears.diameter import given_or_measured
from gansynth.smears.field import WORKING_DIAMETER, SmearField, working_field
from gansynth.smears.finding import find_white_cells, white_cell_regions

WEIGHTS = "detector.safetensors"
INFO = "detector.json"
SHIPPED = "bccd-detector"

KINDS = (WHITE_CELL, RED_CELL)
"""What the channels of the network's centre map stand for."""

UNIT = WORKING_DIAMETER / 2
"""Distances that the network says, in working pixels: the radius of a usual red cell."""

_LEAST = 0.05  # what is less sure is not a candidate at all
_ONE_CELL = 0.45


@dataclass(frozen=True)
class CellDetector:
    """A network and how sure it must be.

    Attributes
    ----------
    network : CellDetectorNetwork
    thresholds : dict of str to float
        For each of `KINDS`, the least score of a cell.
    info : dict
        What else ``detector.json`` holds: the fields it learned from, scores, versions.
    """

    network: CellDetectorNetwork
    thresholds: dict[str, float]
    info: dict[str, Any]

    def find_cells(self, image: NDArray[np.uint8], cell_diameter: float | None = None) -> list[CellBox]:
        """Find the white and the red cells of a smear field, as `gansynth.smears.finding.find_cells` does.

        White cells that the network passes over and nuclear stain shows (`find_white_cells`) are added: on smears of
        another laboratory it misses many, since stain and kinds of white cells vary more than red cells do.

        Parameters
        ----------
        image : uint8 [H, W, 3]
        cell_diameter : float, optional
            Of a usual red cell, in pixels; measured in this field where it is not given.

        Returns
        -------
        list of CellBox
            White cells, then red ones, each from left to right; `score` in 0 to 1.

        Raises
        ------
        InputError
            If no diameter is given and the field shows no red cell by itself.
        """
        field = working_field(image, given_or_measured(image, cell_diameter))
        found = [
            box
            for box in candidates(self.network, network_input(field).to(self.device))
            if box.score >= self.thresholds[box.name]
        ]
        found = [_in_field(box, field) for box in found]
        white = [box for box in found if box.name == WHITE_CELL]
        stained = find_white_cells(field, white_cell_regions(field))
        white += [box for box in stained if not any(_same(box, other) for other in white)]
        clear = overlap(corners(found), corners(white)).max(axis=1, initial=0) <= _ONE_CELL
        red = [box for box, alone in zip(found, clear, strict=True) if box.name == RED_CELL and alone]
        return [box for kind in (white, red) for box in sorted(kind, key=lambda box: (box.left, box.top))]

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return next(self.network.parameters()).device

    @cached_property
    def training_sha256(self) -> frozenset[str]:
        """The sha256 of every file that the network learned from."""
        return frozenset(self.info.get("training_sha256", ()))

    def learned_from(self, path: Path) -> bool:
        """Return whether a field is one of those that the network learned from: a score on it would flatter."""
        return bool(self.training_sha256) and file_sha256(path) in self.training_sha256

    def save(self, folder: str | Path) -> None:
        """Write ``detector.safetensors`` (16 bits a weight) and ``detector.json``, each whole or not at all."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_weights(folder / WEIGHTS, halved(self.network.state_dict()), {})
        shape = {"kinds": list(KINDS), "width": self.network.width, "thresholds": self.thresholds}
        write_json(folder / INFO, {**shape, **self.info, "sha256": file_sha256(folder / WEIGHTS)})

    @classmethod
    def load(cls, folder: str | Path) -> CellDetector:
        """Read a folder that `save` wrote.

        Raises
        ------
        InputError
            If it is not such a folder, or its weights are not those that ``detector.json`` names.
        """
        artifact = Artifact("cell detector", folder := Path(folder))
        info = dict(artifact.info)
        try:
            width, written, known = int(info.pop("width")), str(info.pop("sha256")), list(info.pop("kinds"))
            thresholds = {kind: float(info["thresholds"][kind]) for kind in KINDS}
            info.pop("thresholds")
        except (ValueError, KeyError, TypeError):
            raise artifact.edited() from None
        if known != list(KINDS):
            raise InputError(f"{shown(folder / INFO)}: finds {known}, not {list(KINDS)}; give another detector")
        try:
            if file_sha256(folder / WEIGHTS) != written:
                raise InputError(f"{shown(folder / WEIGHTS)}: is not the file that {INFO} beside it names")
            network = CellDetectorNetwork(len(KINDS), width)
            held, _ = read_weights(folder / WEIGHTS)
            network.load_state_dict(widened(held))
        except (OSError, RuntimeError, ValueError):
            raise InputError(f"{shown(folder / WEIGHTS)}: is missing or does not fit {INFO} beside it") from None
        return cls(network.eval(), thresholds, info)


def open_detector(name_or_path: str | Path = SHIPPED, device: str = "cpu") -> CellDetector:
    """Open a cell detector's folder, or one of the zoo by its name.

    Parameters
    ----------
    name_or_path : path-like
    device : {"auto", "cpu", "cuda"}
        Where its network runs.

    Raises
    ------
    InputError
        If there is neither, or it is something else that was trained (see `find_artifact`).

    Examples
    --------
    >>> sorted(open_detector("bccd-detector").thresholds)
    ['RBC', 'WBC']
    """
    detector = CellDetector.load(find_artifact(name_or_path, "cell detector").folder)
    return replace(detector, network=detector.network.to(chosen_device(device)))


def network_input(field: SmearField) -> Tensor:
    """Return a field as the network sees it: optical density, not smoothed, float32 [3, h, w]."""
    density = optical_density(field.pixels, background_colour(field.pixels))
    return torch.from_numpy(np.ascontiguousarray(density.transpose(2, 0, 1)))


@torch.inference_mode()
def candidates(network: CellDetectorNetwork, density: Tensor) -> list[CellBox]:
    """Return all cells that the network may mean, however unsure.

    A candidate is a position surer than its eight neighbours (CenterNet's peaks); of two of one kind that overlap by
    more than 0.45 the surer one stays.

    Parameters
    ----------
    network : CellDetectorNetwork
        In evaluation mode.
    density : Tensor, float32 [3, h, w]
        Of `network_input`.

    Returns
    -------
    list of CellBox
        In working pixels, inside the field.
    """
    height, width = density.shape[1:]
    padded = F.pad(density, (0, -width % DEEPEST, 0, -height % DEEPEST))
    sure, distances = _seen_from_all_sides(network, padded)
    peaks = (sure == F.max_pool2d(sure, 3, 1, 1)) & (sure >= _LEAST)
    kind, row, column = peaks.nonzero(as_tuple=True)
    score = sure[kind, row, column]
    middle = torch.stack([column, row], dim=1) * STRIDE + STRIDE / 2
    reach = distances[:, row, column].T * UNIT
    edges = torch.cat([middle - reach[:, :2], middle + reach[:, 2:]], dim=1)
    edges = edges.clamp(min=0).minimum(torch.tensor([width, height, width, height], device=edges.device))
    kind, edges, score = kind.cpu(), edges.double().cpu(), score.double().cpu()
    boxes = []
    for k, name in enumerate(KINDS):
        mine, sureness = edges[kind == k].numpy(), score[kind == k].numpy()
        for i in one_each(mine, sureness, _ONE_CELL):
            left, top, right, bottom = mine[i].tolist()
            boxes.append(CellBox(name, left, top, right, bottom, float(sureness[i])))
    return [box for box in boxes if box.width > 0 and box.height > 0]


def _seen_from_all_sides(network: CellDetectorNetwork, density: Tensor) -> tuple[Tensor, Tensor]:
    """Return sureness and distances, the mean over the eight orientations: no direction of a smear is special."""
    sure: list[Tensor] = []
    distances: list[Tensor] = []
    for transposed in (False, True):
        for flipped in ((), (1,), (2,), (1, 2)):
            seen = (density.transpose(1, 2) if transposed else density).flip(flipped)
            logits, reach = (answer[0].flip(flipped) for answer in network(seen[None]))
            left, top, right, bottom = reach
            if 2 in flipped:
                left, right = right, left
            if 1 in flipped:
                top, bottom = bottom, top
            if transposed:
                logits = logits.transpose(1, 2)
                left, top, right, bottom = (edge.T for edge in (top, left, bottom, right))
            sure.append(logits.sigmoid())
            distances.append(torch.stack([left, top, right, bottom]))
    return torch.stack(sure).mean(0), torch.stack(distances).mean(0)


def _in_field(box: CellBox, field: SmearField) -> CellBox:
    """Return a box in working pixels in pixels of the field itself."""
    left, top, right, bottom = (edge / field.scale for edge in (box.left, box.top, box.right, box.bottom))
    return CellBox(box.name, left, top, right, bottom, box.score).within(field.height, field.width)


def _same(first: CellBox, second: CellBox) -> bool:
    """Return whether the middle of one box lies in the other."""
    return any(
        one.left <= (other.left + other.right) / 2 <= one.right
        and one.top <= (other.top + other.bottom) / 2 <= one.bottom
        for one, other in ((first, second), (second, first))
    )
