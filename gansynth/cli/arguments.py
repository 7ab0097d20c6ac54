"""The kinds of argument that several commands share, read from what a user types."""

from __future__ import annotations

import functools
import inspect
import math
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from gansynth.cli.completing import CLASSIFIER_RECIPES
from gansynth.cli.screen import Rare
from gansynth.errors import InputError
from gansynth.files import holding, refuse_all_but_a_folder

Command = TypeVar("Command", bound=Callable[..., Any])


class NamedPath(click.Path):
    """A path as a user types it: `~` is the user's own folder also where no shell has said so, as in `--out=~/runs` or
    in a file of options. No file can have a NUL in its name, or none at all: a variable was not set."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or end with a usage error."""
        if "\0" in str(value):
            self.fail("a path cannot hold a NUL", param, ctx)
        if not str(value).strip():
            self.fail("a path cannot be empty; a variable that was not set?", param, ctx)
        if isinstance(value, str) and value.startswith(("~/", "~\\")):
            value = os.path.expanduser(value)
        return super().convert(value, param, ctx)


class OutPath(NamedPath):
    """Where something is written: never inside a data set, whatever the command.

    Parameters
    ----------
    folder : bool
        Whether a folder is written there, so that anything else in its place is refused before the work begins.
    """

    def __init__(self, folder: bool = True) -> None:
        super().__init__()
        self.folder = folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; refuse one that lies inside a data set, or whose place is taken."""
        from gansynth.data.opening import refuse_inside_tables

        path = super().convert(value, param, ctx)
        if self.folder or not os.path.exists(path):
            refuse_all_but_a_folder(path)
        refuse_inside_tables(path)
        return path


FOLDER, OUT, OUT_FILE = NamedPath(), OutPath(), OutPath(folder=False)


def out_folder(command: Command) -> Command:
    """Give a command `--out DIR`, which may as well be its last argument; it gets the folder as `out`."""

    # mypy: a decorator that changes what a callback is called with cannot be written down for click's own decorators.
    @functools.wraps(command)
    def chosen(*, place: Path | None, out: Path | None, **others: Any) -> Any:
        if place is not None and click.get_current_context().get_parameter_source("out") is ParameterSource.DEFAULT_MAP:
            out = None  # of --config: what is typed wins
        if (place is None) == (out is None):
            raise InputError("where to? Give one new folder, with --out DIR or as the last argument")
        return command(out=out or place, **others)

    chosen.__signature__ = inspect.signature(chosen, follow_wrapped=False)  # type: ignore[attr-defined]
    option = click.option("--out", type=OUT, help="A new folder; the same as OUT.")
    return click.argument("place", metavar="[OUT]", type=OUT, required=False)(option(chosen))  # type: ignore[return-value]


def hold_what_is_written(commands: click.Group) -> None:
    """Let every command of a group, and of the groups in it, hold what it writes until it ends, its page included.

    A second command on the same folder is refused (`gansynth.files.hold`).
    """
    for command in commands.commands.values():
        if isinstance(command, click.Group):
            hold_what_is_written(command)
        elif command.callback is not None:
            for parameter in command.params:
                if parameter.name and isinstance(parameter.type, OutPath):
                    command.callback = holding(parameter.name)(command.callback)


MOST_SEED = 2**62
"""Beyond it there is no room for the seeds of the images that follow in 64 bits."""

UNMATCHED = ("refuse", "ignore")
UNMATCHED_VARIABLE = "GANSYNTH_UNMATCHED"
"""As in `gansynth.data.table_rows`, which takes long to load."""


MOST_COUNT = 10**12
"""Of images, steps or trainings: nobody lives to see more."""


class Number(click.FloatRange):
    """A number in a range, as click's; what is not finite (nan, inf, 1e400) is in none."""

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """Return what stands in the help for the number."""
        return "X"

    def _describe_range(self) -> str:
        return _without_the_end(super()._describe_range(), self.max)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or end with a usage error."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a finite number; give one {self._describe_range()}", param, ctx)
        return found


class Whole(click.IntRange):
    """A whole number in a range, as click's."""

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """Return what stands in the help for the number."""
        return "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or end with a usage error."""
        found = click.INT.convert(value, param, ctx)
        if self.max is not None and found > self.max >= _BEYOND:
            self.fail(f"{value} is too large; at most {self.max}", param, ctx)
        return super().convert(found, param, ctx)

    def _describe_range(self) -> str:
        return _without_the_end(super()._describe_range(), self.max)


_BEYOND = 10**7
"""An end so far away says nothing to a reader of the help."""


