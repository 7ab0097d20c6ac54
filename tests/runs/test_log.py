"""Claims about the log of a training, as it is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from gansynth.runs.journal import Journal
from gansynth.runs.log import LOG, LoggedStep, read_log
from gansynth.runs.progress import Progress


def test_what_was_logged_is_read_back_and_nothing_else(tmp_path: Path) -> None:
    watch = {"basophil": {"recall": 0.5, "diversity": None, "real_recall": 1.0}}
    with Journal(tmp_path, 0, terminal=False, enabled=True) as journal:
        journal.log(Progress(2, 16, 1.25), {"critic/penalty": 0.5}, 0.5)
        journal.watch(Progress(2, 16, 1.25), watch, [], Image.fromarray(np.zeros((4, 4, 3), np.uint8)))
        journal.note(2, "something to know")
        journal.watch(Progress(3, 24, 2.0), watch, [], Image.fromarray(np.zeros((4, 4, 3), np.uint8)))
        journal.log(Progress(4, 32, 2.5), {"critic/penalty": 0.25}, 1.0)
    with (tmp_path / LOG).open("a", encoding="utf-8") as file:
        file.write('{"step": 5, "ima')
    assert read_log(tmp_path) == [
        LoggedStep(2, 16, 1.25, {"critic/penalty": 0.5}, watch),
        LoggedStep(4, 32, 2.5, {"critic/penalty": 0.25}),
    ]
    assert read_log(tmp_path / "nowhere") == []
