"""A training over several machines, which are processes of this one here: started by torchrun, and by SLURM's srun."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gansynth.cli import run
from gansynth.data.phantom import write_phantom
from gansynth.gans import Run

from .tiny import tiny_recipe

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]
PAGE = (HERE / "docs" / "cluster.md").read_text(encoding="utf-8")


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    recipe, cells = tmp_path / "tiny.yaml", tmp_path / "cells"
    recipe.write_text(tiny_recipe().to_yaml())
    write_phantom(cells, {"eosinophil": 12, "lymphocyte": 6}, size=16)
    return [
        "train-gan", str(cells), "--recipe", str(recipe), "--out", str(tmp_path / "run"), "--devices", "1",
        "--device", "cpu", "--steps", "2",
    ]  # fmt: skip


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def start(words: list[str], tmp_path: Path, **environment: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    with_cache = {"OMP_NUM_THREADS": "1", "GANSYNTH_CACHE": str(tmp_path / "cache"), **environment}
    return subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=kept | with_cache
    )


def children(parent: int) -> list[int]:
    """Return the processes that another one has started, as /proc has them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(parent):
                found.append(int(stat.parent.name))
    return sorted(found)


def ended(processes: list[subprocess.Popen[str]]) -> list[str]:
    found = []
    for one in processes:
        out, err = one.communicate(timeout=300)
        assert one.returncode == 0, err
        found.append(out)
    return found


def test_two_machines_of_torchrun_train_one_generator(command: list[str], tmp_path: Path) -> None:
    port = str(free_port())
    place = ["--nnodes", "2", "--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", port]
    torchrun = ["-m", "torch.distributed.run", *place, "--node-rank"]
    printed = ended([start([*torchrun, str(k), "-m", "gansynth", *command], tmp_path) for k in range(2)])
    assert "".join(printed).count("wrote") == 1
    info = Run(tmp_path / "run").info
    assert (info["processes"], info["step"]) == (2, 2)
    assert "torchrun --nnodes 2" in PAGE


def test_two_tasks_of_slurm_train_one_generator(command: list[str], tmp_path: Path) -> None:
    slurm = {
        "SLURM_JOB_ID": str(free_port()), "SLURM_JOB_NAME": "cells", "SLURM_NTASKS": "2", "SLURM_NNODES": "2",
        "SLURM_NTASKS_PER_NODE": "1", "SLURM_NODELIST": "127.0.0.1", "SLURM_LOCALID": "0",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
    }  # fmt: skip
    words = ["-m", "gansynth", *command]
    tasks = [start(words, tmp_path, **slurm, SLURM_PROCID=str(k), SLURM_NODEID=str(k)) for k in range(2)]
    assert "".join(ended(tasks)).count("wrote") == 1
    assert Run(tmp_path / "run").info["processes"] == 2


def test_a_process_that_is_lost_ends_the_others_and_resume_goes_on(command: list[str], tmp_path: Path) -> None:
    long = [*command[:-1], "100000", "--set", "reports.save_every=1", "--set", "reports.log_every=1"]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    long[long.index("--devices") + 1] = "2"
    leader = start([*torchrun, "-m", "gansynth", *long], tmp_path)
    log = tmp_path / "run" / "log.jsonl"
    while leader.poll() is None and not (log.exists() and '"step": 2' in log.read_text(encoding="utf-8")):
        time.sleep(0.2)
    workers = children(leader.pid)
    if not workers:
        leader.terminate()
        leader.communicate()
        pytest.skip("this system does not say which processes another one has started")
    os.kill(workers[-1], 9)
    assert leader.wait(timeout=120) != 0
    leader.communicate()
    saved = Run(tmp_path / "run").info["step"]
    assert saved >= 1
    again = [*command[:-1], str(saved + 1), "--set", "reports.save_every=1", "--set", "reports.log_every=1", "--resume"]
    assert run(again) == 0
    assert Run(tmp_path / "run").info["step"] == saved + 1
