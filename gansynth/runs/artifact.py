"""Artifacts: what is trained, in a folder or in the zoo. What each is, knows and has seen, without its network."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from gansynth.errors import InputError, nearest_name
from gansynth.files import NoSuchFile, read_json, read_text, shown
from gansynth.recipes.reading import ZOO
from gansynth.recipes.text import MOST_BYTES
from gansynth.runs.folder import INFO, MODEL, RECIPE

Kind = Literal["generator", "classifier", "cell encoder", "cell detector"]


@dataclass(frozen=True)
class _About:
    """A kind of artifact: the files of its weights and of what describes them, and what users hear of it."""

    weights: str
    info: str
    wanted: str  # "no ... 'name'"
    give: str
    instead: str


_ABOUT: dict[Kind, _About] = {
    "generator": _About(
        MODEL, INFO, "run folder and no trained model", "give the folder that train-gan wrote",
        "a generator: it makes cells and cannot say what a cell is",
    ),
    "classifier": _About(
        MODEL, INFO, "classifier's folder", "give the folder that train-classifier wrote",
        "a classifier: `gansynth classify` and `explain` ask it what cells are",
    ),
    "cell encoder": _About(
        "encoder.safetensors", "encoder.json", "folder and no cell encoder", "give a folder that has one",
        "a cell encoder: `gansynth quality --encoder` measures cells with it",
    ),
    "cell detector": _About(
        "detector.safetensors", "detector.json", "folder and no cell detector", "give a folder that has one",
        "a cell detector: `gansynth data crop --detector` finds cells with it",
    ),
}  # fmt: skip
MOST_CLASSES = 10_000
"""No laboratory distinguishes so many; more of them in a file take hours to be gone through."""

_KINDS: tuple[Kind, ...] = tuple(_ABOUT)
_TRAIN_ONE = (
    "no classifier ships trained, so train one with `gansynth train-classifier DATA --out runs/classifier`, then "
    "`gansynth classify runs/classifier IMAGES`"
)


@dataclass(frozen=True)
class Artifact:
    """A trained thing in a folder.

    Attributes
    ----------
    kind : "generator", "classifier", "cell encoder" or "cell detector"
    folder : pathlib.Path
    """

    kind: Kind
    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return Path(os.path.abspath(self.folder)).name  # "." and ".." have none

    @property
    def weights(self) -> Path:
        """The file of its weights."""
        return self.folder / _ABOUT[self.kind].weights

    @cached_property
    def info(self) -> dict[str, Any]:
        """What its ``run.json``, ``encoder.json`` or ``detector.json`` holds.

        Raises
        ------
        InputError
            If there is no such file, or it cannot be read.
        """
        about = _ABOUT[self.kind]
        try:
            info = read_json(self.folder / about.info)
        except NoSuchFile:
            raise InputError(
                f"{shown(self.folder)}: is not a {self.kind} (it has no {about.info}); {about.give}"
            ) from None
        except (OSError, ValueError):
            info = None
        if not isinstance(info, dict):
            raise self.edited()
        return info

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that it makes, distinguishes, encodes or finds."""
        try:
            names = tuple(
                str(name) for name in self.info["thresholds" if self.kind == "cell detector" else "class_names"]
            )
        except (KeyError, TypeError):
            raise self.edited() from None
        if len(names) > MOST_CLASSES:
            raise InputError(
                f"{shown(self.folder)}: names {len(names):,} classes, more than {MOST_CLASSES:,}; it was edited, so "
                "restore it"
            )
        return names

    @cached_property
    def training_sha256(self) -> frozenset[str]:
        """The sha256 of every image that it, or the one that it began with, was trained on.

        Raises
        ------
        InputError
            If a generator does not say it: nothing can be tested then.
        """
        if self.kind != "generator":
            return frozenset(self.info.get("training_sha256", ()))
        try:
            parent, own = self.info["parent"], self.info["training_sha256"]
            before = () if parent is None else parent["training_sha256"]
            if own and all(isinstance(one, str) for one in (*own, *before)):
                return frozenset(own) | frozenset(before)
        except (KeyError, TypeError):
            pass
        raise InputError(
            f"{shown(self.folder / INFO)}: does not say what the run was trained on; it was cut off or edited, so "
            "restore it"
        )

    def edited(self) -> InputError:
        """Return what is said where the file that describes it cannot be read."""
        return InputError(
            f"{shown(self.folder / _ABOUT[self.kind].info)}: cannot be read; the {self.kind} was cut off or edited"
        )


def shipped(kind: Kind) -> list[Artifact]:
    """Return the trained models of one kind that ship, by name.

    Examples
    --------
    >>> [(model.name, len(model.class_names)) for model in shipped("cell encoder")]
    [('pbc-encoder', 11)]
    """
    root = Path(str(resources.files(ZOO)))
    return [Artifact(kind, path) for path in sorted(root.iterdir()) if path.is_dir() and _is(kind, path)]


def zoo_models() -> list[str]:
    """Return the names of the trained generators that ship, sorted."""
    return [model.name for model in shipped("generator")]


def kind_of(folder: Path) -> Kind | None:
    """Return what lies in a folder, finished or not; None where it is nothing that was trained."""
    return next((kind for kind in _KINDS if _is(kind, folder)), None)


def _is(kind: Kind, folder: Path) -> bool:
    if kind in ("cell encoder", "cell detector"):
        return (folder / _ABOUT[kind].info).is_file()
    recipe, key = folder / RECIPE, "gan" if kind == "generator" else "classifier"
    return recipe.is_file() and bool(re.search(rf"^{key}:", read_text(recipe, MOST_BYTES), re.MULTILINE))


def find_artifact(name_or_path: str | Path, kind: Kind) -> Artifact:
    """Find what is trained by its folder, or by its name in the zoo.

    A folder of that name hides what the zoo has only where something was trained in it.

    Raises
    ------
    InputError
        If there is neither, with a near miss among the zoo's names; or if it is of another kind, with what that is and
        what fits.

    Examples
    --------
    >>> find_artifact("pbc-64", "generator").class_names[9]
    'promyelocyte'
    """
    folder = Path(name_or_path)
    inside = kind_of(folder) if folder.is_dir() else None
    if inside is None:
        known = {model.name: model for one in _KINDS for model in shipped(one)}
        if str(name_or_path) not in known and not folder.is_dir():
            raise InputError(_unknown(str(name_or_path), kind))
        found = known.get(str(name_or_path), Artifact(kind, folder))
        other = None if found.kind == kind else found.kind
    else:
        found, other = Artifact(kind, folder), None if _is(kind, folder) else inside
    if other is not None:
        raise InputError(f"{shown(folder)}: is {_ABOUT[other].instead}; {_what_fits(kind)}")
    return found


def _unknown(name: str, kind: Kind) -> str:
    known = [model.name for model in shipped(kind)]
    near = nearest_name(name, known)
    hint = f"did you mean '{near}'?" if near else f"the zoo has {', '.join(known)}" if known else _TRAIN_ONE
    return f"no {_ABOUT[kind].wanted} '{name}'; {hint}"


def _what_fits(kind: Kind) -> str:
    known = [model.name for model in shipped(kind)]
    if not known:
        return _TRAIN_ONE
    *others, last = known
    return f"of the zoo, {' or '.join(filter(None, [', '.join(others), last]))} fits here"
