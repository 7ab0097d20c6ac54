"""abouali2023, section 3.5.4, with networks whose ImageNet weights install: transfer, fine-tuning, both ensembles.

The paper says that fine-tuning is better than transfer, without figures, and joins its best fine-tuned models by the
mean of their probabilities and under attention (tables 4 and 5). The weights of its ten models are in no package. Those
of EfficientNet-Lite0 and -Lite2 install with gansynth: here they are trained as the paper's would be, on the same
images, and tested on the same real cells.

    python eval/abouali2023_lite.py DATA --out DIR [--budget quick|day|full]

Writes tables.md, figures.json and models/report.html. No network of the paper's is among these, and none is named so.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import paper_study
from budget import Amount, Budget
from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.classification_effects import Endpoint, effect
from gansynth.metrics.wording import p_value, signed, signed_ends
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.studies.comparison.figures import Pooled, pooled
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.splits import make_folds, units_of
from paper_backbones import SMALLEST
from paper_study import MISSING, Options, comparison, figure, last_epochs, markdown, parts, percent

AMOUNTS: dict[Budget, Amount] = {
    "quick": Amount(64, 3, seeds=1, images=0.12),
    "day": Amount(64, 5, seeds=3, images=1.0),
    "full": Amount(128, 10, seeds=3, images=1.0),
}
SHARE = {"quick": 0.12, "day": 1.0, "full": 1.0}
"""Of the training images of every class, how many are kept; quick: as in abouali2023.py."""
ARM = "augmentation"
CHANGES = ("augmentation=orientations",)
"""Flips and quarter turns (section 3.4)."""
TUNED, TRANSFER = "lite0-tuned", "lite0-transfer"
MODELS = {
    TRANSFER: "EfficientNet-Lite0, transfer: its head alone learns",
    TUNED: "EfficientNet-Lite0, fine-tuned",
    "lite2-tuned": "EfficientNet-Lite2, fine-tuned",
    "lite-average": "both fine-tuned, the mean of their probabilities",
    "lite-attention": "the maps of both fine-tuned under attention, tuned once more",
}
AGAINST = {TRANSFER: TUNED, "lite-average": TUNED, "lite-attention": TUNED}
"""What each is held against."""


def main() -> None:
    parser = paper_study.parser(__doc__)
    parser.add_argument("--models", default=",".join(MODELS), help="of " + ", ".join(MODELS))
    given = parser.parse_args()
    asked = paper_study.options(given, AMOUNTS)
    try:
        study(asked, [name.strip() for name in given.models.split(",")])
    except InputError as error:
        sys.exit(f"error: {error}")


def study(asked: Options, names: Sequence[str] = tuple(MODELS)) -> None:
    """Train the models, and write and print their table.

    Raises
    ------
    InputError
        If a model is unknown, or as `gansynth.compare` does.
    """
    unknown = sorted(set(names) - set(MODELS))
    if unknown:
        raise InputError(f"--models: there is no '{unknown[0]}'; there are {', '.join(MODELS)}")
    cells = open_dataset(asked.data, size=asked.amount.size or 64)
    counts = make_folds(cells, asked.amount.folds, {}, 0)[0].counts["train"]
    share = SHARE[asked.budget]
    rarity = {name: max(1, round(share * n)) for name, n in counts.items()} if share < 1 else {}
    files = recipes(asked.out / "recipes", asked.amount.size or 128)
    results = comparison(
        asked, [ARM], [str(files[name]) for name in names], name="models", rarity=rarity, changes=CHANGES
    )
    text = page(results, names, pool(results, units_of(cells)))
    print(text)
    write_text(asked.out / "tables.md", text)
    write_json(asked.out / "figures.json", parts(results, ("about", "arms", "warnings")))


def recipes(folder: Path, size: int) -> dict[str, Path]:
    """Write the recipes of the models for images of a size, and return their files."""
    edge = max(size, SMALLEST)
    lite0 = load_classifier_recipe("efficientnet-lite0", [f"resolution={size}", f"network.input_size={edge}"])
    one: dict[str, Any] = lite0.model_dump(mode="json")
    two = {**one, "network": {**one["network"], "model": "tf_efficientnet_lite2"}}
    trunks = [{key: net["network"][key] for key in ("library", "model", "input_size")} for net in (one, two)]
    attention = load_classifier_recipe("ensemble-cbam").model_dump(mode="json")
    made = {
        TRANSFER: {**one, "network": {**one["network"], "frozen": True}},
        TUNED: one,
        "lite2-tuned": two,
        "lite-average": {
            "classifier": "average-ensemble", "resolution": size,
            "members": [{**one, "name": TUNED}, {**two, "name": "lite2-tuned"}],
        },
        "lite-attention": {
            **attention, "resolution": size, "training": one["training"],
            "network": {**attention["network"], "backbones": trunks, "tuned_first": True},
        },
    }  # fmt: skip
    files = {}
    for name, values in made.items():
        files[name] = folder / f"{name}.yaml"
        # Through JSON: what two members share is written out twice, which a recipe asks for.
        plain = json.loads(json.dumps({**values, "name": name}))
        write_text(files[name], yaml.safe_dump(plain, sort_keys=False))
    return files


def pool(results: Comparison, units: dict[str, int]) -> dict[str, Pooled]:
    """Return what each model says of the test images."""
    found = {}
    for name in results.classifiers:
        entry = results.entry(ARM, name)
        if entry is not None:
            found[name] = pooled(results.records(entry), units)
    return found


def page(results: Comparison, names: Sequence[str], said: dict[str, Pooled]) -> str:
    """Return the table of the models, and the tested differences."""
    about = results.about
    return "\n".join(
        [
            "# abouali2023: transfer, fine-tuning and ensembles of networks whose weights install",
            "",
            f"{len(about.classes)} classes at {about.size} px; {sum(about.training_counts.values()):,} real training "
            f"images, {sum(about.test_counts.values()):,} real test images; {about.folds} fold(s), "
            f"{len(about.seeds)} seed(s). In percent, with 95% intervals. Not the paper's ten networks.",
            "",
            "## Models",
            "",
            model_table(results, names),
            "",
            "## Differences",
            "",
            differences(said),
            "",
        ]
    )


def model_table(results: Comparison, names: Sequence[str]) -> str:
    """Return the columns of tables 4 and 5 for every model."""
    rows = []
    for name in names:
        entry = results.entry(ARM, name)
        curve = [] if entry is None else last_epochs(results, entry)
        cells = []
        for key in ("train_accuracy", "val_accuracy"):
            known = [value for point in curve if (value := point.value(key)) is not None]
            cells.append(f"{100 * sum(known) / len(known):.1f}" if known else MISSING)
        metrics = ("accuracy", "macro-precision", "balanced-accuracy", "macro-F1")
        rows.append([MODELS[name], *cells, *(percent(figure(entry, metric)) for metric in metrics)])
    return markdown(["model", "training", "validation", "testing", "precision", "recall", "F1"], rows)


def differences(said: dict[str, Pooled]) -> str:
    """Return how far each model is from fine-tuned Lite0, on the same test images."""
    rows = []
    for name, other in AGAINST.items():
        if name not in said or other not in said:
            continue
        a, b = said[name], said[other]
        for metric in ("macro-F1", "accuracy"):
            one = effect(a.labels, a.predicted, b.predicted, Endpoint(metric), n_classes=a.n_classes, units=a.units)
            ends = "" if one.interval is None else f" ({signed_ends(one.interval)})"
            p = MISSING if one.p is None else p_value(one.p)
            rows.append([MODELS[name], MODELS[other], metric, f"{signed(one.value)}{ends}", p])
    return markdown(["model", "less", "metric", "difference (95%)", "p"], rows)


if __name__ == "__main__":
    main()
