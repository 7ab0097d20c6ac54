"""Every metric of `quality` and `benchmark`, declared once: what it asks, which way is better, how it is written.

Tables, pages, rankings and files read it here and know no metric by themselves. A new one is one declared object, in
a file of this package or of another one::

    from gansynth.metrics.catalogue import Group, Metric, TwoSets, register

    def darker(sets: TwoSets) -> float:
        return float(sets.reference.mean() - sets.images.mean())

    register(Metric("darkness", "Darkness", "How much darker the images are than real ones.", "nearer",
                    Group.SIMILARITY, decimals=1, compute=darker))

It is then measured of all classes together and of each, beside what real images score against other real ones. A
package hands it on through the entry point ``gansynth.metrics``, which names the module to import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.estimate import Estimate
from gansynth.plugins import load_plugins

Direction = Literal["lower", "higher", "nearer"]


class Group(Enum):
    """What a metric asks; the value is the heading over its rows."""

    DISTANCE = "Distance between the two sets"
    CLASSIFIER = "Judges of the class, trained on real images only"
    MANIFOLD = "Realism and variety among neighbours"
    SIMILARITY = "Matched similarity: blur wins here, so never choose by it"
    DIVERSITY = "Diversity inside a class"
    COPIES = "Copies of training images"


class Unit(Enum):
    """How a value is written."""

    NUMBER = ""
    PERCENT = "%"
    IMAGES = "images"


class Question(Enum):
    """What recipes are ranked by: their mean rank over these. Similarity to paired images is left out (blur wins it),
    and so is memorisation (noise wins it)."""

    KERNEL = "distance in Inception features, unbiased"
    FRECHET = "distance in Inception features"
    BOTH_FAMILIES = "distance in the features of both families of judges"
    RECOGNISED = "share that is what was asked for"
    COVERAGE = "variety among neighbours"
    VARIETY = "variety inside a class"


@dataclass(frozen=True)
class TwoSets:
    """What a metric of one's own is computed from: two sets with equally many images of each class.

    Attributes
    ----------
    images : uint8 array [n, 3, R, R]
        Synthetic images of one class, or of all. For the floor: real images that stand in their place.
    reference : uint8 array [n, 3, R, R]
        Held-out real images.
    features, reference_features : float32 array [n, d]
        The same in the features of the cell encoder.
    labels, reference_labels : int64 array [n]
    seed : int
        For whatever is drawn.
    """

    images: NDArray[np.uint8]
    reference: NDArray[np.uint8]
    features: NDArray[np.float32]
    reference_features: NDArray[np.float32]
    labels: NDArray[np.int64]
    reference_labels: NDArray[np.int64]
    seed: int


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes
    ----------
    name : str
        Its key in every table and JSON file.
    title : str
        What a report prints.
    meaning : str
        One line for a reader who has never met it.
    better : {"lower", "higher", "nearer"}
        Which way is better; "nearer" to the value of real images (`Estimate.floor`) where both too low and too high
        are wrong.
    group : Group
    extractor : {"inception", "alex", "cell", "dinobloom", "lite2", "lite0", ""}
        The network whose features it is computed in; "" for pixels.
    source : str
        Who defined it.
    unit : Unit
    decimals : int or None
        Of its values; None for three digits of the largest number beside it.
    counted_floor : bool
        Whether what real images score is a share of `Estimate.floor_n` images, which has an interval of its own.
    darkest : float or None
        The difference from real images at which a table's shade is darkest; None for the widest in the table.
    by_class : {"first", "page", "later"}
        Where it is shown class by class: on the terminal and first on the page, first on the page, or after the others.
    averaged : bool
        Whether its value over all classes is the mean of the classes'.
    ranks : Question or None
        The question that it answers in a ranking of recipes.
    stands_in : bool
        Whether it answers only where the question's other metric is missing.
    where : str
        The function that computes it, for those that share a pass over the images with others.
    compute : callable or None
        Computes it by itself, from `TwoSets` to an `Estimate` or a number; the floor comes from the same function.
    fewest : int
        Images that `compute` needs on either side.

    Raises
    ------
    ValueError
        If nothing says how it is computed.
    """

    name: str
    title: str
    meaning: str
    better: Direction
    group: Group
    extractor: str = ""
    source: str = ""
    unit: Unit = Unit.NUMBER
    decimals: int | None = None
    counted_floor: bool = False
    darkest: float | None = None
    by_class: Literal["first", "page", "later"] = "later"
    averaged: bool = False
    ranks: Question | None = None
    stands_in: bool = False
    where: str = ""
    compute: Callable[[TwoSets], Estimate | float] | None = None
    fewest: int = 2

    def __post_init__(self) -> None:
        if not self.where and self.compute is None:
            raise ValueError(f"metric '{self.name}': nothing says how it is computed; give `compute`")

    @property
    def direction(self) -> str:
        """Which way is better, in words."""
        return {
            "lower": "lower is better",
            "higher": "higher is better",
            "nearer": "nearer to real is better",
        }[self.better]


