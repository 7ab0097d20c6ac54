"""What every result of a study can do: be read back from the file it was written to, and show itself in a notebook."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from gansynth.errors import InputError
from gansynth.files import is_named, read_json

Json = Mapping[str, Any]
"""An object as JSON holds it: at a file's edge, and nowhere else."""

T = TypeVar("T")


class Result(ABC):
    """A result that shows itself: a line for `repr`, a table in a notebook."""

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return the result as a tidy table."""

    def _repr_html_(self) -> str:
        table = self.frame().to_html(index=False, na_rep="–", float_format="{:.4g}".format)
        return f"<p>{html.escape(repr(self))}</p>{table}"


def read_result(path: Path, of: Callable[[Json], T], command: str) -> T:
    """Read a result from the JSON file that it was written to.

    Parameters
    ----------
    path : pathlib.Path
    of : callable
        Makes the result of the file's JSON object.
    command : str
        What writes such a file, such as ``gansynth sweep``; messages name it.

    Raises
    ------
    InputError
        If there is no such file, it was cut off, or something else wrote it.

    Examples
    --------
    >>> read_result(Path("nowhere/results.json"), dict, "gansynth sweep")
    Traceback (most recent call last):
    gansynth.errors.InputError: nowhere/results.json: no such file; write it with `gansynth sweep`
    """
    if not is_named(path):
        raise InputError(f"{path}: no such file; write it with `{command}`")
    try:
        found = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; write it again with `{command}`") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: is not a JSON object, so not what `{command}` writes; write it again")
    try:
        return of(found)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        wrong = f"has no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path}: is not what `{command}` writes ({wrong}); write it again") from error


def typed(of: type[T], values: Json) -> T:
    """Return a dataclass of values from JSON, each of the type that the class declares.

    Raises
    ------
    ValueError
        For the first that is of another type or not there, with its name.
    """
    try:
        return TypeAdapter(of).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None
