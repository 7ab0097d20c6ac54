"""One writer for a folder: the second learns who the first is.

The lock is the system's (flock), so that it ends with its process however that ends; a file beside the folder carries
it and says whose it is. It goes when the writing is done.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import inspect
import json
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from gansynth.errors import InputError
from gansynth.files.names import shown

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_mine: ContextVar[frozenset[str]] = ContextVar("folders held by this context", default=frozenset())


def is_first_process() -> bool:
    """Return whether this process speaks for all that work together.

    A training on several devices starts the whole command once for each: itself, through torchrun, or through srun,
    whose tasks have no rank before Fabric gives them one.
    """
    rank = os.environ.get("RANK", os.environ.get("LOCAL_RANK"))
    if rank is None and slurm_tasks(os.environ) > 1:
        rank = os.environ.get("SLURM_PROCID")
    return rank in (None, "0")


def slurm_tasks(environment: Mapping[str, str]) -> int:
    """Return how many tasks SLURM has started; 1 where it says nothing that is a number."""
    said = environment.get("SLURM_NTASKS", "")
    return int(said) if said.isdecimal() else 1


@contextmanager
def hold(folder: str | Path) -> Iterator[None]:
    """Keep every other process, and every other thread of this one, from writing into a folder meanwhile.

    Parameters
    ----------
    folder : path-like
        It need not be there yet, nor come to be. Whoever holds it may hold it again.

    Raises
    ------
    InputError
        If another holds it, with its process, its machine, and since when.
    OSError
        If nothing can be written there: now, and not after hours of work.
    """
    if not is_first_process():
        yield
        return
    try:
        place = os.path.realpath(folder)
    except ValueError:  # a NUL: whoever makes the folder says so
        yield
        return
    if place in _mine.get():
        yield
        return
    _refuse_what_can_only_be_read(place, folder)
    path, made = _place_of_lock(Path(place))
    file = None if path is None else _acquired(path, folder)
    token = _mine.set(_mine.get() | {place})
    try:
        yield
    finally:
        _mine.reset(token)
        if path is not None and file is not None:
            with suppress(OSError):
                path.unlink()
            os.close(file)
        for parent in made:
            with suppress(OSError):  # something was written there
                parent.rmdir()


def holding(parameter: str = "out") -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator for a function that writes into the folder which one of its arguments names.

    Parameters
    ----------
    parameter : str
        The argument; where it is None, nothing is written and nothing held.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def held(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            folder = signature.bind(*args, **kwargs).arguments.get(parameter)
            if folder is None:
                return function(*args, **kwargs)
            with hold(folder):
                return function(*args, **kwargs)

        return held

    return decorate


def _refuse_what_can_only_be_read(place: str, folder: str | Path) -> None:
    while not os.path.isdir(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    if os.access(place, os.F_OK) and not os.access(place, os.W_OK):
        disk = hasattr(os, "statvfs") and os.statvfs(place).f_flag & os.ST_RDONLY
        number = errno.EROFS if disk else errno.EACCES
        raise OSError(number, os.strerror(number), str(folder))


def _place_of_lock(folder: Path) -> tuple[Path | None, list[Path]]:
    """Return where the lock of a folder lies, and which of the folders above it were made for it, inner ones first.

    Beside the folder, since the folder itself may come to be by a renaming. Where nothing can be written there, among
    the temporary files, where other machines do not see it.
    """
    made: list[Path] = []
    try:
        missing = [parent for parent in folder.parents if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            made.insert(0, parent)
        if not folder.parent.is_dir():
            raise NotADirectoryError
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{shown(folder)}: a file has the place of a folder above it; give another folder") from None
    except OSError:  # whoever makes the folder says what is wrong
        return None, made
    if os.access(folder.parent, os.W_OK):
        name = folder.name if len(os.fsencode(folder.name)) <= 200 else _digest(folder.name)
        return folder.parent / f".{name}.lock", made
    return Path(tempfile.gettempdir()) / f".gansynth-{_digest(str(folder))}.lock", made


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:32]


def _acquired(path: Path, folder: str | Path) -> int | None:
    """Return the open lock file, which says that it is this process's; None where the file system takes none."""
    while True:
        try:
            # A link planted here would lead the writing elsewhere.
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | _WITHOUT_WAITING, 0o666)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                raise _in_the_way(path) from None
            return None  # a full disk: whoever writes says so
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _in_the_way(path)
            _lock(file, folder)
            if _is_still(file, path):
                _sign(file)
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # the one before this process removed it at its end


_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)


def _in_the_way(path: Path) -> InputError:
    return InputError(f"{shown(path)}: is not a regular file, and has the place of the folder's lock; remove it")


def _lock(file: int, folder: str | Path) -> None:
    held = fcntl is None
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _refusal(file, folder) from None
        except OSError:  # some network file systems know no locks
            held = True
    if held and _is_alive(_signature(file)):
        raise _refusal(file, folder)


def _is_still(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except OSError:
        return False


def _sign(file: int) -> None:
    signature = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        "command": Path(sys.argv[0]).name if sys.argv else "",
    }
    with suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(signature).encode("ascii"), 0)


def _signature(file: int) -> dict[str, str]:
    try:
        found = json.loads(os.pread(file, 4096, 0))
        return {key: "".join(c for c in str(value)[:80] if c.isprintable()) for key, value in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_alive(signature: dict[str, str]) -> bool:
    """Whether the process that signed is running; one of another machine is taken to be."""
    pid = signature.get("pid", "")
    if signature.get("host", socket.gethostname()) != socket.gethostname():
        return True
    if not pid.isdecimal() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _refusal(file: int, folder: str | Path) -> InputError:
    who = _signature(file)
    process = f"process {who['pid']} on {who.get('host', 'this machine')}" if "pid" in who else "another process"
    since = f" since {who['since']}" if "since" in who else ""
    return InputError(f"{shown(folder)}: {process} writes into it{since}; wait for it to end, or give another folder")
