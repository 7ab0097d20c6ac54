"""Whatever a user names, a command ends with status 0, or with status 2 and a sentence; in time, and without a trace
outside the folder that it was given.

500 inputs, seeded; `GANSYNTH_HOSTILE_INPUTS=5000` tries more, and `GANSYNTH_HOSTILE_FIRST=5000` others.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import hostile_inputs as hostile
import pytest
from click.testing import CliRunner
from comparison_folder import write_comparison_folder
from hostile_commands import COMMANDS, COMPARE, CPU, Made, with_a_nul
from study_folders import write_benchmark_folder, write_quality_folder
from sweep_folder import write_sweep_folder
from tiny_classifier import tiny_cells, tiny_recipe

from gansynth.classifiers import train_classifier
from gansynth.cli import gansynth
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.studies.benchmark.result import Benchmark
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.quality.result import Quality
from gansynth.studies.sweep.result import ImbalanceSweep

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pipes, sockets and devices as files are Unix's"),
    pytest.mark.usefixtures("module_on_one_thread", "encoders_learn_little"),
]

SECONDS = 10
"""Of the processor, for one input; and of waiting, in which the processor is not even wanted."""
INPUTS = int(os.environ.get("GANSYNTH_HOSTILE_INPUTS", "500"))
FIRST = int(os.environ.get("GANSYNTH_HOSTILE_FIRST", "0"))
"""The first seed of each command; the number of inputs is about the sum of all commands'."""


def seeds(n: int) -> range:
    """Return the seeds of a command that has n of five hundred inputs."""
    return range(FIRST, FIRST + max(1, round(n * INPUTS / 500)))


def in_peace(*arguments: str, status: int = 0) -> None:
    result = CliRunner().invoke(gansynth, arguments)
    assert result.exit_code == status, result.output


@pytest.fixture(scope="module")
def encoders_learn_little() -> Iterator[None]:
    """Train a cell encoder on a tenth of the images: a training that was asked for takes its time and is not a hang."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gansynth.classifiers.cell_encoder.FEWEST_SEEN", 640)
        yield


@pytest.fixture(scope="module")
def made(phantom_folder: Path, tiny_run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = tmp_path_factory.mktemp("made")
    training, validation = tiny_cells()
    recipe = tiny_recipe("training.epochs=1")
    train_classifier(training, recipe, place / "classifier", validation=validation, device="cpu")
    shutil.copytree(tiny_run_folder, place / "gan")
    shutil.copytree(phantom_folder, place / "cells")
    found = Made(**{name: place / name for name in Made.__dataclass_fields__})
    with pytest.MonkeyPatch.context() as patch:

        def stop(*_: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr("gansynth.synthesis.generation.write_metadata", stop)
        in_peace("generate", str(found.gan), "--class", "basophil=4", "--out", str(found.generating), *CPU, status=130)
    in_peace("naturalize", str(found.cells), "--class", "basophil=2", "--out", str(found.naturalizing))
    (found.naturalizing / "metadata.csv").unlink()
    in_peace("compare", str(found.cells), *COMPARE, "--out", str(found.compared))
    write_phantom(place / "synthetic", {"basophil": 4, "lymphocyte": 4}, size=32, seed=5)
    in_peace("quiz", str(found.cells), str(place / "synthetic"), "--out", str(found.quiz), "--count", "8")
    with (found.quiz / "key.csv").open() as key, (found.quiz / "answers.csv").open("w") as file:
        answers = csv.writer(file)
        answers.writerow(("quiz", "reader", "cell", "origin", "class"))
        answers.writerows((row["quiz"], "=a", row["cell"], "real", row["class"]) for row in csv.DictReader(key))
    in_peace("quiz", "--score", str(found.quiz / "answers.csv"))
    return found


class TooLongError(BaseException):
    """Nothing catches it on its way."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    began = waited()

    def stop(_: int, __: FrameType | None) -> None:
        raise TooLongError(f"not done after {seconds} s")

    def look(_: int, __: FrameType | None) -> None:
        if waited() - began > seconds:
            raise TooLongError(f"waits for {seconds} s")

    before = [signal.signal(kind, handler) for kind, handler in ((signal.SIGALRM, look), (signal.SIGPROF, stop))]
    try:
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        yield
    finally:
        for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        for kind, handler in zip((signal.SIGALRM, signal.SIGPROF), before, strict=True):
            signal.signal(kind, handler)


def waited() -> float:
    """Return seconds, from some moment on, in which no thread ran or stood in the queue for a processor: beside other
    work an input may take long, and does not hang. Where the system does not say it, a quarter of all."""
    used = 0
    try:
        for task in os.listdir("/proc/self/task"):
            with suppress(OSError):  # it has ended
                used += sum(map(int, Path(f"/proc/self/task/{task}/schedstat").read_text().split()[:2]))
    except OSError:
        return time.monotonic() / 4
    return time.monotonic() - used / 1e9


