"""The text of a recipe: YAML to values and the lines they stand on, or one sentence about what is wrong."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from typing import Any

import yaml

MOST_BYTES = 1_000_000
"""A recipe has two thousand."""
DEEPEST = 10
"""Lists and mappings inside each other; a recipe has three."""


class NotYaml(ValueError):
    """Text that is not YAML, or more than a recipe needs of it.

    Attributes
    ----------
    line : int or None
        Where, counted from 1.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def parse_yaml(text: str) -> tuple[Any, dict[tuple[str, ...], int]]:
    """Return the values in a YAML text, and for every path of names in it the line it starts on.

    Raises
    ------
    NotYaml
        Also for an alias (a few lines of them stand for more values than a machine can hold, or for themselves), and
        for a tag such as ``!!timestamp``, which no recipe needs.
    """
    if len(text) > MOST_BYTES:
        raise NotYaml(f"more than {MOST_BYTES / 1e6:g} MB of text")
    values, lines = _parsed(text)
    return deepcopy(values), dict(lines)


@lru_cache(maxsize=100)  # a study opens the same few recipes again and again, and YAML is slow to read
def _parsed(text: str) -> tuple[Any, dict[tuple[str, ...], int]]:
    try:
        _refuse_bombs(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return None if node is None else loader.construct_document(node), _lines(node)
    except NotYaml:
        raise
    # PyYAML's own errors, and those that impossible dates and endless numbers raise inside it.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise NotYaml(problem, mark.line + 1 if mark else None) from None


def _refuse_bombs(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            raise NotYaml(f"found the alias *{event.anchor}; write the value out", line)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise NotYaml(f"found the tag {tag.replace('tag:yaml.org,2002:', '!!'):.40}; write the plain value", line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise NotYaml(f"more than {DEEPEST} lists or mappings inside each other", line)


def _lines(node: yaml.Node | None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            found[here] = key.start_mark.line + 1
            found |= _lines(value, here)
    return found
