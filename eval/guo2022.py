"""guo2022 beside comparisons of ours: tables 2 to 4 and figures 7 to 9. Does CBCM recognise rare cells better?

The paper distinguishes 15 classes of bone marrow cells, 31 images of the largest for one of the smallest. It compares a
fine-tuned ResNet152 with support vectors and a random forest (table 2) and with other networks (table 3), and then
ways to make up for the imbalance (table 4): CBCM, the class-balanced focal loss, against over- and under-sampling,
SMOTE and a weighted forest on the network's features, and weighted cross-entropy. It shows which class is taken for
which (figure 7), every class before and after (figure 8), and Grad-CAM and Guided Grad-CAM of a band cell (figure 9).

Here all that is run on any data set with classes, held to the paper's long tail of training images (--tail), and
tested on real images.

    python eval/guo2022.py DATA --out DIR [--budget quick|day|full] [--weights-dir WEIGHTS] [--scratch A,B|all]

Writes tables.md, figures.json, confusion_*.svg (figure 7), classes_*.svg (figure 8), explained/ (figure 9), and
comparisons with a report.html each: remedies/ (table 4), networks/ (table 3), pixels/ (table 2) and features/.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import yaml

import paper_study
from budget import Amount, Budget, Timed
from gansynth.classifiers import open_encoder, train_cell_encoder
from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.files.atomic import write_json, write_text
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.remedies.arm import NONE
from gansynth.studies.comparison.entries import ArmResult
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.splits import Images, make_folds
from guo2022_paper import (
    METRICS,
    PAPER_BETA,
    RIGHT,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    Value,
    meets,
    weights_apart,
)
from paper_arms import class_bars, confusion, tested, write_chart
from paper_backbones import Network, network, networks
from paper_explanations import explained, explanation_table
from paper_study import (
    MISSING,
    Options,
    comparison,
    figure,
    markdown,
    parts,
    share,
)

AMOUNTS: dict[Budget, Amount] = {
    "quick": Amount(48, 12, seeds=2, images=0.2),
    "day": Amount(64, 60, seeds=3, images=0.6),
    "full": Amount(None, None, seeds=5),
}
TIMED = Timed(16, Amount(48, 12, seeds=3, images=0.2), "networks of table 3 from scratch, and explanations")
"""Of the kept result: the sum of its trainings, halved."""
TAIL = {"quick": 0.2, "day": 0.6, "full": 0.0}
"""Training images, as a share of those of table 1; 0 leaves the data as they are."""
NETWORK_EPOCHS = {"quick": 3, "day": 10, "full": None}
"""Of table 3, whose networks are large."""
PREPROCESSING = ("augmentation=free",)
"""How arms with augmentation alter images: flips, any angle, brightness, contrast and saturation (section 2.3)."""
SMALL_BATCHES = ("training.batch_size=16",)
"""Of table 4 where images are few: an epoch of large batches is too few steps."""
STAND_IN = "custom-cnn"
"""The network of table 4 where ResNet152 would take days: that of abouali2023, which has no published weights."""
PARTS = ("pixels", "remedies", "networks", "features")
"""The study's comparisons: of table 2's classifiers, of table 4's losses, of table 3, of table 4's features."""
SCRATCH = {"quick": "none", "day": "alexnet,googlenet", "full": "none"}
EXPLAINED = 40
"""Test images of the class of figure 9."""

BASELINE, CBCM = "augmentation", "augmentation+cb-focal"
"""Augmentation is the paper's data pre-processing; its gamma 2 and beta 0.9 are the defaults of cb-focal."""
WEIGHED = "augmentation+cb-focal:beta=0.999"
"""What the paper does not show: a beta at which the classes weigh differently at all."""
REMEDIES = {
    "Baseline": BASELINE,
    "Random over-sampling": "augmentation+oversample",
    "Random under-sampling": "augmentation+undersample",
    "Weighted cross-entropy": "augmentation+weighted",
    "CBCM": CBCM,
}
ON_FEATURES = {"SMOTE": ("smote", "features-regression"), "Weighted random forest": ("weighted", "features-forest")}
"""Arm and classifier of what table 4 does on the network's features; which one learns from SMOTE's is not said."""
NETWORKS = {"AlexNet": "alexnet", "VGG16": "vgg16", "GoogLeNet": "googlenet", "ResNet152": "resnet152"}


