"""Are mistakes mostly between neighbouring stages of maturation? Counted in the kept matrices of studies.

guo2022 (sections 3.4 and 5) says that most cells which its network does not recognise are taken for a neighbouring
stage of the same line. Here the share of such mistakes is counted among all mistakes on cells of a line, beside what
it would be if they were spread evenly over the other classes.

    python eval/stage_mistakes.py FIGURES.json... --out DIR

FIGURES are the figures.json of studies that keep comparisons with their confusion matrices, such as those of
eval/results. Trains nothing; writes table.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.metrics.agreement import wilson_interval
from paper_study import markdown

LINES = (
    ("myeloblast", "promyelocyte", "myelocyte", "metamyelocyte", "band neutrophil", "segmented neutrophil"),
    ("early normoblast", "polychromatic normoblast", "orthochromatic normoblast"),
)
"""Stages in the order in which a cell passes through them."""


@dataclass(frozen=True)
class Mistakes:
    """Mistakes on cells of a line.

    Attributes
    ----------
    wrong, beside : float
        Cells taken for another class, and those of them taken for a neighbouring stage; means over trainings.
    evenly : float
        Share of the wrong ones that would be neighbours if all other classes were as likely.
    """

    wrong: float
    beside: float
    evenly: float


def mistakes(confusion: ArrayLike, names: Sequence[str]) -> Mistakes:
    """Count mistakes between neighbouring stages.

    Parameters
    ----------
    confusion : float array, shape [C, C]
        True classes in rows.
    names : sequence of str, length C

    Examples
    --------
    >>> mistakes([[8, 2, 0], [1, 7, 2], [0, 0, 9]], ["promyelocyte", "myelocyte", "platelet"])
    Mistakes(wrong=5.0, beside=3.0, evenly=0.5)
    """
    table, place = np.asarray(confusion, np.float64), {name: i for i, name in enumerate(names)}
    wrong = beside = even = 0.0
    for line in LINES:
        there = [place[name] for name in line if name in place]
        for at, row in enumerate(there if len(there) > 1 else []):
            neighbours = [there[k] for k in (at - 1, at + 1) if 0 <= k < len(there)]
            missed = float(table[row].sum() - table[row, row])
            wrong, beside = wrong + missed, beside + float(table[row, neighbours].sum())
            even += missed * len(neighbours) / (len(names) - 1)
    return Mistakes(wrong, beside, even / wrong if wrong else 0.0)


def matrices(figures: dict[str, Any]) -> Iterator[tuple[str, str, list[str], Any]]:
    """Yield arm, classifier, classes and matrix of every comparison that a figures.json keeps."""
    for part in figures.values():
        if isinstance(part, dict) and "arms" in part and "about" in part:
            for arm in part["arms"]:
                yield arm["arm"], arm["classifier"], part["about"]["classes"], arm["confusion"]


def table(files: Sequence[Path]) -> str:
    """Return the share of neighbours among the mistakes of every arm, as Markdown.

    Raises
    ------
    InputError
        If a file holds no matrix, or no class of it is a stage.
    """
    rows = []
    for file in files:
        found = [(arm, by, mistakes(of, names)) for arm, by, names, of in matrices(json.loads(file.read_text("utf-8")))]
        if not any(one.wrong for _, _, one in found):
            raise InputError(
                f"{file}: keeps no matrix of classes that are stages of a line; give a study's figures.json"
            )
        for arm, classifier, one in (one for one in found if one[2].wrong):
            low, high = wilson_interval(round(one.beside), round(one.wrong)).tolist()
            share = f"{100 * one.beside / one.wrong:.1f} ({100 * low:.1f}-{100 * high:.1f})"
            rows.append([file.parent.name, classifier, arm, f"{one.wrong:.0f}", share, f"{100 * one.evenly:.1f}"])
    head = ["study", "classifier", "arm", "mistakes", "for a neighbour (%)", "if spread evenly (%)"]
    return (
        "Mistakes on cells of a line of maturation (mean of the trainings), and how many of them take a cell for the "
        "stage before or after its own. 95% intervals over test cells; they know nothing of other trainings.\n\n"
        + markdown(head, rows)
        + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        text = table(given.figures)
    except InputError as error:
        sys.exit(f"error: {error}")
    print(text)
    write_text(given.out / "table.md", text)


if __name__ == "__main__":
    main()
