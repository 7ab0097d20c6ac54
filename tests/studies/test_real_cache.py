"""Claims about what is kept of a real set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gansynth.studies.quality.real_cache import RealCache


def test_what_is_known_is_not_computed_again(tmp_path: Path) -> None:
    cache, made = RealCache(tmp_path), []

    def make(folder: Path) -> None:
        made.append(folder)
        np.save(folder / "features.npy", np.arange(6, dtype=np.float32).reshape(2, 3))

    for _ in range(2):
        assert cache.arrays(("features", "a"), make)["features"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert len(made) == 1
    cache.arrays(("features", "b"), make)
    assert len(made) == 2
    assert [cache.numbers(("floor", 1), lambda: {"value": 0.1 + 0.2}) for _ in range(2)] == [{"value": 0.1 + 0.2}] * 2


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    cache = RealCache(tmp_path)
    cache.numbers(("floor",), lambda: 1.5)
    for file in (tmp_path / "quality").glob("*.json"):
        file.write_text("{")
    assert cache.numbers(("floor",), lambda: 1.5) == 1.5

    def make(folder: Path) -> None:
        np.save(folder / "x.npy", np.ones(4, np.float32))

    cache.arrays(("features",), make)
    for file in (tmp_path / "quality").glob("*/x.npy"):
        file.write_bytes(file.read_bytes()[:40])
    assert cache.arrays(("features",), make)["x"].tolist() == [1, 1, 1, 1]


def test_a_cache_that_cannot_be_written_costs_time_not_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quality").write_text("a file where the folder should be")
    cache = RealCache(tmp_path)

    def make(folder: Path) -> None:
        np.save(folder / "x.npy", np.ones(4, np.float32))

    assert cache.arrays(("features",), make)["x"].tolist() == [1, 1, 1, 1]
    assert cache.numbers(("floor",), lambda: 2) == 2
