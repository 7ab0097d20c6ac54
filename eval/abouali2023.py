"""abouali2023 beside comparisons of ours: tables 4 to 11 and figure 11. Do composites help to distinguish 11 classes?

The paper divides PBC's eight classes into eleven, of which promyelocytes are few, composes images of promyelocytes
(the set 419-PMY) and of five classes ("Naturalize": 1K, 2K, and a set of 1,000 images a class), and trains fine-tuned
backbones, a CNN of its own and two ensembles (tables 4 and 5). Its best, EfficientNetV2 B0, it trains on all five sets
(tables 6 to 11), and shows by Score-CAM what a network looked at (figure 11).

Here composites are made from training images only and every set is tested on the same real images. The same is done
with the paper's protocol, which composes before it splits, to see what that adds (with --budget quick only if
--protocols is given; --only-protocols asks nothing else, of two sets). The trained classifiers are also asked for PBC's
eight classes.

    python eval/abouali2023.py DATA --out DIR [--budget quick|day|full] [--weights-dir WEIGHTS] [--scratch A,B|all]

Writes tables.md, figures.json, confusion_*.svg, classes_*.svg, explained/ (figure 11), and comparisons with a
report.html each: sets/ (tables 6 to 11), models/ (tables 4 and 5), paper-protocol/.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import paper_study
from abouali2023_paper import (
    AVERAGES,
    CLASSES,
    EIGHT,
    MODELS,
    PRINTED,
    REPORTS,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TABLE_11,
    UNLABELLED,
    OfClass,
    composed_share,
    same_recalls,
)
from abouali2023_sets import SETS, composed_classes, rarest_class
from budget import Amount, Budget, Timed
from gansynth.data import open_dataset
from gansynth.data.label_tree import tree_of
from gansynth.errors import InputError
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.estimate import Estimate
from gansynth.studies.comparison.entries import ArmResult
from gansynth.studies.comparison.figures import estimates, pooled
from gansynth.studies.comparison.levels import lifted
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.splits import make_folds, units_of
from paper_arms import class_bars, confusion, tested, write_chart
from paper_backbones import Network, network, networks
from paper_explanations import explained, explanation_table
from paper_study import (
    MISSING,
    Options,
    comparison,
    figure,
    last_epochs,
    markdown,
    parts,
    percent,
)

AMOUNTS: dict[Budget, Amount] = {
    "quick": Amount(48, 12, seeds=2, images=0.12),
    "day": Amount(64, 60, seeds=3, images=0.5),
    "full": Amount(None, None, seeds=3),
}
TIMED = Timed(14, Amount(48, 12, seeds=3, images=0.12), "backbones from scratch, the paper's protocol, explanations")
"""Of the kept result: the sum of its trainings, halved."""
TIMED_PROTOCOLS = Timed(2, Amount(48, 12, seeds=3, images=0.12))
"""Of the kept protocols: processor time, halved."""
SHARE = {"quick": 0.12, "day": 0.5, "full": 1.0}
"""Of the training images of every class, how many are kept."""
MODEL_EPOCHS = {"quick": 3, "day": 10, "full": None}
"""Of the backbones of table 4 that are trained from scratch or tuned."""
TURNS = ("augmentation=orientations",)
"""How the arms alter images: flips and quarter turns (section 3.4)."""
SMALL_BATCHES = ("training.batch_size=16",)
"""Of tables 6 to 11 where images are few: an epoch of large batches is too few steps."""
STAND_IN = "custom-cnn"
"""The network of tables 6 to 11 where EfficientNetV2 B0 has no weights: the paper's own, which needs none."""
SCRATCH = {"quick": "none", "day": "efficientnetv2-b0,densenet121", "full": "none"}
EXPLAINED = 40
"""Test images of the rarest class that are explained."""

OVERALL = ("macro-precision", "balanced-accuracy", "macro-F1")
WEIGHTED = ("weighted-precision", "accuracy", "weighted-F1")
"""A mean of recalls that counts every class by its images is the accuracy."""
BEFORE, AFTER = SETS["Original"], SETS["419-PMY"]
COMPARED = ("Original", "2K")
"""The sets that are composed before the split, too."""


@dataclass(frozen=True)
class Found:
    """What was run."""

    main: Network
    models: dict[str, Network]
    sets: Comparison | None
    others: Comparison | None
    paper: Comparison | None

    def on_set(self, name: str) -> ArmResult | None:
        """The main network on one of the paper's sets."""
        return None if self.sets is None else self.sets.entry(SETS[name], self.main.name)

    def model(self, name: str) -> ArmResult | None:
        """One of table 4's models on the set 419-PMY."""
        if MODELS[name] == self.main.name:
            return self.on_set("419-PMY")
        return None if self.others is None else self.others.entry(AFTER, MODELS[name])


