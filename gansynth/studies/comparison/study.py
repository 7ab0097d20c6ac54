"""`compare`: does balancing help a classifier on real test images, by how much, and how sure is that?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gansynth.data.dataset import CellDataset
from gansynth.data.opening import refuse_inside
from gansynth.errors import InputError
from gansynth.files import holding, known_counts
from gansynth.files.atomic import write_text
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.studies.comparison.gathering import gather
from gansynth.studies.comparison.grid import Grid, chosen_jobs, training_images
from gansynth.studies.comparison.levels import chosen_tree
from gansynth.studies.comparison.plan import (
    RECIPES,
    SPLITS,
    Plan,
    endpoints_in_use,
    endpoints_of,
    load_classifiers,
    rare_classes,
    steps_of,
    write_out_arms,
)
from gansynth.studies.comparison.registration import Registration
from gansynth.studies.comparison.result import About, Comparison, Counts
from gansynth.studies.comparison.settings import ComparisonSettings
from gansynth.studies.comparison.splits import Fold, Images, data_sha256, make_folds, units_of, whole

DEFAULT = ("sequential-cnn",)


@holding()
def compare(
    data: str | Path,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    out: str | Path,
    *,
    settings: ComparisonSettings | None = None,
    resume: bool = False,
    progress: bool = True,
    **options: Any,
) -> Comparison:
    """Train classifiers on the original and on the balanced data, test them on real images, and compare.

    The data is split before anything learns; every arm gets the same splits, seeds and optimizer steps; a GAN is
    trained on the training images of each fold, once, and shared by its doses, classifiers and seeds. The endpoints
    are written down before the first training.

    Parameters
    ----------
    data : path-like or "phantom"
        Real images. Their own split (`gansynth data split`) is taken where no `folds` are asked for.
    remedies : sequence of str
        The arms: ``none``, ``augmentation``, ``oversample``, ``undersample``, recipes of GANs, run folders; joined by
        ``+``, with a dose after ``@`` (see `gansynth.remedies.parse_arm`).
    classifiers : sequence of str
        Recipes of the zoo or YAML files; empty for `DEFAULT`.
    out : path-like
        Gets comparison.json, splits/, fold0/gans/..., arms/, results.json, tables and, from the command, report.html.
    settings : ComparisonSettings, optional
        Seeds, folds, doses, endpoints, how GANs are trained, where it is computed.
    resume : bool
        Continue: what is finished is not done again. Remedies, classifiers and seeds may be added; those that the
        folder has are kept.
    progress : bool
        Report on standard error.
    **options
        Any of the settings by its name, for daily use: ``folds=2, size=64``. None leaves it as it is.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If something has learned from an image it would be tested on, the data cannot be split so, the folder holds
        another comparison, or no arm could be carried out.
    TypeError
        For an option that `ComparisonSettings` does not have.

    Examples
    --------
    >>> compare("my-cells", ["none", "oversample", "c-wgan-gp-64"], ["sequential-cnn"], "compared")  # doctest: +SKIP
    """
    given = {name: value for name, value in options.items() if value is not None}
    settings = replace(settings or ComparisonSettings(), **given)
    ready = prepare(data, remedies, classifiers, Path(out), settings, resume=resume, progress=progress)
    plan, folds, registration, grid, out = ready.plan, ready.folds, ready.registration, ready.grid, ready.plan.out
    _write_down(plan, folds, registration)
    grid.fill()
    units = {} if plan.is_paper else units_of(ready.dataset, progress)
    found = gather(grid, units, _about(plan, folds, registration, ready.dataset.class_names), registration)
    if not found.arms:
        error = grid.missing[0].error if grid.missing else "nothing was to be done"
        raise InputError(f"no arm could be carried out; the first failed so: {error}")
    found.write(out)
    return found


@dataclass(frozen=True)
class Ready:
    """A comparison before its first training."""

    plan: Plan
    folds: Sequence[Fold]
    dataset: CellDataset
    registration: Registration
    grid: Grid


def prepare(
    data: str | Path,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    out: Path,
    settings: ComparisonSettings,
    *,
    resume: bool,
    progress: bool,
) -> Ready:
    """Read what is asked for, split the data and refuse leaks, all before anything is written or trained.

    Parameters and errors are those of `compare`.
    """
    refuse_inside(data, out)
    held = Registration.held_in(out, resume)
    kept = held.arms if held else ()
    if held:
        settings = replace(settings, swap=settings.swap or held.swap, robustness=settings.robustness or held.robustness)
    more_seeds = settings.seeds if settings.seeds is not None else 0 if held else 3
    first = settings.seed
    plan = Plan(
        data=str(data),
        out=out,
        arms=write_out_arms(remedies, settings.doses, settings.swap, kept),
        classifiers=load_classifiers(
            classifiers or (() if held else DEFAULT), settings.changes, settings.size, settings.epochs
        ),
        seeds=tuple(sorted({*(held.seeds if held else ()), *range(first, first + more_seeds)})),
        settings=settings,
        progress=progress,
    )
    plan = _with_held_classifiers(plan, held)
    images = Images(plan.data, progress)
    dataset = images.at(plan.sizes[0])
    settings = replace(settings, rarity=known_counts(settings.rarity, dataset.class_names, "--rarity"))
    plan = replace(plan, settings=settings)
    if plan.is_paper:
        folds = whole(dataset, settings.rarity, first)
    else:
        folds = make_folds(dataset, settings.folds, settings.rarity, first, progress)
    label_tree = chosen_tree(settings.tree, held.tree if held else None, dataset.class_names)
    own = [spec for spec in kept if not held or spec not in held.swap_arms]
    asked = {arm.spec for arm in write_out_arms(remedies, settings.doses, kept=own)}
    registration = _registered(
        plan,
        folds,
        data_sha256=data_sha256(dataset),
        tree=None if label_tree is None else label_tree.groups(),
        swap_arms=tuple(arm.spec for arm in plan.arms if arm.spec not in asked),
        jobs=chosen_jobs(settings.jobs, settings.device, held.jobs if held else None),
    )
    if held is not None:
        registration.refuse_another(held, out)
    grid = Grid(plan, folds, images, registration.jobs)
    grid.refuse_leaks()
    return Ready(plan, folds, dataset, registration, grid)


def _with_held_classifiers(plan: Plan, held: Registration | None) -> Plan:
    """Return the plan with the classifiers of the folder before its own; one of another recipe is refused."""
    mine = {recipe.name: recipe for recipe in plan.classifiers}
    kept = {}
    for name in held.classifiers if held else ():
        recipe = load_classifier_recipe(plan.out / RECIPES / f"{name}.yaml")
        if name in mine and mine[name] != recipe:
            raise InputError(
                f"{plan.out}: holds a comparison with another recipe of {name}; give the same, or another --out"
            )
        kept[name] = recipe
    return replace(plan, classifiers=tuple({**kept, **mine}.values()))


def _registered(plan: Plan, folds: Sequence[Fold], **more: Any) -> Registration:
    """Return what is written down before anything is trained."""
    asked, classes = plan.settings, list(folds[0].counts["train"])
    training = {name: float(np.mean([fold.counts["train"][name] for fold in folds])) for name in classes}
    rare = rare_classes(training, asked.rarity, asked.rare)
    n_train = [training_images(plan, fold) for fold in folds]
    return Registration(
        data=plan.data,
        protocol=asked.protocol,
        folds=asked.folds,
        rarity=dict(asked.rarity),
        rare=tuple(rare),
        endpoints=endpoints_of(asked.endpoint, rare),
        in_use=endpoints_in_use(rare),
        first_seed=asked.seed,
        gan_images=asked.gan_images,
        gan_minutes=asked.gan_minutes,
        gan_changes=tuple(sorted(asked.gan_changes)),
        min_confidence=asked.min_confidence,
        arms=tuple(arm.spec for arm in plan.arms),
        classifiers={recipe.name: recipe.model_dump(mode="json") for recipe in plan.classifiers},
        seeds=plan.seeds,
        steps={recipe.name: [steps_of(recipe, n) for n in n_train] for recipe in plan.classifiers},
        swap=asked.swap,
        robustness=asked.robustness,
        **more,
    )


def _write_down(plan: Plan, folds: Sequence[Fold], registration: Registration) -> None:
    for recipe in plan.classifiers:
        write_text(plan.out / RECIPES / f"{recipe.name}.yaml", recipe.to_yaml())
    for fold in folds:
        fold.write(plan.out / SPLITS)
    registration.write(plan.out)


def _about(plan: Plan, folds: Sequence[Fold], registration: Registration, class_names: Sequence[str]) -> About:
    return About(
        data=plan.data,
        classes=tuple(class_names),
        counts=Counts(
            train={name: round(float(np.mean([f.counts["train"][name] for f in folds]))) for name in class_names},
            test={name: sum(fold.counts["test"][name] for fold in folds) for name in class_names},
        ),
        rarity=registration.rarity,
        rare=registration.rare,
        endpoints=registration.endpoints,
        folds=len(folds),
        seeds=plan.seeds,
        protocol=registration.protocol,
        size=plan.sizes[0],
        sizes={recipe.name: recipe.resolution for recipe in plan.classifiers},
        steps=registration.steps,
    )
