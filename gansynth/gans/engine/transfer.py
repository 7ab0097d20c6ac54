"""Begin a training with the players of another: a generator that knows cells learns new ones from fewer.

Not the same as resuming: the step number starts anew, optimizers are fresh, data, classes and recipe may differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.files import NoSuchFile, as_seen, read_json
from gansynth.files.regular import file_sha256
from gansynth.gans.engine.ema import Ema
from gansynth.gans.gan import GAN
from gansynth.gans.run import Run
from gansynth.networks.projected import ProjectedCritic
from gansynth.runs.folder import INFO, MODEL
from gansynth.runs.state_files import newest_state
from gansynth.runs.weights import read_weights


@dataclass(frozen=True)
class Lineage:
    """The run that a training began with, as its run.json says under "parent".

    Attributes
    ----------
    name : str
    step, images, seconds
        How far it was trained, all of its own.
    weights_sha256 : str
        Of the file with its players.
    classes : mapping of class to (class or None)
        As which of its classes each class begins; None for the mean of all.
    pretrained : mapping of str to str
        The sha256 of each pretrained network that a player of it looked through, by name.
    parent : Lineage or None
        What it began with itself.
    training_sha256 : tuple of str
        Every image that it, or its own parent, was trained on: they are training images of the child too.
    """

    name: str
    step: int = 0
    images: int = 0
    seconds: float = 0.0
    weights_sha256: str = ""
    classes: Mapping[str, str | None] = field(default_factory=dict)
    pretrained: Mapping[str, str] = field(default_factory=dict)
    parent: Lineage | None = None
    training_sha256: tuple[str, ...] = ()

    @property
    def images_before(self) -> int:
        """How many images it, its parent and so on have seen, each in its own training.

        Examples
        --------
        >>> Lineage("b", images=3200, parent=Lineage("a", images=6400)).images_before
        9600
        """
        return self.images + (0 if self.parent is None else self.parent.images_before)

    @property
    def resemblances(self) -> str:
        """What is said of the classes that it does not know by name, if any.

        Examples
        --------
        >>> Lineage("pbc-64", classes={"basophil": "basophil", "ig": "myelocyte"}).resemblances
        'pbc-64 has no class of these names; they begin as its classes that they resemble most: ig as myelocyte'
        """
        begun = [
            f"{name} as {own or 'the mean of all'}"
            for name, own in self.classes.items()
            if own is None or as_seen(own) != as_seen(name)
        ]
        if not begun:
            return ""
        what = "has no class of these names; they begin as its classes that they resemble most"
        return f"{self.name} {what}: {', '.join(begun)}"

    def to_json(self) -> dict[str, Any]:
        """Return what run.json holds: of its parents all but their images, which are among its own."""
        above = None if self.parent is None else replace(self.parent, training_sha256=()).to_json()
        return {**vars(self), "parent": above, "training_sha256": list(self.training_sha256)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Lineage:
        """Read what `to_json` wrote, and what earlier releases of the zoo's models say; KeyError or TypeError where it
        does not say which images it has seen."""
        known = {one.name: found[one.name] for one in fields(cls) if one.name in found}
        above = known.get("parent")
        seen = tuple(map(str, found["training_sha256"]))
        parent = None if above is None else cls.from_json({"training_sha256": (), **above})
        return cls(**known | {"parent": parent, "training_sha256": seen})


def transfer(parent: Run, gan: GAN, ema: Ema, training: CellDataset) -> Lineage:
    """Copy the parent's players, and its slow generator, into a GAN.

    A parent without a state, as the zoo's models are, gives its generator; the other players then begin untrained.
    What belongs to a class (a row of an embedding or of a last layer) goes to the class of the same name. A class that
    the parent does not know starts as the one that it resembles most, by the parent's independent classifier on its
    training images; as the mean of all where the parent has no such classifier. Weights that the parent does not have
    keep their start.

    Heads on pretrained features go to the child's, whether their player is the critic or one beside it.

    A parent of another image size gives its generator, whose layers are counted from the smallest map, and such heads;
    a layer of RGB that it does not have begins at zero, so that the child draws what the parent does, only larger
    (Karras et al. 2018, "Progressive growing of GANs", figure 2). Its critic and its classifier are of its own size and
    are left behind.

    Returns
    -------
    Lineage

    Raises
    ------
    InputError
        If the parent's players do not fit the child's recipe.
    """
    file, tensors = _players(parent)
    begins_as = beginnings(parent, training)
    rows = [-1 if row is None else row for row in begins_as.values()]
    resized = parent.recipe.resolution != gan.recipe.resolution
    heads = [name for name, player in gan.named_children() if isinstance(player, ProjectedCritic)]
    for player in heads:
        tensors |= _heads_for(player, tensors)
    for prefix, network in (("gan.", gan), ("ema.", ema.network)):
        weights = network.state_dict()
        for name, own in weights.items():
            layer = name if network is gan else f"generator.{name}"
            if resized and layer.partition(".")[0] not in ("generator", *heads):
                continue
            given = tensors.get(prefix + name)
            if given is None and resized and layer.endswith("to_rgb.weight"):
                own.zero_()
            if given is not None and own.is_floating_point():  # counts and assignments begin anew
                if _per_class(layer):
                    given = _by_class(given, len(own), rows, len(parent.class_names))
                elif layer == LABEL_COLUMNS:
                    given = _by_class(given.t(), own.shape[1], rows, len(parent.class_names)).t()
                weights[name] = _fitted(given, own, f"run {parent.name}: {name}")
        network.load_state_dict(weights)
    above = parent.info.get("parent")
    return Lineage(
        name=parent.name,
        step=parent.step,
        images=parent.images,
        seconds=parent.seconds,
        weights_sha256=file_sha256(file),
        classes={name: None if row is None else parent.class_names[row] for name, row in begins_as.items()},
        pretrained=parent.info.get("pretrained", {}),
        parent=None if above is None else Lineage.from_json(above),
        training_sha256=tuple(sorted(parent.training_sha256)),
    )


def beginnings(parent: Run, training: CellDataset) -> dict[str, int | None]:
    """Return which class of the parent each class begins as; None for the mean of all.

    A class that the parent does not know by name begins as the one that it resembles most, of those that no other class
    has by name: whoever keeps basophils in a class of their own says that the rest are others.
    """
    rows = {as_seen(name): row for row, name in enumerate(parent.class_names)}
    found: dict[str, int | None] = {name: rows.get(as_seen(name)) for name in training.class_names}
    classifier = parent.independent_classifier() if None in found.values() else None
    if classifier is not None:
        taken = [row for row in found.values() if row is not None]
        free = np.ones(len(parent.class_names), dtype=bool)
        free[taken] = len(taken) == len(free)
        for c, name in enumerate(training.class_names):
            if found[name] is None:
                images = training.images[np.flatnonzero(training.labels == c)[:ENOUGH_TO_COMPARE]]
                found[name] = int(np.where(free, classifier(images).mean(axis=0), -1.0).argmax())
    return found


def _players(parent: Run) -> tuple[Path, dict[str, Tensor]]:
    """Return the file that holds the parent's players, and its tensors under the names that a state gives them."""
    state = newest_state(parent.path)
    if state is not None:
        tensors = read_weights(state)[0]
        for prefix in ("gan.generator.", "ema."):
            if not any(name.startswith(prefix) for name in tensors):
                raise InputError(
                    f"{state}: holds no weights of a generator; restore it, or remove {state.parent} to begin with "
                    f"{MODEL} alone"
                )
        return state, tensors
    file = parent.path / MODEL
    slow = {name.removeprefix("generator."): tensor for name, tensor in read_weights(file)[0].items()}
    return file, {f"{prefix}.{name}": t for prefix in ("gan.generator", "ema") for name, t in slow.items()}


