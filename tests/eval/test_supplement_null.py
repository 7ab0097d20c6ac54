"""The study of what `supplement` finds where there is nothing counts each answer once."""

from __future__ import annotations

import numpy as np
import pytest

from eval import supplement_null as study
from gansynth.data.phantom import phantom_dataset


def test_images_are_poured_in_or_stand_beside_real_ones() -> None:
    training = phantom_dataset(dict.fromkeys(study.CLASSES, 3), study.SIZE)
    made = np.zeros((5, 3, study.SIZE, study.SIZE), dtype=np.uint8)
    poured = study.with_images(training, made, None)
    assert poured.supplement is None and poured.counts()["promyelocyte"] == 8
    beside = study.with_images(training, made, study.BESIDE["beside real ones"])
    assert beside.supplement is not None and len(beside.rows) == 12
    assert beside.synthetic_counts() == dict.fromkeys(study.CLASSES[:3], 0) | {"promyelocyte": 5}


def test_a_repetition_answers_every_question_and_the_table_counts_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STEPS": 2, "SEEDS": 2, "COMMON": 4, "RARE": 3, "MADE": 4, "TESTED": 6, "POOL": 16}.items():
        monkeypatch.setattr(study, name, value)
    found = study.study(repetitions=1, jobs=1, seed=0)
    assert found.shape == (1, len(study.BESIDE), len(study.QUESTIONS), len(study.ENDPOINTS))
    found = np.zeros((200, *found.shape[1:]), dtype=bool)
    found[:12, 0, 0, 0], found[:150, 2, 2, 1] = True, True
    rows = study.markdown(found).splitlines()
    assert rows[4].startswith("| poured in | macro-F1 | 6.0% (") and rows[4].endswith(" | 0.0% (0.0-1.9) |")
    assert rows[-3].startswith("| with normalisations of their own | recall of the rare class | 0.0%")
    assert "| 75.0% (" in rows[-3]


def test_calling_more_cells_rare_raises_the_recall_and_not_what_does_not_depend_on_the_threshold() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(study.CLASSES)), 100)
    sure = rng.normal(size=(3, len(labels), len(study.CLASSES)))
    sure[:, np.arange(len(labels)), labels] += 1.5
    rather = sure.copy()
    rather[..., study.RARE_CLASS] += 1
    against, arm = (np.exp(side) / np.exp(side).sum(axis=2, keepdims=True) for side in (sure, rather))
    found = study.effects(labels, arm, against)
    assert study.better(found["recall of the rare class"])
    at_no_loss = found[study.AT_NO_LOSS]
    assert at_no_loss is not None and at_no_loss.value == pytest.approx(0)
    learned = against.copy()
    rows = labels == study.RARE_CLASS
    learned[:, rows, study.RARE_CLASS] += 5
    found = study.effects(labels, learned / learned.sum(axis=2, keepdims=True), against)
    assert all(study.better(found[name]) for name in study.ENDPOINTS)
