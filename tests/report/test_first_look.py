"""Claims about what the page says of a generator."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
from numpy.typing import NDArray

from gansynth.metrics.agreement import ClassAgreement, class_agreement
from gansynth.metrics.diversity import Diversity
from gansynth.metrics.memorisation import memorisation
from gansynth.report.first_look import FirstLook, first_look_page, verdict
from gansynth.report.page import render_page

NAMES = ("basophil", "eosinophil", "smudge cell")


def agreement(assigned: list[list[int]]) -> ClassAgreement:
    """Ten images per class, assigned[c] of them to each class."""
    asked = np.repeat(np.arange(3), 10)
    given = np.concatenate([np.repeat(np.arange(3), row) for row in assigned])
    return class_agreement(np.eye(3)[given], asked)


def look(made: ClassAgreement | None, spread: float = 40.0, copies: int = 0, near: float = 20.0) -> FirstLook:
    cells: NDArray[np.uint8] = np.zeros((2, 3, 8, 8), np.uint8)
    return FirstLook(
        class_names=NAMES,
        kind="phantom",
        training={"basophil": 60, "eosinophil": 120, "smudge cell": 5},
        added={"basophil": 60, "smudge cell": 115},
        originals=[cells] * 3,
        synthetic=[cells] * 3,
        agreement=made,
        agreement_held_out=None if made is None else agreement([[10, 0, 0], [0, 10, 0], [0, 1, 9]]),
        diversity=[Diversity(spread, 10, (spread, spread))] * 3,
        diversity_held_out=[Diversity(40.0, 10, (39.0, 41.0))] * 3,
        memorisation=memorisation(np.full(30, near), np.linspace(15, 25, 30)),
        copies=copies,
        minutes=2.5,
        curves={},
    )


def warnings_of(seen: FirstLook) -> str:
    return " ".join(first_look_page(seen, title="t", subtitle="s").warnings)


def test_an_untrained_generator_gets_no_praise() -> None:
    blobs = look(agreement([[0, 0, 10], [0, 0, 10], [0, 0, 10]]))
    assert blobs.learned == []
    assert "not learned yet" in verdict(blobs)
    assert "taken for smudge cell" in warnings_of(blobs)


def test_a_good_generator_is_said_to_take_shape_and_the_shares_are_named() -> None:
    good = look(agreement([[9, 1, 0], [1, 9, 0], [0, 1, 9]]))
    assert good.learned == list(NAMES)
    assert verdict(good).endswith("Of every class it recognises at least 90%.")
    assert "90%" in verdict(good) and "97%" in verdict(good) and "33%" in verdict(good)
    assert "repeat themselves" not in warnings_of(good)


def test_what_is_missing_is_named() -> None:
    partly = look(agreement([[9, 1, 0], [1, 9, 0], [4, 4, 2]]))
    assert "not yet smudge cell" in verdict(partly)


def test_collapse_copies_and_small_classes_are_warned_of() -> None:
    bad = look(agreement([[9, 1, 0], [1, 9, 0], [0, 1, 9]]), spread=10.0, copies=3, near=2.0)
    text = warnings_of(bad)
    for words in ("repeat themselves", "3 of 30", "memorising", "Fewer than 20 training images of smudge cell"):
        assert words in text


def test_without_a_classifier_the_page_says_so_and_shows_no_share() -> None:
    blind = look(None)
    assert "no classifier has looked" in verdict(blind)
    html = render_page(first_look_page(blind, title="t", subtitle="s"))
    assert not re.search(r"\bnan\b|>None<", html)


def test_balancing_is_shown_as_the_imbalance_before_and_after() -> None:
    figures = dict(first_look_page(look(None), title="t", subtitle="s").figures)
    assert "ρ = 24" in figures["185"] and "ρ = 1" in figures["175"]
    assert dataclasses.replace(look(None), added={}).imbalance == 24
