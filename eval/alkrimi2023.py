"""Tables 3 to 9 and figure 3 of alkrimi2023 beside ours: leukocytes at two levels, by nuclei and by images.

The paper cuts 1,000 leukocytes out of 180 fields (556 neutrophils, 153 eosinophils, 25 basophils, 38 monocytes, 228
lymphocytes), counts their nuclei, and classifies them twice with a CNN that it does not describe: as granulocytes or
agranulocytes, and into the five types. It judges that by threshold metrics (F, precision, recall), ranking metrics
(kappa, ROC, AUC) and a probability metric (MSE).

Here as many cells of each type are drawn from a data set with such classes, and every cell is tested once, in five
folds (the paper's 80:20). A forest that looks at nuclei only and networks that look at images are trained on the types,
and the binary numbers of the tables are those of the superclasses, from the summed probabilities of the same arms;
beside them stand those of the same classifiers trained on the two classes. Beside the data as they are stands what the
paper does not try: weighting the rare types up.

    python eval/alkrimi2023.py DATA --out DIR [--budget quick|day|full] [--classifiers A,B,...]

Writes tables.md, figures.json, roc_*.svg (figure 3), confusion_*.svg, nuclei-SIZE/ (table, outlines),
comparison/report.html and two-classes/report.html.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_curve

from alkrimi2023_paper import (
    MATRICES,
    SUPERCLASSES,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TABLE_6,
    TABLE_7,
    TABLE_8,
    TABLE_9,
    TYPES,
    cannot_compare,
    kappa,
    least_mse,
    least_rmse,
    macro_f1,
    precisions,
    recalls,
)
from budget import Amount, Timed
from gansynth.cells.nuclei_folder import NucleiReport, read_nuclei, write_nuclei
from gansynth.data import open_dataset
from gansynth.data.label_tree import LabelTree, granulation, tree_of
from gansynth.errors import InputError
from gansynth.files.atomic import whole_folder, write_json, write_text
from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.probability_scores import best_threshold
from gansynth.metrics.wording import p_value, signed, signed_ends
from gansynth.remedies.arm import NONE
from gansynth.report.drawing import FAINT, GRID, SERIES, as_svg, blank_figure
from gansynth.studies.comparison.entries import ArmScores
from gansynth.studies.comparison.figures import Pooled, estimates, pooled
from gansynth.studies.comparison.levels import lifted
from gansynth.studies.comparison.result import Comparison, Superclasses
from gansynth.studies.comparison.splits import units_of
from paper_arms import confusion, write_chart
from paper_study import MISSING, Options, comparison, figure, markdown, options, parser, percent, share

AMOUNTS = {
    "quick": Amount(64, 12, 1, 5),
    "day": Amount(128, 30, 2, 5),
    "full": Amount(224, 60, 5, 5),
}
TIMED = Timed(3, Amount(64, 12, 1, 5), "further classifiers")
"""Of the kept result: processor time, halved."""
ARMS = (NONE, "weighted")
CLASSIFIERS = {
    "quick": ("nuclei-forest", "nuclei-cnn", "sequential-cnn"),
    "day": ("nuclei-forest", "nuclei-cnn", "random-forest", "sequential-cnn"),
    "full": ("nuclei-forest", "nuclei-cnn", "random-forest", "svm", "sequential-cnn", "custom-cnn"),
}
LEVELS = {"binary": "binary", "types": "five types"}


@dataclass(frozen=True)
class Found:
    """Our numbers at both levels."""

    types: Comparison
    binary: Superclasses
    two: Comparison
    """The same classifiers, trained on the two classes."""

    def entry(self, level: str, classifier: str, arm: str = NONE) -> ArmScores | None:
        """Return an arm at "binary" or "types"."""
        return (self.binary if level == "binary" else self.types).entry(arm, classifier)

    @property
    def best(self) -> str:
        """The classifier with the highest macro-F1 of the types on the data as they are."""
        known = {
            c: found.value or 0.0
            for c in self.types.classifiers
            if (found := figure(self.entry("types", c), "macro-F1")) is not None
        }
        return max(known, key=lambda c: known[c])


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--classifiers", default="", help="recipes, instead of the budget's")
    given = made.parse_args()
    asked = options(given, AMOUNTS, TIMED)
    chosen = [name.strip() for name in given.classifiers.split(",") if name.strip()] or CLASSIFIERS[asked.budget]
    try:
        study(asked, chosen)
    except InputError as error:
        sys.exit(f"error: {error}")


def study(asked: Options, classifiers: Sequence[str]) -> None:
    """Draw the cells, compare, and write and print the paper's tables beside ours."""
    size = asked.amount.size or 128
    cells = drawn_cells(asked.data, size, asked.out / f"cells-{size}")
    place = asked.out / f"nuclei-{size}"
    there = (place / "report.json").is_file()
    measured = read_nuclei(place) if there else write_nuclei(open_dataset(cells, size), place, jobs=asked.jobs)
    types = comparison(asked, ARMS, classifiers, data=str(cells))
    binary = types.superclasses
    assert binary is not None  # drawn_cells draws of both
    two = comparison(asked, ARMS, classifiers, name="two-classes", data=str(in_two_classes(cells)))
    found = Found(types, binary, two)
    text = page(found, measured, asked, units_of(open_dataset(cells, size)))
    print(text)
    write_text(asked.out / "tables.md", text)
    write_json(asked.out / "figures.json", figures(found, measured))
    tree = tree_of(binary.tree, types.class_names)
    for level in LEVELS:
        write_chart(asked.out / f"roc_{level}.svg", roc_chart(found, tree, level))
        write_chart(asked.out / f"confusion_{level}.svg", confusion(getattr(found, level), NONE, found.best))
    print(asked.out / "comparison" / "report.html")


