"""Weights are numbers: what holds anything else is refused where it is opened, whatever it belongs to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from gansynth.errors import InputError
from gansynth.runs.weights import read_metadata, read_weights, write_weights


@given(
    at=st.integers(0, 11),
    what=st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
)
@settings(max_examples=30, deadline=None)
def test_a_number_that_is_not_finite_is_named(
    tmp_path_factory: pytest.TempPathFactory, at: int, what: float, dtype: torch.dtype
) -> None:
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    tensor = torch.zeros(12, dtype=dtype)
    tensor[at] = what
    write_weights(path, {"layer.bias": torch.ones(3), "layer.weight": tensor.view(3, 4)}, {})
    with pytest.raises(InputError, match=r"model.safetensors: 1 of the 12 numbers of layer.weight are not finite"):
        read_weights(path)


def test_what_is_not_a_file_of_weights_is_refused_at_once(tmp_path: Path) -> None:
    pipe, cut = tmp_path / "pipe.safetensors", tmp_path / "cut.safetensors"
    os.mkfifo(pipe)
    write_weights(cut, {"x": torch.ones(100)}, {})
    cut.write_bytes(cut.read_bytes()[:-1])
    for path, sentence in (
        (pipe, "is a named pipe"),
        (cut, "cannot be read as safetensors"),
        (tmp_path, "is a folder"),
        (tmp_path / "none", "no such file"),
    ):
        for read in (read_weights, read_metadata):
            with pytest.raises(InputError, match=sentence):
                read(path)


@pytest.mark.parametrize("card", ["{", "[]", json.dumps({"step": 3}), "[" * 3000])
def test_metadata_of_another_kind_are_refused(tmp_path: Path, card: str) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"x": torch.ones(1)}, path, {"gansynth": card})
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        read_weights(path)
    save_file({"x": torch.ones(1)}, path, {"format": "pt"})
    assert read_weights(path)[1] == {}