@dataclass(frozen=True)
class Found:
    """What was run: the comparisons by name (those that could be), and the network of table 4."""

    baseline: Network
    others: dict[str, Network]
    results: dict[str, Comparison]
    features: str

    def entry(self, comparison: str, arm: str, classifier: str) -> ArmResult | None:
        """An arm of one of them; None where it was not run."""
        results = self.results.get(comparison)
        return None if results is None else results.entry(arm, classifier)


def long_tail(counts: Mapping[str, int], share: float) -> dict[str, int]:
    """Return how many training images of each class to keep, so that they are as unequal as the paper's.

    Parameters
    ----------
    counts : mapping of str to int
        Training images there are.
    share : float
        Of the paper's images; 0 keeps what there is.

    Returns
    -------
    dict of str to int
        The largest class gets the number of table 1's largest, the smallest that of its smallest, the others those
        between; none more than there are.
    """
    if not share:
        return {}
    sizes = sorted((n for n, _, _ in TABLE_1.values()), reverse=True)
    order = sorted(counts, key=lambda name: (-counts[name], name))
    at = np.linspace(0, len(sizes) - 1, len(order))
    wanted = share * np.exp(np.interp(at, range(len(sizes)), np.log(sizes)))
    return {name: max(1, min(counts[name], round(n))) for name, n in zip(order, wanted.tolist(), strict=True)}


def cannot_compare(found: Found, rarity: Mapping[str, int]) -> str:
    """Return what cannot be compared, and why."""
    learned = [n for n, _, _ in TABLE_1.values()]
    apart, at_most = weights_apart(PAPER_BETA, learned), weights_apart(0.9999, learned)
    near = [name for name, row in TABLE_4.items() if name != "CBCM" and meets(row, TABLE_4["CBCM"], "Sensitivity")]
    instead = "" if found.baseline.name == "resnet152" else (
        f"- **{found.baseline.name} stands in for ResNet152** in tables 2 and 4: {found.baseline.kind}. "
        "Its figures say which remedy helps such a network, not how good CBCM's backbone is.\n"
    )  # fmt: skip
    tail = (
        f"held to {min(rarity.values())} to {max(rarity.values())} training images a class" if rarity else "as they are"
    )
    return f"""\
## What cannot be compared, and why

- **CBCM as published balances nothing.** With beta {PAPER_BETA} the effective number (eq. 4) is 10 for every class
  of {min(learned)} images or more, so that the rarest class of table 1 weighs {apart:.3f} times as much as the
  largest (with beta 0.9999: {at_most:.0f} times). What table 4 calls class-balanced is then a focal loss with a
  sigmoid for each class. The row with beta 0.999 is ours.
- **How beta, gamma and the baseline were chosen is not said**: on validation images, or by the test figures shown.
- **±** has neither a number of trainings nor a meaning. For sensitivity CBCM's range meets that of
  {", ".join(near) or "no other row"}. Support vectors have ± 0.0000: one fit, or one seed.
- **Only means over classes are given**; accuracy (89.5% and 90.9%) stands in the text, and the classes of figures 7
  and 8 in pictures. Of 621 naive lymphocytes CBCM recognises {RIGHT["before"][1] - RIGHT["after"][1]} less than the
  baseline.
- **Images of a patient** are not kept apart: cells of one smear may lie on both sides of the split.
- **Other data.** The paper's 15 classes of a hospital's bone marrow are not public. Ours are the classes of the
  data given, {tail}; our test images are all real, and none is learned from. Intervals are
  95%.
- **SMOTE and the weighted forest** learn in the paper from the features of its baseline. Ours: {found.features}.
{instead}"""


