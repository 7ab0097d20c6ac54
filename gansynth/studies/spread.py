"""Jobs carried out through joblib: in processes of this machine, or where the user's own backend, such as Dask, has
its workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


def has_backend() -> bool:
    """Return whether the user has set a backend of joblib for what is called here."""
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    return type(backend).__name__ not in ("LokyBackend", "SequentialBackend")


def spread(
    carry_out: Callable[[Job], Outcome], jobs: Sequence[Job], processes: int, whose: str = "comparison"
) -> Iterator[Outcome]:
    """Yield what comes of every job, in the order in which they end.

    Parameters
    ----------
    carry_out : callable
    jobs : sequence
    processes : int
        Jobs at a time; 0 leaves that to the backend of joblib that the user has set.
    whose : str
        What the processes work for, in the sentence of the error.

    Raises
    ------
    MemoryError
        If the system ended a process, or Dask gave a job up that its workers did not survive.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    how = {} if processes == 0 else {"n_jobs": processes}
    try:
        yield from Parallel(**how, return_as="generator_unordered", batch_size=1)(
            delayed(carry_out)(job) for job in jobs
        )
    except TerminatedWorkerError as error:
        raise MemoryError(f"a process of the {whose} was ended by the system") from error
    except Exception as error:
        if type(error).__name__ != "KilledWorker":  # of Dask, which need not be installed
            raise
        raise MemoryError(f"several workers of the {whose} ended at the same job: {error}") from error
