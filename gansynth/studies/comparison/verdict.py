"""What the comparison's page says in words, for a physician: did the remedy help, for which cells, how sure is that."""

from __future__ import annotations

from collections.abc import Sequence

from gansynth.metrics.classification_tests import holm
from gansynth.metrics.estimate import Estimate
from gansynth.metrics.wording import (
    capital,
    inside,
    listed,
    p_words,
    places,
    share,
    signed,
    signed_with_ends,
    value_of,
    width,
    with_ends,
)
from gansynth.remedies.arm import AUGMENTATION, NONE, Arm
from gansynth.studies.comparison.entries import ArmEffect, ArmResult, Endpoint
from gansynth.studies.comparison.result import Comparison

PAPER_FLAW = (
    "The numbers are too good: the images were split after balancing, so synthetic images are among the tested ones, "
    "and relatives of tested images (made by a GAN that saw them, or repeated) among those learned from."
)
"""What is wrong with the paper's protocol, in a sentence."""


def lead(results: Comparison) -> ArmEffect | None:
    """Return the comparison that the first sentence speaks of, or None where nothing was held against "none".

    Of the comparisons with the original data that were named before the run: those of the classifier that is best
    with the original data (a weak one gains the most from anything), of the arms with synthetic images, or where
    there is none of the others; of these the clearest (smallest corrected p), the recall of a class before a mean.
    """
    found = [e for e in _against_none(results) if not Arm.parse(e.arm).alone]
    best = _best_classifier(results, [e.classifier for e in found])
    found = [e for e in found if e.classifier == best]
    made = [e for e in found if results.has_images(e.arm)] or found
    order = {endpoint: i for i, endpoint in enumerate(results.about.endpoints)}
    return min(
        made,
        key=lambda e: (
            e.p_holm if e.p_holm is not None else 2.0,
            e.p if e.p is not None else 2.0,
            e.endpoint.class_name is None,
            order.get(e.endpoint, len(order)),
        ),
        default=None,
    )


def shown_pair(results: Comparison) -> tuple[str, str] | None:
    """Return the arm and the classifier that the page shows beside the original data: those of the first sentence.

    Where nothing was tested: the first arm with synthetic images, and the classifier that is best without them.
    """
    found = lead(results)
    if found is not None:
        return found.arm, found.classifier
    others = [e for e in results.arms if e.arm != NONE and not Arm.parse(e.arm).alone]
    best = _best_classifier(results, [e.classifier for e in others if results.entry(NONE, e.classifier)])
    mine = [e for e in others if e.classifier == best] or others
    made = [e for e in mine if e.is_synthetic] or mine
    return (made[0].arm, made[0].classifier) if made else None


def verdict(results: Comparison) -> str:
    """Say in a few sentences whether the clearest remedy helped, and no more than the corrected test carries."""
    clearest = lead(results)
    if clearest is not None and not results.is_paper:
        said = [_sentence(results, clearest), *_others_moved(results, clearest)]
        return " ".join([*said, *_against_augmentation(results, clearest)])
    pair = shown_pair(results)
    entries = [] if pair is None else [results.entry(NONE, pair[1]), results.entry(*pair)]
    scores = [value_of(entry.metrics.get("macro-F1"), 2) for entry in entries if entry is not None]
    if pair is None or len(scores) < 2:
        return "Nothing was held against the original data: give the arm `none` and at least one other."
    said_of = f"the macro F1 of {pair[1]} is {scores[0]} on the original data and {scores[1]} on that of {pair[0]}"
    if results.is_paper:
        return (
            f"With the paper's protocol {said_of}, each tested on a part of its own images. These numbers are too "
            "good, and no test is made: whether balancing helps with real cells, only the clean protocol says."
        )
    return f"{capital(said_of)}; whether the difference is chance was not tested."


def findings(results: Comparison) -> list[str]:
    """Return what stands around the verdict: how often it was so, the other numbers, the other remedies."""
    clearest = lead(results)
    if clearest is None:
        return []
    return [
        *_tally(results, clearest),
        *_other_endpoints(results, clearest),
        *_other_remedies(results, clearest),
        *_best_doses(results, clearest),
        *_alone(results, clearest),
    ]


def key_figures(results: Comparison) -> list[tuple[str, str]]:
    """Return the few numbers a reader takes away, each with its meaning."""
    clearest = lead(results)
    if clearest is None:
        return []
    figures: list[tuple[str, str]] = []
    for endpoint in dict.fromkeys([clearest.endpoint, *results.about.endpoints]):
        before, after = _pair(results, clearest, endpoint)
        if before is None or after is None or len(figures) == 3:
            continue
        effect = results.effect(clearest.arm, clearest.classifier, endpoint)
        sure = f"; {p_words(effect.p_holm)}" if effect is not None else ""
        what = f"{endpoint.title}, original → {clearest.arm} ({clearest.classifier}){sure}"
        decimals = _decimals(before.estimate(endpoint), after.estimate(endpoint))
        first, last = (value_of(one.estimate(endpoint), decimals) for one in (before, after))
        figures.append((f"{first} → {last}", what))
    family = _against_none(results)
    proven = [e for e in family if e.shown]
    better = sum(e.gap > 0 for e in proven)
    meaning = f"comparisons with the original data show a difference: {better} better, {len(proven) - better} worse"
    figures.append((f"{len(proven)} of {len(family)}", meaning))
    tested = sum(results.about.test_counts.values())
    if tested:
        kind = "tested images, synthetic ones among them" if results.is_paper else "real test images, none seen before"
        figures.append((f"{tested:,}", kind))
    return figures


