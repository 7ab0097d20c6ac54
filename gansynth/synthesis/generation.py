"""`generate`: N synthetic images of each class asked for, as PNG files with a table of where they come from."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.files import holding, known_counts
from gansynth.files.atomic import naming
from gansynth.gans.sampling import CHUNK, LoadedGenerator
from gansynth.runs.device import chosen_device
from gansynth.synthesis.chunks import chunks_of_class
from gansynth.synthesis.journal import JOURNAL_FILE, ChunkDone, Journal, Request
from gansynth.synthesis.naming import class_folders, image_file_name
from gansynth.synthesis.progress import GenerationProgress
from gansynth.synthesis.provenance import Provenance, encode_png
from gansynth.synthesis.report import ClassReport, GenerationReport
from gansynth.synthesis.screening import Screen
from gansynth.synthesis.table import METADATA_FILE, report_of_finished, write_metadata
from gansynth.version import __version__

if TYPE_CHECKING:
    from gansynth.gans import Run

WORKERS = 2
"""Threads that encode and write PNG files."""
_UNWRITTEN_CHUNKS = 3  # how far the forward pass may run ahead of the disk; bounds the memory
_SLOW = 1.0  # seconds of a chunk that nobody wants to lose: the disk is waited for, and the chunk noted at once
_PART = ".part"


@dataclass(frozen=True)
class _Job:
    """What is asked for, checked."""

    run: Run
    counts: dict[str, int]
    out: Path
    seed: int
    min_confidence: float | None
    max_tries_factor: int
    keep_copies: bool
    keep_broken: bool
    truncation: float
    folders: dict[str, str]

    def request(self) -> Request:
        """Return everything that decides what the folder will hold."""
        return {
            "model": self.run.name,
            "model_sha256": self.run.model_sha256,
            "counts": [[name, n] for name, n in self.counts.items()],
            "seed": self.seed,
            "min_confidence": self.min_confidence,
            "keep_copies": self.keep_copies,
            "keep_broken": self.keep_broken,
            "max_tries_factor": self.max_tries_factor,
            "truncation": self.truncation,
            "guidance": self.run.guidance,
            "gansynth": __version__,
        }


@holding()
def generate(
    run: Run | str | Path,
    counts: Mapping[str, int],
    out: str | Path,
    *,
    seed: int = 0,
    min_confidence: float | None = None,
    max_tries_factor: int = 20,
    device: str = "auto",
    resume: bool = False,
    keep_copies: bool = False,
    keep_broken: bool = False,
    truncation: float = 1.0,
    progress: bool = True,
) -> GenerationReport:
    """Write synthetic images of the classes asked for, each with its provenance.

    `out` gets `class/class_SEED.png` and `metadata.csv` with the columns file_name, class, seed,
    model_sha256, confidence, nearest_training_distance, min_confidence. The image of a seed depends on the model, the
    class and the seed only, never on how many are asked for: image i of a class has
    the seed `seed` + i, except that images which are screened out leave a gap.

    Parameters
    ----------
    run : Run, path-like or str
        A trained run, its folder, or the name of a trained model of the zoo.
    counts : mapping of class name to number of images
    out : path-like
        A folder that does not exist yet or is empty; with `resume`, that of the stopped run.
    seed : int
        Seed of the first image of every class, not negative.
    min_confidence : float, optional
        Keep only images that the run's independent classifier (not the third player that trained the
        generator) assigns to their class with at least this probability.
    max_tries_factor : int
        Stop a class after this many tries per image asked for.
    device : {"auto", "cpu", "cuda"}
    resume : bool
        Continue a stopped run of the same request; the folder ends up as if it had not been stopped.
    keep_copies : bool
        Keep images that nearly equal a training image. By default they are left out and counted.
    keep_broken : bool
        Keep images that lie farther from every training image than 99 of 100 held-out cells of their class. By default
        they are left out and counted, where the run has seen at least 100 held-out cells.
    truncation : float
        Below 1, images are drawn nearer to the typical one of their class: fewer broken ones, less variety. Above 1
        (to 2) farther from it: more variety, more broken ones.
    progress : bool
        Show how far it is, on standard error.

    Returns
    -------
    GenerationReport
        `complete` is False if a class could not be filled within its tries.

    Raises
    ------
    InputError
        If the run, a class, a number or the folder cannot be used, with what to do instead.

    Examples
    --------
    >>> generate("pbc-64", {"promyelocyte": 1000}, "synthetic", min_confidence=0.5)  # doctest: +SKIP
    """
    if isinstance(run, (str, Path)):
        from gansynth.gans import open_run

        run = open_run(run)
    counts = _checked_counts(run, counts, seed, max_tries_factor)
    folders = class_folders(run.class_names)
    job = _Job(
        run, counts, Path(out), seed, min_confidence, max_tries_factor, keep_copies, keep_broken, truncation, folders
    )
    if not _may_write(job, resume):
        return report_of_finished(job.out, run, counts, seed, min_confidence)
    where = chosen_device(device)
    # Whatever can be refused is refused before the folder is touched.
    screen = Screen(run, where, min_confidence, keep_copies=keep_copies, keep_broken=keep_broken)
    generator = run.generator(where, truncation)
    job.out.mkdir(parents=True, exist_ok=True)
    journal = Journal(job.out, job.request())
    try:
        for folder in (job.folders[name] for name in counts):
            (job.out / folder).mkdir(exist_ok=True)
        classes = _read_progress(job, journal)
        with GenerationProgress(progress) as shown:
            classes = _produce(job, screen, generator, journal, classes, shown)
        write_metadata(job.out, journal, job.folders, run.model_sha256, min_confidence)
        journal.finish()
    finally:
        journal.close()
    return GenerationReport(job.out, run.name, run.model_sha256, tuple(classes.values()))


def _checked_counts(run: Run, counts: Mapping[str, int], seed: int, factor: int) -> dict[str, int]:
    if not counts:
        raise InputError(f"no class asked for; {run.name} knows {', '.join(run.class_names)}")
    counts = known_counts(counts, run.class_names, f"run {run.name}")
    for name, n in counts.items():
        if int(n) != n or n < 1:
            raise InputError(f"{n} images of {name}: give a whole number above zero")
    if factor < 1:
        raise InputError(f"{factor} tries per image: give at least 1")
    if seed < 0 or seed + max(counts.values()) * factor + CHUNK >= 2**63:
        raise InputError(f"seed {seed}: give a whole number from 0 that leaves room for the images below 2^63")
    return {name: int(n) for name, n in counts.items()}


def _may_write(job: _Job, resume: bool) -> bool:
    """Return whether there is something to do; refuse a folder that is somebody else's."""
    out = job.out
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; name a folder for the images")
    there = {path.name for path in out.iterdir()} if out.exists() else set()
    if JOURNAL_FILE in there:
        if not resume:
            raise InputError(f"{out}: holds an unfinished generation; add --resume, or choose another folder")
        return True
    if METADATA_FILE in there and resume:
        return False
    if there:
        advice = "choose another folder" if not resume else "there is nothing to resume; choose an empty folder"
        raise InputError(f"{out}: is not empty; {advice}")
    return True