def main() -> None:
    parser = paper_study.parser(__doc__)
    parser.add_argument("--share", type=float, help="of the training images of every class that are kept")
    parser.add_argument(
        "--main", help=f"network of tables 6 to 11; default: efficientnetv2-b0 with --budget full, else {STAND_IN}"
    )
    parser.add_argument("--scratch", help="networks to train without their published weights where these are missing")
    parser.add_argument("--protocols", action="store_true", help="the paper's protocol beside ours with a quick budget")
    parser.add_argument("--only-protocols", action="store_true", help="both protocols, and nothing else")
    given = parser.parse_args()
    asked = paper_study.options(given, AMOUNTS, TIMED_PROTOCOLS if given.only_protocols else TIMED)
    share = SHARE[asked.budget] if given.share is None else given.share
    main = given.main or ("efficientnetv2-b0" if asked.budget == "full" else STAND_IN)
    try:
        if given.only_protocols:
            protocol_study(asked, share=share, main=main, scratch=given.scratch or SCRATCH[asked.budget])
            return
        study(
            asked,
            share=share,
            main=main,
            scratch=given.scratch or SCRATCH[asked.budget],
            model_epochs=given.epochs or MODEL_EPOCHS[asked.budget],
            protocols=given.protocols or asked.budget != "quick",
        )
    except InputError as error:
        sys.exit(f"error: {error}")


def study(
    asked: Options, *, share: float, main: str, scratch: str, model_epochs: int | None, protocols: bool = True
) -> None:
    """Run what the tables need, and write and print them."""
    learned = _learned(asked, share)
    rarity = learned if share < 1 else {}
    rarest = rarest_class(learned)
    found = _run(asked, main, scratch, model_epochs, rarity, composed_classes(learned), protocols)
    keys = ("about", "arms", "effects", "warnings")
    done = {"sets": found.sets, "models": found.others, "paper-protocol": found.paper}
    write_json(
        asked.out / "figures.json",
        {name: parts(one, keys) for name, one in done.items() if one is not None},
    )
    if found.sets is not None:
        for name, arm in (("original", BEFORE), ("2k", SETS["2K"])):
            write_chart(asked.out / f"confusion_{name}.svg", confusion(found.sets, arm, found.main.name))
        for metric in ("precision", "recall"):
            arms = (BEFORE, AFTER, SETS["2K"])
            drawn = class_bars(found.sets, metric, arms, found.main.name, f"{metric} of the class")
            write_chart(asked.out / f"classes_{metric}.svg", drawn)
    text = tables(asked, found, rarest, "Not finished.")
    write_text(asked.out / "tables.md", text)  # what is known, before two more trainings
    if found.main.spec:
        methods, changes = ("score-cam", "grad-cam"), _changes(asked)
        shares = explained(
            asked, "sets", found.main.spec, (BEFORE, AFTER), methods, rarest, rarity, changes=changes, shown=EXPLAINED
        )
        text = tables(asked, found, rarest, explanation_table(shares))
        write_text(asked.out / "tables.md", text)
    print(text)


def protocol_study(asked: Options, *, share: float, main: str, scratch: str) -> None:
    """Run two of the sets, composed before the split and after it, and write and print what that adds.

    Raises
    ------
    InputError
        If the network has no weights and is not to be trained from scratch, or as `gansynth.compare` does.
    """
    learned = _learned(asked, share)
    rarity, rare = learned if share < 1 else {}, composed_classes(learned)
    one = network(main, asked, _names(scratch))
    if not one.spec:
        raise InputError(f"{main}: {one.weights}; give --weights-dir, --scratch {main} or --main {STAND_IN}")
    arms, changes = [SETS[name] for name in COMPARED], _changes(asked)
    sets = comparison(asked, arms, [one.spec], name="sets", rarity=rarity, rare=rare, changes=changes)
    paper = _composed_first(asked, arms, one, rarity, rare)
    found = Found(one, {}, sets, None, paper)
    said = one.name + (f", {one.weights}" if one.weights else "")
    tested_on = figure(paper.entry(SETS["2K"], one.name), "accuracy")
    others = (
        "Composed first, images and composites are divided together: fewer are learned from, and "
        f"{MISSING if tested_on is None else f'{tested_on.n:,}'} are tested in the set 2K."
    )
    title = "# abouali2023: composites before the split and after it"
    head = [title, "", f"{facts(found)} {others} Network: {said}.", ""]
    text = "\n".join([*head, *protocols(found, rarest_class(learned)), cannot_compare(found)])
    print(text)
    write_text(asked.out / "tables.md", text)
    keys = ("about", "arms", "warnings")
    write_json(asked.out / "figures.json", {"sets": parts(sets, keys), "paper-protocol": parts(paper, keys)})