def main() -> None:
    parser = paper_study.parser(__doc__)
    parser.add_argument(
        "--tail", type=float, help="training images, as a share of the paper's; 0: the data as they are"
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="comparisons to run, of " + ", ".join(PARTS))
    parser.add_argument(
        "--features",
        help="of SMOTE and the weighted forest, such as stages:efficientnet-lite0; default: those of ResNet152 where "
        "its weights are, else of a cell encoder that is trained first",
    )
    parser.add_argument(
        "--baseline", help=f"network of table 4; default: resnet152 with a full budget, else {STAND_IN}"
    )
    parser.add_argument("--scratch", help="networks to train without their published weights where these are missing")
    parser.add_argument(
        "--explain", metavar="CLASS", help="class of figure 9; default: the band neutrophil, or the rarest"
    )
    given = parser.parse_args()
    asked = paper_study.options(given, AMOUNTS, TIMED)
    try:
        study(
            asked,
            tail=TAIL[asked.budget] if given.tail is None else given.tail,
            baseline=given.baseline or ("resnet152" if asked.budget == "full" else STAND_IN),
            scratch=given.scratch or SCRATCH[asked.budget],
            network_epochs=given.epochs or NETWORK_EPOCHS[asked.budget],
            explain=given.explain,
            wanted=[name.strip() for name in given.parts.split(",")],
            features=given.features or "",
        )
    except InputError as error:
        sys.exit(f"error: {error}")


def study(
    asked: Options,
    *,
    tail: float,
    baseline: str,
    scratch: str,
    network_epochs: int | None,
    explain: str | None = None,
    wanted: Sequence[str] = PARTS,
    features: str = "",
) -> None:
    """Run what the tables need, and write and print them."""
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        raise InputError(f"--parts: there is no '{unknown[0]}'; there are {', '.join(PARTS)}")
    from_scratch = [name.strip() for name in scratch.split(",") if name.strip()]
    cells = open_dataset(asked.data, size=asked.amount.size or 64)
    split = make_folds(cells, asked.amount.folds, {}, 0)[0]
    rarity = long_tail(split.counts["train"], tail)
    learned = rarity or split.counts["train"]
    rare = sorted(learned, key=lambda name: (learned[name], name))[:3]
    found = _run(asked, baseline, from_scratch, network_epochs, rarity, rare, wanted, features)
    chosen = explain or ("band neutrophil" if "band neutrophil" in learned else rare[0])
    keys = ("about", "arms", "effects", "warnings")
    write_json(
        asked.out / "figures.json",
        {name: parts(results, keys) for name, results in found.results.items()},
    )
    results = found.results.get("remedies")
    for arm, name in ((BASELINE, "baseline"), (CBCM, "cbcm")) if results else ():
        write_chart(asked.out / f"confusion_{name}.svg", confusion(results, arm, found.baseline.name))
    for metric in ("precision", "recall", "specificity") if results else ():
        drawn = class_bars(results, metric, (BASELINE, CBCM), found.baseline.name, f"{metric} of the class")
        write_chart(asked.out / f"classes_{metric}.svg", drawn)
    text = tables(found, rarity, chosen, "")
    write_text(asked.out / "tables.md", text)  # what is known, before two more trainings
    if found.baseline.spec and results:
        methods, changes = ("grad-cam", "guided-grad-cam"), _changes(asked)
        shares = explained(
            asked,
            "remedies",
            found.baseline.spec,
            (BASELINE, CBCM),
            methods,
            chosen,
            rarity,
            changes=changes,
            shown=EXPLAINED,
        )
        text = tables(found, rarity, chosen, explanation_table(shares))
        write_text(asked.out / "tables.md", text)
    print(text)


def _run(
    asked: Options,
    baseline: str,
    from_scratch: list[str],
    network_epochs: int | None,
    rarity: dict[str, int],
    rare: list[str],
    wanted: Sequence[str],
    features: str,
) -> Found:
    base = network(baseline, asked, from_scratch)
    others = networks(list(NETWORKS.values()), asked, from_scratch)
    results = {}
    if "pixels" in wanted:
        results["pixels"] = comparison(
            asked, ["none"], ["svm", "random-forest"], name="pixels", rarity=rarity, rare=rare
        )
    if base.spec and "remedies" in wanted:
        arms = ["none", *REMEDIES.values(), WEIGHED]
        results["remedies"] = comparison(
            asked, arms, [base.spec], name="remedies", rarity=rarity, rare=rare, changes=_changes(asked)
        )
    specs = [one.spec for name, one in others.items() if one.spec and name != baseline]
    if specs and "networks" in wanted:
        less = replace(asked, amount=replace(asked.amount, epochs=network_epochs, seeds=1 if network_epochs else 3))
        results["networks"] = comparison(
            less, ["none", BASELINE], specs, name="networks", rarity=rarity, rare=rare, changes=PREPROCESSING
        )
    said = "not run"
    if "features" in wanted:
        features, said = (features, f"those of {features}, frozen") if features else _features(asked, rarity)
        classifiers = [_on_features(asked, name, features) for name in ("regression", "forest")]
        arms = ["none", "smote", "weighted"]
        results["features"] = comparison(asked, arms, classifiers, name="features", rarity=rarity, rare=rare)
    return Found(base, others, results, said)


