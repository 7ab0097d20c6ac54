"""What moving the threshold by the classes' frequencies does to a classifier that is trained already.

    gansynth compare DATA --remedies augmentation --classifiers efficientnet-lite0 --seeds 1 --robustness --out compared
    python eval/threshold_moved.py compared --classifier efficientnet-lite0 --arm augmentation --out DIR

Reads the predictions of an arm, also of a comparison that was stopped, and says the same of them after each probability
is divided by how often its class was there to learn from (Menon et al. 2021, eq. 9, tau 1): what the remedy
`posthoc-logit-adjustment` does, on the weights that the arm kept. Trains nothing. Writes table.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gansynth.errors import InputError
from gansynth.files import read_json
from gansynth.files.atomic import write_text
from gansynth.studies.comparison.arm import Cell
from gansynth.studies.comparison.figures import Pooled, estimates, pool
from gansynth.studies.comparison.record import Predictions, Record
from paper_study import markdown, share

PLAIN = "as they were"
"""The test images without a condition."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", type=Path)
    parser.add_argument("--classifier", required=True)
    parser.add_argument("--arm", required=True, help="as its folder is called")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        text = table(given.comparison, given.arm, given.classifier)
    except InputError as error:
        sys.exit(f"error: {error}")
    print(text)
    write_text(given.out / "table.md", text)


def table(folder: Path, arm: str, classifier: str) -> str:
    """Return macro-F1 and the recall of the rare classes, before and after, in every condition, as Markdown.

    Raises
    ------
    InputError
        If the arm has no finished training with this classifier.
    """
    records = finished(folder, arm, classifier)
    names = records[0].class_names
    rare = [name for name in read_json(folder / "comparison.json")["rare"] if name in names]
    counts = np.mean([[one.note.training_counts[name] for name in names] for one in records], axis=0)
    rows = []
    for condition in (PLAIN, *records[0].note.conditions):
        plain = pool([(one.cell.fold, one.cell.seed, shown(one, condition)) for one in records], None)
        for said, of in (("as trained", plain), ("threshold moved", moved(plain, counts.tolist()))):
            overall, classes = estimates(of)
            recalls = [share(classes[names.index(name)]["recall"]) for name in rare]
            rows.append([condition, said, share(overall["macro-F1"], 3), share(overall["accuracy"], 3), *recalls])
    head = ["test images", "classifier", "macro F1", "accuracy", *(f"recall of {name}" for name in rare)]
    trained, folds = len({one.cell.seed for one in records}), len({one.cell.fold for one in records})
    about = (
        f"{classifier}, {arm}: {len(plain.labels):,} test images, {trained} training(s) in {folds} fold(s); "
        f"{', '.join(f'{n:g} {name}s' for n, name in zip(counts, names, strict=True) if name in rare)} to learn from. "
        "95% intervals over test images"
    )
    more = "; with one training they know nothing of another one." if trained * folds == 1 else " and trainings."
    return f"{about}{more}\n\n{markdown(head, rows)}\n"


def finished(folder: Path, arm: str, classifier: str) -> list[Record]:
    """Return the finished trainings of an arm.

    Raises
    ------
    InputError
        If there is none.
    """
    found = []
    for note in sorted(folder.glob(f"arms/fold*/{arm}/{classifier}/seed*/arm.json")):
        fold, seed = (int(re.sub(r"\D", "", part)) for part in (note.parents[3].name, note.parent.name))
        names = tuple(sorted(read_json(note)["training_counts"]))
        found.append(Record(Cell(arm, arm, classifier, fold, seed), note.parent, names))
    if not found:
        raise InputError(f"{folder}: has no finished training of {arm} with {classifier}; name folders of arms/fold0")
    return found


def shown(record: Record, condition: str) -> Predictions:
    """Return what a training says of the test images, in a condition or as they were."""
    return record.predictions() if condition == PLAIN else record.in_condition(condition)


def moved(arm: Pooled, counts: Sequence[float]) -> Pooled:
    """Return an arm whose probabilities are divided by the classes' frequencies."""
    shifted = arm.probabilities / np.asarray(counts)
    shifted /= shifted.sum(axis=2, keepdims=True)
    return replace(arm, probabilities=shifted, predicted=shifted.argmax(axis=2))


if __name__ == "__main__":
    main()