def _learned(asked: Options, share: float) -> dict[str, int]:
    """Return how many training images of each class are kept."""
    if not 0 < share <= 1:
        raise InputError(f"--share {share:g}: give a number above 0, at most 1")
    counts = make_folds(open_dataset(asked.data, size=asked.amount.size or 64), asked.amount.folds, {}, 0)[0].counts
    return {name: max(1, round(share * n)) for name, n in counts["train"].items()}


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def _composed_first(
    asked: Options, arms: list[str], main: Network, rarity: dict[str, int], rare: list[str]
) -> Comparison:
    """Carry out the comparison with the paper's protocol."""
    unfolded = replace(asked, amount=replace(asked.amount, folds=None))
    return comparison(
        unfolded, arms, [main.spec], name="paper-protocol", rarity=rarity, rare=rare, changes=_changes(asked),
        protocol="paper",
    )  # fmt: skip


def _run(
    asked: Options,
    main: str,
    scratch: str,
    model_epochs: int | None,
    rarity: dict[str, int],
    rare: list[str],
    protocols: bool,
) -> Found:
    from_scratch = _names(scratch)
    first, models = network(main, asked, from_scratch), networks(list(MODELS.values()), asked, from_scratch)
    sets = others = paper = None
    changes = _changes(asked)
    if first.spec:
        arms = ["none", *SETS.values()]
        sets = comparison(asked, arms, [first.spec], name="sets", rarity=rarity, rare=rare, changes=changes)
    if first.spec and protocols:
        paper = _composed_first(asked, ["none", *(SETS[name] for name in COMPARED)], first, rarity, rare)
    specs = [one.spec for name, one in models.items() if one.spec and name != main]
    if specs:
        amount = replace(asked.amount, epochs=model_epochs, seeds=1 if model_epochs else asked.amount.seeds)
        less = replace(asked, amount=amount)
        others = comparison(less, ["none", AFTER], specs, name="models", rarity=rarity, rare=rare, changes=TURNS)
    return Found(first, models, sets, others, paper)


def _changes(asked: Options) -> tuple[str, ...]:
    return TURNS if asked.budget == "full" else (*TURNS, *SMALL_BATCHES)


def tables(asked: Options, found: Found, rarest: str, looked: str) -> str:
    """Return the paper's tables with ours beside."""
    main = found.main
    said = main.name + (f", {main.weights}" if main.weights else "")
    parts = [
        "# abouali2023: composites for eleven classes of blood cells",
        "",
        facts(found),
        "",
        "Cells: paper / ours (95% interval), in percent.",
        "",
        "## Tables 4 and 5, models on the set 419-PMY",
        "",
        table_4(found),
        "",
    ]
    if found.sets is None:
        parts += [f"Tables 6 to 11 need {main.name}: {main.weights}.", ""]
    else:
        for number, name in enumerate(REPORTS, start=6):
            parts += [f"## Table {number}, {name} (ours: {said}; {SETS[name]})", "", report(found, name), ""]
        parts += [
            "## Table 11, all sets",
            "",
            table_11(found, rarest),
            "",
            "## Differences from the original set (ours)",
            "",
            tested(found.sets, BEFORE),
            "",
            *protocols(found, rarest),
            *eight_classes(asked, found),
            f"## Figure 11, what {main.name} looked at: {rarest}",
            "",
            looked,
            "",
            f"Before: {BEFORE}; after: {AFTER}. The share of the attribution that lies inside the cell; one spread "
            "evenly would have the cell's share of the picture. The means before and after are over the images that "
            "have any attribution, the difference over those that have it both times. Sheets: explained/.",
            "",
        ]
    return "\n".join([*parts, cannot_compare(found)])


