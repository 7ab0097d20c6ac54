"""Where the numbers of `quality` come from: the two folders, their sizes, the judge, and what was asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from gansynth.studies.result_file import Json


@dataclass(frozen=True)
class RealSide:
    """The real images: where they are, how many were held out and how many may have been learned from.

    `split_known` says whether the folder came with its split.
    """

    path: str
    n: int
    n_held_out: int
    n_training: int
    data_sha256: str = ""
    split_known: bool = True


@dataclass(frozen=True)
class SyntheticSide:
    """The synthetic images."""

    path: str
    n: int
    data_sha256: str = ""


@dataclass(frozen=True)
class Encoder:
    """The cell encoder: how many real images it learned from, and the share of held-out ones that it recognises."""

    name: str
    sha256: str
    n_training: int
    recall_of_held_out: float | None = None


@dataclass(frozen=True)
class Counts:
    """Images of one class; `compared`: on either side of a distance."""

    held_out: int
    training: int
    synthetic: int
    compared: int


@dataclass(frozen=True)
class Memorisation:
    """Whether all classes together say that training images are repeated, and by what p-value."""

    alarm: bool
    p: float


@dataclass(frozen=True)
class About:
    """Where the numbers come from.

    Attributes
    ----------
    real, synthetic : RealSide, SyntheticSide
    size : int
        Edge length in pixels at which images are compared.
    seed : int
    pairing : str
    encoder : Encoder or None
    class_names : tuple of str
    counts : dict of class to Counts
    memorisation : Memorisation
    confusion, real_confusion : list of list of int
        A row for each class asked for, a column for each class given; the last: a class outside the comparison.
    seconds : dict of stage to float
    command : str or None
        What was typed.
    """

    real: RealSide
    synthetic: SyntheticSide
    size: int
    seed: int
    pairing: str
    encoder: Encoder | None
    class_names: tuple[str, ...]
    counts: dict[str, Counts]
    memorisation: Memorisation
    confusion: list[list[int]] = field(default_factory=list)
    real_confusion: list[list[int]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    command: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return what results.json holds of it."""
        found = asdict(self) | {"class_names": list(self.class_names)}
        if self.command is None:
            del found["command"]
        return found

    @classmethod
    def from_json(cls, found: Json) -> About:
        """Read what `to_json` wrote, among whatever else results.json holds."""
        encoder = found["encoder"]
        return cls(
            real=RealSide(**found["real"]),
            synthetic=SyntheticSide(**found["synthetic"]),
            size=found["size"],
            seed=found["seed"],
            pairing=found["pairing"],
            encoder=None if encoder is None else Encoder(**encoder),
            class_names=tuple(found["class_names"]),
            counts={name: Counts(**one) for name, one in found["counts"].items()},
            memorisation=Memorisation(**found["memorisation"]),
            confusion=found["confusion"],
            real_confusion=found["real_confusion"],
            seconds=found["seconds"],
            command=found.get("command"),
        )