def drawn_cells(data: str, size: int, out: Path, seed: int = 0) -> Path:
    """Write as many cells of each type as the paper has, or all there are, as class folders; return their folder.

    Raises
    ------
    InputError
        If there are no granulocytes or no agranulocytes.
    """
    if (out / "metadata.csv").is_file():
        return out
    dataset = open_dataset(data, size)
    last = [name.lower().replace("_", " ").split(" ")[-1] for name in dataset.class_names]
    known = {granulation(name) for name in dataset.class_names} - {None}
    if len(known) < 2:
        raise InputError(
            f"{data}: has no {' or no '.join(sorted(set(SUPERCLASSES) - known))}s; classes must end in "
            f"{', '.join(TABLE_2)}, and there are {', '.join(dataset.class_names)}"
        )
    rng, rows = np.random.default_rng(seed), []
    real = (dataset.records["origin"] != "synthetic").to_numpy()
    with whole_folder(out) as folder:
        for name, wanted in TABLE_2.items():
            of_type = [c for c, one in enumerate(last) if one == name]
            mine = np.flatnonzero(np.isin(dataset.labels, of_type) & real)
            for i in sorted(rng.permutation(mine)[:wanted].tolist()):
                place = folder / name / f"{i:06d}.png"
                place.parent.mkdir(exist_ok=True, parents=True)
                Image.fromarray(np.ascontiguousarray(dataset.images[i].transpose(1, 2, 0))).save(place)
                told = dataset.records.iloc[i]
                rows.append((f"{name}/{place.name}", told["group"], told["origin"], told["path"]))
        table = pd.DataFrame(rows, columns=["file_name", "group", "origin", "original"])
        table.to_csv(folder / "metadata.csv", index=False, errors="surrogateescape")
    return out


def in_two_classes(cells: Path) -> Path:
    """Write the cells once more, as granulocytes and agranulocytes, beside their folder; return the new one."""
    out = cells.with_name(f"{cells.name}-two")
    if (out / "metadata.csv").is_file():
        return out
    table = pd.read_csv(cells / "metadata.csv", keep_default_na=False)
    with whole_folder(out) as folder:
        names = []
        for name in table["file_name"]:
            of_type, _, file = name.partition("/")
            place = folder / str(granulation(of_type)) / f"{of_type}-{file}"
            place.parent.mkdir(exist_ok=True, parents=True)
            place.write_bytes((cells / name).read_bytes())
            names.append(place.relative_to(folder).as_posix())
        table.assign(file_name=names).to_csv(folder / "metadata.csv", index=False, errors="surrogateescape")
    return out