def facts(found: Found) -> str:
    """Return what was compared, in a sentence."""
    results = found.sets or found.others
    if results is None:
        return "Nothing could be trained: see the weights that are missing."
    about = results.about
    learned, shown = about.training_counts, about.test_counts
    made = found.on_set("2K")
    added = 0 if made is None else sum(made.synthetic_counts.values())
    return (
        f"{len(learned)} classes at {about.size} px; {sum(learned.values()):,} real training images, up to "
        f"{added:,} composites of them; {sum(shown.values()):,} real test images, the same for every set; "
        f"{about.folds} fold(s), {len(about.seeds)} seed(s)."
    )


def table_4(found: Found) -> str:
    """Return tables 4 and 5 as one: accuracies on the training, validation and test images, and macro averages."""
    rows = []
    for name in TABLE_4:
        one, entry = found.models[MODELS[name]], found.model(name)
        results = found.sets if one.name == found.main.name else found.others
        curve = [] if entry is None or results is None else last_epochs(results, entry)
        cells = []
        for paper, key in zip(TABLE_4[name], ("train_accuracy", "val_accuracy", ""), strict=True):
            known = [value for point in curve if (value := point.value(key)) is not None]
            ours = f"{100 * sum(known) / len(known):.1f}" if known else MISSING
            cells.append(f"{paper:.2f} / {ours if key else percent(figure(entry, 'accuracy'))}")
        cells += [_beside(value, figure(entry, metric)) for value, metric in zip(TABLE_5[name], OVERALL, strict=True)]
        rows.append([name, one.weights or "needs none", *cells])
    head = ["model", "weights", "training", "validation", "testing", "precision", "recall", "F1"]
    return markdown(head, rows)


def report(found: Found, name: str) -> str:
    """Return one of tables 6 to 10: every class on one set, then accuracy, plain and weighted averages."""
    entry, rows = found.on_set(name), []
    names = found.sets.class_names if found.sets is not None else ()
    tested_on = {} if found.sets is None else found.sets.about.test_counts
    for symbol, row in REPORTS[name].items():
        rows.append([symbol, *_of_class(row, entry, CLASSES[symbol], tested_on)])
    rows += [[f"*{one}*", *_of_class(None, entry, one, tested_on)] for one in names if one not in CLASSES.values()]
    paper, n = AVERAGES[name], f"{AVERAGES[name].support} / {sum(tested_on.values()) or MISSING}"
    rows.append(["accuracy", "", "", _beside(100 * paper.accuracy, figure(entry, "accuracy")), n])
    for said, values, metrics in (("macro", paper.macro, OVERALL), ("weighted", paper.weighted, WEIGHTED)):
        pairs = zip(values, metrics, strict=True)
        rows.append([f"{said} average", *(_beside(100 * value, figure(entry, metric)) for value, metric in pairs), n])
    return markdown(["class", "precision", "recall", "F1", "tested"], rows)


def _of_class(row: OfClass | None, entry: ArmResult | None, name: str, tested_on: Mapping[str, int]) -> list[str]:
    cells = []
    for place, metric in enumerate(("precision", "recall", "F1")):
        cells.append(_beside(None if row is None else 100 * row[place], figure(entry, metric, name)))
    return [*cells, f"{MISSING if row is None else row.support} / {tested_on.get(name, MISSING)}"]


def _beside(paper: float | None, found: Estimate | None) -> str:
    """Return the paper's figure, which has no decimals, beside ours, in percent."""
    return f"{MISSING if paper is None else f'{paper:.0f}'} / {percent(found)}"


def table_11(found: Found, rarest: str) -> str:
    """Return table 11, and beside it how many of the paper's tested promyelocytes are composites."""
    rows = []
    for name, paper in TABLE_11.items():
        entry = found.on_set(name)
        cells = [_beside(100 * v, figure(entry, m)) for v, m in zip(paper, (*OVERALL, "accuracy"), strict=True)]
        recall = _beside(100 * REPORTS[name]["PMY"].recall, figure(entry, "recall", rarest))
        made = 0 if entry is None else sum(entry.synthetic_counts.values())
        rows.append([name, f"{made:,}", *cells, recall, f"{composed_share(name):.0%} / 0%"])
    if found.sets is not None:
        plain = found.sets.entry("none", found.main.name)
        cells = [_beside(None, figure(plain, metric)) for metric in (*OVERALL, "accuracy")]
        rows.append(
            ["*no augmentation*", "0", *cells, _beside(None, figure(plain, "recall", rarest)), f"{MISSING} / 0%"]
        )
    head = ["set", "composites (ours)", "precision", "recall", "F1", "accuracy"]
    return markdown([*head, f"recall of {rarest}", "composites among the tested of that class"], rows)


