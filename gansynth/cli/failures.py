"""How the command line ends when the whole job was not done: one sentence and an exit status."""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
import traceback
import warnings
from typing import IO, Any

import click

from gansynth.cli.answering import begin, warn
from gansynth.errors import InputError, WorkersLost
from gansynth.files.names import printable
from gansynth.version import __version__

_NO_MEMORY = "memory ran out; use a smaller batch, smaller images or a larger machine"


class Failed(click.ClickException):
    """The machine did not let the job be done: one sentence on standard error, exit status 1."""

    exit_code = 1

    def format_message(self) -> str:
        """Return the sentence in one line: it may quote a name that somebody else has given."""
        return printable(super().format_message())

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence, without click's prefix."""
        click.echo(f"gansynth: {self.format_message()}", file=file, err=file is None)


class Refused(Failed):
    """The user's input is the cause; exit status 2."""

    exit_code = 2


class Mistaken(Failed):
    """A mistake of gansynth; exit status 3, and the traceback is in a file."""

    exit_code = 3

    def format_message(self) -> str:
        """Return the sentence, and the lines of the traceback where it could not be written."""
        return self.message


class Commands(click.Group):
    """A group of commands in which no foreseeable failure shows a traceback."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Begin a command line; a name that the terminal's encoding does not have is printed with escapes."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what a user can meet into a `Failed`, and a warning into one line."""
        begin(ctx)
        warnings.showwarning = lambda message, *_, **__: warn(str(message), ctx)
        try:
            return super().invoke(ctx)
        except InputError as error:
            cause = error.__cause__
            full = isinstance(cause, OSError) and cause.errno in (*_ROOM, errno.EFBIG, errno.EROFS)
            raise (Failed if full else Refused)(str(error)) from error
        except KeyboardInterrupt:
            click.echo("stopped; continue with --resume" if _can_resume(ctx) else "stopped", err=True)
            ctx.exit(130)
        except OSError as error:
            if error.errno == errno.EPIPE:  # `gansynth ... | head`: click ends quietly
                raise
            of_a_name = error.errno in _NAMES and error.filename is not None
            raise (Refused if of_a_name else Failed)(_about_the_system(error, resumable=_can_resume(ctx))) from error
        except WorkersLost as error:
            raise Failed(str(error)) from error
        except MemoryError as error:
            raise Failed(_NO_MEMORY) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error):  # torch has no class for it
                raise Failed(_NO_MEMORY) from error
            torch = sys.modules.get("torch")
            if torch is not None and isinstance(error, torch.cuda.OutOfMemoryError):
                what = "the GPU's memory ran out; use a smaller batch (--set training.batch_size=N) or --device cpu"
                raise Failed(what) from error
            raise Mistaken(_about_a_mistake(error)) from error


def _can_resume(ctx: click.Context) -> bool:
    command = ctx.command.get_command(ctx, ctx.invoked_subcommand or "") if isinstance(ctx.command, Commands) else None
    return command is None or any(parameter.name == "resume" for parameter in command.params)


_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NAMES = {
    **dict.fromkeys(
        (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP),
        ", and has the place of something else; remove or rename it",
    ),
    errno.ENAMETOOLONG: "; check it, or give a shorter one",
}
"""What is wrong with a name that a user gave, or with what lies in a user's folder."""
_PLACE = {
    errno.EFBIG: "; no larger file may be written there (ulimit -f, or the file system)",
    errno.EACCES: "; choose a folder you may write to, or change its permissions",
    errno.EROFS: "; choose a folder that can be written to",
    **_NAMES,
}


def _about_the_system(error: OSError, *, resumable: bool) -> str:
    if error.errno == errno.ENOENT and not _is_somewhere():
        return "the folder that this command was typed in is no longer there; change into another (cd) and run it again"
    where = f"{error.filename}: " if error.filename is not None else ""
    what = error.strerror or str(error) or type(error).__name__
    advice = _PLACE.get(error.errno or 0, "")
    if error.errno in _ROOM:
        advice = "; make room, then run the same command again"
        if resumable:
            advice = "; what is finished is kept: make room, then run the same command with --resume"
    elif error.errno == errno.EFBIG and resumable:
        advice += "; what is finished is kept: run the same command with --resume"
    return f"{where}{what[:1].lower()}{what[1:]}{advice}"


def _is_somewhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _about_a_mistake(error: Exception) -> str:
    """Write the traceback to a file, and return the sentence that names it."""
    text = "".join(traceback.format_exception(error))
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="gansynth-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(f"gansynth {__version__}\n{' '.join(sys.argv)}\n\n{text}")
        where = f"the traceback is in {file.name}; please report it"
    except OSError:
        where = f"the traceback could not be written:\n{text}"
    return f"a mistake of gansynth, not of your data ({said}); {where}"
