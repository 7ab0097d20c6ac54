"""Do synthetic images that teach nothing "help"? The options of `supplement`, where the truth is known.

    python eval/supplement_null.py --out DIR

In each repetition a small CNN learns four classes of phantom cells, one of them rare, three trainings an arm, and is
tested on other drawings by the test of `compare`. Two questions whose answer is no, and one whose answer is yes:

* *noise*: does noise labelled as the rare class help it, against no remedy? Only a *better* result counts.
* *turned*: the rare class's own training images, turned and mirrored, twice: two arms that differ in which turns were
  drawn. Does one beat the other? Either way counts.
* *other cells*: does as many other drawings of the rare class, against no remedy? What is not seen is a miss.

All are asked of images poured in, beside real ones (`supplement`, its defaults), and beside them with normalisations
of their own, full weight and a last fifth of the training without them; and by four endpoints. Two are of the classes
that are predicted, and the recall of a class rises when a classifier calls more cells by its name, whatever it has
learned. Two do not depend on where that threshold lies: the rare class's precision at fixed recall, and its recall at
no loss elsewhere, by which `compare` ranks. Where the answer is no, at most 6 in 100 may be yes.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray

from budget import Budget, parsed
from gansynth.classifiers import train_classifier
from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.classification_effects import Effect, Endpoint, effect, probability_effect
from gansynth.networks.images import orient_each
from gansynth.recipes.classifier import NeuralRecipe, load_classifier_recipe
from gansynth.remedies.arm import NONE
from gansynth.remedies.treatment import Supplement, Treatment
from gansynth.studies.comparison.figures import Pooled
from gansynth.studies.comparison.leaderboard import leaderboard

SIZE, SEEDS, STEPS, LEVEL = 16, 3, 60, 0.05
COMMON, RARE, MADE, TESTED, POOL = 40, 8, 32, 100, 600
CLASSES = ("immature granulocyte", "monocyte", "myeloblast", "promyelocyte")
RARE_CLASS = CLASSES.index("promyelocyte")
CHANGES = ("network.channels=[8,16,16,32]", f"resolution={SIZE}", "training.batch_size=32", "augmentation=none")
PREDICTED = {"macro-F1": Endpoint("macro-F1"), "recall of the rare class": Endpoint("recall", RARE_CLASS)}
IN_USE = {"precision at fixed recall of the rare class": Endpoint("precision-at-recall", RARE_CLASS)}
AT_NO_LOSS = "recall of the rare class at no loss elsewhere"
ENDPOINTS = (*PREDICTED, *IN_USE, AT_NO_LOSS)
QUESTIONS = ("noise", "turned", "other cells")
BESIDE: dict[str, Supplement | None] = {
    "poured in": None,
    "beside real ones": Supplement(np.arange(0), share=0.25, weight=0.5, statistics="real"),
    "with normalisations of their own": Supplement(np.arange(0), share=0.25, statistics="own", finish=0.2),
}

MINUTES = 0.27
"""Of one core for a repetition, measured."""

REPEATED: dict[Budget, dict[str, float]] = {
    "quick": {"repetitions": 10},
    "day": {"repetitions": 200},
    "full": {"repetitions": 1000},
}


def minutes(options: argparse.Namespace) -> float:
    """Return how long it takes on two processor cores."""
    return options.repetitions * MINUTES / min(options.jobs, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, help="instead of the budget's")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    options = parsed(parser, REPEATED, minutes)
    found = study(options.repetitions, options.jobs, options.seed)
    table = markdown(found)
    print(table)
    write_text(options.out / "table.md", table)
    write_json(options.out / "found.json", {"repetitions": options.repetitions, "found": found.tolist()})


def study(repetitions: int, jobs: int, seed: int) -> NDArray[np.bool_]:
    """Return which effects are found, bool [repetitions, ways, questions, endpoints]."""
    pool = phantom_dataset(dict.fromkeys(CLASSES, POOL), SIZE, seed)
    return np.stack(Parallel(n_jobs=jobs)(delayed(repeated)(pool, (seed, r)) for r in range(repetitions)))


def repeated(pool: CellDataset, stream: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which effects one repetition finds, bool [ways, questions, endpoints]."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(stream)
    drawn = [rng.permutation(np.flatnonzero(pool.labels == c)) for c in range(len(CLASSES))]
    learned = [mine[: RARE if c == RARE_CLASS else COMMON] for c, mine in enumerate(drawn)]
    training = pool.select(np.concatenate(learned))
    test = pool.select(np.concatenate([mine[-TESTED:] for mine in drawn]))
    recipe = load_classifier_recipe("sequential-cnn", CHANGES)
    assert isinstance(recipe, NeuralRecipe)

    def trained(treatment: Treatment) -> NDArray[np.float64]:
        classifiers = [
            train_classifier(
                treatment, recipe, validation=None, seed=int(rng.integers(2**31)), steps=STEPS, device="cpu",
                progress=False,
            )
            for _ in range(SEEDS)
        ]  # fmt: skip
        return np.stack([one.probabilities(test.images) for one in classifiers]).astype(np.float64)

    def turned() -> NDArray[np.uint8]:
        rows = rng.choice(learned[RARE_CLASS], MADE)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            return np.asarray(orient_each(torch.from_numpy(pool.images[rows])))

    others = pool.images[drawn[RARE_CLASS][RARE : RARE + MADE]]
    noise = rng.integers(0, 256, (MADE, 3, SIZE, SIZE), dtype=np.uint8)
    untreated = trained(Treatment.of(training))
    found = np.zeros((len(BESIDE), len(QUESTIONS), len(ENDPOINTS)), dtype=bool)
    for w, beside in enumerate(BESIDE.values()):
        with_noise, first, second, with_others = (
            trained(with_images(training, made, beside)) for made in (noise, turned(), turned(), others)
        )
        noise_helped, differ, others_helped = (
            effects(test.labels, arm, against)
            for arm, against in ((with_noise, untreated), (first, second), (with_others, untreated))
        )
        for e, endpoint in enumerate(ENDPOINTS):
            found[w, :, e] = better(noise_helped[endpoint]), shown(differ[endpoint]), better(others_helped[endpoint])
    return found


def effects(
    labels: NDArray[np.int64], arm: NDArray[np.float64], against: NDArray[np.float64]
) -> dict[str, Effect | None]:
    """Compare the probabilities [S, N, C] of two arms by every endpoint; None where an arm cannot get there."""
    n = len(CLASSES)
    found: dict[str, Effect | None] = {
        name: effect(labels, arm.argmax(axis=2), against.argmax(axis=2), endpoint, n_classes=n)
        for name, endpoint in PREDICTED.items()
    }
    for name, endpoint in IN_USE.items():
        found[name] = probability_effect(labels, arm, against, endpoint, n_classes=n)
    one_fold, alone = np.zeros(len(labels), dtype=np.int64), np.arange(len(labels))
    sides = {
        (name, "CNN"): Pooled((), labels, one_fold, alone, side.argmax(axis=2), side)
        for name, side in ((NONE, against), ("arm", arm))
    }
    ranked = leaderboard(sides, [CLASSES[RARE_CLASS]], CLASSES, [COMMON], ["arm"])
    found[AT_NO_LOSS] = next(standing.at_no_loss_effect for standing in ranked if standing.arm == "arm")
    return found


def shown(found: Effect | None) -> bool:
    return found is not None and found.p is not None and found.p < LEVEL


def better(found: Effect | None) -> bool:
    return found is not None and shown(found) and (found.value or 0.0) > 0


def with_images(training: CellDataset, made: NDArray[np.uint8], beside: Supplement | None) -> Treatment:
    """Add images of the rare class: among the real ones, or beside them."""
    labels = np.full(len(made), RARE_CLASS)
    records = pd.DataFrame(
        {
            "path": [f"{i}.png" for i in range(len(made))],
            **dict.fromkeys(("sha256", "source", "group"), ""),
            "split": "train",
            "origin": "synthetic",
        }
    )
    both = CellDataset(
        np.concatenate([training.images, made]),
        np.concatenate([training.labels, labels]),
        training.class_names,
        pd.concat([training.records, records], ignore_index=True),
    )
    rows = np.arange(len(training), len(both))
    if beside is None:
        return Treatment.of(both)
    return replace(Treatment(both, np.arange(len(training))), supplement=replace(beside, rows=rows))


def markdown(found: NDArray[np.bool_]) -> str:
    """Return how often an effect was found, with 95% intervals."""
    lines = [
        f"Share of {len(found):,} comparisons in which an effect was found. In the first two columns there is none (at "
        "most 6.0% is asked for), in the last there is one:",
        "",
        '| images | endpoint | noise "helps" | turned images differ from turned images | other cells help |',
        "|---|---|---|---|---|",
    ]
    for w, way in enumerate(BESIDE):
        for e, endpoint in enumerate(ENDPOINTS):
            shares = []
            for q in range(len(QUESTIONS)):
                hits = int(found[:, w, q, e].sum())
                low, high = wilson_interval(hits, len(found)).tolist()
                shares.append(f"{hits / len(found):.1%} ({100 * low:.1f}-{100 * high:.1f})")
            lines.append(f"| {way} | {endpoint} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
