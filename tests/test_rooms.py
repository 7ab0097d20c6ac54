"""Claims about the house: a room imports only rooms to its left, and nothing imports in a circle.

Every import is read from the source, those inside functions and for type checkers as well.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gansynth"

GROUND = {"errors", "version", "plugins", "files", "runs", "networks", "metrics", "recipes", "zoo"}
"""The ground floor: what is here knows no room above."""

ORDER = (
    "data", "cells", "smears", "gans", "synthesis", "remedies", "classifiers", "studies", "report", "doctor",
    "forecast", "demo", "cli",
)  # fmt: skip
"""The rooms from left to right, as docs/architecture.md draws them."""

FACE = {"__init__", "__main__"}
"""`gansynth` itself hands on names of all rooms, and `python -m gansynth` runs the command line."""

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""(module, module that it may import all the same): why."""


def name_of(path: Path) -> str:
    parts = ("gansynth", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, frozenset[str]]:
    """Return the modules of gansynth that each of its modules names in an import."""
    files = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {}
    for module, path in files.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        named = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    above = package.split(".")[: len(package.split(".")) - node.level + 1]
                    base = ".".join([*above, *filter(None, [node.module])])
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    named.add(inner if inner in files else base)
        found[module] = frozenset(name for name in named if name in files and name != module)
    return found


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def test_every_room_has_its_place() -> None:
    rooms = {room_of(module) for module in imports()}
    unplaced = rooms - GROUND - set(ORDER) - FACE
    assert not unplaced, f"say in ORDER or GROUND where they stand: {sorted(unplaced)}"
    assert not set(ORDER) - rooms, "a room that is not there"


@pytest.mark.parametrize("room", [*sorted(GROUND), *ORDER])
def test_a_room_imports_only_rooms_to_its_left(room: str) -> None:
    allowed = GROUND | {room} | (set(ORDER[: ORDER.index(room)]) if room in ORDER else set())
    wrong = [
        f"{module} imports {other}"
        for module, others in imports().items()
        for other in sorted(others)
        if room_of(module) == room and room_of(other) not in allowed and (module, other) not in EXCEPTIONS
    ]
    assert not wrong, "\n".join(wrong)


def test_exceptions_are_still_needed() -> None:
    gone = [pair for pair in EXCEPTIONS if pair[1] not in imports().get(pair[0], ())]
    assert not gone, gone


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: set(others) for module, others in imports().items() if room_of(module) not in FACE}
    size = -1
    while len(graph) != size:
        size = len(graph)
        named = set().union(*graph.values()) if graph else set()
        graph = {module: others & graph.keys() for module, others in graph.items() if module in named}
        graph = {module: others for module, others in graph.items() if others}
    circle = {module: sorted(others & graph.keys()) for module, others in graph.items()}
    assert not circle, circle


def test_shelves_hide_no_name_that_their_room_hands_on() -> None:
    """A folder of the same name as a function would take its place once it is imported."""
    for init in PACKAGE.rglob("__init__.py"):
        tree = ast.parse(init.read_text(encoding="utf-8"))
        handed = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        shelves = {path.parent.name for path in init.parent.glob("*/__init__.py")}
        hidden = handed & shelves
        assert not hidden, f"{init}: {sorted(hidden)}"
