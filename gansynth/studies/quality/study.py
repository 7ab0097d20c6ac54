"""`quality`: how good are these synthetic images, class by class, and how sure is that?

Every image is decoded once and passes once through each extractor; what concerns the real images alone is computed
once for a data set and kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.classifiers.cell_encoder import CellEncoder
from gansynth.errors import InputError
from gansynth.gans import Run
from gansynth.metrics.catalogue import LITE, METRICS
from gansynth.metrics.classifier_scores import NAMES, ClassifierScores, classifier_scores
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.extractors import MissingWeights, open_extractor
from gansynth.metrics.frechet import FEWEST
from gansynth.metrics.matching import PAIRINGS, Pairing
from gansynth.runs.device import chosen_device
from gansynth.runs.threads import settle_threads
from gansynth.studies.quality.controls import CONTROLS, HELD_OUT, JPEG
from gansynth.studies.quality.copies import Copies, look_for_copies
from gansynth.studies.quality.distances import Book, computed, distances, inception_score_of, manifold_of
from gansynth.studies.quality.families import ONE_CLASS, Books, cell_judge, controls, judged, worse_of_both
from gansynth.studies.quality.features import Extractor
from gansynth.studies.quality.judges import choose_encoder, lesson_of
from gansynth.studies.quality.makers import judges_for, makers_of, refuse_leaks
from gansynth.studies.quality.real_cache import RealCache
from gansynth.studies.quality.result import (
    About,
    Controls,
    Counts,
    Encoder,
    Memorisation,
    Missing,
    Quality,
    RealSide,
    SyntheticSide,
)
from gansynth.studies.quality.sets import Images, Sets, open_sets
from gansynth.studies.quality.shown import FeatureMap, Projection, Sheet
from gansynth.studies.quality.similarity import diversity, mean_over_classes, perceptual_diversity, similarity
from gansynth.studies.quality.stages import Stages
from gansynth.studies.quality.views import Pool, View
from gansynth.studies.quality.white_cells import WhiteSides, sum_of, white_copies, white_diversity

ENOUGH_FOR_FID = 2048
SHOWN = 8
ON_THE_MAP = 1500


@dataclass(frozen=True)
class QualitySettings:
    """How synthetic images are measured.

    Attributes
    ----------
    encoder : str or path
        "auto", "own", a name of the zoo or a folder: see `gansynth.studies.quality.judges.choose_encoder`.
    pairing : {"one-to-one", "random", "nearest"}
        Which real image a synthetic one is compared with (`gansynth.metrics.matching.match`).
    size : int, optional
        Edge length to compare at; default: the smaller of the two folders' median edges, at most 256.
    weights_dir : path-like, optional
        Where the weights of Inception and AlexNet are; see docs/weights.md.
    dinobloom : path-like, optional
        DinoBloom's weight file.
    pretrained : sequence of str
        Which networks pretrained on natural images judge beside the cell encoder: "-lite2", "-lite0", or none. One that
        was a critic of the run is left out.
    sample : int, optional
        Measure at most so many held-out and synthetic images of each class, drawn at random: time and memory then do
        not grow with the folders, but for the search for copies, which goes through all training images. Default: all.
    seed : int
        Of every draw and every resampling.
    device : {"auto", "cpu", "cuda"}

    Raises
    ------
    InputError
        For a pairing that there is not, or a sample of none.
    """

    encoder: str | Path = "auto"
    pairing: Pairing = "one-to-one"
    size: int | None = None
    weights_dir: str | Path | None = None
    dinobloom: str | Path | None = None
    pretrained: Sequence[str] = tuple(LITE)
    sample: int | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.pairing not in PAIRINGS:
            raise InputError(f"pairing '{self.pairing}': give one of {', '.join(PAIRINGS)}")
        if self.sample is not None and self.sample < 1:
            raise InputError(f"a sample of {self.sample}: give a whole number of images above zero")


def quality(
    real: str | Path,
    synthetic: str | Path,
    *,
    run: str | Path | Run | None = None,
    settings: QualitySettings | None = None,
    cache_dir: Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Quality:
    """Measure synthetic images against real ones.

    Parameters
    ----------
    real, synthetic : path-like
        Folders of images per class, or of images alone; the synthetic ones may come from anywhere. Where `real` has a
        split, its validation and test images are the measure, and its training images are what copies are looked for
        among; else it is divided half and half here.
    run : Run or path, optional
        The run that made the images: refused where it was trained on held-out images, or on turned copies of them.
        Where none is given, it is looked for by the model that the images' metadata.csv names, in the zoo and beside
        both folders.
    settings : QualitySettings, optional
        The judge, the size, what is compared with what.
    cache_dir : path-like, optional
        Where decoded images and the real side are kept (`$GANSYNTH_CACHE`, else the user's cache folder).
    progress : bool
        Report on standard error.
    **options
        Any of the settings by its name, for daily use: ``encoder="own", size=64``. None leaves it as it is.

    Returns
    -------
    Quality

    Raises
    ------
    InputError
        If a folder, the run, the encoder or a weight file cannot be used.
    TypeError
        For an option that `QualitySettings` does not have.

    Examples
    --------
    >>> quality("my-cells", "synthetic").metrics["recall"].value  # doctest: +SKIP
    0.84
    """
    given = {name: value for name, value in options.items() if value is not None}
    how = replace(settings or QualitySettings(), **given)
    stages, where, seed = Stages(progress), chosen_device(how.device), how.seed
    with stages("opening the images"):
        sets = open_sets(real, synthetic, size=how.size, seed=seed, cache_dir=cache_dir, progress=progress)
    makers = makers_of(run, synthetic, real)
    refuse_leaks(makers, sets)
    settle_threads(where)
    if how.sample is not None:
        sets = sets.sampled(how.sample, seed)
    maker = makers.only
    cache = RealCache(cache_dir)
    missing: list[Missing] = []
    cell = choose_encoder(how.encoder, sets, cache, stages, seed=seed, device=where)
    lesson = lesson_of(sets, seed, None if maker is None else maker.training_sha256)
    pool = Pool.of(sets, lesson, seed)
    names = sets.class_names
    judges, left_out = judges_for(maker, how.pretrained)

    view = View(sets, pool, cell, cache, stages, seed)
    with stages("distances in cell features"):
        overall, classes = _distances(view, "-cell")
    with stages("precision and recall"):
        scores = _classifier(view, cell, seed)
    overall |= scores.overall
    _add(classes, scores.per_class)
    views, spoiled = [view], [controls(view, cell_judge(names, cell.class_names), pool.held_out, "recall", "KD-cell")]
    for suffix in judges:
        extractor = open_extractor(suffix.removeprefix("-"), device=where)
        views.append(View(sets, pool, extractor, cache, stages, seed, standardised=True))
        with stages(f"the judge in {extractor.name} features"):
            (all_classes, per_class), rows = judged(views[-1], suffix)
        spoiled.append(rows)
        overall |= all_classes
        _add(classes, per_class)
    white = WhiteSides.of(sets, stages, seed)
    _add(classes, white_diversity(views, ["-cell", *judges], white))
    if judges:
        cells, first = (rows[JPEG][1] for rows in spoiled[:2])
        jpeg = [a | b for a, b in zip(cells, first, strict=True)]
        _add(classes, worse_of_both(classes, jpeg, judges[0]))
    for name, suffix in (("inception", ""), ("dinobloom", "-dinobloom")):
        other = _open(name, how.weights_dir, how.dinobloom, str(where), missing)
        if other is not None:
            seen = View(sets, pool, other, cache, stages, seed)
            with stages(f"distances in {name} features"):
                all_classes, per_class = _distances(seen, suffix)
                if name == "inception":
                    all_classes |= inception_score_of(seen)
            overall |= all_classes
            _add(classes, per_class)
            del seen
    alex = _open("alex", how.weights_dir, how.dinobloom, str(where), missing)
    trunk: Any = alex
    with stages("matched similarity and diversity", len(names)) as tick:
        for c, book in enumerate(classes):
            book |= similarity(view, c, how.pairing, trunk, alex.sha256 if alex is not None else "")
            book |= diversity(view, c)
            if alex is not None:
                book |= perceptual_diversity(view, c, trunk, alex.sha256)
            tick(c + 1)
    averaged = [name for name, metric in METRICS.items() if metric.averaged]
    overall |= mean_over_classes(classes, [m for m in averaged if any(m in book for book in classes)])
    if judges and overall["KD-worse"].value is None:
        # Too few images of each class for a distance of its own: all together have one.
        jpeg_of_all = {name: one for rows in spoiled[:2] for name, one in rows[JPEG][0].items()}
        overall["KD-worse"] = worse_of_both([overall], [jpeg_of_all], judges[0])[0]["KD-worse"]
    added = [metric for metric in METRICS.values() if metric.compute is not None]
    if added:
        with stages("other metrics", len(added)) as tick:
            for number, metric in enumerate(added, 1):
                overall |= computed(view, metric)
                for c, book in enumerate(classes):
                    book |= computed(view, metric, c)
                tick(number)
    with stages("looking for copies"):
        copies = look_for_copies(sets, cache)
    _add(classes, white_copies(sets, cache, stages, white))
    looked_for = [book["copies-white"] for book in classes if book["copies-white"].value is not None]
    if looked_for:
        overall["copies-white"] = sum_of(looked_for)
    overall |= copies.overall
    _add(classes, copies.per_class)
    return Quality(
        metrics=_ordered(overall),
        classes={name: _ordered(book) for name, book in zip(names, classes, strict=True)},
        missing=missing,
        warnings=[
            *sets.warnings,
            *copies.warnings,
            *_warnings(sets, view, overall, cell),
            *(makers.unchecked(sets) if sets.split_known else []),
            *(lesson.warnings if judges else []),
            *left_out,
        ],
        about=_about(real, synthetic, sets, pool, cell, how.pairing, seed, scores, copies, view, stages),
        map=_map(view),
        pairs=copies.pairs,
        sheet=_sheet(sets, seed),
        controls=_controls(spoiled, overall, dict(zip(names, classes, strict=True))),
    )


def _add(classes: Sequence[Book], more: Sequence[Book]) -> None:
    """Add numbers of each class to those that are known."""
    for book, found in zip(classes, more, strict=True):
        book |= found


def _open(
    name: str, weights_dir: str | Path | None, dinobloom: str | Path | None, device: str, missing: list[Missing]
) -> Extractor | None:
    """Open an extractor; where its weight file is not there, say which metrics that costs."""
    if name == "dinobloom" and dinobloom is None:
        return None  # an extra that nobody misses who has not asked for it
    try:
        found: Extractor = open_extractor(name, weights_dir, device, file=dinobloom if name == "dinobloom" else None)
    except MissingWeights as error:
        missing += [
            Missing(metric.name, error.file, error.looked_in, error.how)
            for metric in METRICS.values()
            if metric.extractor == name
        ]
        return None
    return found


def _distances(view: View, suffix: str) -> tuple[Book, list[Book]]:
    """Return distances and manifold metrics of all classes together, and of each."""
    both = [
        distances(view, suffix, only) | (manifold_of(view, suffix, only) if suffix != "-dinobloom" else {})
        for only in (None, *range(view.n_classes))
    ]
    return both[0], both[1:]


def _classifier(view: View, cell: CellEncoder, seed: int) -> ClassifierScores:
    names, assign = view.sets.class_names, cell_judge(view.sets.class_names, cell.class_names)
    if assign is None:
        nothing = {name: Estimate(None, 0, note=ONE_CLASS) for name in NAMES}
        table = np.zeros((1, 2), np.int64)
        return ClassifierScores(nothing, [dict(nothing)], table, table)
    held_out = view.pool.held_out
    return classifier_scores(
        assign(view.synthetic),
        view.sets.synthetic.labels,
        assign({name: values[held_out] for name, values in view.real.items()}),
        view.pool.images.labels[held_out],
        len(names),
        seed=seed,
    )


def _controls(
    spoiled: Sequence[Mapping[str, Books]], overall: Book, classes: Mapping[str, Book]
) -> dict[str, Controls]:
    """Return what the judges of both families say of real cells: those held out, and those spoiled."""
    asked = [name for books in spoiled for name in books[next(iter(CONTROLS))][0]]
    held_out = Controls(_floors(overall, asked), {name: _floors(book, asked) for name, book in classes.items()})
    found = {HELD_OUT: held_out}
    for control in CONTROLS:
        rows = [books[control] for books in spoiled]
        found[control] = Controls(
            {name: one for book, _ in rows for name, one in book.items()},
            {c: {name: one for _, books in rows for name, one in books[k].items()} for k, c in enumerate(classes)},
        )
    return found


def _floors(book: Book, names: Sequence[str]) -> Book:
    return {name: Estimate(book[name].floor, book[name].floor_n or 0) for name in names if name in book}


def _warnings(sets: Sets, view: View, overall: Book, cell: CellEncoder) -> list[str]:
    found = []
    counts, made = view.counts(), sets.synthetic.counts(len(sets.class_names))
    reference = sets.reference.counts(len(sets.class_names))
    if (reference != made).any():
        found.append(
            "distances between sets of different size are refused, because their bias depends on n: of "
            f"{len(sets.reference):,} real and {len(sets.synthetic):,} synthetic images, {counts.sum():,} of each are "
            "compared, as many of every class on both sides"
        )
    if "FID" in overall and counts.sum() < ENOUGH_FOR_FID:
        found.append(f"{counts.sum():,} images are few for FID (below {ENOUGH_FOR_FID:,}); go by KID")
    unseen = [name for name, n in zip(sets.class_names, reference, strict=True) if not n]
    if unseen:
        found.append(f"no held-out real images to compare with: {', '.join(unseen)}")
    thin = [name for name, n in zip(sets.class_names, counts, strict=True) if 0 < n < FEWEST]
    if thin:
        found.append(f"too few images for a distance of their own (below {FEWEST}): {', '.join(thin)}")
    recall = overall["recall"]
    if recall.floor is not None and recall.floor < 0.7:
        found.append(
            f"the classifier recognises only {recall.floor:.0%} of held-out real images: do not lean on precision and "
            "recall"
        )
    if not sets.split_known and not cell.training_sha256.isdisjoint(sets.held_out.sha256()):
        found.append(f"the encoder {cell.name} has learned from some of the real images that it judges")
    return found


def _about(
    real: str | Path,
    synthetic: str | Path,
    sets: Sets,
    pool: Pool,
    cell: CellEncoder,
    pairing: str,
    seed: int,
    scores: ClassifierScores,
    copies: Copies,
    view: View,
    stages: Stages,
) -> About:
    n = len(sets.class_names)
    counts = {
        "held_out": sets.held_out.counts(n),
        "training": sets.training.counts(n),
        "synthetic": sets.synthetic.counts(n),
        "compared": view.counts(),
    }
    return About(
        real=RealSide(
            path=str(real),
            n=len(sets.held_out) + len(sets.training),
            n_held_out=len(sets.held_out),
            n_training=len(sets.training),
            data_sha256=pool.images.fingerprint(),
            split_known=sets.split_known,
        ),
        synthetic=SyntheticSide(str(synthetic), len(sets.synthetic), sets.synthetic.fingerprint(), sets.beside),
        size=sets.reference.dataset.size,
        seed=seed,
        pairing=pairing,
        encoder=Encoder(
            name=cell.info.get("name", "own"),
            sha256=cell.sha256,
            n_training=len(cell.training_sha256),
            recall_of_held_out=scores.overall["recall"].floor,
        ),
        class_names=tuple(sets.class_names),
        counts={
            name: Counts(**{what: int(found[c]) for what, found in counts.items()})
            for c, name in enumerate(sets.class_names)
        },
        memorisation=Memorisation(copies.alarm, copies.p_value),
        confusion=scores.confusion.tolist(),
        real_confusion=scores.real_confusion.tolist(),
        seconds=stages.seconds,
    )


def _map(view: View) -> FeatureMap:
    """Return held-out and synthetic cells in the plane; equally many of each class, at most `ON_THE_MAP` of either."""
    training = view.pool.others if len(view.pool.others) else view.pool.held_out
    flat = Projection.fit(view.real["features"][training], view.pool.images.labels[training])
    positions, classes, real = [], [], []
    for is_real, features, labels in zip((False, True), view.pairs(), view.pair_labels(), strict=True):
        shown = np.linspace(0, len(labels) - 1, min(ON_THE_MAP, len(labels))).round().astype(np.int64)
        positions.append(flat(features[shown]))
        classes.append(np.array(view.sets.class_names)[labels[shown]])
        real.append(np.full(len(shown), is_real))
    return FeatureMap(np.concatenate(positions).astype(np.float64), np.concatenate(classes), np.concatenate(real))


def _sheet(sets: Sets, seed: int) -> Sheet:
    """Return a few cells of every class: held-out ones drawn at random, synthetic ones in the order of their names."""
    n, size = len(sets.class_names), sets.reference.dataset.size

    def rows(images: Images, chosen: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        pixels, counts = np.zeros((n, SHOWN, 3, size, size), np.uint8), np.zeros(n, np.int64)
        for c, here in enumerate(chosen):
            pixels[c, : len(here)], counts[c] = images.pixels(here), len(here)
        return pixels, counts

    real, real_count = rows(sets.held_out, [_drawn(sets.held_out, c, seed) for c in range(n)])
    made, made_count = rows(sets.synthetic, [_first(sets.synthetic, c) for c in range(n)])
    return Sheet(real, made, real_count, made_count)


def _first(images: Images, c: int) -> NDArray[np.int64]:
    return np.flatnonzero(images.labels == c)[:SHOWN]


def _drawn(images: Images, c: int, seed: int) -> NDArray[np.int64]:
    return images.draw(np.where(np.arange(c + 1) == c, SHOWN, 0), seed)


def _ordered(book: Book) -> Book:
    return {name: replace(book[name], n=int(book[name].n)) for name in METRICS if name in book}
