"""`compare`: does balancing help a classifier on real test images, by how much, and how sure is that?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gansynth.data.opening import refuse_inside
from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.remedies import GanBudget
from gansynth.studies.comparison.gathering import gather
from gansynth.studies.comparison.grid import Grid, chosen_jobs, training_images
from gansynth.studies.comparison.levels import Groups, chosen_tree
from gansynth.studies.comparison.plan import (
    PRIMARY,
    PROTOCOLS,
    Plan,
    Protocol,
    endpoints_of,
    load_classifiers,
    rare_classes,
    steps_of,
    write_out_arms,
)
from gansynth.studies.comparison.registration import Registration
from gansynth.studies.comparison.result import About, Comparison
from gansynth.studies.comparison.splits import Fold, Images, data_sha256, make_folds, units_of, whole

DEFAULT = ("sequential-cnn",)
RECIPES = "classifiers"
SPLITS = "splits"


def compare(
    data: str | Path,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    out: str | Path,
    *,
    seeds: int | None = None,
    folds: int | None = None,
    doses: Sequence[float] = (),
    rarity: Mapping[str, int] | None = None,
    rare: Sequence[str] = (),
    tree: str | Path | Groups | None = None,
    protocol: Protocol = "clean",
    endpoint: str = "macro-F1",
    swap: bool = False,
    size: int | None = None,
    epochs: int | None = None,
    changes: Sequence[str] = (),
    gan_images: int | None = None,
    gan_minutes: float | None = None,
    gan_changes: Sequence[str] = (),
    min_confidence: float | None = None,
    jobs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    weights_dir: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Comparison:
    """Train classifiers on the original and on the balanced data, test them on real images, and compare.

    The data is split before anything learns; every arm gets the same splits, seeds and optimizer steps; a GAN is
    trained on the training images of each fold, once, and shared by its doses, classifiers and seeds. The endpoints
    are written down before the first training.

    Parameters
    ----------
    data : path-like or "phantom"
        Real images. Their own split (`gansynth data split`) is taken where `folds` is not given.
    remedies : sequence of str
        The arms: ``none``, ``augmentation``, ``oversample``, ``undersample``, recipes of GANs, run folders; joined by
        ``+``, with a dose after ``@`` (see `gansynth.remedies.parse_arm`).
    classifiers : sequence of str
        Recipes of the zoo or YAML files; empty for `DEFAULT`.
    out : path-like
        Gets comparison.json, splits/, fold0/gans/..., arms/, results.json, tables and, from the command, report.html.
    seeds : int, optional
        Trainings of each arm on each fold: `seed`, `seed` + 1, ... Default: 3.
    folds : int, optional
        Every real image is tested once, and GANs are trained anew in each fold.
    doses : sequence of float
        Each arm that takes a dose is compared at each of these: the share of the way to balance, 0 none, more than 1
        more than balance.
    rarity : mapping of str to int, optional
        Training images to keep of some classes; the rest of them leave the experiment.
    rare : sequence of str
        Classes whose recall is an endpoint. Default: those of `rarity`; else those with fewer than a tenth of the
        largest class's training images; else the smallest.
    tree : path-like or mapping of superclass to classes, optional
        Superclasses at whose level the same arms are reported too. Default: granulocytes and agranulocytes, where
        classes are known to be such (`gansynth.data.label_tree.known_tree`).
    protocol : "clean" or "paper"
        "paper" balances before it splits (hazra2022): for its tables only.
    endpoint : str
        The primary endpoint, "macro-F1" or "balanced-accuracy".
    swap : bool
        Also train on synthetic images alone, and let classifiers of real images predict synthetic ones.
    size, epochs : int, optional
        For all classifiers, instead of what their recipes say.
    changes, gan_changes : sequence of str
        Changes to the classifiers' and the GANs' recipes, such as ``"training.batch_size=32"``.
    gan_images, gan_minutes : optional
        How long each GAN is trained, instead of its recipe's steps.
    min_confidence : float, optional
        Keep only synthetic images that a classifier beside the GAN gives this probability of their class.
    jobs : int, optional
        Cells of the grid at a time. Default: what a `joblib.parallel_config` around the call says, else as many as
        there are cores and memory, one on a GPU.
    seed : int
        The first seed; also that of the split, of the remedies and of the GANs.
    device : str
    weights_dir : path-like, optional
        Where the weights of pretrained backbones are.
    resume : bool
        Continue: what is finished is not done again. Remedies, classifiers and seeds may be added; those that the
        folder has are kept.
    progress : bool
        Report on standard error.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If something has learned from an image it would be tested on, the data cannot be split so, the folder holds
        another comparison, or no arm could be carried out.

    Examples
    --------
    >>> compare("my-cells", ["none", "oversample", "c-wgan-gp-64"], ["sequential-cnn"], "compared")  # doctest: +SKIP
    """
    _check(seeds, protocol, endpoint, folds, swap, jobs, doses)
    refuse_inside(data, out)
    out = Path(out)
    held = _held(out, resume)
    kept = held.arms if held else ()
    swap = swap or bool(held and held.swap)
    if seeds is None:
        seeds = 0 if held else 3
    plan = Plan(
        data=str(data),
        out=out,
        arms=write_out_arms(remedies, doses, swap, kept),
        classifiers=load_classifiers(classifiers or (() if held else DEFAULT), changes, size, epochs),
        seeds=tuple(sorted({*(held.seeds if held else ()), *range(seed, seed + seeds)})),
        folds=folds,
        rarity=dict(rarity or {}),
        protocol=protocol,
        primary=endpoint,
        swap=swap,
        budget=GanBudget(gan_images, gan_minutes),
        gan_changes=tuple(gan_changes),
        min_confidence=min_confidence,
        seed=seed,
        device=device,
        weights_dir=None if weights_dir is None else Path(weights_dir),
        progress=progress,
    )
    plan = _with_held_classifiers(plan, held)
    images = Images(plan.data, progress)
    dataset = images.at(plan.sizes[0])
    folds_made = (
        make_folds(dataset, plan.folds, plan.rarity, seed) if protocol == "clean" else whole(dataset, plan.rarity, seed)
    )
    label_tree = chosen_tree(tree, held.tree if held else None, dataset.class_names)
    own = [spec for spec in kept if not held or spec not in held.swap_arms]
    asked = {arm.spec for arm in write_out_arms(remedies, doses, kept=own)}
    registration = _registered(
        plan,
        folds_made,
        rare,
        data_sha256=data_sha256(dataset),
        tree=None if label_tree is None else label_tree.groups(),
        swap_arms=tuple(arm.spec for arm in plan.arms if arm.spec not in asked),
        jobs=chosen_jobs(jobs, device, held.jobs if held else None),
    )
    registration.refuse_another(held, out)
    grid = Grid(plan, folds_made, images, registration.jobs)
    grid.refuse_leaks()
    _write_down(plan, folds_made, registration)
    grid.fill()
    units = units_of(dataset) if protocol == "clean" else {}
    found = gather(grid, units, _about(plan, folds_made, registration, dataset.class_names), registration)
    if not found.arms:
        first = grid.missing[0].error if grid.missing else "nothing was to be done"
        raise InputError(f"no arm could be carried out; the first failed so: {first}")
    found.write(out)
    return found


def _check(
    seeds: int | None,
    protocol: str,
    endpoint: str,
    folds: int | None,
    swap: bool,
    jobs: int | None,
    doses: Sequence[float],
) -> None:
    if seeds is not None and seeds < 1:
        raise InputError(f"--seeds {seeds}: give at least 1")
    if jobs is not None and jobs < 1:
        raise InputError(f"--jobs {jobs}: give at least 1")
    if protocol not in PROTOCOLS:
        raise InputError(f"--protocol {protocol}: choose {' or '.join(PROTOCOLS)}")
    if endpoint not in PRIMARY:
        raise InputError(f"--endpoint {endpoint}: choose {' or '.join(PRIMARY)}")
    if protocol == "paper" and (folds is not None or swap):
        raise InputError("--protocol paper divides the balanced images once; leave out --folds and --swap")
    wrong = [dose for dose in doses if not 0 <= dose <= 100]
    if wrong:
        raise InputError(f"--doses: {wrong[0]:g} is no number from 0 to 100; 1 is balance")


def _held(out: Path, resume: bool) -> Registration | None:
    """Return what the folder's comparison.json says; None where there is none."""
    held = Registration.read(out)
    if held is not None and not resume:
        raise InputError(f"{out}: already holds a comparison; continue it with --resume, or give another --out")
    # What a comparison that was ended at once leaves: recipes, splits and files that were being written.
    others = [p for p in out.iterdir() if p.name not in (RECIPES, SPLITS)] if out.is_dir() else []
    if held is None and any(not path.name.startswith(".") for path in others):
        raise InputError(f"{out}: is not empty and holds no comparison; give another --out")
    return held


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


