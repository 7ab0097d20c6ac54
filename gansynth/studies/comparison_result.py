"""What a comparison found: figures of every arm, effects, doses, and training on synthetic images; and its tables."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gansynth import __version__
from gansynth.atomic import write_json, write_text
from gansynth.data.label_tree import tree_of
from gansynth.metrics.classification_effects import ONE_TRAINING
from gansynth.studies.comparison_figures import (
    Figures,
    Key,
    Pooled,
    effects,
    estimates,
    in_parallel,
    point,
    pool,
    pooled,
)
from gansynth.studies.comparison_grid import Grid, training_images
from gansynth.studies.comparison_leaderboard import leaderboard
from gansynth.studies.comparison_levels import superclasses
from gansynth.studies.comparison_paper import TOO_GOOD
from gansynth.studies.comparison_plan import ALONE, NONE, Plan, base_and_dose, gans_of, steps_of
from gansynth.studies.comparison_recognition import recognition, unrecognised
from gansynth.studies.comparison_record import Predictions, Record, finished

RESULTS = "results.json"
_FEW = 30
_VERSIONS = ("torch", "torchvision", "timm", "scikit-learn", "numpy", "joblib")


@dataclass(frozen=True)
class Comparison:
    """Remedies side by side.

    Attributes
    ----------
    about : dict
        Data, counts, endpoints, folds, seeds, protocol, versions.
    arms : list of dict
        One for each arm and classifier: figures with intervals, confusion matrix, counts, cost, runs.
    effects : list of dict
        Each arm against ``none``, ordinary augmentation and over-sampling.
    leaderboard : list of dict
        The arms of each classifier, ranked by the mean recall of the rare classes at no loss elsewhere.
    doses : list of dict
        For each remedy with several doses, a curve of each endpoint and of each class's recall.
    best_dose : list of dict
        The dose with the best value of each endpoint; "against_0" is its effect against no dose at all, where tested.
    swap : list of dict
        Trained on synthetic, tested on real (TSTR), and the reverse (TRTS).
    recognition : list of dict
        How many synthetic images of each GAN and class its independent classifier recognises, beside real ones.
    superclasses : dict or None
        The same arms one level up, see `gansynth.studies.comparison_levels`; None where there is no label tree.
    missing : list of dict
        Cells of the grid that could not be filled, and why.
    warnings : list of str
    """

    about: dict[str, Any]
    arms: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    leaderboard: list[dict[str, Any]]
    doses: list[dict[str, Any]]
    best_dose: list[dict[str, Any]]
    swap: list[dict[str, Any]]
    recognition: list[dict[str, Any]]
    superclasses: dict[str, Any] | None
    missing: list[dict[str, Any]]
    warnings: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            "gansynth": __version__,
            "about": self.about,
            "arms": self.arms,
            "effects": self.effects,
            "leaderboard": self.leaderboard,
            "doses": self.doses,
            "best_dose": self.best_dose,
            "swap": self.swap,
            "recognition": self.recognition,
            "superclasses": self.superclasses,
            "missing": self.missing,
            "warnings": self.warnings,
        }

    def write(self, folder: Path) -> None:
        """Write results.json and effects.csv."""
        columns = ["classifier", "arm", "against", "metric", "class", "value", "low", "high", "p", "p_holm", "n"]
        rows = []
        for one in self.effects:
            low, high = one["interval"] or (None, None)
            rows.append({**one, "low": low, "high": high})
        table = pd.DataFrame(rows, columns=[*columns, "method", "mcnemar_p"])
        write_text(folder / "effects.csv", table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
        write_json(folder / RESULTS, self.to_json())


def gather(grid: Grid, units: Mapping[str, int], about: Mapping[str, Any], settings: Mapping[str, Any]) -> Comparison:
    """Bring the finished cells of a grid together.

    Parameters
    ----------
    grid : Grid
    units : mapping of path to int
        What cannot be separated.
    about, settings : mapping
        What is known of the data, and what comparison.json holds.
    """
    plan, names = grid.plan, grid.class_names
    records = _records(grid)
    clean = plan.protocol == "clean"
    arms = {key: pooled(found, units if clean else None) for key, found in records.items()}
    figures = dict(zip(arms, in_parallel(estimates, list(arms.values()), grid.jobs), strict=True))
    entries = [_entry(grid, key, arms[key], figures[key], found) for key, found in records.items()]
    n_train = [training_images(plan, fold) for fold in grid.folds]
    tested = [arm.spec for arm in plan.arms if arm.spec not in settings.get("swap_arms", ())]
    found_effects = effects(arms, settings["endpoints"], names, n_train, tested) if clean else []
    curves = _curves(plan, entries, settings["endpoints"], names)
    missing = [
        {"arm": m.cell.arm, "classifier": m.cell.classifier, "fold": m.cell.fold, "seed": m.cell.seed, "error": m.error}
        for m in grid.missing
    ]
    seen = recognition(grid) if clean else []
    tree = settings.get("tree")
    above = tree and superclasses(
        tree_of(tree, names), arms, about, n_train=n_train, tested=tested if clean else [], jobs=grid.jobs
    )
    result = Comparison(
        about={**about, "device": plan.device, "versions": _versions(), "date": _today()},
        arms=entries,
        effects=found_effects,
        leaderboard=leaderboard(arms, about["rare"], names, n_train, tested) if clean else [],
        doses=curves,
        best_dose=_best(curves, settings["endpoints"]),
        swap=_swapped(grid, records, arms) if plan.swap else [],
        recognition=seen,
        superclasses=above or None,
        missing=missing,
        warnings=_warnings(grid, records, about, missing, found_effects) + unrecognised(seen),
    )
    write_text(plan.out / "scores.csv", _scores(records, names))
    return result


def _records(grid: Grid) -> dict[Key, list[Record]]:
    """Return the records of every arm and classifier whose cells are all finished."""
    found: dict[Key, list[Record]] = {}
    for recipe in grid.plan.classifiers:
        for arm in grid.plan.arms_of(recipe):
            cells = [
                cell
                for fold in grid.folds
                for cell in grid.cells(fold)
                if (cell.arm, cell.classifier) == (arm.spec, recipe.name)
            ]
            records = [finished(grid.plan.out, cell, grid.class_names) for cell in cells]
            there = [record for record in records if record is not None]
            if len(there) == len(cells):
                found[arm.spec, recipe.name] = there
    return found


def _entry(grid: Grid, key: Key, arm: Pooled, figures: Figures, records: Sequence[Record]) -> dict[str, Any]:
    spec, classifier = key
    names = grid.class_names
    overall, classes = figures
    of = {a.spec: a for a in grid.plan.arms}[spec]
    notes = [record.note for record in records]

    def mean_counts(which: str) -> dict[str, int]:
        return {name: round(float(np.mean([note[which][name] for note in notes]))) for name in names}

    found = {
        "arm": spec,
        "remedies": [] if spec == NONE else spec.split("+"),
        "dose": of.dose,
        "classifier": classifier,
        "metrics": {name: one.to_json() for name, one in overall.items()},
        "classes": {
            name: {metric: one.to_json() for metric, one in row.items()}
            for name, row in zip(names, classes, strict=True)
        },
        "confusion": arm.confusion().round(4).tolist(),
        "training_counts": mean_counts("training_counts"),
        "synthetic_counts": mean_counts("synthetic_counts"),
        "steps": notes[0]["steps"],
        "seconds": round(float(np.mean([note["seconds"] for note in notes])), 2),
        "runs": [
            {
                "fold": record.cell.fold,
                "seed": record.cell.seed,
                "folder": record.cell.path,
                "macro-F1": note["scores"]["overall"]["macro-F1"],
            }
            for record, note in zip(records, notes, strict=True)
        ],
        "weights": notes[0]["weights"],
    }
    if grid.plan.protocol == "paper":
        tested = np.bincount(arm.labels, minlength=len(names)).tolist()
        found["test_counts"] = dict(zip(names, tested, strict=True))
    return found


def _curves(
    plan: Plan, entries: Sequence[Mapping[str, Any]], endpoints: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the curves of remedies that were given at two doses or more."""
    of = {(entry["arm"], entry["classifier"]): entry for entry in entries}
    by_base: dict[str, dict[float, str]] = {}
    for arm in plan.arms:
        base, dose = base_and_dose(arm)
        if dose is None or base.startswith(ALONE):
            continue
        by_base.setdefault(base, {})[dose] = arm.spec
        plain = [text for text, remedy in zip(base.split("+"), arm.remedies, strict=True) if not remedy.takes_dose]
        by_base[base].setdefault(0.0, "+".join(plain) or NONE)
    asked = [*endpoints, *({"metric": "recall", "class": name} for name in names)]
    asked = list({(one["metric"], one["class"]): one for one in asked}.values())
    found = []
    for base, specs in by_base.items():
        if len([dose for dose in specs if dose > 0]) < 2:
            continue
        for recipe in plan.classifiers:
            there = {dose: of[spec, recipe.name] for dose, spec in sorted(specs.items()) if (spec, recipe.name) in of}
            if len(there) < 2:
                continue
            for endpoint in asked:
                points = []
                for dose, entry in there.items():
                    one = point(entry, endpoint)
                    points.append([dose, one["value"], *(one["interval"] or (None, None))])
                found.append({"classifier": recipe.name, "remedy": base, **endpoint, "points": points})
    return found