METRICS: dict[str, Metric] = {}
"""Every metric by its name, in the order in which a report shows them."""


def register(metric: Metric) -> Metric:
    """Make a metric known to `quality`, `benchmark` and their pages.

    Raises
    ------
    ValueError
        If another one has its name.
    """
    if METRICS.get(metric.name, metric) != metric:
        raise ValueError(f"there is a metric named '{metric.name}' already; choose another name")
    METRICS[metric.name] = metric
    return metric


def of_group(*groups: Group) -> tuple[str, ...]:
    """Return the names of the metrics of some groups, in the catalogue's order."""
    return tuple(m.name for m in METRICS.values() if m.group in groups)


def first_by_class(*where: str) -> tuple[str, ...]:
    """Return the names of the metrics whose `by_class` is one of `where`: judges of the class first, then as a report
    shows them."""
    order = [Group.CLASSIFIER, *(group for group in Group if group is not Group.CLASSIFIER)]
    chosen = [m for m in METRICS.values() if m.by_class in where]
    return tuple(m.name for m in sorted(chosen, key=lambda m: order.index(m.group)))


def answering(question: Question) -> tuple[str, ...]:
    """Return the names of the metrics that answer a question of the ranking; those that stand in last."""
    chosen = [m for m in METRICS.values() if m.ranks is question]
    return tuple(m.name for m in sorted(chosen, key=lambda m: m.stands_in))


LITE = {"-lite2": 2, "-lite0": 0}
"""What metrics in features of a pretrained EfficientNet-Lite end with, and its version; the first judges if it may."""

LEADING = ("KID", "KD-cell", "KD-dinobloom", "FD-cell", "FID")
"""Distances in the order in which one of them speaks for all: unbiased at any n first."""

SECOND_JUDGES = tuple(f"recognised{suffix}" for suffix in LITE)
"""Shares recognised by a network pretrained on natural images; the first that may judge speaks."""

DIVERSITIES = ("LPIPS-diversity", "diversity-cell")
"""In the order in which one of them speaks for all."""

# Nearer to what real images score, not as high as can be: the mean image of a class, a blur, beats real cells.
_MATCHED = "each synthetic image against one held-out real image of its class, no real image twice"
_DISTANCES = "gansynth.studies.quality.distances.distances"
_MANIFOLD = "gansynth.studies.quality.distances.manifold_of"
_RECOGNISED = "gansynth.studies.quality.families.recognised"
_SCORES = "gansynth.metrics.classifier_scores.classifier_scores"
_WORSE = "gansynth.studies.quality.families.worse_of_both"
_SIMILARITY = "gansynth.studies.quality.similarity.similarity"
_COPIES = "gansynth.studies.quality.copies.look_for_copies"


def _distances(suffix: str, extractor: str, features: str) -> list[Metric]:
    first, second = ("FID", "KID") if not suffix else (f"FD{suffix}", f"KD{suffix}")
    kernel = Metric(
        second,
        second,
        f"Distance between the two sets in {features}, unbiased at any n.",
        "lower",
        Group.DISTANCE,
        extractor,
        "Binkowski et al. 2018",
        where=_DISTANCES,
    )
    frechet = Metric(
        first,
        first,
        f"Distance between two normal distributions fitted to {features}; too large when n is small.",
        "lower",
        Group.DISTANCE,
        extractor,
        "Heusel et al. 2017",
        where=_DISTANCES,
    )
    if not suffix:
        return [replace(kernel, by_class="page", ranks=Question.KERNEL), replace(frechet, ranks=Question.FRECHET)]
    if suffix == "-cell":
        kernel = replace(kernel, by_class="first", ranks=Question.BOTH_FAMILIES, stands_in=True)
    if suffix == "-lite2":
        kernel = replace(kernel, by_class="first")
    return [kernel, frechet]


