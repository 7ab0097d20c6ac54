"""A first look at a run: what the generator makes beside what it learned from, as one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansynth.metrics.agreement import ClassAgreement
from gansynth.metrics.diversity import Diversity
from gansynth.metrics.memorisation import Memorisation
from gansynth.metrics.wording import ends, inside, p_value, signed, signed_ends, value_of
from gansynth.report.blocks import Block, Cell, Drawing, Drawings, Grid, Lineup, Link, Links, Picture, Row
from gansynth.report.comparison.effects import forest_chart
from gansynth.report.embedding import mosaic, picture_address
from gansynth.report.figures import counts_chart
from gansynth.report.numbers import listed
from gansynth.report.page import Page, Section
from gansynth.report.training import losses_drawing, watch_drawing
from gansynth.studies.comparison.entries import ArmEffect
from gansynth.studies.comparison.recommendation import placed, winner
from gansynth.studies.comparison.result import Comparison

WELL = 0.8
"""The share of a class from which its synthetic cells count as well recognised."""


@dataclass(frozen=True)
class Before:
    """The generator that a training began with, as it was.

    Attributes
    ----------
    name : str
    synthetic : sequence of C uint8 arrays, shape [k, 3, H, W]
        Its images from the same seeds as those of the trained one.
    agreement : ClassAgreement or None
    """

    name: str
    synthetic: Sequence[NDArray[np.uint8]]
    agreement: ClassAgreement | None


@dataclass(frozen=True)
class Compared:
    """A comparison beside the page.

    Attributes
    ----------
    found : Comparison
    place : str
        Its own page, as a link from this one.
    names : mapping of str to str
        What each arm is called here.
    """

    found: Comparison
    place: str
    names: Mapping[str, str]


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
    before : Before or None
        What the training began with; None where it began from scratch.
    compared : Compared or None
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
    before: Before | None = None
    compared: Compared | None = None

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
    """Compose the page: verdict, pictures, who recognises them, counts, comparison, copies, training curves.

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
    sections = [_pictures(look), _recognised(look), _balance(look), *_compared(look), _variety(look), *_training(look)]
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
    """Say in two or three sentences what the generator makes, and what won the comparison."""
    won = [] if look.compared is None else winner(look.compared.found, _classifier(look.compared), look.compared.names)
    return " ".join([_learned(look), *won[:1]])


def _learned(look: FirstLook) -> str:
    how = "training from scratch" if look.before is None else f"fine-tuning {look.before.name}"
    spent = f"After {_duration(look.minutes)} of {how}"
    if look.agreement is None or look.agreement_held_out is None:
        return f"{spent} the generator makes the images below; judge them by eye, no classifier has looked at them."
    made, held_out, chance = look.agreement.value, look.agreement_held_out.value, 1 / len(look.class_names)
    earlier = None if look.before is None else look.before.agreement
    was = "" if earlier is None else f" (before: {earlier.value:.0%})"
    said = (
        f"a classifier that has seen no synthetic image assigns {made:.0%} of the synthetic cells{was} to their class, "
        f"against {held_out:.0%} of fresh {look.kind} cells; guessing would give {chance:.0%}."
    )
    learned, total = look.learned, len(look.class_names)
    if (look.agreement.per_class >= WELL).all():
        then = f"Of every class it recognises at least {np.floor(100 * look.agreement.per_class.min()):.0f}%."
    elif len(learned) == total:
        shares = zip(look.class_names, look.agreement.per_class, strict=True)
        behind = [f"{name} ({share:.0%})" for name, share in shares if share < WELL]
        then = f"Of every class it recognises at least {WELL:.0%}, but not of {listed(behind)}."
    elif not learned or made < 2 * chance:
        then = "The classes are not learned yet: train longer."
    else:
        missing = [name for name in look.class_names if name not in learned]
        then = f"{len(learned)} of {total} classes are taking shape; not yet {listed(missing)}."
    return f"{spent}, {said} {then}"


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
    if few and look.before is None:  # one that begins with another knows more of a class than these images
        found.append(f"Fewer than 20 training images of {listed(few)}: what is synthetic there varies those few.")
    return found


def _pictures(look: FirstLook) -> Section:
    sources = [f"{look.kind} cells, training", "synthetic"]
    columns = [look.originals, look.synthetic]
    if look.before is not None:
        sources = [sources[0], f"synthetic, {look.before.name} as it ships", "synthetic, fine-tuned"]
        columns = [look.originals, look.before.synthetic, look.synthetic]
    rows = []
    for c, name in enumerate(look.class_names):
        pictures = [_picture(column[c], name, words) for column, words in zip(columns, sources, strict=True)]
        rows.append((name, f"{look.training[name]:,} for training", pictures))
    size = look.synthetic[0].shape[-1]
    same = "" if look.before is None else " Before and after fine-tuning the seeds are the same."
    caption = (
        f"The first training cells of each class, and the first synthetic ones by seed; none was picked.{same} "
        f"Images are {size} × {size} pixels."
    )
    command = "gansynth generate runs/my-cells --class promyelocyte --count 100 --out synthetic"
    title = "Side by side" if look.before is None else "Before and after"
    return Section(title, command=command, blocks=[Lineup(sources, rows, caption)])


def _picture(images: NDArray[np.uint8], name: str, source: str) -> Picture:
    origin: Literal["real", "synthetic"] = "synthetic" if source.startswith("synthetic") else "real"
    alt = f"{len(images)} images of {name}: {source}"
    return Picture(picture_address(mosaic(images, len(images))), alt, len(images) * images.shape[-1], origin)