def _best(curves: Sequence[Mapping[str, Any]], endpoints: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the dose with the highest value of each endpoint; of equal ones the smallest."""
    wanted = {(one["metric"], one["class"]) for one in endpoints}
    found = []
    for curve in curves:
        known = [(dose, value) for dose, value, *_ in curve["points"] if value is not None]
        if (curve["metric"], curve["class"]) in wanted and known:
            dose = min(known, key=lambda one: (-one[1], one[0]))[0]
            endpoint = {"metric": curve["metric"], "class": curve["class"]}
            found.append(
                {"classifier": curve["classifier"], "remedy": curve["remedy"], "endpoint": endpoint, "dose": dose}
            )
    return found


def _swapped(grid: Grid, records: Mapping[Key, Sequence[Record]], arms: Mapping[Key, Pooled]) -> list[dict[str, Any]]:
    found = []
    for gan in gans_of(grid.plan.arms):
        for recipe in grid.plan.classifiers:
            both = {"TSTR": arms.get((f"{ALONE}{gan}", recipe.name))}
            real = records.get((NONE, recipe.name), ())
            if real and all(gan in record.note["predicted_gans"] for record in real):
                told = [(one.cell.fold, one.cell.seed, _of_gan(one.synthetic(), gan)) for one in real]
                both["TRTS"] = pool(told, None)
            for direction, arm in both.items():
                if arm is None:
                    continue
                overall, classes = estimates(arm)
                found.append(
                    {
                        "gan": gan,
                        "classifier": recipe.name,
                        "direction": direction,
                        "metrics": {name: one.to_json() for name, one in overall.items()},
                        "classes": {
                            name: {metric: one.to_json() for metric, one in row.items()}
                            for name, row in zip(grid.class_names, classes, strict=True)
                        },
                    }
                )
    return found


def _of_gan(all_gans: Predictions, gan: str) -> Predictions:
    mine = np.flatnonzero(np.array(all_gans.gans, object) == gan)
    return Predictions(
        [all_gans.paths[i] for i in mine],
        all_gans.labels[mine],
        all_gans.predicted[mine],
        all_gans.probabilities[mine],
        [gan] * len(mine),
    )


def _warnings(
    grid: Grid,
    records: Mapping[Key, Sequence[Record]],
    about: Mapping[str, Any],
    missing: Sequence[Mapping[str, Any]],
    found_effects: Sequence[Mapping[str, Any]],
) -> list[str]:
    plan = grid.plan
    said = [f"{TOO_GOOD}."] if plan.protocol == "paper" else []
    if len(plan.seeds) < 2:
        said.append("One seed: how much two trainings of the same arm differ is unknown; give --seeds 3 or more.")
    if plan.protocol == "clean":
        few = [
            f"{name} ({about['counts']['test'][name]})"
            for name in about["rare"]
            if about["counts"]["test"][name] < _FEW
        ]
        if few:
            said.append(f"Fewer than {_FEW} test images of {', '.join(few)}: figures of so few images say little.")
        gans = [gan for gan, remedy in gans_of(plan.arms).items() if remedy.given is None]
        if gans and len(grid.folds) == 1:
            said.append(
                f"One split: {', '.join(gans)} was trained once, so its effects speak of this one GAN and of these "
                "training images; with --folds a GAN is trained in each fold."
            )
        gans = [gan for gan, remedy in gans_of(plan.arms).items() if remedy.given is not None]
        if gans:
            said.append(f"{', '.join(gans)} was given, not trained here: what it learned from is what its run says.")
    for recipe in plan.classifiers:
        skipped = [arm.spec for arm in plan.arms if arm not in plan.arms_of(recipe)]
        if skipped:
            kind = "classifiers of features" if recipe.neural else "neural networks"
            means = "means" if len(skipped) == 1 else "mean"
            said.append(f"{', '.join(skipped)} {means} something for {kind} only: no figures of {recipe.name}.")
    told: dict[str, None] = {}
    for (_, classifier), of_arm in records.items():
        for record in of_arm:
            told.update(dict.fromkeys(f"{classifier}: {text}" for text in record.note["warnings"]))
    said += list(told)
    notes = dict.fromkeys(one["note"] for one in found_effects if one.get("note", ONE_TRAINING) != ONE_TRAINING)
    said += [f"{note[:1].upper()}{note[1:]}." for note in notes]
    if missing:
        first = missing[0]
        said.append(
            f"{len(missing)} of {grid.total} trainings failed, and their arms have no figures; the first "
            f"({first['arm']}, {first['classifier']}) because: {first['error']}"
        )
    return said


def _scores(records: Mapping[Key, Sequence[Record]], names: Sequence[str]) -> str:
    """Return the figures of every single training, in long form."""
    rows = []
    for (arm, classifier), of_arm in records.items():
        for record in of_arm:
            scores = record.note["scores"]
            mine = (arm, classifier, record.cell.fold, record.cell.seed)
            rows += [(*mine, "", metric, value) for metric, value in scores["overall"].items()]
            rows += [
                (*mine, name, metric, value) for name in names for metric, value in scores["classes"][name].items()
            ]
    table = pd.DataFrame(rows, columns=["arm", "classifier", "fold", "seed", "class", "metric", "value"])
    return table.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def steps_table(plan: Plan, counts: Sequence[int]) -> dict[str, list[int | None]]:
    """Return the optimizer steps of each classifier in each fold."""
    return {recipe.name: [steps_of(recipe, n) for n in counts] for recipe in plan.classifiers}


def _versions() -> dict[str, str]:
    found = {"gansynth": __version__, "python": platform.python_version()}
    for name in _VERSIONS:
        if name in ("numpy", "joblib", "scikit-learn") or name in sys.modules:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found


def _today() -> str:
    return datetime.date.today().isoformat()