def _manifold(suffix: str, extractor: str, features: str) -> list[Metric]:
    where, cell = f" (in {features})", " (cell)" if suffix else ""
    share = Metric(
        "",
        "",
        "",
        "nearer",
        Group.MANIFOLD,
        extractor,
        "Kynkäänniemi et al. 2019",
        unit=Unit.PERCENT,
        darkest=0.5,
        where=_MANIFOLD,
    )
    return [
        replace(
            share,
            name=f"improved-precision{suffix}",
            title=f"Improved precision{cell}",
            meaning=f"Share of synthetic images that lie among the real ones{where}: realism.",
        ),
        replace(
            share,
            name=f"improved-recall{suffix}",
            title=f"Improved recall{cell}",
            meaning=f"Share of real images that lie among the synthetic ones{where}: variety.",
        ),
        replace(
            share,
            name=f"density{suffix}",
            title=f"Density{cell}",
            meaning=f"How many real neighbourhoods a synthetic image lies in{where}; 1 as for real images.",
            source="Naeem et al. 2020",
            unit=Unit.NUMBER,
            decimals=2,
        ),
        replace(
            share,
            name=f"coverage{suffix}",
            title=f"Coverage{cell}",
            meaning=f"Share of real images with a synthetic one in their neighbourhood{where}.",
            source="Naeem et al. 2020",
            by_class="page" if suffix else "later",
            ranks=Question.COVERAGE if suffix else None,
        ),
    ]


def _judges() -> list[Metric]:
    share = Metric(
        "",
        "",
        "",
        "nearer",
        Group.CLASSIFIER,
        "cell",
        "hazra2022",
        unit=Unit.PERCENT,
        counted_floor=True,
        darkest=0.5,
        where=_SCORES,
    )
    return [
        replace(
            share,
            name="precision",
            title="Precision",
            meaning="Of the images a classifier of real cells puts into a class, the share that was asked for as it.",
        ),
        replace(
            share,
            name="recall",
            title="Recall",
            meaning="Of the images asked for as a class, the share that a classifier of real cells puts into it.",
            by_class="first",
        ),
        replace(
            share,
            name="F1",
            title="F1",
            meaning="Harmonic mean of the two.",
            counted_floor=False,
            ranks=Question.RECOGNISED,
            stands_in=True,
        ),
        *(
            replace(
                share,
                name=f"recognised{suffix}",
                title=f"Recognised (Lite{version})",
                meaning="Of the images asked for as a class, the share that a linear classifier in the features of a "
                f"network pretrained on natural images (Lite{version}), learned from real cells, puts into it.",
                extractor=suffix.removeprefix("-"),
                source="",
                by_class="first" if suffix == "-lite2" else "later",
                where=_RECOGNISED,
            )
            for suffix, version in LITE.items()
        ),
        replace(
            share,
            name="recognised-worse",
            title="Recognised, the worse of both families",
            meaning="Share recognised as a share of real cells (at most 1), by the cell encoder and by the pretrained "
            "judge: of each class, the worse of the two.",
            extractor="",
            source="",
            counted_floor=False,
            by_class="first",
            averaged=True,
            ranks=Question.RECOGNISED,
            where=_WORSE,
        ),
    ]


def _similarities() -> list[Metric]:
    matched = Metric("", "", "", "nearer", Group.SIMILARITY, averaged=True, where=_SIMILARITY)
    share = replace(matched, unit=Unit.PERCENT)
    return [
        replace(
            matched,
            name="LPIPS",
            title="LPIPS",
            meaning=f"Perceptual distance; {_MATCHED}.",
            extractor="alex",
            source="Zhang et al. 2018",
            decimals=3,
        ),
        replace(
            matched,
            name="PSNR",
            title="PSNR (dB)",
            meaning=f"Signal to noise; {_MATCHED}.",
            source="hazra2022",
            decimals=2,
        ),
        replace(
            matched,
            name="SSIM",
            title="SSIM",
            meaning=f"Structural similarity; {_MATCHED}.",
            source="Wang et al. 2004",
            decimals=3,
        ),
        replace(
            matched,
            name="MS-SSIM",
            title="MS-SSIM",
            meaning=f"The same at five scales; {_MATCHED}.",
            source="Wang et al. 2003",
            decimals=3,
        ),
        replace(share, name="l1", title="l1", meaning=f"Mean absolute difference as a share of the range; {_MATCHED}."),
        replace(share, name="l2", title="l2", meaning=f"Mean squared difference as a share of the range; {_MATCHED}."),
    ]