def _recognised(look: FirstLook) -> Section:
    before = look.before
    head = ["class", *([f"{before.name} as it ships"] if before else []), "synthetic" if not before else "fine-tuned"]
    head.append(f"fresh {look.kind} cells")
    shares = [*([before.agreement] if before else []), look.agreement, look.agreement_held_out]
    rows = [[name, *(_share(one, c) for one in shares)] for c, name in enumerate(look.class_names)]
    caption = (
        "Share of the cells of each class that the classifier assigns to it, of how many, and its 95% Wilson interval. "
        f"It has learned from {look.kind} cells alone and took no part in the game."
    )
    command = "gansynth quality my-cells synthetic --out quality"
    return Section("Are they recognised?", command=command, blocks=[Grid.of_texts(head, rows, caption)])


def _compared(look: FirstLook) -> list[Section]:
    if look.compared is None:
        return []
    compared, found = look.compared, look.compared.found
    classifier, endpoint = _classifier(compared), found.about.endpoints[0]
    ranks = {one.arm: one for one in found.standings(classifier)}
    rows: list[Row] = []
    drawn: list[tuple[str, ArmEffect | None]] = []
    for arm in placed(found, classifier, endpoint):
        effect = found.effect(arm.arm, classifier, endpoint)
        value, rank = arm.estimate(endpoint), ranks.get(arm.arm)
        name = compared.names.get(arm.arm, arm.arm)
        cells = [
            Cell(value_of(value, 2), ends(value.interval, 2) if value else "", best=not rows),
            Cell("–") if effect is None else Cell(signed(effect.value, 2), signed_ends(effect.interval, 2)),
            Cell("–" if effect is None else p_value(effect.p_holm)),
            Cell("–") if rank is None else Cell(value_of(rank.rare, 2), ends(rank.rare.interval, 2)),
        ]
        rows.append(Row(name, cells, small=arm.arm.rpartition("/")[2] if arm.is_synthetic else arm.arm))
        if effect is not None:
            drawn.append((name, effect))
    about = found.about
    tested, seeds = sum(about.test_counts.values()), len(about.seeds)
    caption = (
        f"One small network ({classifier}, {about.size} × {about.size} pixels), {seeds} "
        f"training{'s' if seeds > 1 else ''} of each arm with the same number of steps, tested on {tested:,} fresh "
        f"{look.kind} cells. Small numbers: 95% intervals. p is corrected (Holm) for the arms. Rare: mean recall of "
        f"{listed(about.rare)}."
    )
    head = ["training", endpoint.title, "difference", "p", "rare cells recognised"]
    blocks: list[Block] = [Grid(head, rows, caption)]
    if drawn:
        chart = forest_chart(drawn, xlabel=f"difference in {inside(endpoint.title)} from the original data")
        words = "Right of the line is better than the original data. Filled: the difference is shown."
        blocks.append(Drawings([Drawing(chart, words, width=34)]))
    blocks.append(Links([Link(compared.place, "The whole comparison: class by class, confusion, misclassified cells")]))
    command = (
        "gansynth compare my-cells --remedies none,posthoc-logit-adjustment,oversample,runs/my-cells --out compared"
    )
    said = " ".join(winner(found, classifier, compared.names))
    return [Section("Does balancing help?", [said] if said else [], command=command, blocks=blocks)]


def _classifier(compared: Compared) -> str:
    return compared.found.classifiers[0]


def _balance(look: FirstLook) -> Section:
    chart = counts_chart(look.training, look.added, real_name=look.kind)
    caption = f"Training images per class after balancing. Validation and test images stay {look.kind} only."
    command = "gansynth balance my-cells runs/my-cells --out balanced"
    return Section("Balanced", command=command, blocks=[Drawings([Drawing(chart, caption)])])


def _training(look: FirstLook) -> list[Section]:
    losses, watch = look.curves.get("losses", {}), look.curves.get("watch", {})
    drawn = [losses_drawing(losses)] if losses else []
    if watch:
        rare = sorted(look.class_names, key=lambda name: look.training[name])[:3]
        caption = (
            "The class watch: how much of each class the independent classifier recognises among generated images "
            "while the generator trains. The three rarest classes are named: the rare ones collapse first."
        )
        drawn.append(watch_drawing(watch, rare, caption))
    command = "gansynth train-gan my-cells --from pbc-64 --minutes 120 --out runs/my-cells"
    return [Section("Training", command=command, blocks=[Drawings([one]) for one in drawn])] if drawn else []


def _variety(look: FirstLook) -> Section:
    head = ["class", "synthetic", f"fresh {look.kind} cells"]
    rows = [
        [name, _spread(look.diversity[c]), _spread(look.diversity_held_out[c])]
        for c, name in enumerate(look.class_names)
    ]
    caption = (
        "How much two images of a class differ: mean root-mean-square difference in grey levels of 255, with its 95% "
        "bootstrap interval."
    )
    memory = look.memorisation
    copies = (
        f"Nearest training image: the median synthetic image is {memory.median_generated:.1f} grey levels away, the "
        f"median fresh {look.kind} cell {memory.median_held_out:.1f}. A synthetic image is the nearer one in "
        f"{memory.value:.0%} of pairs ({memory.interval[0]:.0%} to {memory.interval[1]:.0%}; 50% is as fresh as "
        f"{look.kind}, 100% is copying)."
    )
    command = "gansynth sheet synthetic --beside my-cells --sort nearest --pairs --out nearest.png"
    return Section(
        "As varied, and no copies?", command=command, blocks=[Grid.of_texts(head, rows, caption)], after=[copies]
    )


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