def _changes(asked: Options) -> tuple[str, ...]:
    return PREPROCESSING if asked.budget == "full" else (*PREPROCESSING, *SMALL_BATCHES)


def _features(asked: Options, rarity: dict[str, int]) -> tuple[str, str]:
    """Return the features that table 4 needs, and what they are: of a published ResNet152, or of an encoder of ours."""
    if network("resnet152", asked).published:
        return "backbone:resnet152", "the features of ResNet152 with ImageNet's weights, not tuned"
    told = "the features of a cell encoder trained on the same training images"
    if asked.amount.folds is not None:
        return "encoder", told
    place = asked.out / "encoder"
    if not place.is_dir():
        images = Images(asked.data)
        fold = make_folds(images.at(64), None, rarity, 0)[0]
        training = images.of(fold, 64, "train")
        train_cell_encoder(training, images=4 * len(training) if asked.budget == "quick" else None).save(place)
    open_encoder(place)
    return f"encoder:{place}", told


def _on_features(asked: Options, kind: str, features: str) -> str:
    """Write a recipe of a classifier that learns from features, and return its file."""
    zoo = {"regression": "logistic-regression", "forest": "random-forest"}[kind]
    recipe = load_classifier_recipe(zoo, [f"classical.features={features}", "classical.components=null"])
    file = asked.out / "recipes" / f"features-{kind}.yaml"
    write_text(file, yaml.safe_dump(recipe.model_dump(mode="json") | {"name": f"features-{kind}"}, sort_keys=False))
    return str(file)


def tables(found: Found, rarity: Mapping[str, int], chosen: str, explanations: str) -> str:
    """Return the paper's tables with ours beside."""
    base = found.baseline
    remedies, features = found.results.get("remedies"), found.results.get("features")
    return "\n".join(
        [
            "# guo2022: CBCM and other remedies for a long tail of classes",
            "",
            facts(found, rarity),
            "",
            "Cells: paper (± as it says) / ours (95% interval).",
            "",
            f"## Table 2, classifiers of pixels and a network (ours: {base.name})",
            "",
            table_2(found),
            "",
            "## Table 3, networks with augmentation",
            "",
            table_3(found),
            "",
            f"## Table 4, remedies (ours: {base.name})",
            "",
            table_4(found),
            "",
            "## Figures 7 and 8",
            "",
            figure_7(found),
            "",
            *(
                ["## Table 4, differences from the baseline (ours)", "", tested(remedies, BASELINE), ""]
                if remedies
                else []
            ),
            *(
                ["## Table 4, differences from the features untreated (ours)", "", tested(features, NONE), ""]
                if features
                else []
            ),
            f"## Figure 9, what the network looked at: {chosen}",
            "",
            explanations or (f"{base.weights}: nothing to explain." if not base.spec else "Not finished."),
            "",
            f"Before: {BASELINE}; after: {CBCM}. The share of the attribution that lies inside the cell; one spread "
            "evenly would have the cell's share of the picture. The means before and after are over the images that "
            "have any attribution, the difference over those that have it both times. Sheets: explained/.",
            "",
            cannot_compare(found, rarity),
        ]
    )


def facts(found: Found, rarity: Mapping[str, int]) -> str:
    """Return what was compared, in a sentence."""
    about = next(iter(found.results.values())).about
    learned, tested = about.training_counts, about.test_counts
    held = " (held to the paper's long tail)" if rarity else ""
    return (
        f"{len(learned)} classes at {about.size} px; {sum(learned.values()):,} training images, "
        f"{max(learned.values()):,} of the largest class and {min(learned.values()):,} of the smallest{held}; "
        f"{sum(tested.values()):,} real test images; {about.folds} fold(s), {len(about.seeds)} seed(s)."
    )