def page(found: Found, measured: NucleiReport, asked: Options, units: Mapping[str, int]) -> str:
    """Return all tables."""
    return "\n".join(
        [
            "# alkrimi2023: leukocytes at two levels",
            "",
            facts(found, asked),
            "",
            "## Tables 3 and 4: accuracy of each class (%)",
            "",
            "What accuracy of a class is, the paper does not say; ours is its recall, the share that is recognised.",
            "",
            class_table(found),
            "",
            "## Table 5: threshold metrics",
            "",
            level_table(found, TABLE_5, THRESHOLD),
            "",
            "## Table 6: ranking metrics",
            "",
            level_table(found, TABLE_6, RANKING),
            "",
            "## Tables 7 and 8: what is taken for what (paper / ours)",
            "",
            f"Ours: {found.best} on the data as they are, mean of the seeds. Rows are what a cell is.",
            "",
            *(f"{matrix(found, level)}\n" for level in LEVELS),
            "## Table 9: probability metrics",
            "",
            level_table(found, TABLE_9, PROBABILITY),
            "",
            "## The threshold of section 4.1",
            "",
            threshold_table(found, units),
            "",
            "## Trained on two classes",
            "",
            two_table(found),
            "",
            "## The number of nuclei alone (section 2)",
            "",
            by_lobes(measured),
            "",
            "## Every arm of ours",
            "",
            every_arm(found),
            "",
            "Tested differences from the data as they are:",
            "",
            differences(found),
            "",
            cannot_compare(),
        ]
    )


def facts(found: Found, asked: Options) -> str:
    """Return what was compared, in a few sentences."""
    about = found.types.about
    cells = ", ".join(f"{n:,.0f} {name}s" for name, n in about.test_counts.items())
    missing = [name for name in TYPES if name not in found.types.class_names]
    return (
        f"{cells}, at {about.size} px ({asked.budget}); {about.folds} folds, seeds: {len(about.seeds)}. "
        "The binary figures are those of superclasses: the summed probabilities of the same trainings. In brackets: "
        "95% intervals." + (f" The data have no {' and no '.join(missing)}." if missing else "")
    )


THRESHOLD = {
    "F-score": ("macro-F1", macro_f1),
    "Precision": ("macro-precision", lambda table: float(precisions(table).mean())),
    "Recall": ("balanced-accuracy", lambda table: float(recalls(table).mean())),
}
RANKING = {"Kappa": ("kappa", kappa), "ROC": ("ROC-AUC", None), "AUC": ("ROC-AUC", None)}
PROBABILITY = {"ROC": ("ROC-AUC", None), "MSE": ("MSE", least_mse), "RMSE": ("RMSE", least_rmse)}
"""A table's columns: our figure, and what follows for it from the paper's tables 7 and 8 (of MSE: the least)."""


def level_table(found: Found, paper: dict[str, Any], columns: dict[str, Any]) -> str:
    """Return one of tables 5, 6 and 9: the paper's figure, what follows from its own matrices, and ours."""
    classifiers = found.types.classifiers
    rows = []
    for level, title in LEVELS.items():
        for name, (metric, follows) in columns.items():
            own = MISSING if follows is None else f"{follows(MATRICES[level]):.3f}"
            at_least = "at least " if follows in (least_mse, least_rmse) else ""
            ours = [share(figure(found.entry(level, c), metric), 3) for c in classifiers]
            said = dict(zip(columns, paper[level], strict=False)).get(name, MISSING)  # it names RMSE and prints none
            rows.append([title, name, f"{said}", at_least + own, *ours])
    return markdown(["classification", "figure", "paper", "by its tables 7, 8", *classifiers], rows)


def at_best_threshold(arm: Pooled, positive: int | None) -> Pooled:
    """Return an arm whose classes are said by thresholds that were found on the other folds.

    Parameters
    ----------
    arm : Pooled
    positive : int or None
        Of two classes, the one whose threshold decides. None: each class has its own, one against all others, and said
        is the class whose probability is the largest multiple of it.
    """
    said = arm.predicted.copy()
    for fold in np.unique(arm.folds):
        here, other = arm.folds == fold, arm.folds != fold
        if not other.any():
            raise InputError("a threshold needs other folds than those that it is used on; give --folds 2 or more")
        for seed, p in enumerate(arm.probabilities):
            classes = range(arm.n_classes) if positive is None else [positive]
            known = [c for c in classes if (arm.labels[other] == c).any()]
            at = {c: max(best_threshold(p[other, c], arm.labels[other] == c), 1e-9) for c in known}
            if positive is None:
                times = np.stack([p[here, c] / at[c] if c in at else np.zeros(here.sum()) for c in classes], axis=1)
                said[seed, here] = times.argmax(axis=1)
            else:
                said[seed, here] = np.where(p[here, positive] >= at[positive], positive, 1 - positive)
    return replace(arm, predicted=said)


