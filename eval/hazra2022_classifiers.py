"""Tables 8 and 9 and figures 4 to 10 of hazra2022 beside comparisons of ours: does balancing help, and by how much?

The paper trains ten classifiers on 12 classes of bone marrow cells as they are (table 8) and balanced by C-WGAN-GP to
10,000 images a class (table 9), splits 70/20/10 after balancing, and reports means of "several trials". Here stand its
figures beside those of folders of `gansynth compare`: one with the clean protocol, and where given one of the same data
with the paper's.

    python eval/hazra2022_classifiers.py DATA --out DIR [--budget quick|day|full] [--scratch A,B|all] [--gan RUN]
    python eval/hazra2022_classifiers.py CLEAN [PAPER] --out DIR [--arm c-wgan-gp]     folders that are there already

With a data set it runs both comparisons first, in DIR/clean and DIR/paper, and goes on with them where it was stopped.
Backbones whose published weights are missing are trained from scratch where --scratch names them, and marked.
Besides the paper's ten there is EfficientNet-Lite0, whose weights install with gansynth. Writes tables.md and
figures.json, figures 4 and 5 (classes_*.svg), 6 (models_accuracy.svg) and 8 (curves_*.svg), and report.html into each
folder: it holds figures 7, 9 and 10, the cells with their probabilities.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from budget import Amount, Budget
from gansynth.errors import InputError
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.wording import p_value, signed, signed_ends
from gansynth.remedies.arm import NONE
from gansynth.report.comparison.arms import arm_marks
from gansynth.report.comparison.classes import class_chart
from gansynth.report.comparison.curves import curve_chart, curves_of
from gansynth.report.comparison.models import model_chart
from gansynth.report.comparison.page import write_comparison_page
from gansynth.studies.comparison.entries import ArmResult, each_pair_once
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import findings, shown_pair, verdict
from paper_arms import write_chart
from paper_backbones import networks
from paper_study import (
    Options,
    add_common,
    beside,
    comparison,
    figure,
    last_epochs,
    markdown,
    options,
    parts,
    percent,
    share,
)

MODELS = {
    "vgg19": "VGG19",
    "resnet50": "ResNet50",
    "inception-v3": "InceptionV3",
    "xception": "Xception",
    "efficientnet": "EfficientNet",
    "logistic-regression": "Logistic Regression",
    "naive-bayes": "Naive Bayes",
    "svm": "SVM",
    "random-forest": "Random Forest",
    "sequential-cnn": "Sequential CNN",
}
"""The paper's names of our recipes."""

AMOUNTS: dict[Budget, Amount] = {
    "quick": Amount(32, 4, seeds=1),
    "day": Amount(64, 15, seeds=3),
    "full": Amount(None, None, seeds=3),
}
GAN = {"quick": "c-wgan-gp-64", "day": "c-wgan-gp-64", "full": "c-wgan-gp"}
GAN_IMAGES = {"quick": 1_920, "day": 96_000, "full": None}
"""Real images that the generator sees; None: as many as its recipe says."""
QUICK = ("sequential-cnn", "logistic-regression", "naive-bayes", "random-forest")
PROTOCOLS: dict[str, Literal["clean", "paper"]] = {"clean": "clean", "paper": "paper"}
"""Folders and how they split: first, or after balancing."""

METRICS = {
    "Recall": "balanced-accuracy",
    "F1": "macro-F1",
    "Specificity": "macro-specificity",
    "Precision": "macro-precision",
}
"""The paper's columns and our figures: means over the classes."""


def _rows(text: str) -> dict[str, dict[str, float]]:
    rows = [line.rsplit(maxsplit=4) for line in text.strip().splitlines()]
    return {name: dict(zip(METRICS, map(float, values), strict=True)) for name, *values in rows}


TABLE_8 = _rows("""
VGG19 65.88 63.11 77.55 64.15
ResNet50 79.18 81.26 81.14 78.37
InceptionV3 82.72 80.31 85.11 81.02
Xception 82.37 80.17 84.26 81.11
EfficientNet 86.33 84.22 88.46 85.03
Logistic Regression 78.25 74.53 82.40 77.29
Naive Bayes 74.11 74.74 77.65 74.93
SVM 86.72 85.44 91.30 85.47
Random Forest 79.15 81.33 83.21 79.46
Sequential CNN 90.48 89.11 89.97 90.72
""")
"""hazra2022, table 8, in percent: recall, F1, specificity and precision on the original data."""

