"""How the command line ends when the whole job was not done: one sentence and an exit status."""

from __future__ import annotations

import errno
import sys
from typing import IO, Any

import click

from gansynth.errors import InputError


class Failure(click.ClickException):
    """One sentence on standard error; exit status 2 where the user's input is the cause, else 1."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence, without click's prefix."""
        click.echo(f"gansynth: {self.format_message()}", file=file, err=file is None)


class Commands(click.Group):
    """A group of commands in which no foreseeable failure shows a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what a user can meet into a `Failure`."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise Failure(str(error), 2) from error
        except KeyboardInterrupt:
            click.echo("stopped; continue with --resume", err=True)
            ctx.exit(130)
        except OSError as error:
            if error.errno == errno.EPIPE:  # `gansynth ... | head`: click ends quietly
                raise
            raise Failure(_about_the_system(error), 1) from error
        except MemoryError as error:
            raise Failure("memory ran out; use a smaller batch, smaller images or a larger machine", 1) from error
        except Exception as error:
            torch = sys.modules.get("torch")
            if torch is not None and isinstance(error, torch.cuda.OutOfMemoryError):
                what = "the GPU's memory ran out; use a smaller batch (--set training.batch_size=N) or --device cpu"
                raise Failure(what, 1) from error
            raise


def _about_the_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    what = error.strerror or str(error) or type(error).__name__
    advice = {
        errno.ENOSPC: "; make room, then run the same command again",
        errno.EDQUOT: "; make room, then run the same command again",
        errno.EACCES: "; choose a folder you may write to, or change its permissions",
        errno.EROFS: "; choose a folder that can be written to",
    }.get(error.errno or 0, "")
    return f"{where}{what[:1].lower()}{what[1:]}{advice}"
