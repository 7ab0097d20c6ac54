"""The recommendation after a comparison: what is cheap where that is enough, and a command that can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gansynth.metrics.estimate import Estimate
from gansynth.studies.comparison.entries import ArmResult, CorrectedEffect, Endpoint, Recommendation, Standing
from gansynth.studies.comparison.figures import Pooled, estimates
from gansynth.studies.comparison.recommendation import recommend, unlearned

NAMES = ["basophil", "eosinophil", "monocyte"]
LABELS = np.repeat([0, 1, 2], [200, 800, 800])
FEW = LABELS[::6]
CNN, BACKBONE = "sequential-cnn", "efficientnet-lite0"
MACRO_F1 = Endpoint("macro-F1")


def predictions(skill: float, seed: int = 0, labels: NDArray[np.int64] = LABELS) -> Pooled:
    """Three trainings on one fold; `skill` distinguishes the classes."""
    logits = np.random.default_rng(seed).normal(0, 1, (3, len(labels), 3))
    logits[:, np.arange(len(labels)), labels] += skill
    p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    alone = np.arange(len(labels))
    return Pooled(tuple(f"{i}.png" for i in alone), labels, 0 * alone, alone, p.argmax(axis=2), p)


def advice(
    skills: dict[tuple[str, str], tuple[float, float]],
    standings: Sequence[Standing] = (),
    labels: NDArray[np.int64] = LABELS,
) -> Recommendation:
    """Recommend among arms that are given with their skill and their seconds of training."""
    arms = {key: predictions(skill, seed, labels) for seed, (key, (skill, _)) in enumerate(skills.items())}
    entries = []
    for (arm, classifier), (_, seconds) in skills.items():
        overall, _ = estimates(arms[arm, classifier])
        entries.append(ArmResult(arm, classifier, overall, {}, np.zeros((3, 3)), seconds=seconds))
    found = recommend(
        arms,
        entries,
        (),
        standings,
        MACRO_F1,
        NAMES,
        [len(labels)],
        data="my cells",
        recipes=Path("compared/classifiers"),
    )
    assert found is not None
    return found


def test_what_needs_no_synthetic_images_is_recommended_where_these_are_not_shown_to_be_better() -> None:
    found = advice({("none", CNN): (1.0, 9), ("oversample", CNN): (2.0, 10), ("c-wgan-gp-64", CNN): (2.0, 8)})
    assert (found.use, found.classifier) == ("oversample", CNN)
    assert "not shown to be better" in found.why or "No arm has a higher one" in found.why


def test_the_arm_that_leads_for_the_rare_classes_is_named_where_that_is_shown_and_it_is_another() -> None:
    def standing(arm: str, rank: int, p: float | None) -> Standing:
        at = Estimate(0.9 - 0.1 * rank, 600)
        gap = CorrectedEffect(0.1, None, p, 600, "", p_holm=p)
        return Standing(CNN, arm, rank, at, at, at, None, None, gap, ())

    skills = {("none", CNN): (2.0, 9.0), ("oversample", CNN): (2.0, 10.0)}
    shown = advice(skills, [standing("oversample", 1, 0.01), standing("none", 2, None)])
    assert shown.use == "none"
    assert "oversample leads: it recognises 0.800 of them at no loss elsewhere, this arm 0.700" in shown.why
    assert "leads" not in advice(skills, [standing("oversample", 1, 0.2), standing("none", 2, None)]).why


def test_what_is_shown_to_be_better_is_recommended_whatever_it_costs() -> None:
    found = advice({("none", CNN): (1.0, 9), ("oversample", CNN): (1.5, 10), ("c-wgan-gp-64", CNN): (3.0, 8)})
    assert found.use == "c-wgan-gp-64"
    assert "No arm has a higher one, and all 2 that are cheaper are shown to be worse." in found.why


def test_a_better_classifier_is_recommended_before_a_remedy_for_a_worse_one() -> None:
    found = advice({("none", CNN): (1.0, 9), ("weighted", CNN): (1.6, 9), ("none", BACKBONE): (3.0, 90)})
    assert (found.use, found.classifier) == ("none", BACKBONE)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.5, 3), min_size=2, max_size=4))
def test_nothing_cheaper_than_what_is_recommended_scores_higher(skills: list[float]) -> None:
    specs = ["none", "weighted", "weighted+oversample", "c-wgan-gp-64"]
    given_skills = {(spec, CNN): (skill, 1.0) for spec, skill in zip(specs, skills, strict=False)}
    found = advice(given_skills, labels=FEW)
    scores = {arm: estimates(predictions(skill, i, FEW))[0]["macro-F1"].value or 0.0
              for i, ((arm, _), (skill, _)) in enumerate(given_skills.items())}  # fmt: skip
    cheaper = specs[: specs.index(found.use)]
    assert all(scores[arm] < scores[found.use] or scores[arm] < max(scores.values()) for arm in cheaper)


def test_the_command_is_one_line_for_a_shell_whatever_the_folders_are_called() -> None:
    found = advice({("none", CNN): (1.0, 9), ("oversample@0.5", CNN): (2.0, 10)})
    words = shlex.split(found.command)
    assert words[:3] == ["gansynth", "train-classifier", "my cells"]
    assert words[words.index("--remedy") + 1] == "oversample@0.5"
    assert words[words.index("--recipe") + 1] == "compared/classifiers/sequential-cnn.yaml"


def test_one_arm_alone_or_arms_without_a_value_are_not_recommended() -> None:
    one = ArmResult("none", CNN, {"macro-F1": Estimate(0.5, 10)}, {}, np.zeros((3, 3)))
    unknown = replace(one, arm="oversample", metrics={"macro-F1": Estimate(None, 0)})
    for entries in ([one], [one, unknown]):
        found = recommend({}, entries, (), (), MACRO_F1, NAMES, [10], data="x", recipes=Path("y"))
        assert found is None


def test_a_classifier_that_only_guesses_is_named_and_one_that_has_learned_is_not() -> None:
    entries = [
        ArmResult(arm, classifier, estimates(predictions(skill, seed))[0], {}, np.zeros((3, 3)))
        for seed, (arm, classifier, skill) in enumerate(
            [("none", CNN, 0.0), ("oversample", CNN, 0.2), ("none", BACKBONE, 0.0), ("oversample", BACKBONE, 1.5)]
        )
    ]
    (said,) = unlearned(entries, NAMES)
    assert said.startswith("sequential-cnn has hardly learned") and "guessing recognises 33%" in said
