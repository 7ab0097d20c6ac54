"""Which run made these images, and which networks it was trained with: they cannot judge it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.files import read_table
from gansynth.gans import Run, open_run
from gansynth.gans.leaks import refuse_leaking_run
from gansynth.metrics.catalogue import LITE
from gansynth.networks.efficientnet_lite import SHA256
from gansynth.runs.artifact import shipped
from gansynth.runs.folder import INFO, MODEL
from gansynth.studies.quality.sets import Sets
from gansynth.synthesis.naturalize.folder import BETWEEN

METADATA = "metadata.csv"


@dataclass(frozen=True)
class Makers:
    """The runs that made some images.

    Attributes
    ----------
    runs : tuple of Run
    unknown : tuple of str
        The sha256 of models that metadata.csv names and nobody found.
    parts : frozenset of str
        Of composites: the real images that metadata.csv says they are put together from.
    """

    runs: tuple[Run, ...]
    unknown: tuple[str, ...] = ()
    parts: frozenset[str] = frozenset()

    @property
    def only(self) -> Run | None:
        """The run that made them all; None where that is not known, or there are several."""
        return self.runs[0] if len(self.runs) == 1 and not (self.unknown or self.parts) else None

    def unchecked(self, sets: Sets) -> list[str]:
        """Return what to say where held-out images may have gone into the synthetic ones and nobody can know."""
        said = []
        if strange := self.parts - _paths(sets, "train"):
            said.append(
                "the synthetic images are composites; whether held-out images went into them was not checked, because "
                f"{len(strange)} of the {len(self.parts)} real images that {METADATA} names, such as {min(strange)}, "
                "are not among the training images; measure them beside the data set that they were made from"
            )
        if self.unknown or not (self.runs or self.parts):
            why = (
                f"its model ({', '.join(sha256[:12] for sha256 in self.unknown)}...) is neither in the zoo nor among "
                "the runs beside the images"
                if self.unknown
                else f"no {METADATA} names its model"
            )
            said.append(
                f"whether the generator has learned from held-out images was not checked, because {why}; give --run"
            )
        return said


def makers_of(run: str | Path | Run | None, synthetic: str | Path, real: str | Path) -> Makers:
    """Return the runs that made the images: the one given, or those whose models their metadata.csv names.

    They are looked for in the zoo, and beside both folders: there, in what lies there, and in `runs` there.
    """
    if run is not None:
        return Makers((run if isinstance(run, Run) else open_run(run),))
    wanted, parts = _named_in(Path(synthetic) / METADATA)
    found: dict[str, Run] = {}
    places: list[str | Path] = [*(model.folder for model in shipped("generator")), *_beside(synthetic, real)]
    for place in places:
        if wanted <= found.keys():
            break
        try:
            one = open_run(place)
        except InputError:  # of another kind, unfinished or edited: it is not the one
            continue
        if one.model_sha256 in wanted:
            found.setdefault(one.model_sha256, one)
    return Makers(tuple(found.values()), tuple(sorted(wanted - found.keys())), parts)


def refuse_leaks(makers: Makers, sets: Sets) -> None:
    """Refuse images of a run that was trained on held-out images, or on turned or re-compressed copies of them, and
    composites of held-out images.

    Where the real images have no split, nothing is known to be held out.
    """
    if sets.split_known:
        for run in makers.runs:
            refuse_leaking_run(run, sets.held_out.dataset, sets.held_out.rows)
        seen = sorted(makers.parts & _paths(sets, "val", "test"))
        if seen:
            raise InputError(
                f"the synthetic images are composites, and {len(seen)} of the images that parts of them come from are "
                f"held out, such as {seen[0]}; compose them from the training split alone"
            )


def _beside(*folders: str | Path) -> Iterator[Path]:
    """Yield the run folders beside some folders, each once."""
    above = dict.fromkeys(Path(folder).resolve().parent for folder in folders)
    places = [place for parent in above for place in (parent, parent / "runs")]
    seen = dict.fromkeys(path for place in places if place.is_dir() for path in (place, *sorted(place.iterdir())))
    return (path for path in seen if (path / INFO).is_file() and (path / MODEL).is_file())


def judges_for(run: Run | None, asked: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the pretrained judges (`LITE`) among those asked for that were not critics of the run, and a sentence for
    each other one.

    A generator learns to please its critic's features, so a distance in them says nothing; so it is with the critics of
    a run that it began from.
    """
    critics = {} if run is None else _critics(run.info)
    judges, warnings = [], []
    for suffix in asked:
        version = LITE[suffix]
        if f"efficientnet-lite{version}" in critics or SHA256[version] in critics.values():
            warnings.append(
                f"EfficientNet-Lite{version} was a critic of {'' if run is None else run.name}, so it cannot judge its "
                f"images: what ends in {suffix} is left out"
            )
        else:
            judges.append(suffix)
    return judges, warnings


def _critics(info: Mapping[str, Any]) -> dict[str, str]:
    """Return the pretrained networks that a run's players looked through, or those of the runs it began from, by name
    with their sha256."""
    parent = info.get("parent") or {}
    return {**(_critics(parent) if parent else {}), **(info.get("pretrained") or {})}


def _paths(sets: Sets, *splits: str) -> frozenset[str]:
    """Return the real images of some splits, of every class: slides and red cells come from any."""
    records = sets.training.dataset.records
    return frozenset(map(str, records["path"][records["split"].isin(splits)]))


def _named_in(metadata: Path) -> tuple[set[str], frozenset[str]]:
    """Return the models that a table of synthetic images names, and the real images whose parts are in composites."""
    try:
        table = read_table(metadata, ["file_name"], "")
    except InputError:  # there is none; what cannot be read at all is said by who opens the images
        return set(), frozenset()
    parts: frozenset[str] = frozenset()
    if {"white_cell", "background", "red_cells"} <= set(table):
        reds = (name for names in table["red_cells"] for name in names.split(BETWEEN))
        parts = frozenset([*table["white_cell"], *table["background"], *reds]) - {""}
    if "white_cell" in table:  # a composite's model is the hash of what it was made from and how
        table = table[table["white_cell"] == ""]
    return set(table["model_sha256"]) - {""} if "model_sha256" in table else set(), parts
