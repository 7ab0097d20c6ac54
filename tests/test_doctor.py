"""Claims about `gansynth doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from gansynth import doctor
from gansynth.cli import gansynth
from gansynth.gans.engine.speed import TrainingSpeed, training_speed
from gansynth.recipes import load_recipe

from .conftest import TINY

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_speed_is_that_of_steps_that_were_made_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    state = torch.get_rng_state()
    speed = training_speed(load_recipe("c-wgan-gp", [*TINY]), seconds=2, device="cpu")
    assert speed.steps >= 1 and 0 < speed.seconds < 2.5
    assert speed.images_per_second == pytest.approx(speed.steps * 8 / speed.seconds)
    assert speed.minutes == pytest.approx(speed.recipe_steps * speed.seconds / speed.steps / 60)
    assert torch.equal(torch.get_rng_state(), state)
    assert not list(tmp_path.iterdir())


def test_a_step_that_takes_longer_than_the_test_is_timed_by_itself() -> None:
    speed = training_speed(load_recipe("c-wgan-gp", [*TINY]), seconds=1e-6, device="cpu")
    assert speed.steps == 1 and 0 < speed.seconds < 60


def test_the_doctor_says_what_is_there() -> None:
    result = CliRunner().invoke(gansynth, ["doctor", "--seconds", "0", "--json", "--device", "cpu"])
    assert result.exit_code == 0
    found = json.loads(result.output)
    assert found["versions"]["torch"].startswith(torch.__version__.split("+")[0])
    assert found["device"] == "cpu" and found["threads"] == torch.get_num_threads()
    assert "pbc-64" in found["models"]["generator"]
    assert set(found["weights"].values()) <= {"present", "missing", "wrong"}
    assert all(one["free_bytes"] > 0 for one in found["space"]) and found["speed"] is None


def test_a_full_disk_is_a_problem_that_stands_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 10**30)
    result = CliRunner().invoke(gansynth, ["doctor", "--seconds", "0", "--device", "cpu"])
    assert result.exit_code == 0 and "problem:" in result.output and "make room" in result.output


def test_the_speed_of_a_busy_machine_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "training_speed", lambda *_, **__: TrainingSpeed("tiny", "cpu", "32-true", 9, 1, 8, 90))
    for load, busy in ((0.0, False), (1000.0, True)):
        monkeypatch.setattr("os.getloadavg", lambda load=load: (load, load, load))
        found = doctor.check_up(device="cpu")
        assert found.load == load
        assert any("busy machine" in problem for problem in found.problems) == busy
        assert found.to_json()["speed"]["images_per_second"] == 72
