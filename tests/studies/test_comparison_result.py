"""Claims about the result of a comparison: what is written is read back equal, and what is not one is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.cells.spoiling import SPOILINGS
from gansynth.errors import InputError
from gansynth.metrics.classification_effects import Effect
from gansynth.metrics.estimate import Estimate
from gansynth.studies.comparison.entries import (
    ArmEffect,
    ArmResult,
    ArmScores,
    BestDose,
    CorrectedEffect,
    DoseCurve,
    Endpoint,
    FailedTraining,
    Recognition,
    Recommendation,
    Standing,
    Swap,
    Training,
)
from gansynth.studies.comparison.registration import Registration
from gansynth.studies.comparison.result import About, Comparison, Counts, Level, LevelFacts, Superclasses

names = st.sampled_from(["none", "oversample@0.5", "augmentation+c-wgan-gp-64", "runs/<mine> & ours"])
classes = st.sampled_from(["basophil", "smudge cell", "IG"])
metrics = st.sampled_from(["macro-F1", "balanced-accuracy", "recall"])
numbers = st.floats(-1, 2, allow_nan=False)
counts = st.integers(0, 10**6)
intervals = st.none() | st.tuples(numbers, numbers)
of_class = st.dictionaries(classes, counts)
estimates = st.builds(
    Estimate, st.none() | numbers, counts, intervals, st.none() | numbers, st.none() | counts, note=st.text(max_size=9)
)
by_metric = st.dictionaries(metrics, estimates, max_size=2)
by_class = st.dictionaries(classes, by_metric, max_size=2)
endpoints = st.builds(Endpoint, metrics, st.none() | classes)
tables = st.integers(1, 3).map(lambda n: np.arange(float(n * n)).reshape(n, n))
tests = {
    "value": st.none() | numbers, "interval": intervals, "p": st.none() | numbers, "n": counts, "method": st.text(),
    "mcnemar_p": st.none() | numbers, "note": st.text(max_size=9),
}  # fmt: skip
effects = st.builds(Effect, **tests)
arm_effects = st.builds(
    ArmEffect, **tests, arm=names, against=names, classifier=names, endpoint=endpoints, p_holm=st.none() | numbers
)
scores = st.builds(ArmScores, names, names, by_metric, by_class, tables)
arms = st.builds(
    ArmResult, names, names, by_metric, by_class, tables, st.lists(names).map(tuple), st.none() | numbers, of_class,
    of_class, st.none() | counts, numbers,
    st.lists(st.builds(Training, counts, counts, names, st.none() | numbers), max_size=2).map(tuple),
    st.sampled_from(["", "none", "pretrained"]), st.none() | of_class,
)  # fmt: skip
standings = st.builds(
    Standing, names, names, counts, estimates, estimates, st.none() | estimates, st.none() | effects,
    st.none() | effects, st.builds(CorrectedEffect, **tests, p_holm=st.none() | numbers),
    st.lists(st.none() | numbers).map(tuple),
)  # fmt: skip
points = st.tuples(numbers, st.none() | numbers, st.none() | numbers, st.none() | numbers)
facts = (
    st.lists(classes, unique=True).map(tuple), st.builds(Counts, of_class, of_class), of_class,
    st.lists(classes).map(tuple),
    st.lists(endpoints, max_size=2).map(tuple), counts, st.lists(counts).map(tuple),
    st.sampled_from(["clean", "paper"]),
)  # fmt: skip
steps = st.dictionaries(names, st.lists(st.none() | counts), max_size=2)
abouts = st.builds(
    About, *facts, names, counts, st.dictionaries(names, counts, max_size=2), steps, st.none() | st.text(), names,
    st.dictionaries(names, names, max_size=2), names,
)  # fmt: skip


def several(one: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(one, max_size=2).map(tuple)


comparisons = st.builds(
    Comparison, abouts, several(arms), several(arm_effects), several(arm_effects), several(standings),
    several(st.builds(DoseCurve, names, names, endpoints, st.lists(points, max_size=3).map(tuple))),
    several(st.builds(BestDose, names, names, endpoints, numbers)),
    several(st.builds(Swap, names, names, st.sampled_from(["TSTR", "TRTS"]), by_metric, by_class)),
    several(st.builds(Recognition, names, classes, estimates)),
    st.none() | st.builds(
        Superclasses, st.builds(LevelFacts, *facts), several(scores), several(arm_effects),
        st.dictionaries(classes, st.lists(classes).map(tuple), max_size=2),
    ),
    st.dictionaries(
        st.sampled_from(list(SPOILINGS)),
        st.builds(Level, st.builds(LevelFacts, *facts), several(scores), several(arm_effects)), max_size=2,
    ),
    st.none() | st.builds(Recommendation, names, names, st.text(), st.text()),
    several(st.builds(FailedTraining, names, names, counts, counts, st.text())), several(st.text()), names,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(comparisons)
def test_what_is_written_is_read_back_equal(tmp_path_factory: pytest.TempPathFactory, found: Comparison) -> None:
    folder = tmp_path_factory.mktemp("result")
    found.write(folder)
    again = Comparison.read(folder)
    assert again == found and again.folder == folder
    assert again.to_json() == json.loads((folder / "results.json").read_text(encoding="utf-8"))


@settings(max_examples=30, deadline=None)
@given(comparisons)
def test_frames_have_a_row_for_every_figure_and_a_notebook_shows_a_table(found: Comparison) -> None:
    metrics, of_classes = found.frame(), found.frame("classes")
    assert len(metrics) == sum(len(e.metrics) for e in found.arms)
    assert len(of_classes) == sum(len(mine) for e in found.arms for mine in e.classes.values())
    assert len(found.frame("effects")) == len(found.effects) + len(found.in_use)
    assert len(found.frame("arms")) == len(found.arms)
    if found.arms:
        assert list(metrics.columns) == ["arm", "classifier", "metric", "value", "low", "high", "n"]
    assert "<table" in found._repr_html_() and "<mine>" not in found._repr_html_()
    for one in (found, *found.arms, *found.effects):
        assert len(repr(one)) < 250 and "\n" not in repr(one)


@pytest.fixture
def written(tmp_path: Path) -> str:
    counted = Counts({"a": 3, "b": 1}, {"a": 2, "b": 1})
    about = About(("a", "b"), counted, {}, ("b",), (Endpoint("macro-F1"),), 1, (0,), "clean", "cells", 16)
    Comparison(about, (), ()).write(tmp_path)
    return (tmp_path / "results.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_truncated_result_is_refused_in_a_sentence(tmp_path: Path, written: str, part: float) -> None:
    (tmp_path / "results.json").write_text(written[: int(part * len(written))], encoding="utf-8")
    with pytest.raises(InputError, match=r"results\.json(: is empty|, line \d+: cannot be read as JSON)"):
        Comparison.read(tmp_path)


@pytest.mark.parametrize("foreign", ["[]", "3", '{"about": {}}', '{"metrics": {}, "classes": {}}', '"text"'])
def test_a_result_of_something_else_is_refused_in_a_sentence(tmp_path: Path, foreign: str) -> None:
    (tmp_path / "results.json").write_text(foreign, encoding="utf-8")
    with pytest.raises(InputError, match="is not what `gansynth compare"):
        Comparison.read(tmp_path)


def test_where_there_is_no_result_the_sentence_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; write it with `gansynth compare"):
        Comparison.read(tmp_path)


def test_what_was_written_down_before_is_read_back_equal_and_a_truncated_one_is_refused(tmp_path: Path) -> None:
    first = Registration(
        data="cells", data_sha256="ab", protocol="clean", folds=2, rarity={"a": 3}, rare=("a",),
        endpoints=(Endpoint("macro-F1"), Endpoint("recall", "a")), in_use=(Endpoint("calibration-error", "a"),),
        first_seed=0, gan_images=None, gan_minutes=0.5,
        gan_changes=("latent=8",), min_confidence=None, arms=("none", "oversample"), classifiers={"svm": {"c": 1}},
        seeds=(0, 1), steps={"svm": [None, 3]}, robustness=False, swap=False, tree={"x": ["a"]}, swap_arms=(), jobs=1,
    )  # fmt: skip
    assert Registration.held_in(tmp_path, resume=False) is None
    first.write(tmp_path)
    assert Registration.read(tmp_path) == first
    (tmp_path / Registration.FILE).write_text('{"data": "ce')
    with pytest.raises(InputError, match=r"comparison\.json, line 1: cannot be read as JSON"):
        Registration.read(tmp_path)
