"""How a comparison is carried out: what beside data, arms and classifiers it may be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from gansynth.errors import InputError
from gansynth.remedies import GanBudget

Protocol = Literal["clean", "paper"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
PRIMARY = ("macro-F1", "balanced-accuracy")
"""What may be the endpoint of all classes together; beside it stands the recall of each rare class."""

Groups = Mapping[str, Sequence[str]]
"""Superclasses with their classes."""


@dataclass(frozen=True)
class ComparisonSettings:
    """How a comparison is carried out.

    Attributes
    ----------
    seeds : int, optional
        Trainings of each arm on each fold: `seed`, `seed` + 1, ... Default: 3.
    folds : int, optional
        Every real image is tested once, and GANs are trained anew in each fold. Default: one split, the data's own or
        one made here.
    doses : sequence of float
        Each arm that takes a dose is compared at each of these: the share of the way to balance, 0 none, more than 1
        more than balance.
    rarity : mapping of str to int
        Training images to keep of some classes; the rest of them leave the experiment.
    rare : sequence of str
        Classes whose recall is an endpoint. Default: those of `rarity`; else those with fewer than a tenth of the
        largest class's training images; else the smallest.
    tree : path-like or mapping of superclass to classes, optional
        Superclasses at whose level the same arms are reported too. Default: granulocytes and agranulocytes, where
        classes are known to be such (`gansynth.data.label_tree.known_tree`).
    protocol : "clean" or "paper"
        "paper" balances before it splits (hazra2022): for its tables only.
    endpoint : str
        The primary endpoint, "macro-F1" or "balanced-accuracy".
    swap : bool
        Also train on synthetic images alone, and let classifiers of real images predict synthetic ones.
    robustness : bool
        Also test every classifier on the same cells as other laboratories would show them
        (`gansynth.cells.spoiling.SPOILINGS`).
    size, epochs : int, optional
        For all classifiers, instead of what their recipes say.
    changes, gan_changes : sequence of str
        Changes to the classifiers' and the GANs' recipes, such as ``"training.batch_size=32"``.
    gan_images, gan_minutes : optional
        How long each GAN is trained, instead of its recipe's steps.
    min_confidence : float, optional
        Keep only synthetic images that a classifier beside the GAN gives this probability of their class.
    jobs : int, optional
        Cells of the grid at a time. Default: what a `joblib.parallel_config` around the call says, else as many as
        there are cores and memory, one on a GPU.
    seed : int
        The first seed; also that of the split, of the remedies and of the GANs.
    device : str
    weights_dir : path-like, optional
        Where the weights of pretrained backbones are.

    Raises
    ------
    InputError
        For what is impossible, or does not go together.
    """

    seeds: int | None = None
    folds: int | None = None
    doses: Sequence[float] = ()
    rarity: Mapping[str, int] = field(default_factory=dict)
    rare: Sequence[str] = ()
    tree: str | Path | Groups | None = None
    protocol: Protocol = "clean"
    endpoint: str = "macro-F1"
    swap: bool = False
    robustness: bool = False
    size: int | None = None
    epochs: int | None = None
    changes: Sequence[str] = ()
    gan_images: int | None = None
    gan_minutes: float | None = None
    gan_changes: Sequence[str] = ()
    min_confidence: float | None = None
    jobs: int | None = None
    seed: int = 0
    device: str = "auto"
    weights_dir: str | Path | None = None

    def __post_init__(self) -> None:
        for name in ("seeds", "jobs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"--{name} {value}: give at least 1")
        if self.protocol not in PROTOCOLS:
            raise InputError(f"--protocol {self.protocol}: choose {' or '.join(PROTOCOLS)}")
        if self.endpoint not in PRIMARY:
            raise InputError(f"--endpoint {self.endpoint}: choose {' or '.join(PRIMARY)}")
        if self.protocol == "paper" and (self.folds is not None or self.swap or self.robustness):
            raise InputError(
                "--protocol paper divides the balanced images once; leave out --folds, --swap and --robustness"
            )
        wrong = [dose for dose in self.doses if not 0 <= dose <= 100]
        if wrong:
            raise InputError(f"--doses: {wrong[0]:g} is not a number from 0 to 100; 1 is balance")

    @property
    def budget(self) -> GanBudget:
        """How long each GAN is trained."""
        return GanBudget(self.gan_images, self.gan_minutes)