def several(name: str) -> str:
    """Write a class in the plural.

    Examples
    --------
    >>> several("promyelocyte"), several("smudge cell"), several("neutrophils"), several("IG")
    ('promyelocytes', 'smudge cells', 'neutrophils', 'IG cells')
    """
    if len(name) < 5 or name.isupper():
        return f"{name} cells"
    return name if name.endswith("s") else f"{name}s"


def action(results: Comparison, entry: ArmResult, class_name: str | None) -> str:
    """Say what an arm does, as the subject of a sentence; with `class_name`, to the images of that class."""
    arm = Arm.parse(entry.arm)
    words = [part.describe() for part in arm.parts if not part.kind.makes_images]
    made = "+".join(str(part) for part in arm.parts if part.kind.makes_images)
    added = sum(entry.synthetic_counts.values()) if class_name is None else entry.synthetic_counts.get(class_name, 0)
    if added:
        kind = "synthetic ones" if class_name is not None else "synthetic images"
        learned = sum(entry.training_counts.values()) - added if class_name is None else 0
        onto = f" to {learned:,} real ones" if learned > 0 else ""
        extra = f", with {listed(words)}," if words else ""
        return f"adding {added:,} {kind} ({made}){onto}{extra}"
    if entry.is_synthetic:
        return f"adding {sum(entry.synthetic_counts.values()):,} synthetic images of other classes ({entry.arm})"
    return f"{arm.describe()} (without synthetic images)"


def _sentence(results: Comparison, effect: ArmEffect) -> str:
    before, after = _pair(results, effect, effect.endpoint)
    name = effect.endpoint.class_name
    if before is None or after is None:
        return f"{effect.endpoint.title} of {effect.arm} cannot be said: its numbers are missing."
    first, last = before.estimate(effect.endpoint), after.estimate(effect.endpoint)
    decimals = _decimals(first, last)
    real = results.about.training_counts.get(name) if name else None
    if name is None:
        start, what = "", f"the {effect.endpoint.title.replace('Macro', 'macro')} of {effect.classifier}"
    else:
        n = "few" if real is None else f"{real:,}"
        start = f"With {n} real {several(name)} to learn from, "
        metric = inside(Endpoint(effect.endpoint.metric).title)
        what = f"their {metric} by {effect.classifier}"
        if effect.endpoint.metric == "recall":
            what = f"the share of {several(name)} that {effect.classifier} recognises (recall)"
    does = action(results, after, name)
    values = [with_ends(one, decimals, value_of(one)) for one in (first, last)]
    sure = f"difference {signed_with_ends(effect, decimals)}, {p_words(effect.p_holm)}."
    if effect.p_holm is None:
        said = f"{start}{does} moves {what} from {values[0]} to {values[1]}; whether that is chance cannot be said."
    elif effect.shown:
        verb = "raises" if effect.gap > 0 else "lowers"
        said = f"{start}{does} {verb} {what} from {values[0]} to {values[1]}; {sure}"
    else:
        said = f"{start}{does} did not measurably change {what}: {values[0]} without, {values[1]} with; {sure}"
    return capital(said)


def _others_moved(results: Comparison, effect: ArmEffect) -> list[str]:
    """By how much the recall of the classes moved that the sentence does not speak of."""
    before, after = _pair(results, effect, effect.endpoint)
    if before is None or after is None:
        return []
    moved = []
    for name in results.class_names:
        first, last = (one.classes.get(name, {}).get("recall") for one in (before, after))
        if name != effect.endpoint.class_name and first and last and None not in (first.value, last.value):
            moved.append((last.value or 0.0) - (first.value or 0.0))
    if not moved:
        return []
    which = "the other classes" if effect.endpoint.class_name is not None else "the classes"
    if len(moved) == 1 or signed(min(moved), 2) == signed(max(moved), 2):
        return [f"The recall of {which} moved by {signed(moved[0], 2)}."]
    return [f"The recall of {which} moved by {signed(min(moved), 2)} to {signed(max(moved), 2)}."]


def _against_augmentation(results: Comparison, effect: ArmEffect) -> list[str]:
    other = results.effect(effect.arm, effect.classifier, effect.endpoint, AUGMENTATION)
    if other is None or other.p_holm is None:
        return []
    gap = f"{signed_with_ends(other, _decimals_of(other))}, {p_words(other.p_holm)}"
    if other.shown:
        return [f"Against ordinary augmentation of real images the difference is {gap}."]
    return [f"Against ordinary augmentation of real images, which needs no generator, no difference is shown: {gap}."]


