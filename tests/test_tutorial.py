"""The tutorials, executed: each line that they type, in its order, on drawn cells and smears, in seconds."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from gansynth.cli import gansynth

from .smears.smears import usual_smear

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[1] / "docs"

TINY = [
    *("networks.generator=[8,8,8,8,8]", "networks.critic=[8,8,8,8]", "networks.classifier=[8,8,8,8]", "latent=8"),
    *("training.batch_size=8", "reports.watch_images=4", "reports.classifier_images=64"),
    "reports.pretrained_judge=false",
]
SET = [word for change in TINY for word in ("--set", change)]
QUICK = [
    *("--classifiers", "sequential-cnn", "--size", "32", "--epochs", "1", "--seeds", "1", "--jobs", "1"),
    *("--set", "network.channels=[4, 4, 4, 4]", "--set", "training.batch_size=16"),
]
COUNTS = "neutrophil=24,lymphocyte=20,eosinophil=16,promyelocyte=12"

LESS: dict[str, list[str]] = {
    "data phantom": ["--counts", COUNTS],
    "train-gan": ["--steps", "2", *SET],
    "train-classifier": [
        *("--recipe", "sequential-cnn", "--epochs", "1"),
        *("--set", "resolution=32", "--set", "network.channels=[4, 4, 4, 4]"),
    ],
    "generate": ["--count", "6", "--keep-copies"],
    "quality": ["--encoder", "encoder", "--size", "32"],
    "compare": QUICK,
}
"""What is typed after a line of a page, to have it done in seconds: a later option replaces an earlier one."""


def typed(page: str, until: str = "") -> list[str]:
    """Return the command lines of a page, those that go on over several lines as one."""
    text = (DOCS / page).read_text(encoding="utf-8")
    text = (text.split(until)[0] if until else text).replace("\\\n", " ")
    blocks = re.findall(r"```(?:bash|console)\n(.*?)```", text, re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line.removeprefix("gansynth ") for line in lines if line.startswith("gansynth ")]


def walk(lines: list[str], more: dict[str, list[str]] | None = None) -> list[str]:
    """Type every line where the one before has left things, and return the commands."""
    done = []
    for line in lines:
        line, _, file = line.partition(" > ")
        words = shlex.split(line)
        name = " ".join(words[:2]) if words[0] == "data" else words[0]
        if name == "quality" and not Path("encoder").exists():
            _tiny_encoder(words[1])
        result = CliRunner().invoke(gansynth, [*words, *LESS.get(name, []), *(more or {}).get(name, [])])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        if file:
            Path(file).write_text(result.stdout, encoding="utf-8")
        done.append(name)
    return done


def _tiny_encoder(real: str) -> None:
    """The tutorials let `quality` train its own encoder, which takes a minute."""
    from gansynth.classifiers import train_cell_encoder
    from gansynth.data import open_dataset

    train_cell_encoder(open_dataset(real, 32).part("train"), images=640, width=4).save(Path("encoder"))


def draw(out: str, column: str) -> None:
    """Draw cells of several patients or fields, as their folder's own metadata.csv says."""
    assert CliRunner().invoke(gansynth, ["data", "phantom", out, "--size", "64", "--counts", COUNTS]).exit_code == 0
    table = pd.read_csv(f"{out}/metadata.csv").drop(columns="group", errors="ignore")
    table[column] = [f"{column}-{i % 9}" for i in range(len(table))]
    table.to_csv(f"{out}/metadata.csv", index=False)


def begin(data: str, out: str) -> list[str]:
    """Train a tiny run that stands in for the generator that ships, and return how a training begins with it."""
    words = ["train-gan", data, "--recipe", "c-wgan-gp-64", "--steps", "1", "--out", out, "--seed", "1", *SET]
    assert CliRunner().invoke(gansynth, words).exit_code == 0
    return ["--from", out]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSYNTH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_every_line_of_the_tutorial_works_where_the_one_before_has_left_things() -> None:
    done = walk(typed("tutorial.md", until="## Published sets"))
    assert done == [
        *("data phantom", "data info", "data split", "train-gan", "generate", "quality", "balance", "compare"),
    ]  # fmt: skip
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    for made in ("synthetic/metadata.csv", "balanced/metadata.csv", "quality/report.html", "compared/report.html"):
        assert Path(made).is_file(), made
        assert made.split("/")[0] in text


def test_every_line_about_forty_promyelocytes_works() -> None:
    draw("my-cells", "patient")
    # No image of a generator that has made two steps is recognised: nothing would be left to look at.
    lines = [line.replace(" --min-confidence 0.5", "") for line in typed("tutorial-forty-promyelocytes.md")]
    first = walk(lines[:2])
    parent = begin("my-cells", "parent")
    done = first + walk(lines[2:], {"train-gan": parent})
    assert done == ["data info", "data split", "compare", "train-gan", "generate", "quality", "compare"]
    for made in ("free/report.html", "screened/metadata.csv", "quality/report.html", "doses/report.html"):
        assert Path(made).is_file(), made


def test_every_line_from_smears_to_a_balanced_set_works() -> None:
    Path("smears").mkdir()
    for seed in range(2):
        Image.fromarray(np.asarray(usual_smear(seed)[0])).save(f"smears/{seed}.png")
    draw("pbc", "group")
    draw("my-cells", "group")  # what an expert has made of the cut cells
    lines = typed("tutorial-smears.md")
    first = walk(lines[:6])
    assert Path("cut/cells/WBC").is_dir() and json.loads(Path("proposed.json").read_text(encoding="utf-8"))
    done = first + walk(lines[6:], {"train-gan": begin("clean", "parent")})
    assert done == [
        *("data crop", "train-classifier", "classify", "data info", "data dedupe", "data split", "data nuclei"),
        *("train-gan", "balance", "quality"),
    ]  # fmt: skip
    for made in ("nuclei/nuclei.csv", "balanced/metadata.csv", "quality/report.html"):
        assert Path(made).is_file(), made