def _without_the_end(text: str, end: float | None) -> str:
    """Return `0<x` for `0<x<=10000000`, and the order that click uses where a range has no end: `x>0`."""
    if end is None or end < _BEYOND:
        return text
    least, sign = text.split("x")[0].rstrip("<="), ">" if "=" not in text.split("x")[0] else ">="
    return f"x{sign}{least}"


SHARE = Number(0, 1)
TRUNCATION = Number(0, 2)
MINUTES = Number(0, 10**7, min_open=True)
"""Nineteen years at most."""
COUNT = Whole(1, MOST_COUNT)
COUNT_OR_NONE = Whole(0, MOST_COUNT)
SEVERAL = Whole(2, MOST_COUNT)
EDGE = Whole(8, 1024)
"""Of an image, in pixels."""


def seed_option(command: Command) -> Command:
    """Add `--seed`."""
    what = "Every random draw follows from it."
    return click.option("--seed", cls=Rare, type=Whole(0, MOST_SEED), default=0, show_default=True, help=what)(command)


def unmatched_option(command: Command) -> Command:
    """Add `--unmatched`, of the whole command line: also the processes that it starts go by it."""

    def note(context: click.Context, _: click.Parameter, chosen: str | None) -> None:
        if chosen is not None:
            before = os.environ.get(UNMATCHED_VARIABLE)
            os.environ[UNMATCHED_VARIABLE] = chosen
            context.call_on_close(lambda: _put_back(UNMATCHED_VARIABLE, before))

    what = "Where metadata.csv misfits.  [default: refuse]"
    return click.option("--unmatched", type=click.Choice(UNMATCHED), expose_value=False, callback=note, help=what)(
        command
    )


def _put_back(variable: str, before: str | None) -> None:
    if before is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = before


def device_option(command: Command) -> Command:
    """Add `--device`."""
    what = "Where networks run; auto takes a GPU where there is one."
    kinds = click.Choice(["auto", "cpu", "cuda"])
    return click.option("--device", cls=Rare, type=kinds, default="auto", show_default=True, help=what)(command)


def dry_run_option(command: Command) -> Command:
    """Add `--dry-run`."""
    what = "Say what would be done, how long it would take and how large it would be; write nothing."
    return click.option("--dry-run", cls=Rare, is_flag=True, help=what)(command)


def jobs_option(command: Command) -> Command:
    """Add `--jobs`."""
    what = "Trainings at a time.  [default: what cores and memory allow]"
    return click.option("--jobs", cls=Rare, type=Whole(1, 4096), help=what)(command)


def backbone_weights_option(command: Command) -> Command:
    """Add `--weights-dir` for classifiers."""
    what = "Where the weights of pretrained backbones are (docs/weights.md)."
    return click.option("--weights-dir", cls=Rare, type=FOLDER, help=what)(command)


def classifiers_option(command: Command) -> Command:
    """Add `--classifiers`."""
    what = "Recipes of classifiers (models/classifiers), or YAML files.  [default: sequential-cnn]"
    return click.option("--classifiers", metavar="A,B,...", default="", shell_complete=CLASSIFIER_RECIPES, help=what)(
        command
    )


def folds_option(command: Command) -> Command:
    """Add `--folds`, of test images."""
    what = "Test every image once.  [default: the split of DATA, or one made here]"
    return click.option("--folds", type=SEVERAL, help=what)(command)


def endpoint_option(command: Command) -> Command:
    """Add `--endpoint`."""
    kinds = click.Choice(["macro-F1", "balanced-accuracy"])
    return click.option(
        "--endpoint", cls=Rare, type=kinds, default="macro-F1", show_default=True, help="The primary endpoint."
    )(command)


