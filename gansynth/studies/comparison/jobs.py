"""Jobs carried out, several at a time, and what comes of each written down: for comparisons and for searches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.studies.comparison.arm import Cell, Job, Outcome, carry_out
from gansynth.studies.comparison.record import FAILED, write_record
from gansynth.studies.spread import spread


def run_jobs(jobs: Sequence[Job], processes: int) -> Iterator[Outcome]:
    """Yield outcomes as they come.

    Parameters
    ----------
    jobs : sequence of Job
    processes : int
        Jobs at a time; 0 leaves that to the backend of joblib that the user has set.

    Raises
    ------
    MemoryError
        If the system ended a process.
    """
    return spread(carry_out, jobs, processes)


def keep_failure(out: Path, cell: Cell, error: str, traceback: str, is_mistake: bool = False) -> str:
    """Write the traceback of what failed into its cell's folder, and return the error in a line.

    Raises
    ------
    RuntimeError
        If the error is a mistake of this program: it would make other numbers wrong, too.
    """
    file = out / cell.path / FAILED
    write_text(file, traceback)
    if is_mistake:
        raise RuntimeError(
            f"{cell}: {error}. This is a mistake of gansynth and not of the data; please report it with {file}. What "
            "is finished is kept"
        )
    return error


def keep_outcome(out: Path, job: Job, outcome: Outcome) -> str:
    """Write down what a job predicted, and return its score in a few words; `outcome` is not a failure.

    Raises
    ------
    InputError
        If something had learned from images that it would have been tested on.
    """
    if outcome.leak is not None:
        raise InputError(outcome.leak)
    score = write_record(out, job, outcome).note.scores.overall["macro-F1"]
    return f"macro-F1 {'-' if score is None else f'{score:.3f}'}, {outcome.seconds:.0f} s"
