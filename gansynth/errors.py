"""The exceptions that a user is meant to read."""

import difflib
from collections.abc import Sequence


class InputError(Exception):
    """Input that gansynth cannot work with: one sentence that says what, where, and what to do.

    The command line prints the sentence and ends with exit status 2. Everything a user can get
    wrong (a folder, a file, a recipe, a name, a number) raises it; everything else that escapes is
    a bug.

    Examples
    --------
    >>> raise InputError("cells/: no class folders; put each class's images into a folder of its name")
    Traceback (most recent call last):
    gansynth.errors.InputError: cells/: no class folders; put each class's images into a folder of its name
    """


class WorkersLost(MemoryError):
    """The processes or machines that worked for a study ended: one sentence that says so, and what to do.

    The command line prints the sentence and ends with exit status 1. What was finished before is kept.
    """


def nearest_name(name: str, known: Sequence[str]) -> str | None:
    """Return the known name most like `name`, letter case aside, or None."""
    lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), lower, 1)
    return lower[near[0]] if near else None
