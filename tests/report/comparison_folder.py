"""A folder as `compare` writes it: invented predictions for phantom cells, and the figures that follow from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset, write_phantom
from gansynth.metrics.estimate import Estimate
from gansynth.studies.comparison.figures import Pooled
from gansynth.studies.comparison.leaderboard import leaderboard

GAN = "c-wgan-gp-64"
ARMS = ("none", "augmentation", "oversample", GAN)
DOSES = (0.25, 0.5, 1.5)
CLASSIFIERS = ("sequential-cnn", "random-forest")
COUNTS = {"eosinophil": 30, "lymphocyte": 44, "neutrophil": 60, "promyelocyte": 24, "smudge cell": 16}
RARITY = {"promyelocyte": 5, "smudge cell": 4}
WARNINGS = ["Fewer than 30 test images of smudge cell <&>: its numbers say little."]

_SKILL = {"sequential-cnn": 2.9, "random-forest": 1.7, "logistic-regression": 1.9}
_GAIN = {"none": 0.0, "augmentation": 0.25, "oversample": 0.9, GAN: 1.5}
_DOSE_GAIN = {0.25: 0.8, 0.5: 1.3, 1.0: 1.5, 1.5: 1.0}


def write_comparison_folder(
    folder: Path,
    *,
    cells: CellDataset | None = None,
    data: str | None = None,
    rarity: Mapping[str, int] = RARITY,
    arms: Sequence[str] = ARMS,
    classifiers: Sequence[str] = CLASSIFIERS,
    seeds: int = 3,
    folds: int = 2,
    size: int = 16,
    gain: float = 1.0,
    protocol: str = "clean",
    swap: bool = True,
    doses: bool = True,
) -> Path:
    """Write a comparison: `gain` 1 makes the rare classes better with every remedy, 0 changes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    if cells is None:
        data = str(folder / "cells") if data is None else data
        if not Path(data).exists():
            write_phantom(data, COUNTS, size=size)
        cells = phantom_dataset(COUNTS, size=size)
    names = cells.class_names
    specs = [*arms, *(f"{GAN}@{dose:g}" for dose in (DOSES if doses and GAN in arms else ()))]
    random = np.random.default_rng(0)
    difficulty = random.normal(0, 1.0, len(cells))
    fold_of = np.arange(len(cells)) % folds
    train = {n: min(rarity.get(n, k), int(k * (1 - 1 / max(folds, 2)) * 0.9)) for n, k in cells.counts().items()}
    most = max(train.values())
    endpoints = [{"metric": "macro-F1", "class": None}, *({"metric": "recall", "class": name} for name in rarity)]
    found: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
    entries = []
    for classifier in classifiers:
        for spec in specs:
            lift = gain * (_GAIN[spec] if spec in _GAIN else _DOSE_GAIN[float(spec.split("@")[1])])
            dose = float(spec.split("@")[1]) if "@" in spec else (1.0 if spec not in ("none", "augmentation") else None)
            synthetic = {n: round((most - k) * (dose or 0)) for n, k in train.items() if k < most and GAN in spec}
            learned = {n: most if spec == "oversample" else k + synthetic.get(n, 0) for n, k in train.items()}
            probabilities = []
            for seed in range(seeds):
                p = _predict(cells, difficulty, _SKILL[classifier], train, lift, random)
                probabilities.append(p)
                for fold in range(folds):
                    place = folder / f"arms/fold{fold}/{spec}/{classifier}/seed{seed}"
                    note = {"arm": spec, "classifier": classifier, "fold": fold, "seed": seed, "steps": 400}
                    note |= {"seconds": 40.0 + 3 * seed, "training_counts": learned, "synthetic_counts": synthetic}
                    note |= {"curve": _curve(p, cells, random) if classifier.endswith("cnn") else [], "weights": ""}
                    note |= {"predicted_gans": [], "warnings": [], "scores": {"overall": {}, "classes": {}}}
                    _write_run(place, cells, p, fold_of == fold, note)
            found[spec, classifier] = probabilities
            entries.append(_entry(spec, dose, classifier, cells, probabilities, learned, synthetic, folds))
    about = {
        "data": data,
        "classes": list(names),
        "counts": {"train": train, "test": cells.counts()},
        "rarity": dict(rarity),
        "rare": list(rarity),
        "endpoints": endpoints,
        "folds": folds,
        "seeds": list(range(seeds)),
        "protocol": protocol,
        "size": size,
        "command": f"gansynth compare cells --remedies {','.join(arms)} --seeds {seeds} --folds {folds} --out out",
        "versions": {"gansynth": "0.3.0", "torch": "2.14.1"},
        "device": "cpu",
        "date": "2026-11-21",
    }
    results = {
        "about": about,
        "arms": entries,
        "effects": _effects(cells, found, specs, classifiers, endpoints),
        "in_use": [],
        "leaderboard": _leaderboard(cells, found, specs, list(rarity), folds),
        "doses": _doses(entries, endpoints) if doses else [],
        "best_dose": [
            {"classifier": c, "remedy": GAN, "endpoint": endpoint, "dose": 1.0}
            for c in classifiers
            for endpoint in endpoints
            if doses and GAN in arms
        ],
        "swap": _swap(entries) if swap else [],
        "recognition": [
            {"gan": GAN, "class": name, "recognised": Estimate(0.4, 200, (0.33, 0.47), 0.8, 90).to_json()}
            for name in COUNTS
            if swap
        ],
        "missing": [],
        "warnings": list(WARNINGS),
    }
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (folder / "comparison.json").write_text(json.dumps({"gansynth": "0.3.0"}), encoding="utf-8")
    return folder


