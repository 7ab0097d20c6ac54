"""What the finished trainings of a comparison say together: its result, and its tables."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from gansynth.data.label_tree import tree_of
from gansynth.files import table_text
from gansynth.files.atomic import write_text
from gansynth.metrics.classification_effects import ONE_TRAINING
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import capital
from gansynth.remedies.arm import ALONE, NONE, Arm
from gansynth.studies.comparison.entries import (
    ArmEffect,
    ArmResult,
    BestDose,
    DoseCurve,
    Endpoint,
    FailedTraining,
    Swap,
    Training,
)
from gansynth.studies.comparison.figures import Figures, Key, Pooled, effects, estimates, in_parallel, pool, pooled
from gansynth.studies.comparison.grid import Grid, training_images
from gansynth.studies.comparison.leaderboard import leaderboard
from gansynth.studies.comparison.levels import superclasses, under_condition
from gansynth.studies.comparison.plan import RECIPES, Plan, gans_of
from gansynth.studies.comparison.recognition import recognition, unrecognised
from gansynth.studies.comparison.recommendation import recommend, unlearned
from gansynth.studies.comparison.record import Record, finished
from gansynth.studies.comparison.registration import Registration
from gansynth.studies.comparison.result import About, AnyLevel, Comparison
from gansynth.studies.comparison.splits import TOO_GOOD
from gansynth.version import __version__

_FEW = 30
_VERSIONS = ("torch", "torchvision", "timm", "scikit-learn", "numpy", "joblib")


def gather(grid: Grid, units: Mapping[str, int], about: About, registration: Registration) -> Comparison:
    """Bring the finished cells of a grid together.

    Parameters
    ----------
    grid : Grid
    units : mapping of path to int
        What cannot be separated.
    about : About
        What is known of the data.
    registration : Registration
        What was written down before.
    """
    plan, names = grid.plan, grid.class_names
    records = _records(grid)
    clean = not plan.is_paper
    arms = {key: pooled(found, units if clean else None) for key, found in records.items()}
    figures = dict(zip(arms, in_parallel(estimates, list(arms.values()), grid.jobs), strict=True))
    entries = [_entry(grid, key, arms[key], figures[key], found) for key, found in records.items()]
    n_train = [training_images(plan, fold) for fold in grid.folds]
    tested = [arm.spec for arm in plan.arms if arm.spec not in registration.swap_arms] if clean else []
    found_effects = effects(arms, about.endpoints, names, n_train, tested) if clean else ()
    in_use = effects(arms, registration.in_use, names, n_train, tested) if clean else ()
    curves = _curves(plan, entries, about.endpoints, names)
    missing = tuple(
        FailedTraining(m.cell.arm, m.cell.classifier, m.cell.fold, m.cell.seed, m.error) for m in grid.missing
    )
    seen = recognition(grid) if clean else []
    above = None
    if registration.tree:
        tree = tree_of(registration.tree, names)
        above = superclasses(tree, arms, about, n_train=n_train, tested=tested, jobs=grid.jobs)
    standings = leaderboard(arms, about.rare, names, n_train, tested) if clean else ()
    advice = recommend(
        arms,
        [entry for entry in entries if entry.arm in tested and not Arm.parse(entry.arm).alone],
        found_effects,
        standings,
        about.endpoints[0],
        names,
        n_train,
        data=plan.data,
        recipes=plan.out / RECIPES,
    )
    result = Comparison(
        about=replace(about, device=plan.settings.device, versions=_versions(), date=datetime.date.today().isoformat()),
        arms=tuple(entries),
        effects=found_effects,
        in_use=in_use,
        leaderboard=standings,
        doses=curves,
        best_dose=_best(curves, about.endpoints),
        swap=_swapped(grid, records, arms) if plan.settings.swap else (),
        recognition=tuple(seen),
        superclasses=above,
        conditions=_conditions(grid, records, units, about, n_train, tested),
        recommendation=advice,
        missing=missing,
        warnings=(
            *_warnings(grid, records, about, missing, found_effects),
            *unlearned(entries, names),
            *unrecognised(seen),
        ),
        folder=plan.out,
    )
    write_text(plan.out / "scores.csv", _scores(records, names))
    return result


def _records(grid: Grid) -> dict[Key, list[Record]]:
    """Return the records of every arm and classifier whose cells are all finished."""
    found: dict[Key, list[Record]] = {}
    tested = {
        fold.number: frozenset(path for path, part in fold.split.items() if part == "test") for fold in grid.folds
    }
    for recipe in grid.plan.classifiers:
        for arm in grid.plan.arms_of(recipe):
            cells = [
                cell
                for fold in grid.folds
                for cell in grid.cells(fold)
                if (cell.arm, cell.classifier) == (arm.spec, recipe.name)
            ]
            records = [
                finished(
                    grid.plan.out,
                    cell,
                    grid.class_names,
                    conditions=grid.conditions,
                    # The protocol of papers splits what its arms have made, each arm its own images.
                    tested=None if grid.plan.is_paper else tested[cell.fold],
                )
                for cell in cells
            ]
            there = [record for record in records if record is not None]
            if len(there) == len(cells):
                found[arm.spec, recipe.name] = there
    return found


def _entry(grid: Grid, key: Key, arm: Pooled, figures: Figures, records: Sequence[Record]) -> ArmResult:
    spec, classifier = key
    names, parsed = grid.class_names, Arm.parse(spec)
    overall, classes = figures
    notes = [record.note for record in records]

    def mean(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
        return {name: round(float(np.mean([one[name] for one in counts]))) for name in names}

    tested = np.bincount(arm.labels, minlength=len(names)).tolist() if grid.plan.is_paper else None
    return ArmResult(
        arm=spec,
        classifier=classifier,
        metrics=overall,
        classes=dict(zip(names, classes, strict=True)),
        confusion=arm.confusion().round(4),
        remedies=tuple(map(str, parsed.parts)),
        dose=parsed.dose,
        training_counts=mean([note.training_counts for note in notes]),
        synthetic_counts=mean([note.synthetic_counts for note in notes]),
        steps=notes[0].steps,
        seconds=round(float(np.mean([note.seconds for note in notes])), 2),
        runs=tuple(
            Training(one.cell.fold, one.cell.seed, one.cell.path, one.note.scores.overall["macro-F1"])
            for one in records
        ),
        weights=notes[0].weights,
        test_counts=None if tested is None else dict(zip(names, tested, strict=True)),
    )


def _conditions(
    grid: Grid,
    records: Mapping[Key, Sequence[Record]],
    units: Mapping[str, int],
    about: About,
    n_train: Sequence[int],
    tested: Sequence[str],
) -> dict[str, AnyLevel]:
    found: dict[str, AnyLevel] = {}
    for name in grid.conditions:
        arms = {
            key: pool([(one.cell.fold, one.cell.seed, one.in_condition(name)) for one in mine], units)
            for key, mine in records.items()
        }
        found[name] = under_condition(arms, about, n_train=n_train, tested=tested, jobs=grid.jobs)
    return found


def _curves(
    plan: Plan, entries: Sequence[ArmResult], endpoints: Sequence[Endpoint], names: Sequence[str]
) -> tuple[DoseCurve, ...]:
    """Return the curves of remedies that were given at two doses or more."""
    of = {(entry.arm, entry.classifier): entry for entry in entries}
    by_base: dict[str, dict[float, str]] = {}
    for arm in plan.arms:
        if arm.dose is None or arm.alone:
            continue
        specs = by_base.setdefault(str(arm.without_dose()), {})
        specs[arm.dose] = arm.spec
        specs.setdefault(0.0, str(arm.at_no_dose()))
    asked = dict.fromkeys([*endpoints, *(Endpoint("recall", name) for name in names)])
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
                    one = entry.estimate(endpoint) or Estimate(None, 0)
                    points.append((dose, one.value, *(one.interval or (None, None))))
                found.append(DoseCurve(recipe.name, base, endpoint, tuple(points)))
    return tuple(found)


def _best(curves: Sequence[DoseCurve], endpoints: Sequence[Endpoint]) -> tuple[BestDose, ...]:
    """Return the dose with the highest value of each endpoint; of equal ones the smallest."""
    return tuple(
        BestDose(c.classifier, c.remedy, c.endpoint, min(c.known, key=lambda point: (-point[1], point[0]))[0])
        for c in curves
        if c.endpoint in endpoints and c.known
    )


def _swapped(grid: Grid, records: Mapping[Key, Sequence[Record]], arms: Mapping[Key, Pooled]) -> tuple[Swap, ...]:
    found = []
    for gan in gans_of(grid.plan.arms):
        for recipe in grid.plan.classifiers:
            both = {"TSTR": arms.get((f"{ALONE}{gan}", recipe.name))}
            real = records.get((NONE, recipe.name), ())
            if real and all(gan in record.note.predicted_gans for record in real):
                both["TRTS"] = pool([(one.cell.fold, one.cell.seed, one.synthetic().of(gan)) for one in real], None)
            for direction, arm in both.items():
                if arm is not None:
                    overall, classes = estimates(arm)
                    of_class = dict(zip(grid.class_names, classes, strict=True))
                    found.append(Swap(gan, recipe.name, direction, overall, of_class))
    return tuple(found)


def _warnings(
    grid: Grid,
    records: Mapping[Key, Sequence[Record]],
    about: About,
    missing: Sequence[FailedTraining],
    found_effects: Sequence[ArmEffect],
) -> list[str]:
    plan = grid.plan
    said = [f"{TOO_GOOD}."] if plan.is_paper else []
    if len(plan.seeds) < 2:
        alone = "One seed: how much two trainings of the same arm differ is unknown; give --seeds 3 or more."
        folds = "One training in each fold: intervals count what trainings and folds differ by, and cannot separate it."
        said.append(folds if len(grid.folds) > 1 else alone)
    if not plan.is_paper:
        few = [f"{name} ({about.test_counts[name]})" for name in about.rare if about.test_counts[name] < _FEW]
        if few:
            said.append(f"Fewer than {_FEW} test images of {', '.join(few)}: numbers of so few images say little.")
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
            said.append(f"{', '.join(skipped)} {means} something for {kind} only: no numbers of {recipe.name}.")
    heard: dict[str, None] = {}
    for (_, classifier), of_arm in records.items():
        for record in of_arm:
            heard.update(dict.fromkeys(f"{classifier}: {text}" for text in record.note.warnings))
    said += list(heard)
    notes = dict.fromkeys(one.note for one in found_effects if one.note not in ("", ONE_TRAINING))
    said += [f"{capital(note)}." for note in notes]
    if missing:
        first = missing[0]
        said.append(
            f"{len(missing)} of {grid.total} trainings failed, and their arms have no numbers; the first "
            f"({first.arm}, {first.classifier}) because: {first.error}"
        )
    return said


def _scores(records: Mapping[Key, Sequence[Record]], names: Sequence[str]) -> str:
    """Return the numbers of every single training, in long form."""
    rows = []
    for (arm, classifier), of_arm in records.items():
        for record in of_arm:
            scores = record.note.scores
            mine = (arm, classifier, record.cell.fold, record.cell.seed)
            rows += [(*mine, "", metric, value) for metric, value in scores.overall.items()]
            rows += [(*mine, name, metric, value) for name in names for metric, value in scores.classes[name].items()]
    table = pd.DataFrame(rows, columns=["arm", "classifier", "fold", "seed", "class", "metric", "value"])
    return table_text(table, "%.6g")


def _versions() -> dict[str, str]:
    found = {"gansynth": __version__, "python": platform.python_version()}
    for name in _VERSIONS:
        if name in ("numpy", "joblib", "scikit-learn") or name in sys.modules:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found
