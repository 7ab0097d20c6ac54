"""Which arm of a comparison came out best, said no more surely than the corrected tests carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gansynth.metrics.wording import inside, p_words, signed, signed_ends, with_ends
from gansynth.remedies.arm import NONE
from gansynth.studies.comparison.entries import ArmEffect, ArmResult, Endpoint
from gansynth.studies.comparison.result import Comparison


def placed(results: Comparison, classifier: str, endpoint: Endpoint) -> list[ArmResult]:
    """Return the arms of a classifier that have a value at an endpoint, the highest first."""
    mine = [one for one in results.arms if one.classifier == classifier and _value(one, endpoint) is not None]
    return sorted(mine, key=lambda one: _value(one, endpoint) or 0.0, reverse=True)


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
            said = [f"{_capital(name)} won: {metric} {scored}{beside}, {_gap(effect)}."]
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
            f"{_capital(called.get(one.arm, one.arm))}: {with_ends(one.estimate(endpoint), 2)}; {how} ({_gap(effect)})."
        )
    return said


def _value(one: ArmResult, endpoint: Endpoint) -> float | None:
    found = one.estimate(endpoint)
    return None if found is None else found.value


def _gap(effect: ArmEffect) -> str:
    interval = f" ({signed_ends(effect.interval, 2)})" if effect.interval else ""
    return f"difference {signed(effect.value, 2)}{interval}, {p_words(effect.p_holm)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