def protocols(found: Found, rarest: str) -> list[str]:
    """Return what testing on composites adds: the same sets, composed before the split and after it."""
    if found.paper is None:
        return []
    rows = []
    for name in COMPARED:
        for said, results in (("split, then composed", found.sets), ("composed, then split (paper)", found.paper)):
            entry = None if results is None else results.entry(SETS[name], found.main.name)
            figures = [figure(entry, metric) for metric in ("accuracy", "macro-F1")]
            rows.append([name, said, *map(percent, [*figures, figure(entry, "recall", rarest)])])
    head = ["set", "protocol", "accuracy", "macro F1", f"recall of {rarest}"]
    return ["## The same data with the paper's protocol (ours)", "", markdown(head, rows), ""]


def eight_classes(asked: Options, found: Found) -> list[str]:
    """Return the same classifiers asked for PBC's eight classes: their probabilities summed, nothing trained again."""
    results = found.sets
    if results is None or not {name for group in EIGHT.values() for name in group} <= set(results.class_names):
        return []
    tree, rows = tree_of(EIGHT, results.class_names), []
    units = units_of(open_dataset(asked.data, size=results.about.size))
    for name in SETS:
        entry = found.on_set(name)
        if entry is None:
            continue
        overall: dict[str, Estimate] = estimates(lifted(pooled(results.records(entry), units), tree))[0]
        rows.append(
            [name, *(percent(overall[metric]) for metric in (*OVERALL, "accuracy")), percent(figure(entry, "accuracy"))]
        )
    head = ["set", "precision", "recall", "F1", "accuracy", "accuracy, 11 classes"]
    title = f"## PBC's {len(tree.superclasses)} classes (ours; the paper trains on 11 only)"
    return [title, "", markdown(head, rows), ""]


def cannot_compare(found: Found) -> str:
    """Return what cannot be compared and why, with the contradictions counted in the paper's own tables."""
    above = [name for name, row in TABLE_4.items() if row.validation > row.training]
    same = same_recalls("Original", "419-PMY")
    rows = sum(TABLE_3.values())
    pruned = rows - 592
    gone = sum(TABLE_1.values()) - sum(TABLE_2.values())
    instead = "" if found.main.name == "efficientnetv2-b0" else (
        f"- **{found.main.name} stands in for EfficientNetV2 B0** in tables 6 to 11: {found.main.kind}, on fewer "
        "images. Its figures say whether composites help, not how good the paper's network is.\n"
    )  # fmt: skip
    return f"""\
## What cannot be compared, and why

- **The paper's test images are not all real.** It composes before it splits; so {composed_share("419-PMY"):.0%} of
  the promyelocytes tested in table 7 are composites on average, {composed_share("1K"):.0%} in table 8 and
  {composed_share("2K"):.0%} in table 9, and cells of the training images lie in them. That composites are
  apart says nothing of real cells. Ours are tested on real images, none of which is part of a composite.
- **Tables 6 to 10 are tested on different images**, so that their differences are not effects. Ours are differences
  on the same images, with intervals and tests.
- **Figures without uncertainty**, from one training each, so far as is said.
- **Tables 6 and 7 agree in recall and number in {len(same)} of 11 classes**, to the last digit, though they are
  said to be two trainings on two sets.
- **The "original" set is not a set described**: table 6 tests {REPORTS["Original"]["PMY"].support} promyelocytes, a
  tenth of the 592 before pruning, beside a tenth of every other class after it.
- **Totals.** Table 3 prints {PRINTED["table 3"]:,} images, its rows sum to {rows:,} (to which 1K and 2K fit); the
  pruned set is said to have {PRINTED["pruned"]:,}, and table 3 leaves {pruned:,} for it; table 2 lacks {gone}
  images of table 1, of which {UNLABELLED} are explained.
- **1K-class** tests 200 of 1,000 images a class, a fifth; the text says a tenth, and the other sets do so.
- **Validation accuracy above training accuracy** in {len(above)} rows of table 4 ({", ".join(above)}): usual with
  dropout and augmentation, but not said how it was measured.
- **Other cuts.** The paper cuts cells out with Segment Anything, ours are cut by stain and watershed; composites
  are those of `gansynth naturalize`. Numbers of composites are scaled to the training images here.
- **Transfer without tuning** is said to be worse, without figures. Images that show several classes were removed
  from the paper's set by hand, and not from ours.
{instead}"""


if __name__ == "__main__":
    main()