def _read_progress(job: _Job, journal: Journal) -> dict[str, ClassReport]:
    """Return what the journal says is done; sweep what a kill left half written."""
    classes = {name: ClassReport(name, n) for name, n in job.counts.items()}

    def in_place(chunk: ChunkDone) -> bool:
        folder = job.folders.get(chunk.class_name)
        return folder is not None and all(
            _size(job.out / image_file_name(folder, image.seed)) == image.bytes for image in chunk.kept
        )

    for chunk in journal.keep_intact(in_place):
        classes[chunk.class_name] = _added(classes[chunk.class_name], chunk)
    for folder in (job.folders[name] for name in job.counts):
        for left in os.scandir(job.out / folder):
            if left.name.startswith(".") and left.name.endswith(_PART):
                os.unlink(left.path)
    for half in job.out.glob(f".{Path(METADATA_FILE).stem}.*.csv"):
        half.unlink()
    return classes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _added(state: ClassReport, chunk: ChunkDone) -> ClassReport:
    return replace(
        state,
        written=state.written + len(chunk.kept),
        tries=state.tries + chunk.tries,
        rejected=state.rejected + chunk.rejected,
        copies=state.copies + chunk.copies,
        broken=state.broken + chunk.broken,
    )


def _produce(
    job: _Job,
    screen: Screen,
    generator: LoadedGenerator,
    journal: Journal,
    classes: dict[str, ClassReport],
    shown: GenerationProgress,
) -> dict[str, ClassReport]:
    """Generate what is missing; the next chunk is computed while the last ones are encoded and written."""
    classes = dict(classes)
    unwritten: deque[tuple[ChunkDone, list[Future[int]]]] = deque()

    def settle(at_most: int) -> None:
        while len(unwritten) > at_most:
            chunk, sizes = unwritten.popleft()
            kept = [replace(image, bytes=size.result()) for image, size in zip(chunk.kept, sizes, strict=True)]
            journal.append(replace(chunk, kept=kept))

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="png") as pool:
        try:
            for name in job.counts:
                class_index = job.run.class_index(name)
                shown.start_class(name, classes[name].asked, classes[name].written)
                tries = job.counts[name] * (job.max_tries_factor if screen.may_drop else 1)
                began = time.monotonic()
                for chunk, images in chunks_of_class(generator, screen, classes[name], class_index, job.seed, tries):
                    sizes = [
                        pool.submit(_write_png, job, name, kept.seed, image)
                        for kept, image in zip(chunk.kept, images, strict=True)
                    ]
                    unwritten.append((chunk, sizes))
                    settle(at_most=_UNWRITTEN_CHUNKS if time.monotonic() - began < _SLOW else 0)
                    began = time.monotonic()
                    classes[name] = state = _added(classes[name], chunk)
                    shown.update(state.written, state.tries)
            settle(at_most=0)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return classes


def _write_png(job: _Job, name: str, seed: int, image: NDArray[np.uint8]) -> int:
    """Write one image and return its size; the file appears whole.

    Without the sync of `gansynth.files.atomic`, which would cost more than the image itself: after a power
    cut, the sizes in the journal say which images are to be made again.
    """
    run = job.run
    provenance = Provenance(
        run.name, run.model_sha256, run.recipe.name, name, seed, truncation=job.truncation, guidance=run.guidance
    )
    png = encode_png(image, provenance)
    path = job.out / image_file_name(job.folders[name], seed)
    part = path.with_name(f".{path.name}{_PART}")
    with naming(path, part):
        part.write_bytes(png)
        part.replace(path)
    return len(png)
