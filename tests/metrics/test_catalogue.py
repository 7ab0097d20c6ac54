"""Claims about the catalogue: every metric says what it is, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest

from gansynth.errors import InputError
from gansynth.metrics.catalogue import METRICS, Group, Metric, Question, answering, register


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_computes_it(name: str) -> None:
    where = METRICS[name].where
    assert callable(getattr(import_module(where.rpartition(".")[0]), where.rpartition(".")[2]))


def test_every_question_of_the_ranking_is_answered() -> None:
    assert all(answering(question) for question in Question)
    assert answering(Question.RECOGNISED) == ("recognised-worse", "F1")


def test_two_metrics_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="named 'KID' already"):
        register(Metric("KID", "KID", "Another.", "lower", Group.DISTANCE, compute=lambda sets: 0.0))
    with pytest.raises(ValueError, match="how it is computed"):
        Metric("nothing", "Nothing", "Nothing.", "lower", Group.DISTANCE)


def test_a_package_that_cannot_be_imported_is_named(install: Callable[..., None]) -> None:
    with pytest.raises(InputError, match=r"broken of outside cannot be imported .*mend or uninstall"):
        install({"broken.py": "import nothing_of_this_name"}, {"gansynth.metrics": {"broken": "broken"}})