def threshold_table(found: Found, units: Mapping[str, int]) -> str:
    """Return table 5 again, at the thresholds where precision and recall add up to most."""
    results, rows = found.types, []
    tree = tree_of(found.binary.tree, results.class_names)
    for level, title in LEVELS.items():
        columns: dict[str, list[str]] = {name: [] for name in THRESHOLD}
        for classifier in results.classifiers:
            entry = results.entry(NONE, classifier)
            assert entry is not None
            arm = pooled(results.records(entry), units)
            if level == "binary":
                arm = at_best_threshold(lifted(arm, tree), tree.superclasses.index("granulocyte"))
            else:
                arm = at_best_threshold(arm, None)
            moved = estimates(arm)[0]
            for name, (metric, _) in THRESHOLD.items():
                columns[name].append(share(moved[metric], 3))
        rows += [[title, name, f"{said}", *columns[name]] for name, said in zip(THRESHOLD, TABLE_5[level], strict=True)]
    return (
        "Of two classes, cells are granulocytes from the probability on at which precision and recall of granulocytes "
        "add up to most; of five, every class has such a threshold, one against all others, and said is the class "
        "whose probability is the largest multiple of it. Found on the other folds.\n\n"
        + markdown(["classification", "figure", "paper", *results.classifiers], rows)
    )


def two_table(found: Found) -> str:
    """Return the binary numbers of classifiers trained on two classes beside those summed from five types."""
    metrics = ("accuracy", "macro-F1", "macro-precision", "balanced-accuracy", "kappa", "ROC-AUC", "MSE", "RMSE")
    rows = []
    for classifier in found.two.classifiers:
        for said, level in (("two classes", found.two), ("five types, summed", found.binary)):
            entry: ArmScores | None = level.entry(NONE, classifier)
            rows.append([classifier, said, *(share(figure(entry, metric), 3) for metric in metrics)])
    return markdown(["classifier", "trained on", *metrics], rows)


def class_table(found: Found) -> str:
    """Return tables 3 and 4."""
    classifiers = found.types.classifiers
    rows = []
    for level, names, said, table in (
        ("binary", SUPERCLASSES, TABLE_3, TABLE_7),
        ("types", TYPES, TABLE_4, TABLE_8),
    ):
        for name, own in zip(names, recalls(table), strict=True):
            ours = [percent(figure(found.entry(level, c), "recall", name)) for c in classifiers]
            rows.append([name, f"{said[name]}", f"{100 * own:.1f}", *ours])
    return markdown(["class", "paper, tables 3, 4", "recall by its tables 7, 8", *classifiers], rows)


def matrix(found: Found, level: str) -> str:
    """Return table 7 or 8 with our counts beside the paper's."""
    names, paper = (SUPERCLASSES, TABLE_7) if level == "binary" else (TYPES, TABLE_8)
    results, entry = getattr(found, level), found.entry(level, found.best)
    place = {name: i for i, name in enumerate(results.class_names)}
    rows = []
    for i, name in enumerate(names):
        cells = []
        for j, other in enumerate(names):
            known = entry is not None and name in place and other in place
            ours = f"{entry.confusion[place[name], place[other]]:.4g}" if known and entry else MISSING
            cells.append(f"{paper[i, j]} / {ours}")
        total = results.about.test_counts.get(name, 0)
        rows.append([name, *cells, f"{paper[i].sum()} / {total}"])
    return markdown([f"table {7 if level == 'binary' else 8}", *names, "total"], rows)


def by_lobes(measured: NucleiReport) -> str:
    """Return how well the paper's rule finds granulocytes, whatever else it does with nuclei."""
    right, asked = measured.by_lobes
    low, high = wilson_interval(right, asked).tolist() if asked else (0.0, 0.0)
    rows = [
        [name, *(f"{n / max(sum(one.lobes), 1):.0%}" for n in one.lobes), f"{one.left_out}"]
        for name, one in measured.classes.items()
    ]
    return (
        "A granulocyte is what has two lobes or more: right for "
        f"{100 * right / max(asked, 1):.1f} ({100 * low:.1f}-{100 * high:.1f})% of {asked:,} cells that could be cut "
        "out. A folded nucleus counts as lobes, and granules hide those of basophils.\n\n"
        + markdown(["class", "1 lobe", "2", "3", "4 or more", "cells left out"], rows)
    )


