"""What the table of nuclei is good for: granulocytes from agranulocytes, and mature white cells from each other.

    python eval/nuclei.py DATA --out DIR [--per-class 100] [--seed 0]

DATA is a data set with its split and classes whose names end in neutrophil, eosinophil, basophil, lymphocyte or
monocyte. A random forest (scikit-learn, 300 trees) learns from the table of training images and is asked about test
images; neither pixels nor held-out images take part in the fit. alkrimi2023 did this on its own images, with a CNN.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from gansynth.cells.nuclei import COLUMNS, nuclei_table
from gansynth.data import CellDataset, open_dataset
from gansynth.data.label_tree import granulation
from gansynth.files.atomic import whole_file, write_text
from gansynth.metrics.agreement import wilson_interval


def chosen(dataset: CellDataset, per_class: int, seed: int) -> CellDataset:
    """Return at most so many images of each mature class, from each of training and test."""
    rng, rows = np.random.default_rng(seed), []
    for c, name in enumerate(dataset.class_names):
        if granulation(name) is not None:
            for split in ("train", "test"):
                mine = np.flatnonzero((dataset.labels == c) & (dataset.records["split"] == split).to_numpy())
                rows.append(np.sort(rng.permutation(mine)[:per_class]))
    return dataset.select(np.concatenate(rows))


def lobes(table: pd.DataFrame) -> list[str]:
    """Return the number of lobes in each class, as lines."""
    lines = ["| class | cells | 1 lobe | 2 | 3 | 4 or more |", "|---|---|---|---|---|---|"]
    for name, some in table.groupby("class"):
        n = np.minimum(some["lobes"].astype(int), 4)
        shares = " | ".join(f"{(n == k).mean():.0%}" for k in (1, 2, 3, 4))
        lines.append(f"| {name} | {len(some)} | {shares} |")
    return lines


def answer(table: pd.DataFrame, level: str, columns: tuple[str, ...], seed: int) -> tuple[str, np.ndarray, list[str]]:
    """Fit on training rows, ask about test rows; return a line, the confusion matrix and its labels."""
    train, test = table[table["split"] == "train"], table[table["split"] == "test"]
    forest = RandomForestClassifier(300, class_weight="balanced", random_state=seed)
    said = forest.fit(train[list(columns)], train[level]).predict(test[list(columns)])
    right = int((said == test[level]).sum())
    low, high = wilson_interval(right, len(test)).tolist()
    kappa, f1 = cohen_kappa_score(test[level], said), f1_score(test[level], said, average="macro")
    names = sorted(set(test[level]))
    line = f"{len(test)} | {right / len(test):.1%} ({low:.1%} to {high:.1%}) | {f1:.3f} | {kappa:.3f}"
    return line, confusion_matrix(test[level], said, labels=names), names


def page(table: pd.DataFrame, seed: int) -> str:
    """Return the whole answer."""
    good = table[table["problem"] == ""].copy()
    good["type"] = [name.rsplit(" ", 1)[-1] for name in good["class"]]
    lines = [
        "# Mature white cells by the table of nuclei",
        "",
        f"{len(table)} cells, {len(good)} of them cut out without a problem. A random forest on the table of training "
        "cells, asked about test cells. Accuracy with its Wilson interval; macro-F1; Cohen's kappa.",
        "",
        "| question | columns | test cells | accuracy | macro-F1 | kappa |",
        "|---|---|---|---|---|---|",
    ]
    everything = COLUMNS
    for level, what in (("granulation", "granulocyte or agranulocyte"), ("type", "which of five")):
        for columns, called in ((everything, "all"), (("lobes",), "number of lobes alone")):
            lines.append(f"| {what} | {called} | {answer(good, level, columns, seed)[0]} |")
    _, matrix, names = answer(good, "type", everything, seed)
    lines += ["", "Rows are what test cells are, columns what the forest says (all columns).", ""]
    lines += [f"| | {' | '.join(names)} |", f"|---{'|---' * len(names)}|"]
    lines += [f"| {name} | {' | '.join(map(str, row))} |" for name, row in zip(names, matrix, strict=True)]
    lines += ["", "Lobes counted, in all cells:", "", *lobes(good)]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    table = nuclei_table(chosen(open_dataset(given.data, 128), given.per_class, given.seed))
    with whole_file(given.out / "nuclei.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.5g", lineterminator="\n")
    told = page(table, given.seed)
    write_text(given.out / "nuclei.md", told)
    print(told)


if __name__ == "__main__":
    main()
