"""Synthetic images of a GAN: the remedy this toolkit is named after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gansynth.errors import InputError
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.remedies.added_images import kept_images, with_images
from gansynth.remedies.naming import slug
from gansynth.remedies.parameter import Parameter, number_text
from gansynth.remedies.remedy import GanBudget, Remedy, Workplace, counts_of, targets
from gansynth.remedies.treatment import Treatment
from gansynth.runs.artifact import zoo_models

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset
    from gansynth.gans import Run


class Synthetic(Remedy):
    """Synthetic images fill the classes up to their targets; or, alone, stand for the real ones.

    The GAN learns from the training images of the split only. Its run and its images are shared by all doses and
    all classifiers: a smaller dose takes the first images of a larger one.

    Parameters
    ----------
    source : str
        A GAN recipe of the zoo, a YAML file, or a run folder or model of the zoo, which is taken as it is.
    dose : float
        See `Remedy`.
    alone : bool
        Train on synthetic images only, as many of each class as there are real ones.
    confidence : float
        Keep only images that the run's independent classifier gives at least this probability of their class;
        0 keeps all. Default: what the workplace says.
    minutes : float
        Train it for so long on the training images of the split: one of a recipe instead of what the workplace says; a
        run goes on from its networks, as `train-gan --from` does. Default: 0, which leaves it at that.

    Attributes
    ----------
    given : Run or None
        The GAN, where it is taken as it is.
    parent : Run or None
        The one that it begins with, where a run goes on.
    """

    makes_images = True
    name = "synthetic"
    takes_dose = True
    parameters = (
        Parameter("confidence", 0.0, 0.0, 1.0, "probability of its class that an image must reach"),
        Parameter("minutes", 0.0, 0.0, 1e6, "that it is trained on the training images; a run goes on"),
    )

    def __init__(self, source: str, dose: float = 1.0, *, alone: bool = False, **values: float) -> None:
        super().__init__(dose, **values)
        self.source, self.alone = source, alone
        self.confidence = values.get("confidence")
        self.minutes = self.values["minutes"] or None
        self.given: Run | None = None
        self.parent: Run | None = None
        if is_run(source):
            from gansynth.gans import open_run

            if self.minutes is None:
                self.given = open_run(source)
            else:
                self.parent = open_run(source)
        else:
            load_recipe(source)  # a wrong name is refused before anything is trained

    @property
    def folder_name(self) -> str:
        """What its run is called."""
        begun_with = self.given or self.parent
        trained = "" if self.minutes is None else f"-minutes{self.minutes:g}"
        return slug((begun_with.name if begun_with is not None else load_recipe(self.source).name) + trained)

    @property
    def images_name(self) -> str:
        """What its images are called: those of one run that are screened otherwise are others."""
        asked = "" if self.confidence is None else f"-confidence{self.confidence:g}"
        return f"{self.folder_name}{asked}"

    @property
    def title(self) -> str:
        """The GAN as users type it, with its parameters and without a dose."""
        asked = {"confidence": self.confidence, "minutes": self.minutes}
        return self.source + "".join(f":{k}={number_text(value)}" for k, value in asked.items() if value is not None)

    def recipe(self, place: Workplace) -> GanRecipe:
        """Return what it is trained by."""
        if self.parent is None:
            return load_recipe(self.source, place.gan_changes)
        from gansynth.gans import choose_recipe

        return choose_recipe(None, place.gan_changes, place.folder, resume=False, parent=self.parent.path)

    def budget(self, place: Workplace) -> GanBudget:
        """Return how long it is trained."""
        return place.budget if self.minutes is None else GanBudget(minutes=self.minutes)

    def wanted(self, n: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many synthetic images each class needs where `n` are real, int64 [C]."""
        return n if self.alone else targets(n, self.dose) - n

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        wanted, names = self.wanted(counts_of(treatment)), treatment.images.class_names
        counts = {names[c]: int(wanted[c]) for c in np.flatnonzero(wanted)}
        if not counts:
            return treatment
        return with_images(treatment, self._images(counts, place), wanted, place.folder / "cache", alone=self.alone)

    def run(self, place: Workplace) -> Run:
        """Return the GAN: the one given, or the one trained on this split (continued, where it was stopped)."""
        from gansynth.gans import Run, train_gan

        if self.given is not None:
            return self.given
        recipe, budget = self.recipe(place), self.budget(place)
        out = place.folder / "gans" / self.folder_name
        learning = place.learning(recipe.resolution)
        if _is_finished(out, budget):
            run = Run(out)
            apart = {"reports"}
            same = run.recipe.model_dump(exclude=apart) == recipe.model_dump(exclude=apart)
            if same and set(run.info["training_sha256"]) == set(learning.part("train").records["sha256"]):
                return run
            raise InputError(
                f"{out}: holds a GAN trained by another recipe or on other images; remove it, or give another --out"
            )
        return train_gan(
            learning, recipe, out, images=budget.images, minutes=budget.minutes,
            parent=None if self.parent is None else self.parent.path, resume=out.is_dir() and any(out.iterdir()),
            seed=place.seed, device=place.device, progress=place.progress,
        )  # fmt: skip

    def trained(self, place: Workplace) -> Run | None:
        """Return the GAN if it is there, without training one."""
        from gansynth.gans import Run

        out = place.folder / "gans" / self.folder_name
        return self.given or (Run(out) if _is_finished(out, self.budget(place)) else None)

    def kept_images(self, place: Workplace) -> Path | None:
        """Return the folder of the images generated so far; None where there is none."""
        folder = place.folder / "synthetic" / self.images_name
        return folder if folder.is_dir() else None

    def refuse_leaks(self, held_out: CellDataset, place: Workplace) -> None:
        from gansynth.gans.leaks import refuse_leaking_run

        refuse_leaking_run(self.trained(place) or self.parent or self.run(place), held_out)

    def _images(self, counts: Mapping[str, int], place: Workplace) -> Path:
        """Return the folder with at least so many images of each class, generated where they are not there yet."""
        confidence = place.min_confidence if self.confidence is None else self.confidence or None

        def make(wanted: dict[str, int], out: Path) -> None:
            from gansynth.synthesis import generate

            run = self.run(place)
            unknown = [name for name in wanted if name not in run.class_names]
            if unknown:
                raise InputError(
                    f"{self.source}: its run knows no class {', '.join(unknown)}; it knows {', '.join(run.class_names)}"
                )
            report = generate(
                run, wanted, out, seed=place.seed, min_confidence=confidence, device=place.device,
                progress=place.progress,
            )  # fmt: skip
            if not report.complete:
                raise InputError(f"{self.source}: not every class could be filled: {report}")

        run = self.trained(place) or self.run(place)
        identity = {"seed": place.seed, "min_confidence": confidence, "model_sha256": run.model_sha256}
        return kept_images(place.folder / "synthetic" / self.images_name, identity, counts, make)


def is_run(source: str) -> bool:
    """Return whether `source` is a run folder or a trained model of the zoo, rather than a recipe to train by."""
    return (Path(source) / "run.json").is_file() or source in zoo_models()


def _is_finished(out: Path, budget: GanBudget) -> bool:
    if not (out / "run.json").is_file() or not (out / "model.safetensors").is_file():
        return False
    from gansynth.gans import Run

    return Run(out).has_had(budget.images, budget.minutes)