TABLE_9 = _rows("""
VGG19 70.23 65.86 81.36 69.80
ResNet50 82.38 83.67 84.16 83.45
InceptionV3 86.01 84.99 87.23 85.10
Xception 85.56 83.10 86.17 83.99
EfficientNet 88.91 87.19 91.10 88.56
Logistic Regression 82.13 82.66 84.31 82.18
Naive Bayes 77.01 77.33 79.77 77.60
SVM 90.71 88.33 92.30 89.91
Random Forest 83.56 84.73 85.07 83.55
Sequential CNN 96.55 96.01 95.10 96.93
""")
"""hazra2022, table 9, in percent: the same on the balanced data."""

FIGURES = [
    ("Figure 4, balanced data: highest accuracy of a class", "97.5 (neutrophil)", "accuracy", "highest"),
    ("Figure 4: lowest accuracy of a class", "95.6 (erythroblast)", "accuracy", "lowest"),
    ("Figure 4: highest sensitivity of a class", "97.1", "recall", "highest"),
    ("Figure 4: highest specificity of a class", "97", "specificity", "highest"),
]
"""What the paper says in words of figure 4, in percent; its bars, and all of figure 5, are pictures only."""

FIGURE_6 = 96.98
"""Testing accuracy of the sequential CNN on balanced data, in percent; the other bars are a picture only."""

FIGURE_8 = {"train_accuracy": 98.83, "val_accuracy": 98.42, "train_loss": 0.0599, "val_loss": 0.0891}
"""After 50 epochs of 256 iterations; accuracies in percent."""

CLASSES = 12


