"""`sweep`: how much imbalance does a classifier stand, and how much more with a remedy? (pasupa2020, tables 2 and 3)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from gansynth.data.opening import refuse_inside
from gansynth.errors import InputError
from gansynth.files import holding
from gansynth.files.json_object import INLINE
from gansynth.metrics.wording import counted
from gansynth.runs.display import WorkDisplay
from gansynth.studies.comparison.plan import load_classifiers, rare_classes, write_out_arms
from gansynth.studies.comparison.registration import Registration
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.settings import ComparisonSettings
from gansynth.studies.comparison.splits import Images, data_sha256, make_folds
from gansynth.studies.comparison.study import DEFAULT, compare
from gansynth.studies.result_file import Asked
from gansynth.studies.sweep.counts import THIN, Thin, counts_at, imbalance_ratio
from gansynth.studies.sweep.result import ImbalanceSweep, Step, SweepSettings, gather
from gansynth.version import __version__

RATIOS = (1.0, 5.0, 10.0, 50.0)
_REFUSED = ("rarity", "rare", "protocol", "swap")


@dataclass(frozen=True)
class SweepRegistration(Asked):
    """What is asked and what each ratio keeps, in sweep.json before the first training.

    Attributes
    ----------
    gansynth : str
        The version that last continued it.
    settings : SweepSettings
    held : dict of ratio to (dict of class to int)
        Training images kept; the ratio as it is typed.
    """

    FILE, COMMAND, WHAT = "sweep.json", ImbalanceSweep.COMMAND, "sweep"
    MAY_GROW = ("gansynth", "remedies", "number_of_seeds", "ratios", "held")

    gansynth: str
    settings: Annotated[SweepSettings, INLINE]
    held: dict[str, dict[str, int]]


@holding()
def sweep_imbalance(
    data: str | Path,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    out: str | Path,
    *,
    ratios: Sequence[float] = RATIOS,
    minority: Sequence[str] = (),
    thin: Thin = "minority",
    most: int | None = None,
    settings: ComparisonSettings | None = None,
    resume: bool = False,
    progress: bool = True,
    after: Callable[[Path], object] | None = None,
    **options: Any,
) -> ImbalanceSweep:
    """Compare remedies at several imbalance ratios rho, the largest over the smallest class (pasupa2020, eq. 5).

    One `compare` for each ratio, in ``out/rho-N``, on the same split: training images leave (and validation images in
    the same proportion), test images all stay. So numbers of two ratios can be compared, which they cannot where each
    has test images of its own mix, as in the paper. Images that are kept of a class at some number are among those
    that are kept at any larger one.

    Parameters
    ----------
    data : path-like or "phantom"
        Real images. Their own split is taken where `folds` is not given.
    remedies : sequence of str
        The arms, as `compare` takes them.
    classifiers : sequence of str
        Recipes of the zoo or YAML files; empty for those of `compare`.
    out : path-like
        Gets sweep.json, rho-N/ with every comparison, results.json, sweep.csv and effects.csv.
    ratios : sequence of float
        1 or more, in any order.
    minority : sequence of str
        The classes that become rare; their recall is an endpoint. Default: those with fewer than a tenth of the
        largest class's training images; else the smallest.
    thin, most
        See `counts_at`.
    settings : ComparisonSettings, optional
        As in `compare`; a GAN is trained anew at each ratio, in each fold. What is rare, the sweep itself says.
    resume : bool
        Continue: what is finished is not done again. Ratios, remedies and seeds may be added; ratios where the images
        kept at the others stay the same.
    progress : bool
        Report on standard error.
    after : callable, optional
        Called with the folder of each comparison that is finished, to write its page.
    **options
        Any of the settings by its name: ``folds=2, size=64``. None leaves it as it is.

    Returns
    -------
    ImbalanceSweep

    Raises
    ------
    InputError
        For ratios or classes that do not fit (see `counts_at`), a folder that holds another sweep, or what `compare`
        refuses.
    TypeError
        For an option that `ComparisonSettings` does not have, or one that says what is rare.

    Examples
    --------
    >>> sweep_imbalance("my-cells", ["none", "focal"], [], "swept", ratios=[1, 10, 50])  # doctest: +SKIP
    """
    given = {name: value for name, value in options.items() if value is not None}
    how = replace(settings or ComparisonSettings(), **given)
    out = Path(out)
    ready = prepare_sweep(
        data, remedies, classifiers, out, how,
        ratios=ratios, minority=minority, thin=thin, most=most, resume=resume, progress=progress,
    )  # fmt: skip
    ready.registration.write(out)
    found: list[Comparison] = []
    display = WorkDisplay("ratios", len(ready.steps), shown=progress)
    for number, (step, asked) in enumerate(ready.steps, start=1):
        display.say(f"rho {step.ratio:g}, {number} of {counted(len(ready.steps), 'ratio')}:")
        found.append(
            compare(
                data, ready.settings.remedies, classifiers or DEFAULT, out / step.folder, progress=progress,
                settings=asked, resume=Registration.is_in(out / step.folder),
            )
        )  # fmt: skip
        if after is not None:
            after(out / step.folder)
        result = gather([one for one, _ in ready.steps[:number]], found, ready.settings)
        result.write(out)
    return result


@dataclass(frozen=True)
class ReadySweep:
    """A sweep before its first training, nothing of which is written yet.

    Attributes
    ----------
    registration : SweepRegistration
    steps : tuple of (Step, ComparisonSettings)
        For each ratio, rising, how its comparison is asked for.
    """

    registration: SweepRegistration
    steps: tuple[tuple[Step, ComparisonSettings], ...]

    @property
    def settings(self) -> SweepSettings:
        """What is asked."""
        return self.registration.settings


def prepare_sweep(
    data: str | Path,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    out: Path,
    how: ComparisonSettings,
    *,
    ratios: Sequence[float] = RATIOS,
    minority: Sequence[str] = (),
    thin: Thin = "minority",
    most: int | None = None,
    resume: bool = False,
    progress: bool = True,
) -> ReadySweep:
    """Read what is asked for, and say what each ratio keeps, before anything is written or trained.

    Parameters and errors are those of `sweep_imbalance`.
    """
    refused = [name for name in _REFUSED if getattr(how, name) != getattr(ComparisonSettings(), name)]
    if refused:
        raise TypeError(f"a sweep takes no {', '.join(refused)}: it sets what is rare")
    if thin not in THIN:
        raise InputError(f"--thin {thin}: choose {' or '.join(THIN)}")
    refuse_inside(data, out)
    held = SweepRegistration.held_in(out, resume)
    before = None if held is None else held.settings
    recipes = load_classifiers(classifiers or DEFAULT, how.changes, how.size, how.epochs)
    dataset = Images(str(data), progress).at(recipes[0].resolution)
    there = [fold.counts["train"] for fold in make_folds(dataset, how.folds, {}, how.seed, progress)]
    counts = {name: min(fold[name] for fold in there) for name in dataset.class_names}
    minority = rare_classes(counts, {}, minority, "--minority")
    ratios = sorted({*(before.ratios if before else ()), *map(float, ratios)})
    kept = counts_at(ratios, counts, minority, thin=thin, most=most)
    seeds = max(how.seeds or 3, before.number_of_seeds if before else 0)
    asked = SweepSettings(
        data_sha256=data_sha256(dataset),
        minority=minority,
        thin=thin,
        most=most,
        folds=how.folds,
        first_seed=how.seed,
        number_of_seeds=seeds,
        recipes={recipe.name: recipe.model_dump(mode="json") for recipe in recipes},
        remedies=[arm.spec for arm in write_out_arms(remedies, kept=before.remedies if before else ())],
        ratios=ratios,
    )
    registration = SweepRegistration(
        __version__, asked, {f"{ratio:g}": images for ratio, images in zip(ratios, kept, strict=True)}
    )
    if held is not None:
        registration.refuse_another(held, out)
        _refuse_moved(held, registration, out)
    steps = []
    for ratio, images in zip(ratios, kept, strict=True):
        thinned = {name: n for name, n in images.items() if any(fold[name] != n for fold in there)}
        step = Step(ratio, imbalance_ratio(images), f"rho-{ratio:g}", images)
        steps.append((step, replace(how, rarity=thinned, rare=minority, seeds=seeds)))
    return ReadySweep(registration, tuple(steps))


def _refuse_moved(held: SweepRegistration, asked: SweepRegistration, out: Path) -> None:
    """Refuse ratios with which other images would be kept than were compared already."""
    moved = [ratio for ratio, images in held.held.items() if asked.held[ratio] != images]
    if moved:
        raise InputError(
            f"{out}: with these --ratios other images would be kept at rho {', '.join(moved)}, which was compared "
            "already; give no lower ratio than the lowest there, or another --out"
        )
