"""What `quality` found, in memory and as a folder, and where its numbers come from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd

from gansynth.files import table_text
from gansynth.files.atomic import write_text
from gansynth.files.json_object import ELSEWHERE, IF_GIVEN, INLINE, JsonObject
from gansynth.metrics.catalogue import LEADING, METRICS
from gansynth.metrics.estimate import Estimate
from gansynth.studies.quality.shown import FeatureMap, Pair, Sheet, read_pairs, write_pairs
from gansynth.studies.result_file import Result
from gansynth.version import __version__


@dataclass(frozen=True)
class RealSide(JsonObject):
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
class SyntheticSide(JsonObject):
    """The synthetic images; `n_real`: real ones in their folder, as every balanced set has them, not measured."""

    path: str
    n: int
    data_sha256: str = ""
    n_real: int = 0


@dataclass(frozen=True)
class Encoder(JsonObject):
    """The cell encoder: how many real images it learned from, and the share of held-out ones that it recognises."""

    name: str
    sha256: str
    n_training: int
    recall_of_held_out: float | None = None


@dataclass(frozen=True)
class Counts(JsonObject):
    """Images of one class; `compared`: on either side of a distance."""

    held_out: int
    training: int
    synthetic: int
    compared: int


@dataclass(frozen=True)
class Memorisation(JsonObject):
    """Whether all classes together say that training images are repeated, and by what p-value."""

    alarm: bool
    p: float


@dataclass(frozen=True)
class About(JsonObject):
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
    command: Annotated[str | None, IF_GIVEN] = None


@dataclass(frozen=True)
class Missing(JsonObject):
    """A metric that could not be computed because a weight file is not there."""

    metric: str
    file: str
    looked_in: str
    how: str


@dataclass(frozen=True)
class Controls(JsonObject):
    """What the judges say of one kind of real cells: a row beside the synthetic ones.

    Attributes
    ----------
    metrics : dict of str to Estimate
        Over all classes: shares recognised and kernel distances, by their names in the catalogue.
    classes : dict of str to (dict of str to Estimate)
        The same class by class.
    """

    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]


@dataclass(frozen=True)
class Quality(Result):
    """The quality of synthetic images against real ones.

    Attributes
    ----------
    metrics : dict of str to Estimate
        Over all classes, by the names of `gansynth.metrics.catalogue.METRICS`.
    classes : dict of str to (dict of str to Estimate)
        The same class by class.
    about : About
        Where the numbers come from: folders, counts, size, seed, pairing, encoder, confusion, memorisation, seconds.
    missing : list of Missing
        What could not be computed, and which file it takes.
    warnings : list of str
        What a reader must know before believing the numbers.
    controls : dict of str to Controls
        The same questions asked of real cells: as they are ("held-out"), and spoiled a little
        (`gansynth.studies.quality.controls.CONTROLS`).
    pairs : tuple of Pair
        Synthetic images beside the training images nearest to them, nearest first within each class.
    map : FeatureMap or None
        Cells in the plane (see `Projection`).
    sheet : Sheet or None
        Cells to look at.
    gansynth : str
        The version that measured.
    """

    COMMAND = "gansynth quality REAL SYNTHETIC --out DIR"

    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]
    about: Annotated[About, INLINE]
    missing: list[Missing] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    controls: dict[str, Controls] = field(default_factory=dict)
    pairs: Annotated[tuple[Pair, ...], ELSEWHERE] = ()
    map: Annotated[FeatureMap | None, ELSEWHERE] = None
    sheet: Annotated[Sheet | None, ELSEWHERE] = None
    gansynth: str = __version__

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that both sides have."""
        return self.about.class_names

    def without(self, metric: str) -> Missing | None:
        """Return what is known of a metric whose weights are not there; None for any other."""
        return next((one for one in self.missing if one.metric == metric), None)

    def frame(self, of: Literal["metrics", "classes"] = "metrics") -> pd.DataFrame:
        """Return a tidy table: a metric (of a class) a line, in the catalogue's order."""
        columns = ("class", "metric", "value", "low", "high", "n", "floor", "floor_n", "class_mean", "note")
        lines = []
        for c, book in [("", self.metrics)] if of == "metrics" else list(self.classes.items()):
            for name in (name for name in METRICS if name in book):
                one = book[name].to_json()
                low, high = one["interval"] or (None, None)
                rest = [one.get(key) for key in ("floor_n", "class_mean", "note")]
                lines.append((c, name, one["value"], low, high, one["n"], one["floor"], *rest))
        table = pd.DataFrame(lines, columns=list(columns))
        return table.drop(columns="class") if of == "metrics" else table

    def write(self, folder: str | Path) -> None:
        """Write results.json, metrics.csv, classes.csv, map.csv, nearest.csv and the pictures' arrays.

        `results.json` comes last: where it is, the folder is whole.
        """
        folder = Path(folder)
        write_text(folder / "metrics.csv", table_text(self.frame("metrics")))
        write_text(folder / "classes.csv", table_text(self.frame("classes")))
        write_pairs(self.pairs, folder)
        if self.map is not None:
            self.map.write(folder)
        if self.sheet is not None:
            self.sheet.write(folder)
        super().write(folder)

    @classmethod
    def read(cls, folder: str | Path) -> Quality:
        """Read a folder that `write` wrote; raises InputError where it holds none, or another's."""
        folder, found = Path(folder), super().read(folder)
        return replace(found, sheet=Sheet.read(folder), pairs=read_pairs(folder), map=FeatureMap.read(folder))

    def __repr__(self) -> str:
        synthetic, real = self.about.synthetic.n, self.about.real.n_held_out
        said = f"{synthetic:,} synthetic images against {real:,} real ones"
        leading = [name for name in ("recall", *LEADING) if name in self.metrics][:2]
        values = [f"{name} {v:.3g}" for name in leading if (v := self.metrics[name].value) is not None]
        return f"Quality({'; '.join([said, *values])})"
