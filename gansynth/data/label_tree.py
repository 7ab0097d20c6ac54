"""Two levels of labels: superclasses such as granulocyte and agranulocyte, and the classes in them.

alkrimi2023 (section 2.1, table 2) classifies leukocytes at both levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gansynth.data.mapping import plain_type
from gansynth.errors import InputError
from gansynth.files import known_classes, read_text
from gansynth.recipes.text import MOST_BYTES, NotYaml, parse_yaml

GRANULOCYTE, AGRANULOCYTE = "granulocyte", "agranulocyte"
GRANULOCYTES = ("neutrophil", "eosinophil", "basophil")
IMMATURE_GRANULOCYTES = ("promyelocyte", "myelocyte", "metamyelocyte", "granulocyte")
AGRANULOCYTES = ("lymphocyte", "monocyte")

_FORM = "write superclass: [class, class, ...] on a line for each superclass"


@dataclass(frozen=True)
class LabelTree:
    """The classes of a data set and the superclass of each.

    Attributes
    ----------
    class_names : tuple of str
    parents : tuple of str
        The superclass of each class; a class that belongs to none is its own.

    Examples
    --------
    >>> tree = known_tree(["eosinophil", "basophil", "monocyte", "platelet"])
    >>> tree.superclasses
    ('granulocyte', 'agranulocyte', 'platelet')
    >>> tree.labels(np.array([1, 2, 3])).tolist()
    [0, 1, 2]
    """

    class_names: tuple[str, ...]
    parents: tuple[str, ...]

    @property
    def superclasses(self) -> tuple[str, ...]:
        """K names: those of several classes in the order of their first class, then classes of their own."""
        groups = self.groups()
        return tuple(sorted(groups, key=lambda name: groups[name] == [name]))

    def groups(self) -> dict[str, list[str]]:
        """Return the classes of each superclass."""
        found: dict[str, list[str]] = {}
        for name, parent in zip(self.class_names, self.parents, strict=True):
            found.setdefault(parent, []).append(name)
        return found

    def labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the superclass 0..K-1 of each label 0..C-1, of the same shape."""
        return self._places[labels]

    def probabilities(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of superclasses [..., K]: the sums over their classes in [..., C]."""
        return probabilities @ np.eye(len(self.superclasses))[self._places]

    @property
    def _places(self) -> NDArray[np.int64]:
        names = self.superclasses
        return np.array([names.index(parent) for parent in self.parents], np.int64)


def granulation(class_name: str) -> str | None:
    """Return "granulocyte" or "agranulocyte" for a mature white cell, None for any other class.

    Examples
    --------
    >>> granulation("band neutrophil"), granulation("monocyte"), granulation("platelet")
    ('granulocyte', 'agranulocyte', None)
    """
    last = class_name.lower().replace("_", " ").split(" ")[-1]
    if last in GRANULOCYTES:
        return GRANULOCYTE
    return AGRANULOCYTE if last in AGRANULOCYTES else None


def known_tree(class_names: Sequence[str]) -> LabelTree | None:
    """Return the tree that is built in for leukocytes.

    Granulocytes are neutrophils, eosinophils, basophils and, as the Barcelona set names them, immature granulocytes
    (promyelocytes, myelocytes, metamyelocytes); agranulocytes are lymphocytes and monocytes. Every other cell (blasts,
    erythroblasts, platelets) stands for itself.

    Returns
    -------
    LabelTree or None
        None where it adds nothing: no two classes have a superclass in common, or all have.
    """
    parents = [_known_parent(name) or name for name in class_names]
    useful = 2 <= len(set(parents)) < len(parents)
    return LabelTree(tuple(class_names), tuple(parents)) if useful else None


def tree_of(groups: Mapping[str, Sequence[str]], class_names: Sequence[str]) -> LabelTree:
    """Return a user's tree for the classes of a data set; a class in no superclass stands for itself.

    Raises
    ------
    InputError
        If a class is unknown or in two superclasses, if a superclass has the name of a class outside of it, or if only
        one superclass remains.
    """
    parent: dict[str, str] = {}
    for superclass, members in groups.items():
        for name in known_classes(members, class_names, f"label tree, {superclass}"):
            if name in parent:
                raise InputError(
                    f"label tree: '{name}' is in {parent[name]} and in {superclass}; put a class into one superclass"
                )
            parent[name] = superclass
    for superclass in groups:
        if superclass in class_names and parent.get(superclass) != superclass:
            raise InputError(
                f"label tree: superclass '{superclass}' has the name of a class that is not in it; rename it, or put "
                "the class into it"
            )
    found = LabelTree(tuple(class_names), tuple(parent.get(name, name) for name in class_names))
    if len(found.superclasses) < 2:
        raise InputError(f"label tree: all classes are in {found.superclasses[0]}; give two superclasses or more")
    return found


def read_groups(path: str | Path) -> dict[str, list[str]]:
    """Read a label tree, a YAML file such as ``granulocyte: [neutrophil, eosinophil, basophil]``.

    Raises
    ------
    InputError
        If there is no such file, or it holds something else.
    """
    try:
        values, _ = parse_yaml(read_text(path, MOST_BYTES))
    except InputError as error:
        raise InputError(f"{error} ({_FORM})") from None
    except NotYaml as error:
        place = f"{path}, line {error.line}" if error.line else str(path)
        raise InputError(f"{place}: not a YAML file: {error}; {_FORM}") from None
    if not isinstance(values, dict) or not values:
        raise InputError(f"{path}: a label tree is a YAML mapping; {_FORM}")
    for superclass, members in values.items():
        named = isinstance(members, list) and members and all(isinstance(name, str) for name in members)
        if not isinstance(superclass, str) or not named:
            raise InputError(f"{path}: '{superclass}' has no list of class names; {_FORM}")
    return values


def _known_parent(class_name: str) -> str | None:
    cell_type = plain_type(class_name)
    last = cell_type.lower().split(" ")[-1]
    return GRANULOCYTE if last in IMMATURE_GRANULOCYTES else granulation(cell_type)
