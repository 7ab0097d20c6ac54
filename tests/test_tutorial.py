"""The tutorial, executed: each line that it types, in its order, on the phantom cells that it draws, in seconds."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"

TINY = [
    *("networks.generator=[8,8,8,8,8]", "networks.critic=[8,8,8,8]", "networks.classifier=[8,8,8,8]", "latent=8"),
    *("training.batch_size=8", "reports.watch_images=4", "reports.classifier_images=64"),
    "reports.pretrained_judge=false",
]

LESS: dict[str, list[str]] = {
    "data phantom": ["--counts", "neutrophil=24,lymphocyte=20,eosinophil=16,promyelocyte=12"],
    "train-gan": ["--steps", "2", *(word for change in TINY for word in ("--set", change))],
    "generate": ["--count", "6", "--keep-copies"],
    "quality": ["--encoder", "encoder", "--size", "32"],
    "compare": [
        *("--epochs", "1", "--seeds", "1", "--jobs", "1"),
        *("--set", "network.channels=[4, 4, 4, 4]", "--set", "training.batch_size=16"),
    ],
}
"""What is typed after a line of the page, to have it done in seconds: a later option replaces an earlier one."""


def test_every_line_of_the_tutorial_works_where_the_one_before_has_left_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"^\$ gansynth (.*)$", text.split("## Published sets")[0], re.MULTILINE)
    done = []
    monkeypatch.chdir(tmp_path)
    for line in lines:
        words = shlex.split(line)
        name = " ".join(words[:2]) if words[0] == "data" else words[0]
        if name == "quality":
            _tiny_encoder()
        result = CliRunner().invoke(gansynth, [*words, *LESS.get(name, [])])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        done.append(name)
    assert done == [
        *("data phantom", "data info", "data split", "train-gan", "generate", "quality", "balance", "compare"),
    ]  # fmt: skip
    for made in ("synthetic/metadata.csv", "balanced/metadata.csv", "quality/report.html", "compared/report.html"):
        assert (tmp_path / made).is_file(), made
        assert made.split("/")[0] in text


def _tiny_encoder() -> None:
    """The tutorial lets `quality` train its own encoder, which takes a minute."""
    from gansynth.classifiers import train_cell_encoder
    from gansynth.data import open_dataset

    train_cell_encoder(open_dataset("my-cells", 32).part("train"), images=640, width=4).save(Path("encoder"))