def recipe_options(command: Command) -> Command:
    """Add what changes the recipes of the classifiers and GANs of a comparison, and how long these are trained."""
    whole, some, edge = COUNT, MINUTES, EDGE
    several: dict[str, Any] = {"metavar": "A.B=C", "multiple": True}
    options = [
        click.option("--size", type=edge, help="Edge length in pixels.  [default: the classifiers' own]"),
        click.option(
            "--epochs", cls=Rare, type=whole, help="Of the untreated images.  [default: the classifiers' own]"
        ),
        click.option("--set", "changes", cls=Rare, **several, help="Change one value of the classifiers' recipes."),
        click.option("--gan-set", "gan_changes", cls=Rare, **several, help="Change one value of the GANs' recipes."),
        click.option("--gan-images", cls=Rare, type=whole, help="Real images each GAN's training sees."),
        click.option("--gan-minutes", cls=Rare, type=some, help="Minutes each GAN's training has."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def report_failed(trainings: int) -> None:
    """End the command with status 1 where trainings failed, and say how to try again."""
    if trainings:
        click.echo(f"gansynth: {trainings} trainings failed (see above); try again with --resume", err=True)
        click.get_current_context().exit(1)


def parse_names(text: str) -> list[str]:
    """Read `A,B,...`; empty where nothing is named. A comma between double quotes is part of the name.

    Examples
    --------
    >>> parse_names('monocyte,"Blast, no lineage spec"')
    ['monocyte', 'Blast, no lineage spec']
    """
    parts = (re.sub(r'"([^"]*)"', r"\1", part).strip() for part in re.findall(r'(?:"[^"]*"|[^,])+', text))
    return [part for part in parts if part]


_WRITE_COUNTS = "write for example promyelocyte=40,monocyte=80, and a name that has a comma between double quotes"


def parse_numbers(text: str, option: str, example: str) -> list[float]:
    """Read the numbers `X,Y,...`.

    Raises
    ------
    InputError
        If a part is not a finite number from 0.
    """
    found: list[float] = []
    for part in parse_names(text):
        try:
            number = float(part)
        except ValueError:
            raise InputError(f"{option}: '{part}' is not a number; write for example {example}") from None
        if not 0 <= number < math.inf:
            raise InputError(f"{option}: {part} is not a finite number from 0; write for example {example}")
        found.append(number)
    return found


def typed_command() -> str:
    """Return the command line of this process as it can be typed again."""
    return shlex.join(["gansynth", *sys.argv[1:]])


def parse_count(text: str, what: str) -> int:
    """Read a whole number of images, at least 1.

    Raises
    ------
    InputError
        If `text` is none.
    """
    try:
        count = int(text.replace("_", ""))
    except ValueError:
        count = 0
    if not 1 <= count <= MOST_COUNT:
        raise InputError(f"{what}: '{text:.40}' is not a number of images; write a whole number above zero")
    return count


def parse_class_counts(classes: Iterable[str], count: int | None) -> dict[str, int]:
    """Read `--class NAME` (which takes the shared count) and `--class NAME=N`.

    Parameters
    ----------
    classes : iterable of str
        What the user gave, in order.
    count : int or None
        `--count`, for the classes without a number of their own.

    Returns
    -------
    dict of str to int
        Images per class.

    Raises
    ------
    InputError
        If a class has no count, or is named twice.
    """
    counts: dict[str, int] = {}
    for item in classes:
        name, has_own, own = item.rpartition("=")
        # A class may be named like "stage=2" on disk: only a number after the last "=" is a count.
        if not has_own or not own.strip().replace("_", "").lstrip("-").isdigit():
            name, own = item, ""
        if name in counts:
            raise InputError(f"--class {name}: given twice; name each class once")
        if own:
            counts[name] = parse_count(own, f"--class {item}")
        elif count is not None:
            counts[name] = count
        else:
            raise InputError(f"--class {name}: how many? Add --count N, or write --class '{name}=N'")
    return counts


def parse_counts(text: str, option: str) -> dict[str, int]:
    """Read `class=n,class=n`; empty where nothing is given.

    Raises
    ------
    InputError
        If a part is not `class=n`.
    """
    found: dict[str, int] = {}
    for part in parse_names(text):
        name, equals, number = part.rpartition("=")
        if not equals or not name.strip():
            raise InputError(f"{option}: '{part}' is not class=n; {_WRITE_COUNTS}")
        found[name.strip()] = parse_count(number.strip(), f"{option} {part}")
    return found


def parse_shares(text: str, option: str) -> dict[str, float]:
    """Read `class=share,class=share`; empty where nothing is given.

    Raises
    ------
    InputError
        If a part is not `class=share`, or a share is not a finite number from 0.
    """
    found: dict[str, float] = {}
    for part in parse_names(text):
        name, equals, number = part.rpartition("=")
        if not equals or not name.strip():
            raise InputError(f"{option}: '{part}' is not class=share; write for example promyelocyte=1.2,monocyte=1.1")
        (found[name.strip()],) = parse_numbers(number or "-", f"{option} {part}", "promyelocyte=1.2")
    return found


def parse_sources(items: Iterable[str]) -> list[tuple[str, Path]]:
    """Read `--source kind=PATH`, given several times.

    Raises
    ------
    InputError
        If a part is not `kind=PATH`.
    """
    sources = []
    for item in items:
        kind, equals, path = item.partition("=")
        if not (kind and equals and path):
            raise InputError(f"--source {item}: write kind=PATH, for example --source pbc=downloads/PBC_dataset")
        sources.append((kind.strip().lower(), Path(path).expanduser()))
    return sources
