"""Which parameters of a remedy are best: cross-validated on the training split, as pasupa2020 chose its alpha."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gansynth.data.dataset import CellDataset
from gansynth.data.folds import fold_dataset, hold_rare
from gansynth.data.opening import open_dataset, refuse_inside
from gansynth.data.split import split_dataset
from gansynth.errors import InputError
from gansynth.files import holding, known_counts
from gansynth.recipes.classifier import ClassifierRecipe
from gansynth.remedies import GanBudget, Treatment, Workplace, parse_arm
from gansynth.runs.display import WorkDisplay
from gansynth.studies.comparison.arm import NOT_OUR_FAULT, Cell, Job, Outcome, sentence, threads_of
from gansynth.studies.comparison.grid import chosen_jobs
from gansynth.studies.comparison.jobs import keep_failure, keep_outcome, run_jobs
from gansynth.studies.comparison.plan import load_classifiers, steps_of
from gansynth.studies.comparison.record import Record, finished
from gansynth.studies.comparison.splits import data_sha256
from gansynth.studies.search.grid import Candidate, candidates_of
from gansynth.studies.search.result import RemedySearch, SearchSettings, gather
from gansynth.version import __version__

VALIDATION = 0.1


@dataclass(frozen=True)
class SearchOptions:
    """How a search is carried out.

    Attributes
    ----------
    folds : int
    rarity : mapping of str to int
        Training images to keep of some classes, the same ones as in `compare`.
    size, epochs : int, optional
        Instead of what the classifier's recipe says.
    changes : sequence of str
        Changes to the recipe, such as ``"training.batch_size=32"``.
    jobs : int, optional
        Trainings at a time. Default: as many as there are cores and memory, one on a GPU.
    seed : int
        Decides the folds, and with the fold's number every training.
    device : str
    weights_dir : path-like, optional
    """

    folds: int = 5
    rarity: Mapping[str, int] = field(default_factory=dict)
    size: int | None = None
    epochs: int | None = None
    changes: Sequence[str] = ()
    jobs: int | None = None
    seed: int = 0
    device: str = "auto"
    weights_dir: str | Path | None = None


@dataclass(frozen=True)
class ReadySearch:
    """A search before its first training, nothing of which is written yet."""

    out: Path
    asked: SearchSettings
    candidates: list[Candidate]
    recipe: ClassifierRecipe
    folds: list[CellDataset]
    jobs: int
    seed: int
    device: str
    weights_dir: Path | None
    progress: bool

    def waiting(self, k: int) -> list[Candidate]:
        """Return the candidates that are not finished in a fold."""
        names = self.folds[k].class_names
        return [one for one in self.candidates if finished(self.out, self.cell(one, k), names) is None]

    def cell(self, candidate: Candidate, fold: int) -> Cell:
        return Cell(candidate.arm.spec, candidate.arm.folder_name, self.recipe.name, fold, self.seed + fold)


@holding()
def search_remedy(
    data: str | Path,
    remedy: str,
    out: str | Path,
    *,
    classifier: str = "sequential-cnn",
    grid: Mapping[str, Sequence[float]] | None = None,
    beside: Sequence[str] = ("none",),
    settings: SearchOptions | None = None,
    resume: bool = False,
    progress: bool = True,
    **options: Any,
) -> RemedySearch:
    """Try values of a remedy's parameters in a stratified cross-validation on the training split.

    Neither validation nor test images of the data's own split are looked at. In every fold, a tenth of what is
    learned from decides which epoch's weights are kept, and the part that is left out is scored. All candidates get
    the same folds, the same seeds and the same optimizer steps.

    Parameters
    ----------
    data : path-like or "phantom"
        Real images. What has no split is split first, as `compare` does it with the same seed.
    remedy : str
        Of several joined by ``+`` the last is searched.
    out : path-like
        Gets search.json, arms/ with every prediction, results.json and search.csv.
    classifier : str
        A recipe of the zoo or a YAML file.
    grid : mapping of str to sequence of float, optional
        Values by parameter, "dose" among them. Default: those that the remedy names, such as beta 0.9 to 0.9999.
    beside : sequence of str
        Arms that stand in the table too; gains are against the first.
    settings : SearchOptions, optional
        Folds, the size of images, how the classifier is trained, where it is computed.
    resume : bool
        Continue: what is finished is not done again. Values may be added.
    progress : bool
        Report on standard error.
    **options
        Any of the settings by its name, for daily use: ``folds=3, size=64``. None leaves it as it is.

    Returns
    -------
    RemedySearch

    Raises
    ------
    InputError
        If there is nothing to search, a class has fewer images than folds, or nothing could be carried out.
    TypeError
        For an option that `SearchOptions` does not have.

    Examples
    --------
    >>> search_remedy("my-cells", "cb-focal", "searched", grid={"beta": [0.9, 0.999]})  # doctest: +SKIP
    """
    given = {name: value for name, value in options.items() if value is not None}
    how = replace(settings or SearchOptions(), **given)
    search = prepare_search(
        data, remedy, Path(out), how, classifier=classifier, grid=grid, beside=beside, resume=resume, progress=progress
    )
    search.asked.write(search.out)
    failed = _fill(search)
    records = {one.arm.spec: _records(search, one) for one in search.candidates}
    if not any(records.values()):
        raise InputError(f"no training could be carried out; the first failed so: {next(iter(failed.values()))}")
    found = gather(search.candidates, records, search.folds, search.asked, failed, str(data))
    found.write(search.out)
    return found


def prepare_search(
    data: str | Path,
    remedy: str,
    out: Path,
    how: SearchOptions,
    *,
    classifier: str = "sequential-cnn",
    grid: Mapping[str, Sequence[float]] | None = None,
    beside: Sequence[str] = ("none",),
    resume: bool = False,
    progress: bool = True,
) -> ReadySearch:
    """Read what is asked for, and divide the training split, before anything is written or trained.

    Parameters and errors are those of `search_remedy`.
    """
    seed = how.seed
    refuse_inside(data, out)
    candidates = [Candidate(arm, {}) for arm in map(parse_arm, beside)] + candidates_of(remedy, grid or {})
    (recipe,) = load_classifiers([classifier], how.changes, how.size, how.epochs)
    _refuse_meaningless(candidates, recipe)
    real = _real_split(str(data), recipe.resolution, seed, progress)
    rarity = known_counts(how.rarity, real.class_names, "--rarity")
    training = hold_rare(real, rarity, seed=seed).part("train")
    asked = SearchSettings(
        gansynth=__version__,
        data_sha256=data_sha256(training),
        remedy=remedy,
        folds=how.folds,
        rarity=rarity,
        recipe=recipe.model_dump(mode="json"),
        beside=list(beside),
        seed=seed,
        arms=[one.arm.spec for one in candidates],
        values=[one.values for one in candidates],
    )
    asked = _with_held(out, asked, resume)
    pairs = zip(asked.arms, asked.values, strict=True)
    candidates = [Candidate(parse_arm(spec), values) for spec, values in pairs]
    weights = None if how.weights_dir is None else Path(how.weights_dir)
    parts = fold_dataset(training, how.folds, val=VALIDATION, seed=seed, progress=progress)
    jobs = chosen_jobs(how.jobs, how.device)
    return ReadySearch(out, asked, candidates, recipe, parts, jobs, seed, how.device, weights, progress)


def _real_split(data: str, size: int, seed: int, progress: bool) -> CellDataset:
    dataset = open_dataset(data, size=size, progress=progress)
    if not {"train", "test"} <= set(dataset.records["split"]):
        dataset = split_dataset(dataset, seed=seed, progress=progress)
    return dataset.select((dataset.records["origin"] != "synthetic").to_numpy())


def _refuse_meaningless(candidates: Sequence[Candidate], recipe: ClassifierRecipe) -> None:
    for one in candidates:
        if not one.arm.fits(recipe.neural):
            kind = "networks" if one.arm.neural_only else "classifiers of features"
            raise InputError(f"{one.arm.spec} means something for {kind} only, and {recipe.name} is none")


def _with_held(out: Path, settings: SearchSettings, resume: bool) -> SearchSettings:
    """Return the settings with the candidates that the folder has; refuse another search's folder."""
    held = SearchSettings.held_in(out, resume)
    if held is not None:
        settings.refuse_another(held, out)
        mine = dict(zip(settings.arms, settings.values, strict=True))
        of = {**dict(zip(held.arms, held.values, strict=True)), **mine}
        settings = replace(settings, arms=list(of), values=list(of.values()))
    return settings


