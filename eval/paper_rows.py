"""What the five papers do, measure and claim, row by row, and where it is here: read from `papers/*.yaml`.

A row is a part of the data, of a method, a figure of merit, a row or a block of a table, a figure, or a claim that can
be tested. Left out is what a paper only cites of others, and diagrams of its own process. Status:

whole     the product does it as the paper says; of a table, our number stands beside the paper's, of the same network
          and the same remedy (cells, their size and number are others, which is said with the table)
part      something of it is missing, which `why` names
missing   nothing here does it

What stands under `in` must exist, and `tests/eval/test_paper_rows.py` asks each:

    gansynth data import --classes            a command and its options
    recipe NAME, classifier NAME [--set ...]  recipes of the zoo, with values that they accept
    remedy NAME, metric NAME, score NAME      registered; a metric of image sets, a score of classifiers
    PATH, PATH.py:NAME, PATH.md#HEADING       a file, what is defined in it, how a heading of it begins
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import yaml

from gansynth.errors import InputError

PAPERS = Path(__file__).parent / "papers"
ROOT = Path(__file__).parents[1]
ORDER = ("hazra2022", "guo2022", "pasupa2020", "alkrimi2023", "abouali2023")

Status = Literal["whole", "part", "missing"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class PaperRow:
    """One thing that a paper does, measures or claims.

    Attributes
    ----------
    paper : str
    number : int
        Its place in the paper's list, from 1.
    what, where : str
        In our words; section, equation, table or figure.
    found_in : tuple of str
        Where it is here, in the forms that the module names.
    status : "whole", "part" or "missing"
    why : str
        What is missing; "" where it is whole.
    takes : str
        What it would take; "" where it is whole.
    note : str
        What a reader of the paper should know of a row that is whole.
    """

    paper: str
    number: int
    what: str
    where: str
    found_in: tuple[str, ...]
    status: Status
    why: str = ""
    takes: str = ""
    note: str = ""

    @property
    def said(self) -> str:
        """Why it is not whole and what it would take, or the note."""
        if self.status == "whole":
            return self.note
        return f"{self.why} It would take {self.takes}." if self.takes else self.why


def read_rows(folder: Path = PAPERS, papers: Sequence[str] = ORDER) -> dict[str, list[PaperRow]]:
    """Return the rows of every paper.

    Raises
    ------
    InputError
        If a row lacks something, or says why it is whole or nothing of what is missing.
    """
    return {name: _rows(name, folder / f"{name}.yaml") for name in papers}


def _rows(paper: str, file: Path) -> list[PaperRow]:
    found = []
    for number, said in enumerate(yaml.safe_load(file.read_text(encoding="utf-8"))["rows"], 1):
        place = f"{file.name}, row {number}"
        unknown = set(said) - {"what", "where", "in", "status", "why", "takes", "note"}
        lacking = {"what", "where", "in", "status"} - set(said)
        if unknown or lacking:
            raise InputError(f"{place}: {', '.join(sorted(unknown | lacking))}: unknown or lacking")
        if said["status"] not in STATUSES:
            raise InputError(f"{place}: status '{said['status']}'; it is one of {', '.join(STATUSES)}")
        row = PaperRow(
            paper, number, said["what"], str(said["where"]), tuple(said["in"]), said["status"],
            said.get("why", ""), said.get("takes", ""), said.get("note", ""),
        )  # fmt: skip
        whole = row.status == "whole"
        if whole != (not row.why) or (row.takes and whole) or (row.note and not whole):
            raise InputError(f"{place}: a row that is whole has a note, others say why they are not and what it takes")
        if (row.status == "missing") != (not row.found_in):
            raise InputError(f"{place}: what is missing is nowhere, and everything else is somewhere")
        found.append(row)
    return found


def count(rows: Sequence[PaperRow]) -> dict[Status, int]:
    """Return how many rows have each status."""
    return {status: sum(row.status == status for row in rows) for status in STATUSES}


def absent(reference: str, root: Path = ROOT) -> str:
    """Return what of a reference does not exist, in words; "" where all of it does.

    Examples
    --------
    >>> absent("remedy cb-focal"), absent("remedy wishing")
    ('', "there is no remedy 'wishing'")
    >>> absent("eval/paper_rows.py:absent"), absent("eval/paper_rows.py:present")
    ('', "eval/paper_rows.py defines no 'present'")
    """
    kind, _, rest = reference.partition(" ")
    if kind == "gansynth":
        return _absent_command(rest.split())
    if kind in ("recipe", "classifier"):
        name, _, changes = rest.partition(" --set ")
        return _absent_recipe(kind, name, changes.split())
    if kind in ("remedy", "metric", "score"):
        return "" if rest in _registered(kind) else f"there is no {kind} '{rest}'"
    return _absent_place(reference, root)


def _absent_command(words: Sequence[str]) -> str:
    import click

    from gansynth.cli import gansynth

    command: click.Command = gansynth
    names = [word for word in words if not word.startswith("-")]
    for name in names:
        commands = command.commands if isinstance(command, click.Group) else {}
        if name not in commands:
            return f"there is no command 'gansynth {' '.join(names)}'"
        command = commands[name]
    known = {option for parameter in command.params for option in parameter.opts}
    return next((f"gansynth {' '.join(names)} has no {w}" for w in words if w.startswith("-") and w not in known), "")


def _absent_recipe(kind: str, name: str, changes: Sequence[str]) -> str:
    from gansynth.recipes import load_recipe, recipe_names
    from gansynth.recipes.classifier import classifier_recipe_names, load_classifier_recipe

    names, load = {
        "recipe": (recipe_names, load_recipe),
        "classifier": (classifier_recipe_names, load_classifier_recipe),
    }[kind]
    if name not in names():
        return f"there is no {kind} '{name}'"
    try:
        load(name, changes)
    except InputError as error:
        return str(error)
    return ""


def _registered(kind: str) -> set[str]:
    from gansynth.metrics import catalogue, classification
    from gansynth.remedies import remedy_names

    if kind == "metric":
        return set(catalogue.METRICS)
    return set(remedy_names()) if kind == "remedy" else {*classification.OVERALL, *classification.OF_CLASS}


def _absent_place(reference: str, root: Path) -> str:
    path, mark, part = re.fullmatch(r"([^:#]+)([:#]?)(.*)", reference).groups()  # type: ignore[union-attr]
    file = root / path
    if not file.exists():
        return f"there is no {path}"
    if mark == ":":
        return "" if part in _defined(file) else f"{path} defines no '{part}'"
    if mark == "#":
        lines = file.read_text(encoding="utf-8").splitlines()
        begins = re.compile(rf"#+ {re.escape(part)}(?!\d)")
        return "" if any(begins.match(line) for line in lines) else f"{path} has no heading '{part}'"
    return ""


def _defined(file: Path) -> set[str]:
    """Return the names that a module defines at its top, and the methods of its classes as Class.method."""
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            names |= {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return names