def every_arm(found: Found) -> str:
    """Return the metrics of every arm at both levels."""
    metrics = ("accuracy", "macro-F1", "balanced-accuracy", "kappa", "ROC-AUC", "MSE", "RMSE")
    rows = []
    for level, title in LEVELS.items():
        for entry in getattr(found, level).arms:
            rows.append([title, entry.classifier, entry.arm, *(share(figure(entry, m), 3) for m in metrics)])
    return markdown(["classification", "classifier", "arm", *metrics], rows)


def differences(found: Found) -> str:
    """Return what weighting adds, as the comparison tested it."""
    rows = []
    for level, title in LEVELS.items():
        for one in getattr(found, level).effects:
            if one.against == NONE:
                what = one.endpoint.metric + (f" of {one.endpoint.class_name}" if one.endpoint.class_name else "")
                ends = "" if one.interval is None else f" ({signed_ends(one.interval)})"
                p = MISSING if one.p_holm is None else p_value(one.p_holm)
                rows.append([title, one.classifier, one.arm, what, f"{signed(one.value)}{ends}", p])
    return markdown(["classification", "classifier", "arm", "endpoint", "difference (95%)", "p (Holm)"], rows)


def figures(found: Found, measured: NucleiReport) -> dict[str, Any]:
    """Return our numbers, for other programs."""
    return {
        "about": found.types.about.to_json(),
        **{
            level: {
                "classes": list(getattr(found, level).class_names),
                "arms": [
                    {
                        "arm": entry.arm,
                        "classifier": entry.classifier,
                        "metrics": {name: one.to_json() for name, one in entry.metrics.items()},
                        "recall": {name: _of(one["recall"]) for name, one in entry.classes.items()},
                        "confusion": entry.confusion.tolist(),
                    }
                    for entry in getattr(found, level).arms
                ],
            }
            for level in LEVELS
        },
        "two": [
            {
                "arm": entry.arm,
                "classifier": entry.classifier,
                "metrics": {name: one.to_json() for name, one in entry.metrics.items()},
                "confusion": entry.confusion.tolist(),
            }
            for entry in found.two.arms
        ],
        "nuclei": measured.to_json(),
    }


def _value(found: Estimate | None) -> str:
    return MISSING if found is None or found.value is None else f"{found.value:.3f}"


def _of(found: Estimate) -> dict[str, Any]:
    return found.to_json()


def roc_chart(found: Found, tree: LabelTree, level: str) -> str:
    """Draw figure 3: of the superclasses a curve for each classifier, of the types one for each type by the best one.

    Curves are those of the first seed, all folds together; the area beside a name is the mean of the seeds.
    """
    drawn, axes = blank_figure(4.4, 4.2)
    curves: list[tuple[str, NDArray[np.bool_], NDArray[np.float64]]] = []
    for classifier in found.types.classifiers if level == "binary" else [found.best]:
        entry = found.entry("types", classifier)
        said = None if entry is None else found.types.predictions(entry)
        if said is None:
            continue
        if level == "binary":
            at = tree.superclasses.index("granulocyte")
            area = figure(found.entry("binary", classifier), "ROC-AUC")
            name = f"{classifier}, AUC {_value(area)}"
            curves.append((name, tree.labels(said.labels) == at, tree.probabilities(said.probabilities)[:, at]))
        else:
            for c, of_class in enumerate(found.types.class_names):
                name = f"{of_class}, AUC {_value(figure(entry, 'ROC-AUC', of_class))}"
                curves.append((name, said.labels == c, said.probabilities[:, c]))
    for k, (name, truth, score) in enumerate(curves):
        wrong, right, _ = roc_curve(truth, score)
        axes.plot(wrong, right, color=SERIES[k % len(SERIES)], linewidth=1.6, label=name)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
    axes.set_xlabel("share of " + ("other types taken for it" if level == "types" else "agranulocytes taken for them"))
    axes.set_ylabel("share of " + ("the type" if level == "types" else "granulocytes") + " recognised")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.grid(color=GRID, linewidth=0.8)
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return as_svg(drawn)


if __name__ == "__main__":
    main()
