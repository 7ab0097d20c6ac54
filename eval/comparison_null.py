"""Does `compare` call chance an effect, and does it see one that is there? A simulation where the truth is known.

    python eval/comparison_null.py --out DIR

Two arms are trained and tested a thousand times in each of four designs. When both are the same remedy, every p < 0.05
is false: at most 6 in 100 may be. When one is better, every p >= 0.05 is a miss.

* *worlds*: `trees` trains decision trees with random splits on few points of overlapping Gaussian classes, so that
  seeds, training splits and test images are the noise of real trainings. `twin trees` look at different features that
  say equally much: arms that are not the same, and neither better. The others draw predictions from a model in which
  the size of each noise is set: `little noise` and `much noise` of training, and `patients`, where five images belong
  together.
* *endpoints*: macro-F1 and the recall of the rarest of five classes (5% of 600 test images).
* *same*: both arms are one remedy. *better*: the rare class gained: twice the training points of it (trees), or its
  logit raised by 1.2.
* *one seed*: what a test over images says that knows of one training an arm (McNemar's kind). *naive t*: the paired
  t-test over all folds and seeds. Both are what is often done.

It prints a Markdown table, and writes it with every figure as ``figures.json``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from budget import Budget, parsed
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.agreement import wilson_interval
from gansynth.metrics.classification_effects import Endpoint, effect
from gansynth.metrics.classification_tests import t_test
from gansynth.metrics.confusion_scores import class_figure, confusion_matrix, overall_figure

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEVEL = 0.05
SHARES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
TESTED = 600
RARE = 4
DESIGNS = {
    "1 fold x 3 seeds": (1, 3),
    "2 folds x 3 seeds": (2, 3),
    "5 folds x 1 seed": (5, 1),
    "5 folds x 3 seeds": (5, 3),
}
ENDPOINTS = {"macro-F1": Endpoint("macro-F1"), "recall of the rare class": Endpoint("recall", RARE)}
TESTS = ("ours", "one seed", "naive t")


@dataclass(frozen=True)
class Trial:
    """One comparison: labels, folds and units [N], predictions of two arms [S, N], training images of each fold."""

    labels: Ints
    folds: Ints
    units: Ints
    arm: Ints
    baseline: Ints
    n_train: list[int]


MINUTES = 0.004
"""Of one core for a comparison, measured."""

REPEATED: dict[Budget, dict[str, float]] = {
    "quick": {"repetitions": 40, "planted": 20},
    "day": {"repetitions": 1000, "planted": 200},
    "full": {"repetitions": 4000, "planted": 1000},
}


def minutes(options: argparse.Namespace) -> float:
    """Return how long it takes on two processor cores."""
    return (options.repetitions + options.planted) * MINUTES / min(options.jobs, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, help="of arms that are the same, instead of the budget's")
    parser.add_argument("--planted", type=int, help="of arms that are not, instead of the budget's")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    options = parsed(parser, REPEATED, minutes)
    figures = study(options.repetitions, options.planted, options.jobs, options.seed)
    table = markdown(figures)
    print(table)
    write_text(options.out / "table.md", table)
    write_json(options.out / "figures.json", figures)


def study(repetitions: int, planted: int, jobs: int, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {"same": repetitions, "better": planted, "level": LEVEL, "worlds": {}}
    for w, (world, play) in enumerate(WORLDS.items()):
        for d, (design, (folds, seeds)) in enumerate(DESIGNS.items()):
            for better in (False, True):
                parts = np.array_split(np.arange(planted if better else repetitions), 4 * jobs)
                p = np.concatenate(
                    Parallel(n_jobs=jobs)(
                        delayed(repeated)(play, folds, seeds, better, [(seed, w, d, better, int(r)) for r in part])
                        for part in parts
                    )
                )
                where = found["worlds"].setdefault(world, {}).setdefault(design, {})
                where["better" if better else "same"] = {
                    endpoint: {test: rate(p[:, e, t]) for t, test in enumerate(TESTS)}
                    for e, endpoint in enumerate(ENDPOINTS)
                }
    return found


def repeated(
    play: Callable[[np.random.Generator, int, int, bool], Trial],
    folds: int,
    seeds: int,
    better: bool,
    streams: list[tuple[int, ...]],
) -> Floats:
    """Return p values of several trials, float64 [trials, endpoints, tests]."""
    return np.array([p_values(play(np.random.default_rng(stream), folds, seeds, better)) for stream in streams])


def p_values(trial: Trial) -> Floats:
    found = np.empty((len(ENDPOINTS), len(TESTS)))
    for e, endpoint in enumerate(ENDPOINTS.values()):
        one = effect(
            trial.labels, trial.arm[:1], trial.baseline[:1], endpoint, n_classes=len(SHARES), units=trial.units
        )
        differences = []
        for f in np.unique(trial.folds):
            part = trial.folds == f
            figures = []
            for side in (trial.arm, trial.baseline):
                table = confusion_matrix(trial.labels[part], side[:, part], len(SHARES))
                c = endpoint.class_index
                figures.append(
                    overall_figure(table, endpoint.metric) if c is None else class_figure(table, endpoint.metric)[:, c]
                )
            differences.append(figures[0] - figures[1])
        flat = np.concatenate(differences)
        naive = t_test(float(flat.mean()), float(flat.var(ddof=1)) / len(flat), len(flat) - 1).p
        found[e, 1:] = 1.0 if one.p is None else one.p, naive
    found[:, 0] = ours(trial)
    return found


def ours(trial: Trial) -> Floats:
    """Return the p values of `gansynth.metrics.classification_effects.effect`, float64 [endpoints]."""
    found = [
        effect(
            trial.labels, trial.arm, trial.baseline, endpoint, n_classes=len(SHARES), folds=trial.folds,
            n_train=trial.n_train, units=trial.units,
        ).p
        for endpoint in ENDPOINTS.values()
    ]  # fmt: skip
    return np.array([1.0 if p is None else p for p in found])


def trees(rng: np.random.Generator, folds: int, seeds: int, better: bool, *, twins: bool = False) -> Trial:
    """Train decision trees with random splits; the better arm has twice the points of the rare class.

    Twins look at different features, which say equally much: neither is better, but they err on different points, and
    a training split may favour either.
    """
    from sklearn.tree import DecisionTreeClassifier

    centres = np.random.default_rng(7).normal(size=(len(SHARES), 6)) * 1.1

    def points_of(classes: Ints) -> Floats:
        return np.concatenate([centres[classes] + rng.normal(size=(len(classes), 6)) for _ in range(1 + twins)], axis=1)

    labels = rng.permutation(np.repeat(np.arange(len(SHARES)), np.rint(SHARES * TESTED).astype(int)))
    points = points_of(labels)
    fold = np.zeros(TESTED, dtype=np.int64)
    for c in range(len(SHARES)):
        mine = np.flatnonzero(labels == c)
        fold[mine] = (np.arange(len(mine)) + c) % folds
    sides = np.empty((2, seeds, TESTED), dtype=np.int64)
    n_train = []
    for f in range(folds):
        # One fold: as many points are trained on as are tested; several: all are tested once, by trees of the others.
        y = labels[fold != f] if folds > 1 else rng.permutation(labels)
        x = points[fold != f] if folds > 1 else points_of(y)
        n_train.append(len(y))
        more = np.full(int((y == RARE).sum()), RARE)
        extra = points_of(more)
        for a in range(2):
            seen = slice(6 * a, 6 * a + 6) if twins else slice(None)
            arm_x, arm_y = x[:, seen], y
            if better and a == 0:
                arm_x, arm_y = np.concatenate([arm_x, extra[:, seen]]), np.r_[y, more]
            for s in range(seeds):
                tree = DecisionTreeClassifier(
                    splitter="random", max_depth=8, max_features=3, random_state=int(rng.integers(2**31))
                )
                sides[a, s, fold == f] = tree.fit(arm_x, arm_y).predict(points[fold == f][:, seen])
    return Trial(labels, fold, np.arange(TESTED), sides[0], sides[1], n_train)


def twin_trees(rng: np.random.Generator, folds: int, seeds: int, better: bool) -> Trial:
    return trees(rng, folds, seeds, better, twins=True)


def drawn(
    rng: np.random.Generator,
    folds: int,
    seeds: int,
    better: bool,
    *,
    training: float,
    together: int = 1,
    gain: float = 1.2,
) -> Trial:
    """Draw predictions: logits of being right are a class's, an image's, a training split's and a training's.

    Parameters
    ----------
    training : float
        Standard deviation, over trainings, of a class's logit. That over training splits is as large, and both arms
        share it.
    together : int
        Images of one patient: three quarters of an image's part are its patient's.
    gain : float
        What the better arm adds to the logit of the rare class.
    """
    classes = len(SHARES)
    labels = np.repeat(np.arange(classes), np.rint(SHARES * TESTED).astype(int))
    unit = np.arange(TESTED) // together
    fold = (unit + unit // folds) % folds
    image = 1.5 * (
        np.sqrt(0.75) * rng.normal(size=unit.max() + 1)[unit] + 0.5 * rng.normal(size=TESTED)
        if together > 1
        else rng.normal(size=TESTED)
    )
    known = np.array([2.0, 1.8, 1.5, 1.2, 0.8])[labels] + image
    known = known + training * rng.normal(size=(folds, classes))[fold, labels]
    other = (labels + rng.choice(np.arange(1, classes), TESTED, p=[0.5, 0.3, 0.1, 0.1])) % classes
    sides = []
    for a in range(2):
        logit = known + training * rng.normal(size=(seeds, folds, classes))[:, fold, labels]
        logit = logit + rng.logistic(size=(seeds, TESTED))
        if better and a == 0:
            logit = logit + gain * (labels == RARE)
        sides.append(np.where(logit > 0, labels, other))
    n_train = [TESTED - int((fold == f).sum()) if folds > 1 else TESTED for f in range(folds)]
    return Trial(labels, fold, unit, sides[0], sides[1], n_train)


def little_noise(rng: np.random.Generator, folds: int, seeds: int, better: bool) -> Trial:
    return drawn(rng, folds, seeds, better, training=0.05)


def much_noise(rng: np.random.Generator, folds: int, seeds: int, better: bool) -> Trial:
    return drawn(rng, folds, seeds, better, training=0.5)


def patients(rng: np.random.Generator, folds: int, seeds: int, better: bool) -> Trial:
    return drawn(rng, folds, seeds, better, training=0.2, together=5)


WORLDS: dict[str, Callable[[np.random.Generator, int, int, bool], Trial]] = {
    "trees": trees,
    "twin trees": twin_trees,
    "little noise": little_noise,
    "much noise": much_noise,
    "patients": patients,
}


def rate(p: Floats) -> dict[str, Any]:
    hits = int((p < LEVEL).sum())
    return {"value": hits / len(p), "n": len(p), "interval": wilson_interval(hits, len(p)).tolist()}


def markdown(figures: dict[str, Any]) -> str:
    lines = []
    for what, title in (
        ("same", "Effects found where there is none (at most 6.0% is asked for)"),
        ("better", "Effects found where there is one"),
    ):
        lines += [
            f"{title}, of {figures[what]:,} comparisons:",
            "",
            "| world | design | endpoint | " + " | ".join(TESTS) + " |",
            "|---|---|---|" + "---|" * len(TESTS),
        ]
        for world, designs in figures["worlds"].items():
            for design, entry in designs.items():
                for endpoint, tests in entry[what].items():
                    cells = " | ".join(f"{tests[t]['value']:.1%}" for t in TESTS)
                    lines.append(f"| {world} | {design} | {endpoint} | {cells} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
