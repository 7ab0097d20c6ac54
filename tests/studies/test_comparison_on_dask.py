"""A comparison on a Dask cluster of this machine, as docs/cluster.md has it, gives the tables of one process."""

from __future__ import annotations

from pathlib import Path

import joblib
import pytest

from gansynth.data import open_dataset, split_dataset, write_splits
from gansynth.data.phantom import write_phantom
from gansynth.studies.comparison.study import compare

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

SETTINGS = {"size": 16, "seeds": 2}


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    folder = tmp_path / "cells"
    write_phantom(folder, {"eosinophil": 24, "lymphocyte": 16, "neutrophil": 30}, size=16)
    write_splits(split_dataset(open_dataset(folder, 16)), folder)
    return folder


def test_a_comparison_on_dask_gives_the_tables_of_one_process(
    cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANSYNTH_CACHE", str(tmp_path / "cache"))
    arms, classifiers = ["none", "oversample"], ["logistic-regression"]
    alone = compare(cells, arms, classifiers, tmp_path / "alone", jobs=1, progress=False, **SETTINGS)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config(backend="dask"):
        shared = compare(cells, arms, classifiers, tmp_path / "shared", progress=False, **SETTINGS)
    assert not shared.missing
    for of in ("metrics", "effects"):
        assert shared.frame(of).equals(alone.frame(of))
