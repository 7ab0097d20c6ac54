"""A data set as Hugging Face's `datasets` loads it: a folder for each split, metadata.csv, and a card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from gansynth.data.dataset import CellDataset
from gansynth.data.leaving_out import refuse_out
from gansynth.data.opening import METADATA_FILE, open_dataset
from gansynth.files.atomic import copy_file, whole_folder, write_text

SPLITS = {"train": "train", "val": "validation", "test": "test", "": "train"}
"""How the hub calls our splits; images without one are to be learned from."""

_NUMBERS = ("seed", "confidence", "nearest_training_distance")
_TEXTS = ("model_sha256",)
_EDGE = 32
"""Only labels and records are wanted of the images, which are copied as they are."""


@dataclass(frozen=True)
class HubDataset:
    """What was written.

    Attributes
    ----------
    path : pathlib.Path
    counts : dict of str to int
        Images in each split.
    """

    path: Path
    counts: dict[str, int]


def export_dataset(data: str | Path, out: Path) -> HubDataset:
    """Write a data set so that ``datasets.load_dataset(out)`` reads it.

    Each split is a folder of the files as they are, with ``metadata.csv`` (``file_name``, ``label``, ``origin``, and,
    where images are synthetic, ``seed``, ``model_sha256``, ``confidence``, ``nearest_training_distance``); `README.md`
    is the card, whose YAML says where the splits are.

    Parameters
    ----------
    data : path-like
        A folder with a folder of images per class, such as `generate` and `balance` write.
    out : pathlib.Path
        A new or empty folder.

    Raises
    ------
    InputError
        If `data` is not a data set, or `out` holds anything or lies in it.
    """
    refuse_out(data, out)
    cells = open_dataset(data, _EDGE, progress=True)
    table = metadata(cells)
    counts = {str(name): int(n) for name, n in table["split"].value_counts(sort=False).items()}
    with whole_folder(out) as folder:
        for split, rows in table.groupby("split", sort=False):
            for path in rows["file_name"]:
                copy_file(Path(data) / path, folder / str(split) / path)
            # Not for spreadsheets: a mark before a name such as `=a.png` would name another file.
            write_text(folder / str(split) / METADATA_FILE, rows.drop(columns="split").to_csv(index=False))
        write_text(folder / "README.md", card(Path(data).name, cells, counts))
    return HubDataset(out, counts)


def metadata(cells: CellDataset) -> pd.DataFrame:
    """Return what is said of each image, and its split.

    `datasets` reads each split by itself and wants the same types in all: a column of numbers is written with a decimal
    point where a split may lack them, and a text that an image lacks is "none".
    """
    records = cells.records
    table = pd.DataFrame(
        {
            "split": [SPLITS[split] for split in records["split"]],
            "file_name": records["path"],
            "label": [cells.class_names[label] for label in cells.labels],
            "origin": records["origin"],
        }
    )
    for name in (*_NUMBERS, *_TEXTS):
        if name in records and (records[name] != "").any():
            found = records[name]
            table[name] = pd.to_numeric(found, errors="coerce").astype(float) if name in _NUMBERS else found
    return table.assign(**{name: table[name].replace("", "none") for name in _TEXTS if name in table})


def card(name: str, cells: CellDataset, counts: dict[str, int]) -> str:
    """Return the card of a data set: YAML for the hub, and what a reader asks first."""
    synthetic = int((cells.records["origin"] == "synthetic").sum())
    about = {
        "pretty_name": name,
        "license": "unknown",
        "task_categories": ["image-classification"],
        "size_categories": [_size(len(cells))],
        "tags": ["biology", "medical", *(["synthetic"] if synthetic else [])],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"{split}/**"} for split in counts],
            }
        ],
    }
    rows = [f"| {label} | {n:,} |" for label, n in cells.counts().items()]
    lines = [
        f"# {name}",
        "",
        f"{len(cells):,} single-cell images in {len(cells.class_names)} classes; {synthetic:,} of them are synthetic, "
        "made by a generator of gansynth: pictures, not photographs of cells "
        "(`origin` says which).",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        'cells = load_dataset("PATH/OR/NAME").class_encode_column("label")',
        "```",
        "",
        "| class | images |",
        "|---|---|",
        *rows,
        "",
        "To be filled in by whoever publishes it: the licence of the real cells, from whom they are, and what may be "
        "done with them.",
    ]
    return f"---\n{yaml.safe_dump(about, sort_keys=False, allow_unicode=True)}---\n" + "\n".join(lines) + "\n"


def _size(n: int) -> str:
    """Return the hub's word for a number of images."""
    for most, word in ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")):
        if n < most:
            return word
    return "1M<n<10M"
