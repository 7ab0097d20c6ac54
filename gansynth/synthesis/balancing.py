"""`balance`: a data set whose training split has as many images in every class, the missing ones synthetic.

The synthetic images are generated beside the output folder; the balanced set is put together beside it,
too, and takes its name last. So there is no half-balanced folder, whenever the process is stopped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.data.opening import open_dataset
from gansynth.data.split import split_dataset
from gansynth.errors import InputError
from gansynth.files import holding
from gansynth.files.atomic import refuse_used
from gansynth.synthesis.assembly import STAIN_COLUMN, assemble, read_table
from gansynth.synthesis.generation import generate
from gansynth.synthesis.report import BalanceReport

if TYPE_CHECKING:
    from gansynth.gans import Run

HELD_OUT = ("val", "test")


@dataclass(frozen=True)
class Lack:
    """What a data set lacks.

    Attributes
    ----------
    dataset : CellDataset
        With its split.
    root : Path or None
        Its folder.
    before, missing : dict of str to int
        Training images of each class, and those wanted of the classes that have fewer.
    wanted : int
        Training images wanted in every class.
    """

    dataset: CellDataset
    root: Path | None
    before: dict[str, int]
    missing: dict[str, int]
    wanted: int


def lacking(
    data: str | Path | CellDataset, run: Run, *, target: str | int = "max", seed: int = 0, progress: bool = True
) -> Lack:
    """Find out what `balance` would have to add; parameters and errors are those of `balance`."""
    from gansynth.gans.leaks import refuse_leaking_run

    dataset, root = _opened(data, run.resolution, progress)
    if not dataset.records["split"].isin(("train", *HELD_OUT)).all():
        dataset = split_dataset(dataset, seed=seed, progress=progress)
    training = dataset.records["split"].eq("train").to_numpy()
    before = dataset.counts(training)
    wanted = _target(target, before)
    missing = {name: wanted - n for name, n in before.items() if n < wanted}
    _refuse_unknown(missing, run)
    refuse_leaking_run(run, dataset, np.flatnonzero(~training))
    _refuse_synthetic(dataset)
    return Lack(dataset, root, before, missing, wanted)


@holding()
def balance(
    data: str | Path | CellDataset,
    run: Run | str | Path,
    out: str | Path,
    *,
    target: str | int = "max",
    seed: int = 0,
    min_confidence: float | None = None,
    max_tries_factor: int = 20,
    device: str = "auto",
    resume: bool = False,
    keep_copies: bool = False,
    keep_broken: bool = False,
    match_stain: bool = False,
    progress: bool = True,
) -> BalanceReport:
    """Add synthetic images to the training split until every class has the target.

    `out` gets the real images of all splits under their own paths (hard links where possible), the
    synthetic ones as `class/synthetic_SEED.png`, `metadata.csv` (what `generate` writes, and the origin
    real or synthetic of each image) and `splits.csv`, in which synthetic images are training images.
    Validation and test stay as they were: real.

    Parameters
    ----------
    data : path-like, "phantom" or CellDataset
        Its split is taken from its splits.csv; without one it is split by the defaults of `data split`
        with `seed`.
    run : Run, path-like or str
        A trained run, its folder, or the name of a trained model of the zoo. It must know, by name,
        every class that lacks images.
    out : path-like
        A folder that does not exist yet, or is empty; or a link to an empty one, which is filled then.
    target : "max" or int
        Training images wanted in every class; "max": as many as the largest class has. A class that
        has more keeps them.
    seed : int
        Seed of the first synthetic image of every class, and of the split if there is none yet.
    min_confidence, max_tries_factor, device, keep_copies, keep_broken, progress
        As for `generate`.
    resume : bool
        Continue a stopped run of the same request.
    match_stain : bool
        Show synthetic images in the stain and on the slide of the training images (`gansynth.cells.stain_matching`):
        for a generator that has learned from another laboratory's cells.

    Returns
    -------
    BalanceReport
        `complete` is False if a class could not be filled within its tries.

    Raises
    ------
    InputError
        If the run was trained on validation or test images of `data`, a class is missing, or a folder
        or a number cannot be used; with what to do instead.

    Examples
    --------
    >>> print(balance("my-cells", "runs/my-cells", "balanced", target="max"))  # doctest: +SKIP
    """
    if isinstance(run, (str, Path)):
        from gansynth.gans import open_run

        run = open_run(run)
    out = Path(out)
    found = lacking(data, run, target=target, seed=seed, progress=progress)
    dataset, root, before, missing, wanted = found.dataset, found.root, found.before, found.missing, found.wanted
    held_out = dataset.counts(~dataset.records["split"].eq("train").to_numpy())
    synthetic, assembly = _beside(out, "synthetic"), _beside(out, "assembly")
    if resume and (out / "metadata.csv").exists():
        after = _training_counts_of_finished(out, run, before, wanted, match_stain)
        shutil.rmtree(synthetic, ignore_errors=True)
        return BalanceReport(out, wanted, before, after, held_out, None)
    refuse_used(out)

    generation = None
    if missing:
        if synthetic.exists() and not resume:
            raise InputError(f"{out}: an unfinished balance lies in {synthetic}; add --resume, or remove that folder")
        generation = generate(
            run,
            missing,
            synthetic,
            seed=seed,
            min_confidence=min_confidence,
            max_tries_factor=max_tries_factor,
            device=device,
            resume=resume,
            keep_copies=keep_copies,
            keep_broken=keep_broken,
            progress=progress,
        )
    shutil.rmtree(assembly, ignore_errors=True)
    assembly.mkdir(parents=True)
    added = assemble(assembly, dataset, root, synthetic if missing else None, run.name, match_stain=match_stain)
    place = Path(os.path.realpath(out))
    if place.exists():
        place.rmdir()
    assembly.replace(place)
    shutil.rmtree(synthetic, ignore_errors=True)
    after = {name: n + added.get(name, 0) for name, n in before.items()}
    return BalanceReport(out, wanted, before, after, held_out, generation)


def _opened(data: str | Path | CellDataset, size: int, progress: bool) -> tuple[CellDataset, Path | None]:
    """Return the data set and the folder of its files, if it has one."""
    if isinstance(data, CellDataset):
        return data, None
    dataset = open_dataset(data, size, progress=progress)
    return dataset, Path(data) if Path(data).is_dir() else None


def _refuse_synthetic(dataset: CellDataset) -> None:
    synthetic = int(dataset.records["origin"].eq("synthetic").sum())
    if synthetic:
        raise InputError(f"the data holds {synthetic} synthetic images already; balance the original data set")


def _refuse_unknown(missing: Iterable[str], run: Run) -> None:
    unknown = [name for name in missing if name not in run.class_names]
    if unknown:
        raise InputError(
            f"{run.name}: knows no class {', '.join(repr(name) for name in unknown)}; it knows "
            f"{', '.join(run.class_names)}. Rename the class folders to match, or train a run on this data"
        )


def _target(target: str | int, before: dict[str, int]) -> int:
    if target == "max":
        return max(before.values())
    if isinstance(target, bool) or not isinstance(target, (int, np.integer)) or target < 1:
        raise InputError(f"target {target}: give 'max' or a whole number of images above zero")
    return int(target)


def _beside(out: Path, what: str) -> Path:
    place = Path(os.path.realpath(out))
    return place.parent / f".{place.name}.{what}"


def _training_counts_of_finished(
    out: Path, run: Run, before: dict[str, int], wanted: int, match_stain: bool
) -> dict[str, int]:
    """Return the training images per class of a balanced folder, if it is the one asked for now."""
    table, splits = read_table(out / "metadata.csv"), read_table(out / "splits.csv")
    other = InputError(f"{out}: is there already, and is not what is asked for now; choose another output folder")
    if not {"file_name", "class", "model_sha256"} <= set(table.columns) or "split" not in splits.columns:
        raise other
    models = set(table["model_sha256"]) - {""}
    if (STAIN_COLUMN in table.columns) != match_stain and models:
        raise other
    training = table["class"][
        table["file_name"].map(dict(zip(splits["file_name"], splits["split"], strict=True))) == "train"
    ]
    after = {str(name): int(n) for name, n in training.value_counts().items()}
    if models - {run.model_sha256} or any(after.get(name, 0) != max(n, wanted) for name, n in before.items()):
        raise other
    return {name: after[name] for name in before}
