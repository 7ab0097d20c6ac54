"""Whatever writes into a folder holds it, from Python as from the command line."""

from __future__ import annotations

import contextvars
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gansynth
from gansynth.classifiers import train_classifier
from gansynth.demo import run_demo
from gansynth.errors import InputError
from gansynth.files import hold
from gansynth.studies.search.study import search_remedy
from gansynth.studies.sweep.study import sweep_imbalance

WRITING = [
    gansynth.train_gan, gansynth.generate, gansynth.balance, gansynth.benchmark, gansynth.compare, gansynth.naturalize,
    train_classifier, search_remedy, sweep_imbalance, run_demo,
]  # fmt: skip


@pytest.mark.parametrize("write", WRITING, ids=lambda function: function.__name__)
def test_a_second_call_on_one_folder_is_told_who_the_first_is(write: Callable[..., Any], tmp_path: Path) -> None:
    given = dict.fromkeys(inspect.signature(write).parameters) | {"out": tmp_path / "out"}
    for name in ("options", "remedies"):  # of any number of further arguments
        if name in given and inspect.signature(write).parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            given.pop(name)
    with hold(tmp_path / "out"), pytest.raises(InputError, match=f"out: process {os.getpid()} on .* writes into it"):
        contextvars.Context().run(write, **given)
    assert list(tmp_path.iterdir()) == []
