"""Jobs carried out in processes of this machine, or where the user's own backend of joblib, such as Dask, has its
workers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from gansynth.errors import WorkersLost

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

WITHOUT_WORKERS = 300.0
"""Seconds that a Dask cluster may be without any worker: one that grows by itself, or a job queue, sends new ones."""

_LOOK = 2.0
"""Seconds between two looks at whether a Dask cluster still has workers, or a worker still has its study."""

_AGAIN = "what is finished is kept: call it again with resume=True"


def has_backend() -> bool:
    """Return whether the user has set a backend of joblib for what is called here."""
    return type(_backend()).__name__ not in ("LokyBackend", "SequentialBackend")


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
    WorkersLost
        If the system ended a process, Dask gave a job up that its workers did not survive, or its last worker ended
        and none came in its place.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    backend = _backend()
    if processes == 0 and type(backend).__name__ == "DaskDistributedBackend":
        yield from _on_dask(backend.client, carry_out, jobs, whose)
        return
    how = {} if processes == 0 else {"n_jobs": processes}
    of_this_machine = not has_backend()
    try:
        yield from Parallel(**how, return_as="generator_unordered", batch_size=1)(
            delayed(_carry_out_for)(os.getpid(), of_this_machine, carry_out, job) for job in jobs
        )
    except TerminatedWorkerError as error:
        raise WorkersLost(
            f"a process of the {whose} was ended by the system, most often because memory ran out: let fewer work at a "
            "time (--jobs), or use smaller images; what is finished is kept: the same command with --resume goes on"
        ) from error


def _carry_out_for(asker: int, child: bool, carry_out: Callable[[Job], Outcome], job: Job) -> Outcome:
    """Carry out a job in a process that ends with the one that asked.

    A killed study's folder can be written into again; a worker that outlived the study would write into it, too, and
    keep its memory. A child of a study that was killed while it was still starting begins nothing.
    """
    global _watching
    if os.getppid() == asker and not _watching:
        _watching = True
        threading.Thread(target=_end_with, args=(asker,), daemon=True).start()
    if child and asker not in (os.getpid(), os.getppid()):
        os._exit(1)
    return carry_out(job)


_watching = False
"""Whether this process ends with the one that started it."""


def _end_with(asker: int) -> None:
    while os.getppid() == asker:
        time.sleep(_LOOK)
    os._exit(1)


def _on_dask(client: Any, carry_out: Callable[[Job], Outcome], jobs: Sequence[Job], whose: str) -> Iterator[Outcome]:
    """Do the same with the client of joblib's backend for Dask.

    Not through the backend itself: it waits for ever for a job that Dask has given up, and for workers that are gone.
    """
    dask = import_module("distributed")  # need not be installed; whoever has set the backend has it
    coming = iter(jobs)
    ahead = 2 * max(1, sum(client.ncores().values()))
    pending = {client.submit(carry_out, job, pure=False) for job in islice(coming, ahead)}
    seen = time.monotonic()
    try:
        while pending:
            try:
                done = dask.wait(list(pending), timeout=_LOOK, return_when="FIRST_COMPLETED").done
            except dask.TimeoutError:
                if client.ncores():
                    seen = time.monotonic()
                elif time.monotonic() - seen > WITHOUT_WORKERS:
                    raise WorkersLost(
                        f"the {whose} stopped: its Dask cluster has no worker left, and none has come for "
                        f"{WITHOUT_WORKERS:.0f} seconds; {_AGAIN} when it has workers"
                    ) from None
                continue
            for future in done:
                outcome = future.result()
                pending.remove(future)
                pending |= {client.submit(carry_out, job, pure=False) for job in islice(coming, 1)}
                yield outcome
            seen = time.monotonic()
    except dask.KilledWorker as error:
        raise WorkersLost(
            f"the {whose} stopped: {error.allowed_failures + 1} workers of its Dask cluster ended at the same job, "
            f"most often because memory ran out; {_AGAIN} when the workers have more"
        ) from error
    except dask.CancelledError as error:
        raise WorkersLost(f"the {whose} stopped: its Dask cluster has lost its work; {_AGAIN}") from error
    finally:
        client.cancel(list(pending))


def _backend() -> Any:
    from joblib.parallel import get_active_backend

    return get_active_backend()[0]
