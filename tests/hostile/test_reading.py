"""Whatever a user names, the commands that read end with status 0, or with status 2 and a sentence; in time, and
without a trace outside the folder they were given."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import hostile_inputs as hostile
import pytest
from click.testing import CliRunner
from tiny_classifier import tiny_cells, tiny_recipe

from gansynth.classifiers import train_classifier
from gansynth.cli import gansynth

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pipes, sockets and devices as files are Unix's"),
    pytest.mark.usefixtures("module_on_one_thread"),
]

SECONDS = 10
EACH = int(os.environ.get("GANSYNTH_HOSTILE_INPUTS", "40"))
"""Inputs for each command; a longer campaign sets the variable."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier trained for one epoch. Do not change it."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    training, validation = tiny_cells()
    train_classifier(training, tiny_recipe("training.epochs=1"), folder, validation=validation, device="cpu")
    return folder


@contextmanager
def within(seconds: int) -> Iterator[None]:
    def stop(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def everything(folder: Path) -> set[str]:
    return {os.path.join(place, name) for place, inner, files in os.walk(folder) for name in (*inner, *files)}


def data_set(rng: random.Random, place: Path) -> Path:
    paths = hostile.tree(rng, place / "data")
    hostile.spoil(rng, place / "data", paths)
    return place / "data"


def spoiled_run(rng: random.Random, place: Path, run: Path) -> Path:
    shutil.copytree(run, place / "run")
    what = rng.choice(["run.json", "recipe.yaml", "model.safetensors", "calibration.json"])
    file = place / "run" / what
    whole = file.read_bytes()
    if rng.random() < 0.3:
        hostile.strange_file(rng, file)
    elif what.endswith(".json"):
        file.write_bytes(hostile.strange_json(rng, whole.decode()))
    elif what.endswith(".yaml"):
        file.write_bytes(hostile.strange_yaml(rng, whole.decode()))
    else:
        file.write_bytes(hostile.damaged(rng, whole))
    return place / "run"


def pictures(rng: random.Random, place: Path) -> list[str]:
    (place / "pictures").mkdir()
    found = []
    for k in range(rng.randrange(1, 4)):
        path = place / "pictures" / f"{k}.png"
        if rng.random() < 0.3:
            hostile.strange_file(rng, path)
        else:
            path.write_bytes(
                hostile.strange_picture(rng) if rng.random() < 0.6 else hostile.encoded(rng, "PNG", 20, 20)
            )
        found.append(str(path))
    return rng.choice([found, [str(place / "pictures")], [*found, str(place / "absent.png")]])


def info(rng: random.Random, place: Path, _: Path) -> list[str]:
    return ["data", "info", str(data_set(rng, place)), *rng.choice([[], ["--json"]])]


def split(rng: random.Random, place: Path, _: Path) -> list[str]:
    options = rng.choice([[], ["--force"], ["--test", "0.5", "--val", "0"], ["--group", "patient"], ["--test", "nan"]])
    return [*rng.choice([[], ["--unmatched", "ignore"]]), "data", "split", str(data_set(rng, place)), *options]


def imported(rng: random.Random, place: Path, _: Path) -> list[str]:
    kind = rng.choice(["folders", "folders", "folders", "pbc", "munich", "bloodmnist"])
    if kind == "bloodmnist":
        (place / "x.npz").write_bytes(rng.randbytes(100))
        if rng.random() < 0.5:
            hostile.strange_file(rng, place / "x.npz")
        return ["data", "import", "--source", f"{kind}={place / 'x.npz'}", str(place / "out")]
    return ["data", "import", "--source", f"{kind}={data_set(rng, place)}", str(place / "out")]


def crop(rng: random.Random, place: Path, _: Path) -> list[str]:
    fields = place / "fields"
    fields.mkdir()
    for k in range(rng.randrange(1, 3)):
        data = hostile.strange_picture(rng) if rng.random() < 0.3 else hostile.encoded(rng, "PNG", 96, 96)
        (fields / f"{k}.png").write_bytes(data)
        annotation = fields / f"{k}{rng.choice(['.xml', '.XML'])}"
        if rng.random() < 0.2:
            hostile.strange_file(rng, annotation)
        else:
            annotation.write_bytes(hostile.strange_voc(rng))
    boxes = rng.choice([["--boxes", "drawn"], ["--boxes", "drawn"], ["--finder", "classical"]])
    diameter = rng.choice(["40", "40", "40", "4", "nan", "4000"])
    return ["data", "crop", str(fields), str(place / "out"), "--cell-diameter", diameter, "--size", "32", *boxes]


def classify(rng: random.Random, place: Path, run: Path) -> list[str]:
    folder = spoiled_run(rng, place, run) if rng.random() < 0.6 else run
    return ["classify", str(folder), *pictures(rng, place), *rng.choice([[], ["--json"], ["--calibrated"]])]


def explain(rng: random.Random, place: Path, run: Path) -> list[str]:
    folder = spoiled_run(rng, place, run) if rng.random() < 0.3 else run
    return ["explain", str(folder), *pictures(rng, place), "--out", str(place / "out")]


def recipe(rng: random.Random, place: Path, run: Path) -> list[str]:
    file = place / "r.yaml"
    command = rng.choice(["train-classifier", "train-gan"])
    if rng.random() < 0.3:
        hostile.strange_file(rng, file)
    else:
        whole = (run / "recipe.yaml").read_text(encoding="utf-8")
        file.write_bytes(hostile.strange_yaml(rng, whole))
    change = rng.choice([[], ["--set", "training.epochs=!!timestamp x"], ["--set", "=3"], ["--set", "name=../../x"]])
    return [command, str(place / "absent"), "--recipe", str(file), "--out", str(place / "out"), *change]


def quality(rng: random.Random, place: Path, _: Path) -> list[str]:
    (place / "synthetic").mkdir()
    return ["quality", str(data_set(rng, place)), str(data_set(rng, place / "synthetic")), "--device", "cpu"]


COMMANDS: dict[str, tuple[Callable[[random.Random, Path, Path], list[str]], int]] = {
    "data info": (info, EACH * 2),
    "data split": (split, EACH * 2),
    "data import": (imported, EACH),
    "data crop": (crop, EACH),
    "classify": (classify, EACH),
    "explain": (explain, EACH),
    "recipe": (recipe, EACH),
    "quality": (quality, EACH // 4),
}
INPUTS = [(name, seed) for name, (_, n) in COMMANDS.items() for seed in range(n)]


def test_pictures_too_small_to_explain_are_named_and_the_others_explained(run: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    (tmp_path / "pictures").mkdir()
    for k, (height, width) in enumerate([(1, 1), (2, 4), (15, 15), (200, 12), (40, 40)]):
        (tmp_path / "pictures" / f"{k}.png").write_bytes(hostile.encoded(rng, "PNG", height, width))
    arguments = ["explain", str(run), str(tmp_path / "pictures"), "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(gansynth, arguments)
    assert result.exit_code == 2 and "4 of 5 files could not be explained" in result.stderr
    assert "2.png (15 x 15 pixels, and a cell needs 16 x 16 to be found)" in result.stderr
    assert (tmp_path / "o" / "report.html").exists() or list((tmp_path / "o").rglob("*.png"))


def test_the_campaign_has_three_hundred_inputs() -> None:
    assert len(INPUTS) >= 300


@pytest.mark.parametrize(("name", "seed"), INPUTS)
def test_hostile_input_ends_with_a_sentence(name: str, seed: int, tmp_path: Path, run: Path) -> None:
    place = tmp_path / "given"
    place.mkdir()
    arguments = COMMANDS[name][0](random.Random(f"{name} {seed}"), place, run)
    before, model = everything(tmp_path), everything(run)
    with warnings.catch_warnings(), within(SECONDS):
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(gansynth, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError(arguments) from result.exception
    assert result.exit_code in (0, 2), (arguments, result.output)
    assert "Traceback" not in result.output
    if result.exit_code == 2:
        sentence = result.stderr.strip().splitlines()[-1]
        assert len(sentence) > 20, (arguments, result.output)
    made = {os.path.relpath(path, place) for path in everything(tmp_path) - before}
    allowed = {"data/splits.csv"} if name == "data split" else set()
    new = {path for path in made if path.split(os.sep)[0] != "out" and path not in allowed}
    assert not {path for path in new if not path.startswith("data/splits.previous")}, new
    assert everything(run) == model
