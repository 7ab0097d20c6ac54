"""What to say after a comparison: which arm won, no more surely than the corrected tests carry, and what to use.

What to use is the cheapest arm that nothing is shown to beat, with the command that trains it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from gansynth.metrics.classification_effects import Effect
from gansynth.metrics.wording import capital, inside, p_words, signed_with_ends, value_of, with_ends
from gansynth.remedies.arm import NONE, Arm
from gansynth.remedies.synthetic import Synthetic
from gansynth.studies.comparison.entries import ArmEffect, ArmResult, Endpoint, Recommendation, Standing
from gansynth.studies.comparison.figures import Key, Pooled, compared, corrected
from gansynth.studies.comparison.result import Comparison

_LEARNED = 0.2
"""Share of the way from guessing to all classes recognised below which a classifier has hardly learned."""


def recommend(
    arms: Mapping[Key, Pooled],
    entries: Sequence[ArmResult],
    effects: Sequence[ArmEffect],
    standings: Sequence[Standing],
    endpoint: Endpoint,
    class_names: Sequence[str],
    n_train: Sequence[int],
    *,
    data: str,
    recipes: Path,
) -> Recommendation | None:
    """Return the cheapest arm and classifier that are not shown to be worse than the best.

    Every arm with every classifier is held against the one that scores highest, on the same test images, and the p
    values are corrected by Holm for all of them (multiple comparisons with the best). The highest of many is partly
    so by luck, which makes it a hard measure: an arm passes that is not shown to be worse even than that.

    Parameters
    ----------
    arms : mapping of (arm, classifier) to Pooled
    entries : sequence of ArmResult
        Those that may be recommended.
    effects : sequence of ArmEffect
        How far arms are from the original data, as far as it was tested.
    standings : sequence of Standing
        Their ranks by the rare classes.
    endpoint : Endpoint
        The primary one.
    class_names : sequence of str
    n_train : sequence of int
        Real training images of each fold.
    data : str
        The data set as it was given.
    recipes : pathlib.Path
        Folder of the classifiers' recipes as they were compared.

    Returns
    -------
    Recommendation or None
        None where fewer than two arms have a value at the endpoint.

    References
    ----------
    Hsu, J. C. (1984). Constrained simultaneous confidence intervals for multiple comparisons with the best. The Annals
    of Statistics 12, 1136-1144.
    """
    scored = [(one, _score(one, endpoint)) for one in entries]
    known = {(one.arm, one.classifier): one for one, score in scored if score is not None}
    if len(known) < 2:
        return None
    best = max(known.values(), key=lambda one: _score(one, endpoint) or 0.0)
    others = [key for key in known if key != (best.arm, best.classifier)]
    tests = [compared(arms[key], arms[best.arm, best.classifier], endpoint, class_names, n_train) for key in others]
    against = dict(zip(others, zip(tests, corrected(tests), strict=True), strict=True))
    beaten = {key for key, (one, p) in against.items() if p is not None and p < 0.05 and (one.value or 0.0) < 0}
    chosen = min((one for key, one in known.items() if key not in beaten), key=_cost)
    cheaper = [one for key, one in known.items() if key in beaten and _cost(one) < _cost(chosen)]
    recipe = shlex.quote(str(recipes / f"{chosen.classifier}.yaml"))
    command = f"gansynth train-classifier {shlex.quote(data)} --recipe {recipe} --remedy {shlex.quote(chosen.arm)}"
    return Recommendation(
        use=chosen.arm,
        classifier=chosen.classifier,
        why=" ".join(
            [
                _value(chosen, endpoint, effects),
                _why(chosen, best, endpoint, against.get((chosen.arm, chosen.classifier)), len(tests), len(cheaper)),
            ]
        )
        + _synthetic(list(known.values()), chosen, endpoint)
        + _rare(standings, chosen),
        command=f"{command} --test --out runs/recommended",
    )


def unlearned(entries: Sequence[ArmResult], class_names: Sequence[str]) -> list[str]:
    """Return one sentence for each classifier that no arm has brought far beyond guessing.

    Parameters
    ----------
    entries : sequence of ArmResult
    class_names : sequence of str
    """
    guessed, found = 1 / len(class_names), dict[str, list[float]]()
    for entry in entries:
        score = _score(entry, Endpoint("balanced-accuracy"))
        if score is not None:
            found.setdefault(entry.classifier, []).append(score)
    return [
        f"{classifier} has hardly learned: with no arm does it recognise more than {max(scores):.0%} of a class in the "
        f"mean, and guessing recognises {guessed:.0%}. What arms differ by is chance; train it longer (--epochs)."
        for classifier, scores in found.items()
        if max(scores) < guessed + _LEARNED * (1 - guessed)
    ]


def _score(entry: ArmResult, endpoint: Endpoint) -> float | None:
    found = entry.estimate(endpoint)
    return None if found is None else found.value


def _cost(entry: ArmResult) -> tuple[int, int, float]:
    """Return what decides which of two arms is cheaper: a GAN to train, images to make, parts, seconds to train."""
    arm = Arm.parse(entry.arm)
    makes = [part.kind for part in arm.parts if part.kind.makes_images]
    images = 2 if any(issubclass(kind, Synthetic) for kind in makes) else len(makes) > 0
    return int(images), len(arm.parts), entry.seconds


def _why(
    chosen: ArmResult,
    best: ArmResult,
    endpoint: Endpoint,
    gap: tuple[Effect, float | None] | None,
    tested: int,
    cheaper: int,
) -> str:
    """Say whether another has a higher value, and what that is worth."""
    if gap is None:
        if cheaper:
            all_of = "the one that is cheaper is" if cheaper == 1 else f"all {cheaper} that are cheaper are"
            return f"No arm has a higher one, and {all_of} shown to be worse."
        return "No arm has a higher one, and no arm is cheaper."
    effect, p = gap
    top = value_of(best.estimate(endpoint))
    return (
        f"{best.arm} with {best.classifier} has the highest, {top}, and is not shown to be better: the difference is "
        f"{signed_with_ends(effect)}, {p_words(p)}, corrected for {tested} arms. Of those that nothing is shown to "
        "beat this is the cheapest."
    )


def _value(chosen: ArmResult, endpoint: Endpoint, effects: Sequence[ArmEffect]) -> str:
    """Say what the arm scores, and how far that is from the original data."""
    said = f"its {inside(endpoint.title)} is {with_ends(chosen.estimate(endpoint))}"
    for one in effects:
        if (one.arm, one.against, one.classifier, one.endpoint) == (chosen.arm, NONE, chosen.classifier, endpoint):
            said += f", {signed_with_ends(one)} against the original data, {p_words(one.p_holm)}"
    return f"{said}."


def _synthetic(entries: Sequence[ArmResult], chosen: ArmResult, endpoint: Endpoint) -> str:
    """Say where arms with synthetic images stand, where there are some and none is recommended."""
    made = [one for one in entries if one.is_synthetic and one.classifier == chosen.classifier]
    if chosen.is_synthetic or not made:
        return ""
    first = max(made, key=lambda one: _score(one, endpoint) or 0.0)
    return f" The best with synthetic images is {first.arm}: {value_of(first.estimate(endpoint))}."


def _rare(standings: Sequence[Standing], chosen: ArmResult) -> str:
    """Say which arm recognises most of the rare classes at no loss elsewhere, where that is shown and it is another."""
    mine = [one for one in standings if one.classifier == chosen.classifier]
    first = min(mine, key=lambda one: one.rank, default=None)
    if first is None or first.arm == chosen.arm or first.p_holm is None or first.p_holm >= 0.05:
        return ""
    reached = next((one.at_no_loss for one in mine if one.arm == chosen.arm), None)
    return (
        f" Where the rare classes count most, {first.arm} leads: it recognises {value_of(first.at_no_loss)} of them at "
        f"no loss elsewhere, this arm {value_of(reached)}."
    )


def placed(results: Comparison, classifier: str, endpoint: Endpoint) -> list[ArmResult]:
    """Return the arms of a classifier that have a value at an endpoint, the highest first."""
    mine = [one for one in results.arms if one.classifier == classifier and _score(one, endpoint) is not None]
    return sorted(mine, key=lambda one: _score(one, endpoint) or 0.0, reverse=True)


def winner(results: Comparison, classifier: str, names: Mapping[str, str] | None = None) -> list[str]:
    """Say which arm won at the primary endpoint, and how the others did beside it.

    Parameters
    ----------
    results : Comparison
    classifier : str
    names : mapping of str to str, optional
        What an arm is called in the sentences; the others by their own name.

    Returns
    -------
    list of str
        Sentences; empty where fewer than two arms have a value. An arm has won only where the corrected test shows
        that it is better than the original data.
    """
    endpoint, called = results.about.endpoints[0], dict(names or {})
    arms = placed(results, classifier, endpoint)
    if len(arms) < 2:
        return []
    best, metric = arms[0], inside(endpoint.title)
    scored = with_ends(best.estimate(endpoint), 2)
    own = next((one for one in arms if one.arm == NONE), None)
    if best.arm == NONE:
        said = [f"Nothing won: {metric} is highest on the original data, {scored}."]
    else:
        effect = results.effect(best.arm, classifier, endpoint)
        beside = "" if own is None else f", against {with_ends(own.estimate(endpoint), 2)} on the original data"
        name = called.get(best.arm, best.arm)
        if effect is not None and effect.shown:
            said = [f"{capital(name)} won: {metric} {scored}{beside}, {_gap(effect)}."]
        else:
            gap = "" if effect is None else f" ({_gap(effect)})"
            said = [
                f"Nothing won for sure: {name} has the highest {metric}, {scored}{beside}, which may be chance{gap}."
            ]
    return said + _the_others(results, classifier, endpoint, arms[1:], called)


def _the_others(
    results: Comparison, classifier: str, endpoint: Endpoint, arms: Sequence[ArmResult], called: Mapping[str, str]
) -> list[str]:
    said = []
    for one in arms:
        effect = results.effect(one.arm, classifier, endpoint)
        if one.arm == NONE or effect is None:
            continue
        how = "no difference from the original data is shown"
        if effect.shown:
            how = "better than the original data" if effect.gap > 0 else "worse than the original data"
        said.append(
            f"{capital(called.get(one.arm, one.arm))}: {with_ends(one.estimate(endpoint), 2)}; {how} ({_gap(effect)})."
        )
    return said


def _gap(effect: ArmEffect) -> str:
    return f"difference {signed_with_ends(effect, 2)}, {p_words(effect.p_holm)}"