def cannot_compare() -> str:
    """Return what cannot be compared and why, with the contradictions counted in the paper's own tables."""
    above = impossible_f1()
    recall = TABLE_9["Sequential CNN"]["Recall"]
    least = 100 * least_specificity(recall / 100, CLASSES)
    names = ", ".join(f"{name} in table {table}" for table, name in above)
    return f"""\
## What cannot be compared, and why

- **The paper's test images are neither all real nor all unseen.** It balances before it splits, so that 20% of the
  *balanced* images are tested on: most images of a rare class are then synthetic, made by a GAN that was trained before
  the split. Table 9 says how well one generator's images are distinguished; it says nothing of real cells.
- **Tables 8 and 9 are tested on different images**, so that their difference is not an effect of balancing. Ours are
  differences on the same real test images, with intervals and tests.
- **No uncertainty.** "An average of several trials" has neither a number of trials nor a spread.
- **F1 above both its parts.** A mean of F1 over classes cannot exceed the mean of precision and recall, and no harmonic
  mean does; in {len(above)} of 20 rows it does ({names}).
- **Specificity too low for the recall beside it.** With {CLASSES} classes of equal size, a mean recall of
  {recall:.2f}% leaves a mean specificity of {least:.2f}%, whatever is taken for what; table 9
  says {TABLE_9["Sequential CNN"]["Specificity"]:.2f}%. How it was averaged is not said. Ours is the mean over the
  classes, each against the rest.
- **Accuracy of a class** (figures 4 and 5) is not defined where there are several. Ours is that of the class against
  the rest, which is high by itself: a class of one in {CLASSES} that is never recognised has 92%.
- **Validation accuracy (98.42%) above testing accuracy (96.98%)**, on parts of the same balanced images: with 12,000
  images in the one and 24,000 in the other that is more than chance explains, and no reason is given.
- **Other data.** The paper's 12 classes come from three sources, at their own image size; ours are the classes of the
  comparison's own data, at its own size.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sources", metavar="DATA", nargs="+", help="a data set; or folders of `gansynth compare`, clean or paper"
    )
    parser.add_argument("--arm", default="", help="the balanced arm; default: that of the report's first sentence")
    parser.add_argument("--gan", default="", help="recipe or run that balances, instead of the budget's")
    parser.add_argument("--classifiers", default="", help="recipes, instead of the budget's")
    parser.add_argument("--clean-only", action="store_true", help="without the paper's protocol")
    parser.add_argument("--scratch", default="", help="backbones to train without their published weights, or all")
    add_common(parser)
    given = parser.parse_args()
    try:
        folders = [Path(source) for source in given.sources]
        if not all((folder / "comparison.json").is_file() for folder in folders):
            if len(folders) > 1:
                raise InputError(f"{given.sources[1]}: give one data set, or folders that `gansynth compare` wrote")
            given.data = given.sources[0]
            models = [name for name in MODELS if given.budget != "quick" or name in QUICK]
            names = given.classifiers.split(",") if given.classifiers else [*models, "efficientnet-lite0"]
            asked, gan = options(given, AMOUNTS), given.gan or GAN[given.budget]
            folders = compared(asked, gan, names, given.scratch.split(","), clean_only=given.clean_only)
        study(folders, given.out, given.arm)
    except InputError as error:
        sys.exit(f"error: {error}")


def compared(
    asked: Options, gan: str, names: Sequence[str], scratch: Sequence[str], *, clean_only: bool = False
) -> list[Path]:
    """Carry out or continue the comparison with the clean and with the paper's protocol, and return their folders.

    Parameters
    ----------
    asked : Options
    gan : str
        Recipe, run folder or model of the zoo that balances.
    names : sequence of str
        Recipes of classifiers.
    scratch : sequence of str
        Backbones to train from scratch where their published weights are missing; "all" means all.
    clean_only : bool
        Whether to leave the paper's protocol out.
    """
    trained = networks(names, asked, [name for name in scratch if name])
    specs = [net.spec for net in trained.values() if net.spec]
    protocols = {name: protocol for name, protocol in PROTOCOLS.items() if protocol == "clean" or not clean_only}
    for name, protocol in protocols.items():
        comparison(asked, [NONE, gan], specs, name=name, protocol=protocol, gan_images=GAN_IMAGES[asked.budget])
    return [asked.out / name for name in protocols]


def study(folders: Sequence[Path], out: Path, arm: str = "") -> None:
    """Write and print the paper's tables beside those of one comparison, or of a clean and a paper one."""
    found = [Comparison.read(folder) for folder in folders]
    clean = next((results for results in found if not results.is_paper), None)
    paper = next((results for results in found if results.is_paper), None)
    if len(found) > 2 or (len(found) == 2 and (clean is None or paper is None)):
        raise InputError("give one comparison, or one with the clean and one with the paper's protocol")
    main_one = clean or paper
    assert main_one is not None
    chosen = arm or (shown_pair(main_one) or ("", ""))[0]
    if chosen not in main_one.arm_names or NONE not in main_one.arm_names:
        raise InputError(f"{main_one.folder}: has no arm '{chosen or NONE}'; it has {', '.join(main_one.arm_names)}")
    text = "\n".join(
        [
            "# hazra2022: ten classifiers on original and balanced data",
            "",
            facts(main_one, chosen),
            "",
            "## Table 8, original data (paper / ours)",
            "",
            table(TABLE_8, main_one, NONE),
            "",
            f"## Table 9, balanced data (paper / ours: {chosen})",
            "",
            table(TABLE_9, main_one, chosen),
            "",
            "## Table 9 minus table 8 (paper / ours)",
            "",
            differences(main_one, chosen),
            "",
            "## Every arm of ours",
            "",
            every_arm(main_one),
            "",
            "## Figures 4, 6 and 8",
            "",
            figures(main_one, chosen),
            "",
            "## What our tests say",
            "",
            verdict(main_one),
            "",
            *(f"- {line}" for line in findings(main_one)),
            "",
            *effects(main_one),
            *([] if clean is None or paper is None else protocols(clean, paper, chosen)),
            cannot_compare(),
        ]
    )
    print(text)
    write_text(out / "tables.md", text)
    keys = ("about", "arms", "effects", "doses", "best_dose", "swap", "warnings")
    write_json(
        out / "figures.json",
        {"arm": chosen, "verdict": verdict(main_one)}
        | {("paper" if one.is_paper else "clean"): parts(one, keys) for one in found},
    )
    draw(main_one, chosen, out)
    for one in found:
        print(write_comparison_page(one.folder, clean.folder if clean and one.is_paper else None))