def _diversities() -> list[Metric]:
    whole = Metric(
        "LPIPS-diversity",
        "Diversity (LPIPS)",
        "Mean perceptual distance between two images of a class; far below real: collapse.",
        "nearer",
        Group.DIVERSITY,
        "alex",
        "Odena et al. 2017",
        decimals=3,
        by_class="page",
        averaged=True,
        where="gansynth.studies.quality.similarity.perceptual_diversity",
    )
    found = [whole]
    judges = [("-cell", "cell", "cell features")]
    judges += [(suffix, f"Lite{version}", "pretrained features") for suffix, version in LITE.items()]
    for suffix, title, features in judges:
        one = replace(
            whole,
            name=f"diversity{suffix}",
            title=f"Diversity ({title})",
            meaning=f"Mean distance between two images of a class in {features}; far below real: collapse.",
            extractor=suffix.removeprefix("-"),
            decimals=None,
            by_class="later",
            where="gansynth.studies.quality.similarity.diversity",
        )
        white = replace(
            one,
            name=f"diversity-white{suffix}",
            title=f"Diversity of the white cell ({title})",
            meaning="The same of the white cells alone, cut out and put on an empty slide, in "
            f"{features}: varied backgrounds do not count.",
            source="",
            by_class="first" if suffix == "-lite2" else "later",
            where="gansynth.studies.quality.white_cells.white_diversity",
        )
        if suffix == "-cell":
            one = replace(one, by_class="first", ranks=Question.VARIETY, stands_in=True)
        found += [one, white]
    worse = Metric(
        "diversity-worse",
        "Diversity of the white cell, the worse of both families",
        "Variety of the white cells of a class as a share of real ones (at most 1), in cell features and in pretrained "
        "ones: of each class, the worse of the two.",
        "nearer",
        Group.DIVERSITY,
        unit=Unit.PERCENT,
        averaged=True,
        ranks=Question.VARIETY,
        where=_WORSE,
    )
    return [*found, worse]


for _metric in (
    *_distances("", "inception", "Inception features"),
    Metric(
        "IS",
        "IS",
        "How sure and how varied an ImageNet classifier is; it knows no cells, so it says little here.",
        "higher",
        Group.DISTANCE,
        "inception",
        "Salimans et al. 2016",
        decimals=2,
        where="gansynth.studies.quality.distances.inception_score_of",
    ),
    *_distances("-cell", "cell", "the features of a cell encoder"),
    *_distances("-lite2", "lite2", "the features of EfficientNet-Lite2, pretrained on natural images"),
    *_distances("-lite0", "lite0", "the features of EfficientNet-Lite0, pretrained on natural images"),
    Metric(
        "KD-worse",
        "KD, the worse of both families",
        "Kernel distance as a multiple of that of real cells saved as JPEG of quality 60, in the features of the cell "
        "encoder and of the pretrained judge: of each class, the worse of the two.",
        "lower",
        Group.DISTANCE,
        averaged=True,
        ranks=Question.BOTH_FAMILIES,
        where=_WORSE,
    ),
    *_distances("-dinobloom", "dinobloom", "DinoBloom features"),
    *_judges(),
    *_manifold("", "inception", "Inception features"),
    *_manifold("-cell", "cell", "cell features"),
    *_similarities(),
    *_diversities(),
    Metric(
        "memorisation",
        "Memorisation (AUC)",
        "How often a synthetic image lies nearer to the training images than a fresh real one does; 0.5: as fresh.",
        "nearer",
        Group.COPIES,
        source="Meehan et al. 2020",
        decimals=2,
        darkest=0.3,
        by_class="first",
        where=_COPIES,
    ),
    Metric(
        "copies",
        "Copies",
        "Synthetic images that nearly equal a training image.",
        "lower",
        Group.COPIES,
        unit=Unit.IMAGES,
        by_class="page",
        where=_COPIES,
    ),
    Metric(
        "copies-white",
        "Copies of the white cell",
        "Synthetic white cells that nearly equal that of a training image, whatever lies around them; looked for in "
        "classes of at most 400 training images, and in at most 60 synthetic ones of each.",
        "lower",
        Group.COPIES,
        unit=Unit.IMAGES,
        by_class="page",
        where="gansynth.studies.quality.white_cells.white_copies",
    ),
):
    register(_metric)

load_plugins("gansynth.metrics")
