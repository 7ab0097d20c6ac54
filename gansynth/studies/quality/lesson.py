"""What the head of a pretrained judge learns from, and by which real cells it is itself judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gansynth.studies.quality.sets import Images, Rows, Sets

ENOUGH = 100
"""Cells of every class that the generator has not seen, from which a judge learns from one half of them."""

MOST = 300
"""Cells of a class that it learns from otherwise."""


@dataclass(frozen=True)
class Lesson:
    """Real cells in two parts.

    Attributes
    ----------
    learned, judging : Rows
        Rows of the real data set: what the head learns from, and other held-out cells by which it is judged.
    unseen : bool
        Whether the generator has seen none of those it learns from.
    """

    learned: Rows
    judging: Rows
    unseen: bool

    @property
    def warnings(self) -> list[str]:
        """What a reader must know of the judge."""
        if self.unseen:
            return []
        return [
            f"below {ENOUGH} real cells of some class were held out, so the linear judge in pretrained features has "
            "learned from the training images, which the generator has seen, too"
        ]


def lesson_of(sets: Sets, seed: int, seen: frozenset[str] | None = None) -> Lesson:
    """Divide the real cells that the generator has not seen in halves; where they are too few, learn from the training
    images.

    Parameters
    ----------
    sets : Sets
    seed : int
        Of the draw.
    seen : frozenset of str, optional
        sha256 of the images that the generator was trained on; default: all training images.
    """
    unseen = _unseen(sets, seen)
    n = len(sets.class_names)
    counts = unseen.counts(n)
    if counts.min() >= ENOUGH:
        learned = unseen.draw(counts // 2, seed)
        return Lesson(unseen.rows[learned], np.delete(unseen.rows, learned), unseen=True)
    learned = sets.training.draw(np.full(n, MOST), seed)
    return Lesson(sets.training.rows[learned], sets.held_out.rows, unseen=False)


def _unseen(sets: Sets, seen: frozenset[str] | None) -> Images:
    """Return the held-out images, and the training images that are not among `seen`."""
    fresh = np.array([seen is not None and sha256 not in seen for sha256 in sets.training.sha256()], dtype=bool)
    rows = np.concatenate([sets.held_out.rows, sets.training.rows[fresh]])
    labels = np.concatenate([sets.held_out.labels, sets.training.labels[fresh]])
    order = np.argsort(rows)
    return Images(sets.held_out.dataset, rows[order], labels[order])
