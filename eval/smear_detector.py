"""Train the cell detector that ships.

    python eval/smear_detector.py SMEARS --out models/bccd-detector [--steps 600] [--seed 0] [--first FOLDER]

SMEARS is a folder of fields with Pascal VOC files, such as BCCD's (github.com/Shenggan/BCCD_Dataset, MIT). Fields are
sorted by name, as in eval/smear_detection.py; only those in even places (the first, the third, ...) are read here. Of
these, four in five teach the network, and the fifth says how sure it must be. Then it learns on, at a lower rate and
half as long, from all of them. Writes weights and detector.json; eval/smear_detection.py measures it on the others.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import torch

from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.smears.detector import KINDS, CellDetector, candidates, open_detector
from gansynth.smears.detector_fields import DrawnField, drawn_field
from gansynth.smears.detector_training import best_thresholds, f1_at, train_detector
from gansynth.smears.diameter import red_cell_diameter
from gansynth.smears.folder import FieldFile, list_fields
from gansynth.smears.voc import read_voc


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("smears", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600, help="steps of eight fields in the first training")
    parser.add_argument("--first", type=Path, help="go on from the detector that an interrupted call left here")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    try:
        detector = trained(options.smears, options.steps, options.seed, options.out, options.first)
    except InputError as error:
        sys.exit(f"error: {error}")
    detector.save(options.out)
    print(detector.info["validation"], detector.thresholds)


def trained(smears: Path, steps: int, seed: int, out: Path, first: Path | None = None) -> CellDetector:
    """Train on the fields in even places; the detector of the first training is written to `out` before the second."""
    files = [field for field in list_fields(smears) if field.annotation is not None][::2]
    if len(files) < 5:
        raise InputError(f"{smears}: fewer than ten fields with a Pascal VOC file; give a folder with more")
    diameter = red_cell_diameter(read_image(file.path) for file in files[:: max(1, len(files) // 24)])
    if diameter is None:
        raise InputError(f"{smears}: no red cell lies alone in any field")
    fields = [drawn_field(read_image(file.path), read_voc(file.annotation).boxes, diameter) for file in files]
    held, done = fields[2::5], steps
    if first is None:
        network = train_detector([f for i, f in enumerate(fields) if i % 5 != 2], steps, seed=seed, on_step=_progress)
    else:
        begun = open_detector(first)
        network, done = begun.network, int(begun.info["steps"])
    thresholds = best_thresholds(network, held)
    found = [candidates(network, field.density) for field in held]
    validation = {kind: round(f1_at(kind, thresholds[kind], found, held), 3) for kind in KINDS}
    print(f"on {len(held)} fields that taught nothing: {validation} at {thresholds}", file=sys.stderr, flush=True)
    info = described(files, fields, diameter, seed) | {"validation": validation, "steps": done}
    CellDetector(network, thresholds, info).save(out)
    network = train_detector(fields, steps // 2, seed=seed + 1, rate=1e-3, begin_with=network, on_step=_progress)
    return CellDetector(network, thresholds, info | {"steps": done + steps // 2})


def described(
    files: Sequence[FieldFile], fields: Sequence[DrawnField], diameter: float, seed: int
) -> dict[str, object]:
    """Return what detector.json says of the fields and of where it was trained."""
    return {
        "cell_diameter": round(diameter, 2),
        "training_boxes": {kind: sum(int((f.kinds == k).sum()) for f in fields) for k, kind in enumerate(KINDS)},
        "seed": seed,
        "versions": {"python": platform.python_version()} | {p: metadata.version(p) for p in ("gansynth", "torch")},
        "training_fields": [file.path.name for file in files],
        "training_sha256": [file_sha256(file.path) for file in files],
    }


def _progress(step: int, loss: float) -> None:
    if step % 25 == 0:
        print(f"{time.strftime('%H:%M:%S')} step {step}: loss {loss:.3f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