def facts(results: Comparison, arm: str) -> str:
    """Return what the comparison was, in a sentence."""
    about = results.about
    counts = about.training_counts
    held = ", ".join(f"{name} {n}" for name, n in about.rarity.items())
    made = results.entry(arm, results.classifiers[0])
    added = sum(made.synthetic_counts.values()) if made else 0
    return (
        f"{len(results.class_names)} classes at {about.size} px; {sum(counts.values()):,.0f} real training images"
        f"{f' ({held} by --rarity)' if held else ''}, {sum(about.test_counts.values()):,} tested; "
        f"{about.folds} fold(s), {len(about.seeds)} seed(s), protocol {about.protocol}. Balanced: {arm}"
        f"{f', {added:,} synthetic images' if added else ''}."
    )


def table(paper: dict[str, dict[str, float]], results: Comparison, arm: str) -> str:
    """Return one of the paper's tables with our figures beside, in percent, with 95% intervals."""
    rows = []
    for name, row in paper.items():
        entry = ours(results, name, arm)
        said = f"{name} (ours from scratch)" if entry is not None and entry.weights == "none" else name
        rows.append([said, *(beside(row[column], figure(entry, metric)) for column, metric in METRICS.items())])
    for classifier in results.classifiers:
        if classifier not in MODELS:
            entry = results.entry(arm, classifier)
            rows.append([f"*{classifier}*", *(f"- / {percent(figure(entry, metric))}" for metric in METRICS.values())])
    return markdown(["model", *(f"{column} (%)" for column in METRICS)], rows)


def differences(results: Comparison, arm: str) -> str:
    """Return what balancing adds in the paper and in our comparison, in percentage points."""
    rows = []
    for name in TABLE_8:
        before, after = ours(results, name, NONE), ours(results, name, arm)
        cells = []
        for column, metric in METRICS.items():
            gap = _gap(before, after, metric)
            said = "-" if gap is None else f"{100 * gap:+.1f}"
            cells.append(f"{TABLE_9[name][column] - TABLE_8[name][column]:+.2f} / {said}")
        rows.append([name, *cells])
    return markdown(["model", *METRICS], rows)


def every_arm(results: Comparison) -> str:
    """Return every arm with the figures of tables 8 and 9, the accuracy, and the recall of the rare classes."""
    rows = []
    for classifier in results.classifiers:
        for arm in results.arm_names:
            entry = results.entry(arm, classifier)
            if entry is None:
                continue
            cells = [percent(figure(entry, metric)) for metric in (*METRICS.values(), "accuracy")]
            cells += [share(entry.classes.get(name, {}).get("recall")) for name in results.about.rare]
            rows.append([MODELS.get(classifier, classifier), arm, *cells])
    return markdown(["model", "arm", *METRICS, "Accuracy", *(f"recall of {name}" for name in results.about.rare)], rows)


def figures(results: Comparison, arm: str) -> str:
    """Return the figures 4, 6 and 8 as far as the paper gives them in words, beside ours."""
    entry = ours(results, "Sequential CNN", arm)
    rows = [[what, paper, _extreme(entry, metric, which)] for what, paper, metric, which in FIGURES]
    rows.append(["Figure 6: testing accuracy of the sequential CNN", f"{FIGURE_6}", percent(figure(entry, "accuracy"))])
    last = [] if entry is None else last_epochs(results, entry)
    for key, value in FIGURE_8.items():
        known = [end for point in last if (end := point.value(key)) is not None]
        scale = 100 if key.endswith("accuracy") else 1
        mean = f"{scale * sum(known) / len(known):.4g}" if known else "-"
        rows.append([f"Figure 8: {key.replace('_', ' ')} at the end", f"{value}", mean])
    return markdown(["what", "paper", f"ours ({arm})"], rows)


