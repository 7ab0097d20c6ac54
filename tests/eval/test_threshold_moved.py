"""Moving the threshold reads predictions alone, and says what the remedy of that name says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gansynth
import threshold_moved
from gansynth.errors import InputError


@pytest.fixture(scope="module")
def compared(phantom_folder: Path, module_on_one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("moved") / "compared"
    gansynth.compare(
        str(phantom_folder), ["none", "posthoc-logit-adjustment"], ["sequential-cnn"], out, seeds=1, size=32, epochs=1,
        jobs=1, robustness=True,
    )  # fmt: skip
    return out


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")][2:]


def test_it_says_what_the_remedy_says_and_shows_every_condition(compared: Path) -> None:
    rows = cells(threshold_moved.table(compared, "none", "sequential-cnn"))
    own = cells(threshold_moved.table(compared, "posthoc-logit-adjustment", "sequential-cnn"))
    # The remedy's predictions are moved already: its row "as trained" is the other's "threshold moved".
    assert rows[1][2:] == own[0][2:]
    conditions = json.loads((compared / "results.json").read_text())["conditions"]
    assert {row[0] for row in rows} == {"as they were", *conditions}
    held = json.loads((compared / "results.json").read_text())["arms"]
    none = next(one for one in held if one["arm"] == "none")
    assert rows[0][2].startswith(f"{none['metrics']['macro-F1']['value']:.3f}")


def test_an_arm_that_was_not_trained_is_refused(compared: Path) -> None:
    with pytest.raises(InputError, match="no finished training of oversample with sequential-cnn"):
        threshold_moved.table(compared, "oversample", "sequential-cnn")