def table_2(found: Found) -> str:
    """Return table 2."""
    base = found.baseline
    ours = [
        ("svm", found.entry("pixels", "none", "svm")),
        ("random-forest", found.entry("pixels", "none", "random-forest")),
        (_said(base), found.entry("remedies", "none", base.name)),
        (_said(base), found.entry("remedies", BASELINE, base.name)),
    ]
    rows = [
        [name, which, *_beside(row, entry)] for (name, row), (which, entry) in zip(TABLE_2.items(), ours, strict=True)
    ]
    return markdown(["approach", "ours", *METRICS], rows)


def table_3(found: Found) -> str:
    """Return table 3, and where another network stands in for ResNet152 in table 4, that one below."""
    rows = []
    for name, row in TABLE_3.items():
        one = found.others[NETWORKS[name]]
        where = "remedies" if one.name == found.baseline.name else "networks"
        rows.append([name, _said(one), *_beside(row, found.entry(where, BASELINE, one.name))])
    if found.baseline.name not in NETWORKS.values():
        entry = found.entry("remedies", BASELINE, found.baseline.name)
        rows.append([f"*{found.baseline.name}*", _said(found.baseline), *_beside(None, entry)])
    return markdown(["network", "ours", *METRICS], rows)


def table_4(found: Found) -> str:
    """Return table 4, with rows of ours in italics: no augmentation, a beta that weighs, and features untreated."""
    base, rows = found.baseline, []
    for name, row in TABLE_4.items():
        if name in ON_FEATURES:
            arm, classifier = ON_FEATURES[name]
            rows.append([name, f"{arm}, {classifier}", *_beside(row, found.entry("features", arm, classifier))])
        else:
            arm = REMEDIES[name]
            rows.append(
                [name, arm if base.spec else base.weights, *_beside(row, found.entry("remedies", arm, base.name))]
            )
    ours = [
        ("no data pre-processing", "none", found.entry("remedies", "none", base.name)),
        ("CBCM that weighs classes", WEIGHED, found.entry("remedies", WEIGHED, base.name)),
    ]
    for _, classifier in ON_FEATURES.values():
        ours.append(("features without a remedy", f"none, {classifier}", found.entry("features", "none", classifier)))
    rows += [[f"*{name}*", arm, *_beside(None, entry)] for name, arm, entry in ours if entry is not None]
    return markdown(["method", "ours", *METRICS], rows)


def figure_7(found: Found) -> str:
    """Return what the paper says of figures 7 and 8 in words, beside ours."""
    results = found.results.get("remedies")
    if results is None:
        return f"{found.baseline.weights}: nothing to show."
    largest = max(results.class_names, key=results.about.training_counts.__getitem__)
    rows = []
    for name, arm in (("before", BASELINE), ("after", CBCM)):
        entry = results.entry(arm, found.baseline.name)
        accuracy, right = RIGHT[name]
        rows.append([arm, f"{accuracy:.3f} / {share(figure(entry, 'accuracy'), 3)}",
                     f"{right / 621:.3f} / {share(figure(entry, 'recall', largest), 3)}",
                     *(share(figure(entry, "recall", rare), 2) for rare in results.about.rare)])  # fmt: skip
    head = ["arm", "accuracy", f"recall of the largest class (naive lymphocyte / {largest})"]
    return markdown([*head, *(f"recall of {rare}" for rare in results.about.rare)], rows)


def _said(one: Network) -> str:
    return ", ".join(filter(None, [one.name if one.spec else "", one.weights]))


def _beside(paper: Mapping[str, Value] | None, entry: ArmResult | None) -> list[str]:
    cells = []
    for column, metric in METRICS.items():
        said = MISSING if paper is None else f"{paper[column][0]:.4f} ± {paper[column][1]:.4f}"
        cells.append(f"{said} / {share(figure(entry, metric), 3)}")
    return cells


if __name__ == "__main__":
    main()
