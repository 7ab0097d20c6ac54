"""A first look at a run: what the generator makes beside what it learned from, as one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansynth.metrics.agreement import ClassAgreement
from gansynth.metrics.diversity import Diversity
from gansynth.metrics.memorisation import Memorisation
from gansynth.report.figures import counts_chart, curves_chart
from gansynth.report.numbers import listed
from gansynth.report.page import Chart, ClassPictures, Page, Pictures, Section, Table


@dataclass(frozen=True)
class FirstLook:
    """What was made and measured; C classes in the order of `class_names`.

    Attributes
    ----------
    class_names : tuple of str
    kind : str
        What the original cells are: "phantom" or "real".
    training, added : dict of str to int
        Original training images, and synthetic ones added to balance, per class.
    originals, synthetic : sequence of C uint8 arrays, shape [k, 3, H, W]
        A few training cells and generated ones of each class, to be shown.
    agreement, agreement_held_out : ClassAgreement or None
        An independent classifier's view of generated and of held-out original images; None without
        such a classifier.
    diversity, diversity_held_out : list of Diversity
        Root mean square grey levels between two images of a class.
    memorisation : Memorisation
        Distances to the nearest training image.
    copies : int
        Generated images that nearly equal a training image.
    minutes : float
        How long the generator was trained.
    curves : mapping of str to (mapping of str to (x, y))
        "losses" by player and "watch" by class, over minutes of training; either may be absent.
    """

    class_names: tuple[str, ...]
    kind: str
    training: dict[str, int]
    added: dict[str, int]
    originals: Sequence[NDArray[np.uint8]]
    synthetic: Sequence[NDArray[np.uint8]]
    agreement: ClassAgreement | None
    agreement_held_out: ClassAgreement | None
    diversity: Sequence[Diversity]
    diversity_held_out: Sequence[Diversity]
    memorisation: Memorisation
    copies: int
    minutes: float
    curves: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]]

    @property
    def imbalance(self) -> float:
        """The imbalance ratio rho: largest class over smallest class of the training images."""
        return max(self.training.values()) / min(self.training.values())

    @property
    def learned(self) -> list[str]:
        """Classes whose synthetic images are recognised at least half as often as held-out ones.

        A class that the classifier sees in images of other classes just as often has not been learned:
        it is where the classifier puts what it does not know.
        """
        if self.agreement is None or self.agreement_held_out is None:
            return []
        good = self.agreement.per_class >= 0.5 * self.agreement_held_out.per_class
        # A class in which even the originals are recognised no better than by guessing says nothing.
        good &= self.agreement_held_out.per_class > 1 / len(self.class_names)
        good &= self._taken_for() <= 2 * self.agreement.n_per_class
        return [name for name, is_good in zip(self.class_names, good, strict=True) if is_good]

    @property
    def catch_all(self) -> str | None:
        """The class that more than half of all synthetic images are taken for, if there is one."""
        if self.agreement is None or len(self.class_names) < 3:
            return None
        taken = self._taken_for()
        return self.class_names[int(taken.argmax())] if taken.max() > 0.5 * taken.sum() else None

    def _taken_for(self) -> NDArray[np.int64]:
        assert self.agreement is not None
        return np.asarray(self.agreement.confusion.sum(axis=0), dtype=np.int64)

    @property
    def repetitive(self) -> list[str]:
        """Classes whose synthetic images differ from each other less than half as much as held-out ones."""
        pairs = zip(self.class_names, self.diversity, self.diversity_held_out, strict=True)
        return [name for name, made, held_out in pairs if made.value < 0.5 * held_out.value]


def first_look_page(
    look: FirstLook,
    *,
    title: str,
    subtitle: str,
    warnings: Sequence[str] = (),
    commands: Sequence[tuple[str, str]] = (),
    facts: Sequence[tuple[str, str]] = (),
) -> Page:
    """Compose the page: verdict, pictures, counts, training curves, a table per class.

    Parameters
    ----------
    look : FirstLook
    title, subtitle : str
    warnings, commands, facts
        As `gansynth.report.page.Page`; warnings that the numbers call for are added.

    Returns
    -------
    Page
    """
    sections = [_pictures(look), _balance(look), *_training(look), _classes(look)]
    return Page(
        title=title,
        subtitle=subtitle,
        verdict=verdict(look),
        figures=_figures(look),
        warnings=[*warnings, *_own_warnings(look)],
        sections=sections,
        commands=commands,
        facts=facts,
    )


def verdict(look: FirstLook) -> str:
    """Say in one or two sentences what the generator has learned."""
    spent = f"After {_duration(look.minutes)} of training from scratch"
    if look.agreement is None or look.agreement_held_out is None:
        return f"{spent} the generator makes the images below; judge them by eye, no classifier has looked at them."
    made, held_out, chance = look.agreement.value, look.agreement_held_out.value, 1 / len(look.class_names)
    shares = (
        f"a classifier that has seen training images only assigns {made:.0%} of the synthetic cells to their class, "
        f"against {held_out:.0%} of fresh {look.kind} cells; guessing would give {chance:.0%}."
    )
    learned, total = look.learned, len(look.class_names)
    if len(learned) == total:
        then = "Every class is taking shape."
    elif not learned or made < 2 * chance:
        then = "The classes are not learned yet: train longer."
    else:
        missing = [name for name in look.class_names if name not in learned]
        then = f"{len(learned)} of {total} classes are taking shape; not yet {listed(missing)}."
    return f"{spent}, {shares} {then}"


def _figures(look: FirstLook) -> list[tuple[str, str]]:
    n = sum(look.training.values())
    figures = [
        (
            f"{n:,}",
            f"{look.kind} training images in {len(look.class_names)} classes; imbalance ρ = {look.imbalance:.0f}",
        ),
        (f"{sum(look.added.values()):,}", "synthetic images added; afterwards ρ = " + f"{_rho_after(look):.2g}"),
    ]
    if look.agreement is not None and look.agreement_held_out is not None:
        low, high = look.agreement.interval
        against = f"of {look.agreement.n:,} synthetic images recognised as their class ({low:.0%} to {high:.0%})"
        figures.append((f"{look.agreement.value:.0%}", against))
    figures.append(
        (f"{look.copies:,}", f"near-copies of a training image among {look.memorisation.n:,} synthetic ones")
    )
    return figures


def _rho_after(look: FirstLook) -> float:
    after = [look.training[name] + look.added.get(name, 0) for name in look.class_names]
    return max(after) / min(after)


def _own_warnings(look: FirstLook) -> list[str]:
    found = []
    if look.catch_all:
        found.append(
            f"More than half of all synthetic images are taken for {look.catch_all}: its own share says nothing yet."
        )
    if look.repetitive:
        found.append(
            f"The synthetic images of {listed(look.repetitive)} differ from each other less than half as much as "
            f"{look.kind} cells do: they repeat themselves."
        )
    if look.copies:
        found.append(
            f"{look.copies} of {look.memorisation.n} generated images nearly equal a training image; "
            "`generate` and `balance` leave such images out."
        )
    if look.memorisation.p_value < 0.01 and look.memorisation.value > 0.6:
        found.append(
            "Synthetic images lie nearer to training images than fresh ones do "
            f"(AUC {look.memorisation.value:.2f}): the generator may be memorising."
        )
    few = [name for name in look.class_names if look.training[name] < 20]
    if few:
        found.append(f"Fewer than 20 training images of {listed(few)}: what is synthetic there varies those few.")
    return found


def _pictures(look: FirstLook) -> Section:
    rows, size = [], look.synthetic[0].shape[-1]
    for c, name in enumerate(look.class_names):
        note = f"{look.training[name]:,} for training"
        rows.append(ClassPictures(name, note, look.originals[c], look.synthetic[c]))
    caption = (
        "The first training cells of each class, and the first synthetic ones by seed. None was picked. "
        f"Images are {size} × {size} pixels."
    )
    command = "gansynth generate runs/my-cells --class promyelocyte --count 100 --out synthetic"
    return Section(
        "Side by side", command=command, pictures=Pictures(f"{look.kind}, training", "synthetic", rows, caption)
    )


def _balance(look: FirstLook) -> Section:
    chart = counts_chart(look.training, look.added, real_name=look.kind)
    caption = f"Training images per class after balancing. Validation and test images stay {look.kind} only."
    command = "gansynth balance my-cells runs/my-cells --out balanced"
    return Section("Balanced", command=command, charts=[Chart(chart, caption)])


def _training(look: FirstLook) -> list[Section]:
    charts = []
    losses = look.curves.get("losses", {})
    if losses:
        chart = curves_chart(losses, xlabel="minutes of training", ylabel="loss")
        caption = (
            "Loss of each player. In this game a falling loss does not prove better images, nor a flat one "
            "failure; what matters is that no line runs away."
        )
        charts.append(Chart(chart, caption))
    watch = look.curves.get("watch", {})
    if watch:
        rare = sorted(look.class_names, key=lambda name: look.training[name])[:3]
        chart = curves_chart(
            watch,
            xlabel="minutes of training",
            ylabel="recognised",
            percent=True,
            emphasis=[r for r in rare if r in watch],
        )
        caption = (
            "The class watch: how much of each class the independent classifier recognises among generated images "
            "while the generator trains. The three rarest classes are named: the rare ones collapse first."
        )
        charts.append(Chart(chart, caption))
    command = "gansynth train-gan my-cells --from pbc-64 --minutes 120 --out runs/my-cells"
    return [Section("Training", command=command, charts=charts)] if charts else []


def _classes(look: FirstLook) -> Section:
    head = ["class", "recognised, synthetic", f"recognised, fresh {look.kind}"]
    head += ["diversity, synthetic", f"diversity, fresh {look.kind}"]
    rows = []
    for c, name in enumerate(look.class_names):
        row = [name, _share(look.agreement, c), _share(look.agreement_held_out, c)]
        row += [_spread(look.diversity[c]), _spread(look.diversity_held_out[c])]
        rows.append(row)
    caption = (
        "Recognised: share that the independent classifier assigns to the class, n, and the 95% Wilson interval. "
        "Diversity: mean root-mean-square difference of two images of the class, in grey levels of 255, with its "
        f"95% bootstrap interval. Compare each number with that of fresh {look.kind} cells beside it."
    )
    memory = look.memorisation
    after = (
        f"Nearest training image: the median synthetic image is {memory.median_generated:.1f} grey levels away, the "
        f"median fresh {look.kind} cell {memory.median_held_out:.1f}. A synthetic image is the nearer one in "
        f"{memory.value:.0%} of pairs ({memory.interval[0]:.0%} to {memory.interval[1]:.0%}; 50% is as fresh as "
        f"{look.kind}, 100% is copying)."
    )
    command = "gansynth quality my-cells synthetic --out quality"
    return Section("A first look at quality", command=command, table=Table(head, rows, caption), after=[after])


def _share(agreement: ClassAgreement | None, c: int) -> str:
    if agreement is None or not agreement.n_per_class[c]:
        return "–"
    low, high = agreement.interval_per_class[c]
    return f"{agreement.per_class[c]:.0%} of {agreement.n_per_class[c]} ({low:.0%}–{high:.0%})"


def _spread(diversity: Diversity) -> str:
    if not np.isfinite(diversity.value):
        return "–"
    low, high = diversity.interval
    return f"{diversity.value:.0f} ({low:.0f}–{high:.0f})" if np.isfinite(low) else f"{diversity.value:.0f}"


def _duration(minutes: float) -> str:
    if minutes < 1.5:
        return f"{minutes * 60:.0f} seconds"
    return f"{minutes / 60:.1f} hours" if minutes > 90 else f"{minutes:.1f} minutes"
