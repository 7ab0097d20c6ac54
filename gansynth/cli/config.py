"""`--config FILE`: a command's options from a YAML file, so that a whole study can be kept and run again.

The keys are the options without their dashes, and the arguments in small letters::

    data: my-cells
    remedies: [none, oversample-turned, runs/my-cells]
    rarity: {promyelocyte: 40}
    folds: 2
    out: compared

What is typed wins over what the file says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gansynth.cli.arguments import FOLDER
from gansynth.cli.screen import Rare
from gansynth.errors import InputError, nearest_name
from gansynth.files.text import read_text


def add_config_option(commands: click.Group) -> None:
    """Let every command of a group, and of the groups in it, take `--config`."""
    for command in commands.commands.values():
        if isinstance(command, click.Group):
            add_config_option(command)
        else:
            command.params.append(
                Rare(
                    ["--config"],
                    type=FOLDER,
                    metavar="FILE",
                    is_eager=True,
                    expose_value=False,
                    callback=_read,
                    help="Take options from a YAML file; those that are typed win.",
                )
            )


def _read(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None:
        context.default_map = {**(context.default_map or {}), **read_config(path, context.command)}


def read_config(path: Path, command: click.Command) -> dict[str, Any]:
    """Return what a file says of a command's parameters, by their names, as if it had been typed.

    Raises
    ------
    InputError
        If the file is not YAML, or a key is not an option of this command, or a value does not fit it; with the line.
    """
    from gansynth.recipes.text import MOST_BYTES, NotYaml, parse_yaml

    try:
        values, lines = parse_yaml(read_text(path, MOST_BYTES))
    except NotYaml as error:
        raise InputError(f"{_place(path, error.line)}: {error}; correct it") from None
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InputError(f"{path}: holds no options; write one on each line, as `folds: 2`")
    known = {_key(parameter): parameter for parameter in command.params if parameter.name not in ("config", "help")}
    found: dict[str, Any] = {}
    for key, value in values.items():
        where = _place(path, lines.get((str(key),)))
        parameter = known.get(str(key).replace("_", "-"))
        if parameter is None or parameter.name is None:
            near = nearest_name(str(key), list(known))
            hint = f"did you mean '{near}'?" if near else f"it has {', '.join(sorted(known))}"
            raise InputError(f"{where}: `{command.name}` has no option '{key}'; {hint}")
        if value is not None:
            found[parameter.name] = _typed(value, parameter, f"{where}: {key}")
    return found


def _key(parameter: click.Parameter) -> str:
    longest = max(parameter.opts, key=len)
    return longest.lstrip("-").lower().replace("_", "-")


def _typed(value: Any, parameter: click.Parameter, where: str) -> Any:
    """Return a value as it would have been typed."""
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise InputError(f"{where}: is {value!r}; write true or false")
        return value
    if isinstance(value, Mapping):
        value = [f"{name}={one}" for name, one in value.items()]
    if parameter.multiple or parameter.nargs != 1:
        return [_word(one, where) for one in (value if isinstance(value, list) else [value])]
    return ",".join(_quoted(_word(one, where)) for one in value) if isinstance(value, list) else _word(value, where)


def _word(value: Any, where: str) -> str:
    if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
        raise InputError(f"{where}: holds a list inside a list; write one list of words")
    if isinstance(value, bool):
        raise InputError(f"{where}: is {str(value).lower()}, and the option wants a word or a number")
    return str(value)


def _quoted(word: str) -> str:
    return f'"{word}"' if "," in word else word


def _place(path: Path, line: int | None) -> str:
    return str(path) if line is None else f"{path}, line {line}"