def _tally(results: Comparison, effect: ArmEffect) -> list[str]:
    family = _against_none(results)
    if len(family) < 2:
        return []
    better = sum(e.shown and e.gap > 0 for e in family)
    worse = sum(e.shown and e.gap < 0 for e in family)
    said = (
        f"{len(family)} comparisons with the original data were named before the run: "
        f"{better} better, {worse} worse, {len(family) - better - worse} not distinguished."
    )
    known = [e for e in family if e.p is not None]
    if effect.shown and effect in known:
        overall = float(holm([float(e.p or 0.0) for e in known])[known.index(effect)])
        if overall >= 0.05:
            said += f" Corrected for all of them at once, the first has {p_words(overall)}: a lead, not yet a proof."
    return [said]


def _other_endpoints(results: Comparison, effect: ArmEffect) -> list[str]:
    said = []
    for endpoint in results.about.endpoints:
        other = results.effect(effect.arm, effect.classifier, endpoint)
        if endpoint == effect.endpoint or other is None:
            continue
        before, after = _pair(results, effect, endpoint)
        if before is not None and after is not None:
            decimals = _decimals(before.estimate(endpoint), after.estimate(endpoint))
            first, last = (value_of(one.estimate(endpoint), decimals) for one in (before, after))
            change = f"{signed(other.value, decimals)}, {p_words(other.p_holm)}"
            unshown = "" if other.shown else "; no difference shown"
            said.append(f"{endpoint.title}: {first} → {last} ({change}{unshown})")
    return [f"The same arm at the other endpoints. {'. '.join(said)}."] if said else []


def _other_remedies(results: Comparison, effect: ArmEffect) -> list[str]:
    """What the arms without synthetic images do at the same endpoint: the plainer remedy may be enough."""
    clearest: dict[str, ArmEffect] = {}
    for other in _against_none(results):
        mine = (other.classifier, other.endpoint) == (effect.classifier, effect.endpoint)
        if not mine or results.has_images(other.arm) or other.p_holm is None:
            continue
        remedy = str(Arm.parse(other.arm).without_dose())
        if remedy not in clearest or other.p_holm < (clearest[remedy].p_holm or 0.0):
            clearest[remedy] = other
    said = []
    for other in clearest.values():
        entry = results.entry(other.arm, effect.classifier)
        if entry is not None:
            decimals = _decimals_of(other)
            change = f"{signed(other.value, decimals)}, {p_words(other.p_holm)}"
            said.append(f"{other.arm} {value_of(entry.estimate(effect.endpoint), decimals)} ({change})")
    if not said or not results.has_images(effect.arm):
        return []
    return [f"Without synthetic images, {inside(effect.endpoint.title)}: {listed(said)}."]


def _best_doses(results: Comparison, effect: ArmEffect) -> list[str]:
    said = [
        f"{one.dose:.0%} ({inside(one.endpoint.title)})"
        for one in results.best_dose
        if one.classifier == effect.classifier and one.remedy == str(Arm.parse(effect.arm).without_dose())
    ]
    return [f"Highest at these shares of the way to balance: {listed(said)}."] if said else []


def _alone(results: Comparison, effect: ArmEffect) -> list[str]:
    for swap in results.swap:
        found, real = swap.metrics.get("macro-F1"), results.entry(NONE, swap.classifier)
        if swap.direction == "TSTR" and swap.classifier == effect.classifier and found and found.value is not None:
            beside = real.metrics.get("macro-F1") if real else None
            than = "" if beside is None else f"; trained on real ones {value_of(beside, 2)}"
            return [
                f"Trained on synthetic images of {swap.gan} alone, {swap.classifier} reaches a macro F1 of "
                f"{share(found.value, 2)} on real cells{than}."
            ]
    return []


def _best_classifier(results: Comparison, names: Sequence[str]) -> str | None:
    """The classifier with the highest macro F1 on the original data, whatever the remedies do to it."""
    scores = {}
    for name in dict.fromkeys(names):
        entry = results.entry(NONE, name)
        found = entry.metrics.get("macro-F1") if entry else None
        scores[name] = found.value if found is not None and found.value is not None else -1.0
    return max(scores, key=lambda name: scores[name], default=None)


def _against_none(results: Comparison) -> list[ArmEffect]:
    return [e for e in results.effects if e.against == NONE]


def _pair(results: Comparison, effect: ArmEffect, endpoint: Endpoint) -> tuple[ArmResult | None, ArmResult | None]:
    pair: Sequence[ArmResult | None] = [results.entry(a, effect.classifier) for a in (effect.against, effect.arm)]
    known = [one is not None and one.estimate(endpoint) is not None for one in pair]
    return (pair[0] if known[0] else None), (pair[1] if known[1] else None)


def _decimals_of(effect: ArmEffect) -> int:
    return 2 if abs(effect.gap) >= 0.05 else places(width(effect))


def _decimals(first: Estimate | None, last: Estimate | None) -> int:
    """Decimals of a sentence: two where they show the difference, else what the intervals leave."""
    values = [one.value for one in (first, last) if one is not None and one.value is not None]
    if len(values) == 2 and abs(values[1] - values[0]) >= 0.05:
        return 2
    return places(width(first), width(last))