def _registered(plan: Plan, folds: Sequence[Fold], rare: Sequence[str], **more: Any) -> Registration:
    """Return what is written down before anything is trained."""
    classes = list(folds[0].counts["train"])
    training = {name: float(np.mean([fold.counts["train"][name] for fold in folds])) for name in classes}
    rare = rare_classes(training, plan.rarity, rare)
    n_train = [training_images(plan, fold) for fold in folds]
    return Registration(
        data=plan.data,
        protocol=plan.protocol,
        folds=plan.folds,
        rarity=plan.rarity,
        rare=tuple(rare),
        endpoints=endpoints_of(plan.primary, rare),
        first_seed=plan.seed,
        gan_images=plan.budget.images,
        gan_minutes=plan.budget.minutes,
        gan_changes=tuple(sorted(plan.gan_changes)),
        min_confidence=plan.min_confidence,
        arms=tuple(arm.spec for arm in plan.arms),
        classifiers={recipe.name: recipe.model_dump(mode="json") for recipe in plan.classifiers},
        seeds=plan.seeds,
        steps={recipe.name: [steps_of(recipe, n) for n in n_train] for recipe in plan.classifiers},
        swap=plan.swap,
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
        training_counts={n: round(float(np.mean([f.counts["train"][n] for f in folds]))) for n in class_names},
        test_counts={name: sum(fold.counts["test"][name] for fold in folds) for name in class_names},
        rarity=plan.rarity,
        rare=registration.rare,
        endpoints=registration.endpoints,
        folds=len(folds),
        seeds=plan.seeds,
        protocol=plan.protocol,
        size=plan.sizes[0],
        sizes={recipe.name: recipe.resolution for recipe in plan.classifiers},
        steps=registration.steps,
    )
