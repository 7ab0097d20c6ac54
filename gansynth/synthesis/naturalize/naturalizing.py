"""`naturalize`: new images of rare cells, composed from cells cut out of training images (abouali2023, algorithm 1)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.cells.segmentation import CellMasks, segment_cell
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import holding, known_counts, shown
from gansynth.synthesis.journal import Request
from gansynth.synthesis.naming import class_folders, image_file_name
from gansynth.synthesis.naturalize.composing import PASTES, Composer, Paste
from gansynth.synthesis.naturalize.folder import CompositeFolder, Written
from gansynth.synthesis.naturalize.parts import Cut, Scene, cut_white_cell, read_scene
from gansynth.synthesis.progress import GenerationProgress
from gansynth.synthesis.provenance import Provenance, encode_png

METHOD = "naturalize"
VERSION = 1
"""Counts changes of the method after which the same seed gives another image."""

RED_CELLS = 8
MOST_SCENES = 240
"""Training images that slides and red cells are taken from; more of them only take longer."""

Segmenter = Callable[[NDArray[np.uint8]], CellMasks]


@dataclass(frozen=True)
class ClassCuts:
    """One class of a `naturalize`.

    Attributes
    ----------
    name : str
    asked, written : int
        Composites asked for, composites in the folder.
    cut : int
        Training images whose cell was cut out.
    left_out : dict of str to int
        How many training images were left out, by reason.
    """

    name: str
    asked: int
    written: int
    cut: int
    left_out: dict[str, int]


@dataclass(frozen=True)
class NaturalizeReport:
    """What `naturalize` wrote.

    Attributes
    ----------
    out : pathlib.Path
    model_sha256 : str
        Hash of all training images and settings: with class and seed, all that an image depends on.
    classes : tuple of ClassCuts
    scenes, red_cells : int
        Slides and whole red cells that were found.
    already_complete : bool
        True where a resume found everything done; cuts are not counted then.
    """

    out: Path
    model_sha256: str
    classes: tuple[ClassCuts, ...] = field(default=())
    scenes: int = 0
    red_cells: int = 0
    already_complete: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "folder": shown(self.out),
            "model_sha256": self.model_sha256,
            "scenes": self.scenes,
            "red_cells": self.red_cells,
            "classes": {
                one.name: {"asked": one.asked, "written": one.written, "cut": one.cut, "left_out": one.left_out}
                for one in self.classes
            },
            "already_complete": self.already_complete,
        }

    def __str__(self) -> str:
        if self.already_complete:
            return f"{self.out}: already complete; nothing to do"
        lines = [f"{self.scenes} slides with {self.red_cells} whole red cells"]
        for c in self.classes:
            n = c.cut + sum(c.left_out.values())
            why = "".join(f"; {many} left out: {reason}" for reason, many in sorted(c.left_out.items()))
            lines.append(f"{c.name}: {c.written} of {c.asked} images from {c.cut} of {n} training images{why}")
        return "\n".join(lines)


@holding()
def naturalize(
    training: CellDataset,
    counts: Mapping[str, int],
    out: str | Path,
    *,
    seed: int = 0,
    red_cells: int = RED_CELLS,
    paste: Paste = "density",
    segmenter: Segmenter = segment_cell,
    segmenter_name: str = "classical",
    resume: bool = False,
    progress: bool = True,
) -> NaturalizeReport:
    """Compose images of the classes asked for.

    A white cell of the class, red cells and a clean slide are each taken from training images, flipped and turned at
    random, and put together in optical density, so that no edge is pasted. `out` gets `class/class_SEED.png` and
    `metadata.csv` with the columns of `generate` and `white_cell`, `background`, `red_cells`: the training images of
    each part. Image i of a class depends on the training images, the class and seed + i only.

    Parameters
    ----------
    training : CellDataset
        Real training images and nothing else: each may become part of a composite.
    counts : mapping of class name to number of images
    out : path-like
        A folder that does not exist yet or is empty; with `resume`, that of the stopped run.
    seed : int
        Of the first image of every class.
    red_cells : int
        Red cells in an image; fewer where no place is found for one.
    paste : {"density", "alpha"}
        How a cell comes onto another slide: as the density that it adds, or with its own colours, as it was cut.
    segmenter : callable
        uint8 [3, H, W] to `CellMasks`.
    segmenter_name : str
        What it is called: another segmenter makes other images.
    resume : bool
        Continue a stopped run of the same request; the folder ends up as if it had not been stopped.
    progress : bool
        Show how far it is, on standard error.

    Raises
    ------
    InputError
        If a class, a number or the folder cannot be used, or no cell of a class, no slide or no red cell was found.

    Examples
    --------
    >>> cells = gansynth.open_dataset("my-cells").part("train")  # doctest: +SKIP
    >>> naturalize(cells, {"promyelocyte": 1000}, "composites")  # doctest: +SKIP
    """
    counts = _checked(training, counts, seed, red_cells)
    if paste not in PASTES:
        raise InputError(f"paste '{paste}': there are {' and '.join(PASTES)}")
    source = _source_sha256(training, red_cells, segmenter_name, paste)
    request: Request = {
        "method": METHOD,
        "source": source,
        "counts": [[name, n] for name, n in counts.items()],
        "seed": seed,
    }
    folder = CompositeFolder(Path(out), request, resume)
    if folder.finished:
        return NaturalizeReport(Path(out), source, already_complete=True)
    with GenerationProgress(progress) as shown:
        cutter = _Cutter(training, segmenter, shown)
        scenes = cutter.scenes()
        found = sum(len(scene.cells) for scene in scenes)
        if red_cells and not found:
            raise InputError(
                f"no whole red cell could be cut out of {len(scenes)} slides; add --red-cells 0 to compose without"
            )
        whites = {name: cutter.white_cells(name) for name in counts}
        folder.start()
        _compose(training, whites, Composer(scenes, red_cells, paste), counts, seed, source, folder, shown)
    order = [image_file_name(place, s) for name, place in _places(training, counts) for s in _seeds(seed, counts[name])]
    folder.finish(source, order)
    classes = tuple(
        ClassCuts(name, n, n, len(whites[name]), dict(cutter.left_out.get(name, {}))) for name, n in counts.items()
    )
    return NaturalizeReport(Path(out), source, classes, len(scenes), found)


def _compose(
    training: CellDataset,
    whites: Mapping[str, list[Cut]],
    composer: Composer,
    counts: Mapping[str, int],
    seed: int,
    source: str,
    folder: CompositeFolder,
    shown: GenerationProgress,
) -> None:
    from gansynth.gans.fingerprints import TrainingFingerprints, fingerprint

    prints = TrainingFingerprints(fingerprint(training.images), 0.0)
    for name, place in _places(training, counts):
        salt = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big")
        shown.start_class(name, counts[name], 0)
        for done, s in enumerate(_seeds(seed, counts[name]), 1):
            file_name = image_file_name(place, s)
            if folder.holds(file_name):
                continue
            rng = np.random.default_rng((salt, s))
            made = composer.compose(whites[name][rng.integers(len(whites[name]))], rng)
            png = encode_png(made.image, Provenance(METHOD, source, METHOD, name, s))
            distance = float(prints.distance(made.image[None])[0])
            parts = (made.white, made.background, list(made.reds))
            folder.add(png, Written(file_name, name, s, distance, *parts, bytes=len(png)))
            shown.update(done, done)


class _Cutter:
    """Segment every training image that is needed, once."""

    def __init__(self, training: CellDataset, segmenter: Segmenter, shown: GenerationProgress) -> None:
        self._training, self._segmenter, self._shown = training, segmenter, shown
        self._masks: dict[int, CellMasks] = {}
        self._paths = [str(path) for path in training.records["path"]]
        self._sha256 = [str(sha256) for sha256 in training.records["sha256"]]
        self.left_out: dict[str, Counter[str]] = {}

    def scenes(self) -> list[Scene]:
        """Read slides from the training images, or so many of them as are enough."""
        rows = self._by_content(range(len(self._training)))[:MOST_SCENES]
        self._shown.start_class("slides", len(rows), 0)
        scenes = []
        for done, i in enumerate(rows, 1):
            scene = read_scene(self._image(i), self._mask(i), self._paths[i])
            scenes += [scene] if scene is not None else []
            self._shown.update(done, done)
        if not scenes:
            raise InputError(
                f"no clean slide in {len(rows)} training images: cells fill them; composing needs images that show some"
            )
        return scenes

    def white_cells(self, name: str) -> list[Cut]:
        """Cut out every cell of a class; count what is left out."""
        mine = self._training.labels == self._training.class_names.index(name)
        rows = self._by_content(np.flatnonzero(mine).tolist())
        self._shown.start_class(f"{name}, cutting", len(rows), 0)
        cuts, left_out = [], Counter[str]()
        for done, i in enumerate(rows, 1):
            cut = cut_white_cell(self._image(i), self._mask(i), self._paths[i])
            if isinstance(cut, str):
                left_out[cut] += 1
            else:
                cuts.append(cut)
            self._shown.update(done, done)
        self.left_out[name] = left_out
        if not cuts:
            why = "; ".join(f"{many}: {reason}" for reason, many in left_out.items()) or "it has no training image"
            raise InputError(f"class '{name}': no cell could be cut out of {len(rows)} training images ({why})")
        return cuts

    def _by_content(self, rows: Iterable[int]) -> list[int]:
        """Sort rows by what they show: their order in the folder decides nothing."""
        return sorted(rows, key=lambda i: (self._sha256[i], self._paths[i]))

    def _image(self, i: int) -> NDArray[np.uint8]:
        return np.asarray(self._training.images[i])

    def _mask(self, i: int) -> CellMasks:
        if i not in self._masks:
            self._masks[i] = self._segmenter(self._image(i))
        return self._masks[i]


def _checked(training: CellDataset, counts: Mapping[str, int], seed: int, red_cells: int) -> dict[str, int]:
    if not counts:
        raise InputError(f"no class asked for; there are {', '.join(training.class_names)}")
    counts = known_counts(counts, training.class_names, "the training split")
    for name, n in counts.items():
        if int(n) != n or n < 1:
            raise InputError(f"{n} images of {name}: give a whole number above zero")
    if seed < 0 or seed + max(counts.values()) >= 2**63:
        raise InputError(f"seed {seed}: give a whole number from 0 that leaves room for the images below 2^63")
    if not 0 <= red_cells <= 200:
        raise InputError(f"{red_cells} red cells: give a whole number from 0 to 200")
    made = int((training.records["origin"] == "synthetic").sum())
    if made:
        raise InputError(f"the training split holds {made} synthetic images already; compose from real ones")
    return {name: int(n) for name, n in counts.items()}


def _source_sha256(training: CellDataset, red_cells: int, segmenter_name: str, paste: Paste) -> str:
    """Return the hash of everything a composite depends on beside its class and seed."""
    names = np.array(training.class_names, dtype=object)[training.labels]
    images = sorted(zip(map(str, training.records["sha256"]), map(str, names), strict=True))
    decisive = [METHOD, VERSION, training.size, red_cells, segmenter_name, images]
    decisive += [paste] if paste != "density" else []
    return hashlib.sha256(json.dumps(decisive).encode("ascii")).hexdigest()


def _places(training: CellDataset, counts: Mapping[str, int]) -> list[tuple[str, str]]:
    folders = class_folders(training.class_names)
    return [(name, folders[name]) for name in counts]


def _seeds(seed: int, n: int) -> range:
    return range(seed, seed + n)
