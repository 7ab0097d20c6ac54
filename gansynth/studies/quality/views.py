"""The sets of a comparison in the features of one extractor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.catalogue import TwoSets
from gansynth.metrics.linear_head import Standardisation
from gansynth.studies.quality.features import Extractor, real_features, synthetic_features
from gansynth.studies.quality.judges import Lesson
from gansynth.studies.quality.real_cache import Arrays, RealCache
from gansynth.studies.quality.sets import Images, Rows, Sets
from gansynth.studies.quality.stages import Stages

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Pool:
    """The real images that are looked at: the reference, and other real images that say what real scores.

    Attributes
    ----------
    images : Images
        All of them, each once.
    reference, held_out, others : int64 arrays
        Positions in `images`. `others` are training images, as many of each class as were held out (or as there are).
    learned, judging : int64 arrays
        Positions of what the head of a pretrained judge learns from, and of the other real cells that judge it.
    """

    images: Images
    reference: Rows
    held_out: Rows
    others: Rows
    learned: Rows
    judging: Rows

    @classmethod
    def of(cls, sets: Sets, lesson: Lesson, seed: int) -> Pool:
        """Draw the other real images and put all together."""
        others = sets.training.select(sets.training.draw(sets.held_out.counts(len(sets.class_names)), seed))
        parts = [sets.reference.rows, sets.held_out.rows, others.rows, lesson.learned, lesson.judging]
        known = np.concatenate([sets.held_out.rows, sets.training.rows])
        labels = np.concatenate([sets.held_out.labels, sets.training.labels])
        order = np.argsort(known)
        rows = np.unique(np.concatenate(parts))
        images = Images(sets.reference.dataset, rows, labels[order][np.searchsorted(known[order], rows)])
        return cls(images, *(np.searchsorted(rows, part) for part in parts))


class View:
    """Features (and logits) of real and synthetic images; every image passes through the extractor once.

    Parameters
    ----------
    sets : Sets
    pool : Pool
    extractor : Extractor
    cache : RealCache
    stages : Stages
    seed : int
        Of the draws that give both sides as many images of each class.
    standardised : bool
        Whether each feature is brought to mean 0 and standard deviation 1 over the reference images, so that none
        outweighs the others: for networks that were not trained for features to be compared in.

    Attributes
    ----------
    key : tuple
        What every number of the real side depends on.
    """

    def __init__(
        self,
        sets: Sets,
        pool: Pool,
        extractor: Extractor,
        cache: RealCache,
        stages: Stages,
        seed: int,
        standardised: bool = False,
    ) -> None:
        self.sets, self.pool, self.cache, self.stages, self.seed = sets, pool, cache, stages, seed
        self.extractor = extractor
        self.n_classes = len(sets.class_names)
        with stages(f"{extractor.name} features of real images", len(pool.images)) as tick:
            self.real: Arrays = real_features(pool.images, extractor, cache, tick)
        with stages(f"{extractor.name} features of synthetic images", len(sets.synthetic)) as tick:
            self.synthetic: Arrays = synthetic_features(sets.synthetic, extractor, tick)
        self.standardise: Standardisation | None = None
        if standardised:
            self.standardise = Standardisation.of(self.real["features"][pool.reference])
            self.real, self.synthetic = (
                {**arrays, "features": self.standardise(arrays["features"])} for arrays in (self.real, self.synthetic)
            )
        self.key = (extractor.name, extractor.sha256, pool.images.fingerprint(), sets.held_out.fingerprint(), seed)

    def counts(self) -> NDArray[np.int64]:
        """Return how many images of each class both sides have."""
        reference = self.pool.images.labels[self.pool.reference]
        return np.minimum(np.bincount(reference, minlength=self.n_classes), self.sets.synthetic.counts(self.n_classes))

    def pairs(self, only: int | None = None, array: str = "features") -> tuple[FloatArray, FloatArray]:
        """Return features of equally many synthetic and reference images of every class (or of one).

        Returns
        -------
        (float32 array [n, d], float32 array [n, d])
        """
        made, real = self._drawn(only)
        return self.synthetic[array][made], self.real[array][real]

    def pair_labels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the classes of the images that `pairs` gives, synthetic and real."""
        made, real = self._drawn(None)
        return self.sets.synthetic.labels[made], self.pool.images.labels[real]

    def floor_pairs(self, only: int | None = None, array: str = "features") -> tuple[FloatArray, FloatArray]:
        """Return the same for other real images and held-out ones: what a perfect generator would score.

        At most as many as `pairs` has; fewer where there are not so many.
        """
        others, held_out = self._floor_drawn(only)
        return self.real[array][others], self.real[array][held_out]

    def two_sets(self, only: int | None = None) -> TwoSets:
        """Return the images that `pairs` gives the features of, with both."""
        made, real = self._drawn(only)
        return self._two_sets(self.sets.synthetic, self.synthetic, made, real)

    def floor_sets(self, only: int | None = None) -> TwoSets:
        """Return the same for the images of `floor_pairs`: other real images in place of the synthetic ones."""
        return self._two_sets(self.pool.images, self.real, *self._floor_drawn(only))

    def _two_sets(self, images: Images, arrays: Arrays, chosen: Rows, real: Rows) -> TwoSets:
        pool = self.pool.images
        return TwoSets(
            images=images.pixels(chosen),
            reference=pool.pixels(real),
            features=arrays["features"][chosen],
            reference_features=self.real["features"][real],
            labels=images.labels[chosen],
            reference_labels=pool.labels[real],
            seed=self.seed,
        )

    def floor_counts(self) -> NDArray[np.int64]:
        """Return images of each class on either side of the floor."""
        sides = [
            np.bincount(self.pool.images.labels[part], minlength=self.n_classes)
            for part in (self.pool.others, self.pool.held_out)
        ]
        return np.minimum(np.minimum(*sides), self.counts())

    def floor(self, name: str, only: int | None, compute: Callable[[FloatArray, FloatArray], Any], array: str) -> Any:
        """Return ``compute(other, held_out)`` of the floor's pairs; it is computed once for a real set."""
        n = self._only(self.floor_counts(), only).tolist()
        return self.cache.numbers(("floor", name, array, n, *self.key), lambda: compute(*self.floor_pairs(only, array)))

    def _drawn(self, only: int | None) -> tuple[Rows, Rows]:
        n = self._only(self.counts(), only)
        return self.sets.synthetic.draw(n, self.seed), self._draw(self.pool.reference, n)

    def _floor_drawn(self, only: int | None) -> tuple[Rows, Rows]:
        n = self._only(self.floor_counts(), only)
        return self._draw(self.pool.others, n), self._draw(self.pool.held_out, n)

    def _draw(self, positions: Rows, counts: NDArray[np.int64]) -> Rows:
        return positions[self.pool.images.select(positions).draw(counts, self.seed)]

    def _only(self, counts: NDArray[np.int64], only: int | None) -> NDArray[np.int64]:
        return counts if only is None else np.where(np.arange(self.n_classes) == only, counts, 0)