def _heads_for(own: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the parent's heads on pretrained features under the names they have in the child's player `own`."""
    parts = {name: name.partition(".heads.") for name in tensors if name.startswith("gan.")}
    return {f"gan.{own}.heads.{rest}": tensors[name] for name, (_, heads, rest) in parts.items() if heads}


def inherited(folder: Path) -> Lineage | None:
    """Return what `transfer` returned when the run in `folder` began, or None.

    Raises
    ------
    InputError
        If the folder has a ``run.json`` that does not say: what the parent has seen would be forgotten.
    """
    try:
        parent = read_json(folder / INFO)["parent"]
        return None if parent is None else Lineage.from_json(parent)
    except NoSuchFile:
        return None
    except (KeyError, TypeError):
        raise InputError(
            f"{folder / INFO}: does not say which run it began with; it was cut off or edited, so restore it"
        ) from None


ENOUGH_TO_COMPARE = 256
"""Images of a class that decide which of the parent's classes it resembles."""

LABEL_COLUMNS = "generator.fully_connected.weight"
"""The generator of hazra2022 takes latent and one-hot label side by side: the last columns are classes."""


def _per_class(name: str) -> bool:
    """Other layers of classes have them in their rows, and go by these names in every network of the project."""
    return any(part in name for part in ("embedding.", "projection.", "logits."))


def _by_class(given: Tensor, n_own: int, rows: Sequence[int], n_given: int) -> Tensor:
    """Return the rows of `given`, of which the last `n_given` are classes, for the classes `rows` (-1: unknown).

    Left as it is, for `_fitted` to refuse, where that does not give `n_own` rows.
    """
    others = len(given) - n_given
    if others < 0 or others + len(rows) != n_own:
        return given
    classes = given[others:]
    by_class = torch.cat([classes, classes.float().mean(dim=0, keepdim=True).to(given.dtype)])
    chosen = by_class[torch.tensor([row if row >= 0 else n_given for row in rows])]
    return torch.cat([given[:others], chosen])


def _fitted(given: Tensor, own: Tensor, what: str) -> Tensor:
    if given.shape != own.shape:
        raise InputError(
            f"{what} is {list(given.shape)} and should be {list(own.shape)}; start from a run of the same networks"
        )
    return given
