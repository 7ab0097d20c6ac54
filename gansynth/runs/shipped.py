"""What ships trained: the folders of the zoo, what each of them is and knows, read without loading a network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from gansynth.recipes.reading import ZOO

Kind = Literal["generator", "cell encoder", "cell detector"]

_MARK: dict[Kind, tuple[str, str]] = {
    "generator": ("model.safetensors", "run.json"),
    "cell encoder": ("encoder.safetensors", "encoder.json"),
    "cell detector": ("detector.safetensors", "detector.json"),
}
"""By what a folder shows what it is: its weights, and the file that describes them."""


@dataclass(frozen=True)
class Shipped:
    """A trained model of the zoo.

    Attributes
    ----------
    name : str
    kind : "generator", "cell encoder" or "cell detector"
    folder : pathlib.Path
    """

    name: str
    kind: Kind
    folder: Path

    @cached_property
    def info(self) -> dict[str, Any]:
        """What its ``run.json``, ``encoder.json`` or ``detector.json`` holds."""
        text = (self.folder / _MARK[self.kind][1]).read_text(encoding="utf-8")
        info: dict[str, Any] = json.loads(text)
        return info

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that it makes, encodes or finds."""
        return tuple(self.info["thresholds"] if self.kind == "cell detector" else self.info["class_names"])


def shipped(kind: Kind) -> list[Shipped]:
    """Return the trained models of one kind that ship, by name.

    Examples
    --------
    >>> [(model.name, len(model.class_names)) for model in shipped("cell encoder")]
    [('pbc-encoder', 11)]
    """
    root = Path(str(resources.files(ZOO)))
    folders = sorted(path for path in root.iterdir() if all((path / file).is_file() for file in _MARK[kind]))
    return [Shipped(folder.name, kind, folder) for folder in folders]


def zoo_models() -> list[str]:
    """Return the names of the trained generators that ship, sorted."""
    return [model.name for model in shipped("generator")]
