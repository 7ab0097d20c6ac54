"""Dataclasses as JSON objects: what a class writes is what it reads back, and its fields alone say how.

@dataclass(frozen=True)
class Effect(JsonObject):
    endpoint: Annotated[Endpoint, INLINE]              # its keys stand among those of the effect
    class_name: Annotated[str | None, Key("class")]    # JSON calls it otherwise
    value: float
    note: Annotated[str, IF_GIVEN] = ""                # left out where it is the default
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import numpy as np

from gansynth.files.names import shown

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import CoreSchema

Json = Mapping[str, Any]
"""An object as JSON holds it: at a file's edge, and nowhere else."""

T = TypeVar("T", bound="JsonObject")


@dataclass(frozen=True)
class Key:
    """Marks a field that JSON calls otherwise."""

    name: str


class _Elsewhere:
    def __get_pydantic_core_schema__(self, source: Any, handler: object) -> CoreSchema:
        from pydantic_core.core_schema import any_schema

        return any_schema()


INLINE, IF_GIVEN, ELSEWHERE = object(), object(), _Elsewhere()
"""Mark an object whose keys stand among those of what it is part of, a field that is left out where it is the default,
and a field that JSON does not hold."""


class JsonObject:
    """A dataclass that is written as a JSON object and read back; the types of its fields say what is accepted.

    Keys that no field has are passed over, so that a class may write more than it reads.
    """

    def to_json(self) -> dict[str, Any]:
        """Return a dict for JSON, which knows neither NaN nor infinity: both become None."""
        found: dict[str, Any] = {}
        for one, key, marks in self._layout():
            value = getattr(self, one.name)
            if INLINE in marks:
                found |= value.to_json()
            elif IF_GIVEN not in marks or value != _default(one):
                found[key] = plain(value)
        return found

    @classmethod
    def from_json(cls: type[T], found: Json) -> T:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            For the first key that is not there or holds something else, with its name.
        """
        from pydantic import ValidationError

        try:
            read: T = cls._adapter().validate_python(found)
            return read
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"{where}: {first['msg'].lower()}" if where else "is not an object") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        from pydantic_core.core_schema import no_info_before_validator_function

        schema: Any = handler(source)
        # The name by which other schemas refer to this class is the outer schema's, or they would pass it by.
        return no_info_before_validator_function(
            lambda found: cls.by_field(found) if isinstance(found, Mapping) else found,
            schema,
            ref=schema.pop("ref", None),
        )

    @classmethod
    def by_field(cls, found: Json) -> dict[str, Any]:
        """Return what a JSON object holds, by the names of the fields."""
        held = {one.name: found if INLINE in marks else found.get(key, MISSING) for one, key, marks in cls._layout()}
        return {name: value for name, value in held.items() if value is not MISSING}

    @classmethod
    @cache
    def _layout(cls) -> list[tuple[Field[Any], str, tuple[Any, ...]]]:
        """Return the fields that JSON holds, each with its key and its marks."""
        hints = get_type_hints(cls, include_extras=True)
        held: Any = cls
        marked = [(one, getattr(hints[one.name], "__metadata__", ())) for one in fields(held)]
        return [
            (one, next((mark.name for mark in marks if isinstance(mark, Key)), one.name), marks)
            for one, marks in marked
            if ELSEWHERE not in marks
        ]

    @classmethod
    @cache
    def _adapter(cls) -> TypeAdapter[Any]:
        from pydantic import TypeAdapter

        return TypeAdapter(cls)


def _default(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: objects and arrays as dicts and lists, a path as text, what is not finite as
    None."""
    if isinstance(value, JsonObject):
        return value.to_json()
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, Path):
        return shown(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
