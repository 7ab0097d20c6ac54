"""A benchmark on a Dask cluster of this machine, as docs/cluster.md has it, gives the numbers of one process, also
where a worker ends in the middle of its work."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import joblib
import pytest
import yaml

from gansynth.recipes import load_recipe
from gansynth.studies.benchmark.result import Benchmark
from gansynth.studies.benchmark.study import benchmark

from .test_benchmark import SMALL

distributed = pytest.importorskip("distributed")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread", "workers_forked")]


@pytest.fixture
def recipes(tmp_path: Path) -> list[str]:
    """Two tiny recipes in files."""
    for name, of, changes in (("three", "c-wgan-gp-64", ["networks.classifier=[8,8]"]), ("two", "cgan-64", [])):
        recipe = load_recipe(of, [*SMALL, *changes]).model_dump(mode="json") | {"name": name}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    return [str(tmp_path / "three.yaml"), str(tmp_path / "two.yaml")]


def end_a_worker(runs: Path, cluster: Any, ended: list[int]) -> None:
    """Kill the first worker as soon as each of the two has begun a run."""
    for _ in range(6000):
        if len(list(runs.glob("*/run.json"))) == 2:
            ended.append(next(iter(cluster.workers.values())).pid)
            os.kill(ended[0], signal.SIGKILL)
            return
        time.sleep(0.1)


def test_a_benchmark_on_dask_gives_the_numbers_of_one_process_though_a_worker_ends(
    phantom_folder: Path, encoder_folder: Path, recipes: list[str], tmp_path: Path
) -> None:
    how: dict[str, Any] = {"seeds": 1, "images": 64, "count": 12, "encoder": encoder_folder, "device": "cpu"}
    alone = benchmark(phantom_folder, recipes, tmp_path / "alone", progress=False, **how)
    ended: list[int] = []
    out = tmp_path / "shared"
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        killer = threading.Thread(target=end_a_worker, args=(out / "runs", cluster, ended))
        killer.start()
        shared = benchmark(phantom_folder, recipes, out, progress=False, **how)
        killer.join()
    assert len(ended) == 1
    assert [(run.recipe, run.status) for run in shared.runs] == [("three", "done"), ("two", "done")]
    assert shared.summary == alone.summary and shared.ranking == alone.ranking
    assert Benchmark.read(out) == shared