def test_what_waits_is_stopped_and_what_runs_too_long(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TooLongError, match="waits for 0"), within(0):
        open(tmp_path / "pipe")  # noqa: SIM115
    with pytest.raises(TooLongError, match="waits for 1"), within(1):
        time.sleep(30)
    with pytest.raises(TooLongError, match="not done after 1 s"), within(1):
        while True:
            pass


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what is in a folder, links not followed: sizes and moments of change."""
    paths = (os.path.join(place, name) for place, inner, files in os.walk(folder) for name in (*inner, *files))
    return {path: _seen(os.lstat(path)) for path in paths}


def _seen(status: os.stat_result) -> tuple[int, int]:
    return (status.st_size, status.st_mtime_ns)


def surroundings() -> dict[str, list[str]]:
    return {folder: sorted(os.listdir(folder)) for folder in ("/", os.getcwd())}


def test_the_campaign_has_five_hundred_inputs() -> None:
    assert sum(n for _, n in COMMANDS.values()) >= 500


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name, (_, n) in COMMANDS.items() for seed in seeds(n)])
def test_hostile_input_ends_with_a_sentence(name: str, seed: int, tmp_path: Path, made: Made) -> None:
    place = tmp_path / "given"
    place.mkdir()
    arguments = COMMANDS[name][0](random.Random(f"{name} {seed}"), place, made)
    before, models, around = everything(tmp_path), everything(made.cells.parent), surroundings()
    with warnings.catch_warnings(), within(SECONDS):
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(gansynth, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError(arguments) from result.exception
    cause = result.exception.__context__ if result.exception is not None else None
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    unfilled = result.exit_code == 1 and "not every class could be filled" in result.stderr
    if result.exit_code not in (0, 2) and not unfilled:
        raise AssertionError((arguments, result.exit_code, result.output[-2000:])) from cause
    assert "Traceback" not in result.output
    if result.exit_code == 2:
        sentence = result.stderr.strip().splitlines()[-1]
        assert len(sentence) > 20, (arguments, result.output)
    after = everything(tmp_path)
    changed = {os.path.relpath(path, place) for path in {*before, *after} if before.get(path) != after.get(path)}
    splitting = " data split " in f" {' '.join(arguments)} "
    allowed = ("out", "nowhere", *(("data/splits",) if splitting else ()))
    gone = {path for path in changed if not path.startswith(allowed)} - {".", "data", os.pardir}
    assert not gone, (arguments, gone)
    assert everything(made.cells.parent) == models
    assert surroundings() == around


def test_a_nul_in_a_name_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    for typed in with_a_nul(tmp_path):
        result = CliRunner().invoke(gansynth, typed)
        assert result.exit_code == 2, (typed, result.output)
    assert not list(tmp_path.iterdir())


CONTINUED: dict[str, Callable[[Made], tuple[Path, list[str]]]] = {
    "generate": lambda made: (made.generating, ["generate", str(made.gan), "--class", "basophil=4", *CPU]),
    "naturalize": lambda made: (made.naturalizing, ["naturalize", str(made.cells), "--class", "basophil=2"]),
    "compare": lambda made: (made.compared, ["compare", str(made.cells), *COMPARE]),
    "train-gan": lambda made: (made.gan, ["train-gan", str(made.cells), "--steps", "2", *CPU]),
}


@pytest.mark.parametrize("name", CONTINUED)
def test_a_folder_in_the_place_of_any_file_stops_what_is_continued_with_a_sentence(
    name: str, tmp_path: Path, made: Made
) -> None:
    folder, typed = CONTINUED[name](made)
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    for k, file in enumerate(files):
        out = tmp_path / str(k)
        shutil.copytree(folder, out)
        (out / file).unlink()
        (out / file).mkdir()
        result = CliRunner().invoke(gansynth, [*typed, "--out", str(out), "--resume"])
        assert result.exit_code in (0, 2), (file, result.output)


STUDIES: dict[str, tuple[Callable[[Path], Path], Callable[[Path], Any]]] = {
    "quality": (write_quality_folder, Quality.read),
    "benchmark": (write_benchmark_folder, Benchmark.read),
    "compare": (write_comparison_folder, Comparison.read),
    "sweep": (write_sweep_folder, ImbalanceSweep.read),
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    for name, (write, _) in STUDIES.items():
        write(folder / name)
    return folder


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name in STUDIES for seed in seeds(10)])
def test_a_kept_result_that_is_spoiled_is_refused_with_its_file(
    name: str, seed: int, tmp_path: Path, studies: Path
) -> None:
    rng = random.Random(f"{name} {seed}")
    files = [path for path in (studies / name).iterdir() if path.suffix in (".json", ".csv", ".npz")]
    for path in files:
        shutil.copyfile(path, tmp_path / path.name)
    chosen = tmp_path / rng.choice(sorted(files)).name
    if rng.random() < 0.5:
        chosen = rng.choice(sorted(tmp_path.glob("*.json")))
    hostile.spoil_file(rng, chosen)
    with within(SECONDS):
        try:
            STUDIES[name][1](tmp_path)
        except InputError as error:
            assert chosen.name in str(error)
