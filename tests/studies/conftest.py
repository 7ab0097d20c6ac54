"""A small encoder for small phantom cells: trained in seconds, good enough to be a fixed point."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def _one_thread(module_on_one_thread: None) -> None:
    """All tests of this room."""


@pytest.fixture(scope="session")
def encoder_folder(phantom_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of the classes of `phantom_folder`. Do not change it."""
    from gansynth.classifiers import train_cell_encoder
    from gansynth.data import open_dataset

    folder, threads = tmp_path_factory.mktemp("encoder") / "tiny", torch.get_num_threads()
    torch.set_num_threads(1)
    train_cell_encoder(open_dataset(phantom_folder, 32).part("train"), images=640, width=4).save(folder)
    torch.set_num_threads(threads)
    return folder


@pytest.fixture(scope="session")
def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other phantom cells of the same classes, in the part of synthetic ones. Do not change it."""
    from gansynth.data.phantom import write_phantom

    folder = tmp_path_factory.mktemp("made") / "cells"
    write_phantom(folder, {"basophil": 6, "eosinophil": 14, "lymphocyte": 12}, size=32, seed=7)
    return folder