def _leaderboard(
    cells: CellDataset,
    found: Mapping[tuple[str, str], Sequence[NDArray[np.float64]]],
    specs: Sequence[str],
    rare: Sequence[str],
    folds: int,
) -> list[dict[str, Any]]:
    paths, fold_of = tuple(cells.records["path"]), np.arange(len(cells)) % folds
    arms = {
        key: Pooled(
            paths,
            cells.labels,
            fold_of,
            np.arange(len(cells)),
            np.stack([p.argmax(axis=1) for p in probabilities]),
            np.stack(probabilities),
        )
        for key, probabilities in found.items()
    }
    return [one.to_json() for one in leaderboard(arms, rare, cells.class_names, [len(cells) // 2] * folds, specs)]


def _predict(
    cells: CellDataset,
    difficulty: NDArray[np.float64],
    skill: float,
    train: Mapping[str, int],
    lift: float,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Probabilities [N, C]: the rarer a class was in training, the less often it is recognised."""
    counts = np.array([train[name] for name in cells.class_names], dtype=float)
    rare = np.clip(1 - counts / counts.max(), 0, 1) ** 4
    margin = skill - 0.8 * difficulty + rare[cells.labels] * (lift - 2.2) + random.normal(0, 0.4, len(cells))
    logits = random.normal(0, 0.9, (len(cells), len(counts))) + np.log(counts / counts.max()) * 0.15
    logits[np.arange(len(cells)), cells.labels] += margin
    # Neighbouring classes are taken for one another.
    logits[np.arange(len(cells)), (cells.labels + 1) % len(counts)] += 0.9
    odds = np.exp(1.6 * (logits - logits.max(axis=1, keepdims=True)))
    shares: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def _write_run(place: Path, cells: CellDataset, p: NDArray[np.float64], here: NDArray[np.bool_], note: Any) -> None:
    place.mkdir(parents=True, exist_ok=True)
    names = cells.class_names
    table = pd.DataFrame({"file_name": cells.records["path"][here]})
    table["class"] = [names[label] for label in cells.labels[here]]
    table["predicted"] = [names[label] for label in p[here].argmax(axis=1)]
    for c, name in enumerate(names):
        table[f"p_{name}"] = p[here, c].round(5)
    table.to_csv(place / "predictions.csv", index=False)
    (place / "arm.json").write_text(json.dumps(note), encoding="utf-8")


def _curve(p: NDArray[np.float64], cells: CellDataset, random: np.random.Generator) -> list[dict[str, float]]:
    end = float((p.argmax(axis=1) == cells.labels).mean())
    rise = 1 - np.exp(-np.arange(1, 11) / 3)
    noise = random.normal(0, 0.01, 10)
    return [
        {"epoch": e + 1, "step": 40 * (e + 1), "train_loss": 1.9 - 1.7 * r, "train_accuracy": 0.2 + 0.78 * r}
        | {"val_loss": 1.9 - 1.2 * r + n, "val_accuracy": (0.1 + end) * r + n, "val_macro_f1": end * r + n}
        for e, (r, n) in enumerate(zip(rise.tolist(), noise.tolist(), strict=True))
    ]


def _confusion(cells: CellDataset, predicted: NDArray[np.int64]) -> NDArray[np.float64]:
    table = np.zeros((len(cells.class_names),) * 2)
    np.add.at(table, (cells.labels, predicted), 1)
    return table


def _scores(table: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    n, hits, is_class, taken = table.sum(), np.diag(table), table.sum(axis=1), np.maximum(table.sum(axis=0), 1)
    recall, precision = hits / is_class, hits / taken
    classes = {
        "recall": recall,
        "precision": precision,
        "specificity": 1 - (taken - hits) / (n - is_class),
        "F1": 2 * hits / (is_class + taken),
        "accuracy": 1 - (is_class + taken - 2 * hits) / n,
    }
    overall = {"macro-F1": classes["F1"].mean(), "balanced-accuracy": recall.mean(), "accuracy": hits.sum() / n}
    overall |= {"macro-precision": precision.mean(), "macro-specificity": classes["specificity"].mean()}
    return overall, classes


def _estimate(value: float, n: int) -> dict[str, Any]:
    half = 1.96 * float(np.sqrt(max(value * (1 - value), 0.02) / n))
    return {"value": value, "n": n, "interval": [max(value - half, 0.0), min(value + half, 1.0)], "floor": None}


def _entry(
    spec: str,
    dose: float | None,
    classifier: str,
    cells: CellDataset,
    probabilities: Sequence[NDArray[np.float64]],
    learned: Mapping[str, int],
    synthetic: Mapping[str, int],
    folds: int,
) -> dict[str, Any]:
    tables = [_confusion(cells, p.argmax(axis=1)) for p in probabilities]
    table = np.mean(tables, axis=0)
    overall, classes = _scores(table)
    names, counts = cells.class_names, cells.counts()
    metrics = {m: _estimate(float(v), len(cells)) for m, v in overall.items()}
    for metric, value in (("kappa", 0.8), ("MCC", 0.81), ("ROC-AUC", 0.97), ("average-precision", 0.9)):
        metrics[metric] = _estimate(value, len(cells))
    for metric, value in (("Brier", 0.14), ("MSE", 0.02), ("calibration-error", 0.04)):
        metrics[metric] = _estimate(value, len(cells))
    runs = [
        {"fold": fold, "seed": seed, "folder": f"arms/fold{fold}/{spec}/{classifier}/seed{seed}", "macro-F1": 0.8}
        for fold in range(folds)
        for seed in range(len(probabilities))
    ]
    return {
        "arm": spec,
        "remedies": [] if spec == "none" else [spec.split("@")[0]],
        "dose": dose,
        "classifier": classifier,
        "metrics": metrics,
        "classes": {
            name: {m: _estimate(float(v[c]), counts[name]) for m, v in classes.items()} for c, name in enumerate(names)
        },
        "confusion": table.tolist(),
        "training_counts": dict(learned),
        "synthetic_counts": dict(synthetic),
        "steps": 400,
        "seconds": 42.0 if classifier.endswith("cnn") else 1.3,
        "runs": runs,
        "weights": "",
    }


def _effects(
    cells: CellDataset,
    found: Mapping[tuple[str, str], Sequence[NDArray[np.float64]]],
    specs: Sequence[str],
    classifiers: Sequence[str],
    endpoints: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    from scipy.stats import norm

    effects = []
    for classifier in classifiers:
        for against in [one for one in ("none", "augmentation") if one in specs]:
            for endpoint in endpoints:
                family = []
                for spec in [s for s in specs if s != against and (s, against) != ("none", "augmentation")]:
                    gaps = [
                        _endpoint(cells, a, endpoint) - _endpoint(cells, b, endpoint)
                        for a, b in zip(found[spec, classifier], found[against, classifier], strict=True)
                    ]
                    name = endpoint["class"]
                    n = cells.counts()[name] if name else len(cells)
                    value, spread = float(np.mean(gaps)), float(0.3 / np.sqrt(n) + 0.004)
                    p = float(2 * norm.sf(abs(value) / spread))
                    family.append(
                        {"classifier": classifier, "arm": spec, "against": against, **endpoint, "value": value}
                        | {"interval": [value - 1.96 * spread, value + 1.96 * spread], "p": p, "n": n}
                        | {"method": "test images and seeds", "mcnemar_p": None if name else p}
                    )
                for place, one in enumerate(sorted(family, key=lambda e: float(e["p"]))):
                    one["p_holm"] = min(1.0, float(one["p"]) * (len(family) - place))
                effects += family
    return effects


def _endpoint(cells: CellDataset, p: NDArray[np.float64], endpoint: Mapping[str, Any]) -> float:
    overall, classes = _scores(_confusion(cells, p.argmax(axis=1)))
    if endpoint["class"] is None:
        return float(overall[endpoint["metric"]])
    return float(classes[endpoint["metric"]][cells.class_names.index(endpoint["class"])])


def _doses(entries: Sequence[Mapping[str, Any]], endpoints: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    doses = []
    for classifier in dict.fromkeys(e["classifier"] for e in entries):
        mine = [e for e in entries if e["classifier"] == classifier and (e["arm"] == "none" or GAN in e["arm"])]
        for endpoint in endpoints:
            points = []
            for entry in sorted(mine, key=lambda e: e["dose"] or 0.0):
                held = entry["metrics"] if endpoint["class"] is None else entry["classes"][endpoint["class"]]
                one = held[endpoint["metric"]]
                points.append([entry["dose"] or 0.0, one["value"], *one["interval"]])
            doses.append({"classifier": classifier, "remedy": GAN, **endpoint, "points": points})
    return doses


def _swap(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"gan": GAN, "classifier": entry["classifier"], "direction": direction}
        | {"metrics": {"macro-F1": _estimate(value, 174), "balanced-accuracy": _estimate(value + 0.02, 174)}}
        | {"classes": {name: {"recall": _estimate(value, 30)} for name in entry["classes"]}}
        for entry in entries
        if entry["arm"] == "none"
        for direction, value in (("TSTR", 0.61), ("TRTS", 0.87))
    ]