def effects(results: Comparison) -> list[str]:
    """Return every tested difference."""
    rows = []
    for e in each_pair_once(results.effects):
        ends = "" if e.interval is None else f" ({signed_ends(e.interval)})"
        what = e.endpoint.metric + (f" of {e.endpoint.class_name}" if e.endpoint.class_name else "")
        p = ["-" if p is None else p_value(p) for p in (e.p, e.p_holm)]
        shown = "yes" if e.shown else "no"
        rows.append([e.classifier, e.arm, e.against, what, f"{signed(e.value)}{ends}", *p, f"{e.n:,}", shown])
    head = ["model", "arm", "against", "endpoint", "difference (95%)", "p", "p (Holm)", "n", "shown"]
    return [markdown(head, rows), ""] if rows else []


def protocols(clean: Comparison, paper: Comparison, arm: str) -> list[str]:
    """Return how much better the paper's protocol makes the same arms on the same data."""
    rows = []
    for classifier in clean.classifiers:
        for one in (NONE, arm):
            first, last = clean.entry(one, classifier), paper.entry(one, classifier)
            cells = []
            for metric in ("accuracy", "balanced-accuracy", "macro-F1"):
                gap = _gap(first, last, metric)
                more = "-" if gap is None else f"{100 * gap:+.1f}"
                cells.append(f"{percent(figure(last, metric))} / {percent(figure(first, metric))} / {more}")
            rows.append([MODELS.get(classifier, classifier), one, *cells])
    head = ["model", "arm", *(f"{name} (%): paper's / clean / more" for name in ("accuracy", "recall", "macro F1"))]
    return ["## The same data with both protocols", "", markdown(head, rows), ""]


def impossible_f1() -> list[tuple[int, str]]:
    """Return the rows (table, model) whose F1 is above the mean of precision and recall by more than rounding.

    F1 of a class is the harmonic mean of its precision and recall, which no arithmetic mean of the two exceeds, so
    that neither does its mean over classes.
    """
    return [
        (number, name)
        for number, rows in ((8, TABLE_8), (9, TABLE_9))
        for name, row in rows.items()
        if row["F1"] > (row["Recall"] + row["Precision"]) / 2 + 0.01
    ]


def least_specificity(recall: float, classes: int) -> float:
    """Return the mean specificity of classes of equal size: every cell missed is taken for one of the others."""
    return 1 - (1 - recall) / (classes - 1)


def draw(results: Comparison, arm: str, out: Path) -> None:
    """Write figures 4 and 5 (accuracy, specificity, recall of every class), 6 (models) and 8 (curves) as SVG."""
    classifier = "sequential-cnn" if "sequential-cnn" in results.classifiers else results.classifiers[0]
    curves = curves_of(results, classifier, [NONE, arm])
    marks = arm_marks(results, list(curves)) if curves else []
    colors = {name: mark.color for name, mark in zip(curves, marks, strict=True)}
    charts = {f"classes_{m}": class_chart(results, m, arm, classifier) for m in ("accuracy", "specificity", "recall")}
    charts["models_accuracy"] = model_chart(results, "accuracy")
    charts |= {f"curves_{key}": curve_chart(curves, key, colors) for key in ("accuracy", "loss")}
    for name, drawn in charts.items():
        write_chart(out / f"{name}.svg", drawn)


def ours(results: Comparison, model: str, arm: str) -> ArmResult | None:
    """Return our arm of one of the paper's models."""
    return next((e for e in results.arms if MODELS.get(e.classifier) == model and e.arm == arm), None)


def _gap(before: ArmResult | None, after: ArmResult | None, metric: str) -> float | None:
    pair = [None if one is None else one.metrics.get(metric) for one in (before, after)]
    values = [one.value for one in pair if one is not None and one.value is not None]
    return values[1] - values[0] if len(values) == 2 else None


def _extreme(entry: ArmResult | None, metric: str, which: str) -> str:
    held: dict[str, Any] = {} if entry is None else entry.classes
    known = {n: f[metric].value for n, f in held.items() if metric in f and f[metric].value is not None}
    if not known:
        return "-"
    name = (max if which == "highest" else min)(known, key=lambda n: known[n])
    return f"{100 * known[name]:.1f} ({name})"


if __name__ == "__main__":
    main()
