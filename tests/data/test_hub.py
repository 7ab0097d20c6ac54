"""Claims about data sets for Hugging Face's hub; nothing here asks a network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from huggingface_hub import DatasetCard
from PIL import Image

from gansynth.cli import gansynth
from gansynth.data.hub import export_dataset
from gansynth.errors import InputError

ROWS = [
    ("basophil/a.png", "train", "real", "", "", ""),
    ("basophil/b.png", "test", "real", "", "", ""),
    ("basophil/s_0.png", "train", "synthetic", "0", "ab12", "0.75"),
    ("smudge cell/c.png", "train", "real", "", "", ""),
    ("smudge cell/d.png", "val", "real", "", "", ""),
    ("smudge cell/e.png", "test", "real", "", "", ""),
]


@pytest.fixture
def balanced(tmp_path: Path) -> Path:
    """A set as `balance` writes it."""
    folder = tmp_path / "balanced"
    for k, (path, *_) in enumerate(ROWS):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (40 * k, 80, 200)).save(folder / path)
    table = pd.DataFrame(ROWS, columns=["file_name", "split", "origin", "seed", "model_sha256", "confidence"])
    table[["file_name", "split"]].to_csv(folder / "splits.csv", index=False)
    table.drop(columns="split").to_csv(folder / "metadata.csv", index=False)
    return folder


def test_each_split_is_a_folder_with_its_table_and_the_card_says_where(balanced: Path, tmp_path: Path) -> None:
    out = tmp_path / "hub"
    result = CliRunner().invoke(gansynth, ["export", str(balanced), "--format", "huggingface", "--out", str(out)])
    assert result.exit_code == 0 and "3 images in train, 2 images in test, 1 images in validation" in result.output
    train = pd.read_csv(out / "train" / "metadata.csv")
    assert list(train.columns) == ["file_name", "label", "origin", "seed", "confidence", "model_sha256"]
    assert all((out / "train" / path).is_file() for path in train["file_name"])
    assert (out / "test/smudge cell/e.png").read_bytes() == (balanced / "smudge cell/e.png").read_bytes()
    data = DatasetCard.load(out / "README.md").data
    assert data.license == "unknown" and data.task_categories == ["image-classification"]
    files = data.to_dict()["configs"][0]["data_files"]
    assert {one["split"]: one["path"] for one in files} == {
        "train": "train/**", "validation": "validation/**", "test": "test/**",
    }  # fmt: skip


def test_it_loads_with_datasets_as_it_is(balanced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    export_dataset(balanced, tmp_path / "hub")
    found = datasets.load_dataset(str(tmp_path / "hub"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(part) for name, part in found.items()} == {"train": 3, "validation": 1, "test": 2}
    made = next(row for row in found["train"] if row["origin"] == "synthetic")
    assert (made["label"], made["seed"], made["model_sha256"], made["confidence"]) == ("basophil", 0, "ab12", 0.75)
    assert made["image"].size == (16, 16)
    assert found.class_encode_column("label")["test"].features["label"].names == ["basophil", "smudge cell"]


def test_a_folder_that_holds_something_is_not_written_into(balanced: Path, tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "mine.txt").touch()
    with pytest.raises(InputError, match="not empty"):
        export_dataset(balanced, tmp_path / "hub")