def _fill(search: ReadySearch) -> dict[str, str]:
    """Do what is not finished, fold by fold; return by cell what failed, and why."""
    failed: dict[str, str] = {}
    waiting_in = [search.waiting(k) for k in range(len(search.folds))]
    total = sum(map(len, waiting_in))
    with WorkDisplay("trainings", total, shown=search.progress, every=math.inf) as display:
        for k, waiting in enumerate(waiting_in):
            _fill_fold(search, k, waiting, failed, display)
    return failed


def _fill_fold(
    search: ReadySearch, k: int, waiting: Sequence[Candidate], failed: dict[str, str], display: WorkDisplay
) -> None:
    """Do what is waiting in a fold, and add to `failed` what fails."""
    made = {}
    for candidate in waiting:
        try:
            made[candidate.arm.spec] = _job(search, candidate, k)
        except NOT_OUR_FAULT as error:
            failed[str(search.cell(candidate, k))] = sentence(error)
    for outcome in run_jobs(list(made.values()), search.jobs):
        said = _keep(search, made[outcome.cell.arm], outcome, failed)
        display.step(f"{outcome.cell}: {said}")
    shutil.rmtree(search.out / f"fold{k}" / "cache", ignore_errors=True)


def _job(search: ReadySearch, candidate: Candidate, k: int) -> Job:
    fold, recipe = search.folds[k], search.recipe
    training = fold.part("train")

    def learning(size: int) -> CellDataset:
        if size != fold.size:
            raise InputError(f"{candidate.arm.spec}: needs images of {size} px, and {recipe.name} takes {fold.size} px")
        return fold.select(fold.records["split"].isin(["train", "val"]).to_numpy())

    place = Workplace(
        search.out / f"fold{k}", learning, search.seed, GanBudget(), search.device, search.progress, search.seed + k
    )
    treatment: Treatment = candidate.arm.treat(training, place)
    return Job(
        conditions=(),
        cell=search.cell(candidate, k),
        treatment=treatment,
        validation=fold.part("val") if (fold.records["split"] == "val").any() else None,
        test=fold.part("test"),
        synthetic={},
        recipe=recipe,
        steps=steps_of(recipe, len(training)),
        leak_free=True,
        device=search.device,
        weights_dir=search.weights_dir,
        threads=threads_of(search.jobs) if search.jobs else None,
    )


def _keep(search: ReadySearch, job: Job, outcome: Outcome, failed: dict[str, str]) -> str:
    """Write down what a job came to, and return it in a few words."""
    if outcome.error is None:
        return keep_outcome(search.out, job, outcome)
    failed[str(job.cell)] = keep_failure(search.out, job.cell, outcome.error, outcome.traceback, outcome.is_mistake)
    return f"failed: {outcome.error}"


def _records(search: ReadySearch, candidate: Candidate) -> list[Record]:
    names = search.folds[0].class_names
    found = [finished(search.out, search.cell(candidate, k), names) for k in range(len(search.folds))]
    return [record for record in found if record is not None]
