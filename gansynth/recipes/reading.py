"""Reading a recipe: a YAML text to a typed recipe, or one sentence with the line that is wrong."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gansynth.errors import InputError
from gansynth.files import is_named, read_text, shown
from gansynth.plugins import plugins
from gansynth.recipes.text import MOST_BYTES, NotYaml, parse_yaml

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

ZOO = "gansynth.zoo"
"""The data package that holds the model zoo."""


def _number(value: Any) -> Any:
    # YAML reads yes, on and true alike, and pydantic would take them for 1.
    if isinstance(value, bool):
        raise ValueError(f"should be a number (found {value})")
    return value


_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def _name(value: Any) -> Any:
    # Folders are made of it, and what is in them is removed: a path would reach outside.
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"should be letters, digits, '-', '_' and '.', at most 100, the first of them not '.' (found {value!r:.60})"
        )
    return value


Name = Annotated[str, BeforeValidator(_name)]
"""Of a recipe."""
Number = BeforeValidator(_number)
Positive = Annotated[float, Number, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Number, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Number, Field(ge=1, le=10**12)]
Width = Annotated[int, Number, Field(ge=1, le=65_536)]
"""Of a layer, a batch or a latent: beyond it no machine has the memory."""
Channels = Annotated[tuple[Width, ...], Field(min_length=1)]


class Section(BaseModel):
    """A part of a recipe: frozen, and closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    def to_yaml(self) -> str:
        """Return it as YAML with every value spelled out, which can be read back."""
        return _dumped(json.dumps(self.model_dump(mode="json")))


@lru_cache(maxsize=100)  # a training writes its recipe with all its weights, and YAML is slow to write
def _dumped(values: str) -> str:
    return yaml.safe_dump(json.loads(values), sort_keys=False, allow_unicode=True)


_Recipe = TypeVar("_Recipe", bound=Section)


class UnknownKind(ValueError):
    """What a recipe says that it is, is nothing known.

    Attributes
    ----------
    name : str
        Where the recipe says so.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(problem)
        self.name = name


def zoo_recipes(folder: str = "") -> list[str]:
    """Return the names of the recipes in a folder of the zoo, and of the zoos of other packages, sorted."""
    return sorted(_zoo_files(folder))


def _zoo_files(folder: str) -> dict[str, Traversable]:
    """Return the recipes' files by name; where two zoos have one of a name, ours counts."""
    found: dict[str, Traversable] = {}
    for package in (ZOO, *(one.value for one in plugins("gansynth.recipes"))):
        place = resources.files(package).joinpath(folder) if folder else resources.files(package)
        for file in place.iterdir() if place.is_dir() else ():
            if file.name.endswith(".yaml"):
                found.setdefault(file.name.removesuffix(".yaml"), file)
    return found


def read_recipe(
    recipe: str | Path,
    overrides: Sequence[str],
    *,
    folder: str,
    kind_of: Callable[[dict[str, Any]], type[_Recipe]],
    sections_of: Callable[[dict[str, Any]], Mapping[str, type[Section]]] = lambda values: {},
) -> _Recipe:
    """Open a recipe by its name in a folder of the zoo or by its path.

    Parameters
    ----------
    recipe : str or path
        A name as `zoo_recipes` lists them, a YAML file, or a run folder (its ``recipe.yaml``).
    overrides : sequence of str
        Changes such as ``"training.batch_size=32"``; the value is read as YAML.
    folder : str
        Of the zoo.
    kind_of : callable
        From the values to the type of recipe that they are to be; raises `UnknownKind`.
    sections_of : callable
        From the values to the types of those sections that depend on them.

    Raises
    ------
    InputError
        For an unknown name, a file that is not YAML, or an unknown or impossible value, with its line.
    """
    where, text = _text(recipe, folder)
    try:
        values, at = parse_yaml(text)
    except NotYaml as error:
        place = f"{where}, line {error.line}" if error.line else where
        raise InputError(f"{place}: not a YAML file: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(k, str) for k in values):
        raise InputError(f"{where}: a recipe is a YAML mapping with `name`, `resolution`, ...; found something else")
    lines = {path: f"line {line}" for path, line in at.items()}
    for change in overrides:
        lines[_override(values, change)] = f"--set {change}"
    try:
        kind = kind_of(values)
    except UnknownKind as error:
        place = ", ".join([where, *filter(None, [lines.get((error.name,))])])
        raise InputError(f"{place}: {error}") from None
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError(_sentence(error, where, lines, kind, sections_of(values))) from None


def _text(recipe: str | Path, folder: str) -> tuple[str, str]:
    names = _zoo_files(folder)
    path = Path(recipe)
    if path.is_dir():
        path = path / "recipe.yaml"
    named = names.get(str(recipe))
    if named is not None and not is_named(path):
        return f"recipe {recipe}", named.read_text(encoding="utf-8")
    if is_named(path):
        return shown(path), read_text(path, MOST_BYTES)
    near = difflib.get_close_matches(str(recipe), names, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"the zoo has {', '.join(sorted(names))}"
    raise InputError(f"no recipe named '{recipe}' and no such file; {hint}")


def _override(values: dict[str, Any], change: str) -> tuple[str, ...]:
    key, sign, text = change.partition("=")
    path = tuple(key.strip().split("."))
    if not sign or not all(path):
        raise InputError(f"--set {change}: write it as section.name=value, for example training.batch_size=32")
    try:
        value, _ = parse_yaml(text)
    except NotYaml as error:
        raise InputError(f"--set {change:.60}: the value after '=' is not YAML ({error})") from None
    section = values
    for name in path[:-1]:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise InputError(f"--set {change}: '{name}' is a value, not a section")
    section[path[-1]] = value
    return path


def _sentence(
    error: ValidationError,
    where: str,
    lines: dict[tuple[str, ...], str],
    kind: type[Section],
    sections: Mapping[str, type[Section]],
) -> str:
    first = error.errors()[0]
    path = tuple(str(p) for p in first["loc"])
    name = ".".join(path)
    line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)
    place = where if line is None else f"{where}, {line}"
    if first["type"] == "extra_forbidden":
        section = sections.get(path[0]) if len(path) == 2 else None
        known = _names(kind, path[:-1]) if section is None else sorted(section.model_fields)
        near = difflib.get_close_matches(path[-1], known, 1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; known here: {', '.join(known) or 'none'}"
        return f"{place}: unknown name '{name}'{hint}"
    if first["type"] == "missing":
        return f"{place}: '{name}' is missing; add it"
    message = first["msg"].removeprefix("Value error, ")
    found = "" if first["type"] == "value_error" else f" (found {first['input']!r:.60})"
    return f"{place}: {name + ': ' if name else ''}{message}{found}"


def _names(kind: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """Return the names known in the section at `path` of a recipe."""
    models = [kind]
    for name in path:
        fields = [model.model_fields[name] for model in models if name in model.model_fields]
        models = [inner for field in fields for inner in _models_in(field.annotation)] or models
    return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
