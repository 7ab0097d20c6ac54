"""What several rooms test with: phantom cells on disk, and a run that was really trained, if only for two steps."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

if "PYTEST_XDIST_WORKER" in os.environ:  # several test processes, one for each core
    torch.set_num_threads(1)

TINY = (
    "resolution=32",
    "latent=16",
    "networks.width=4",
    "training.batch_size=8",
    "training.critic_steps=1",
    "reports.watch_images=4",
    "reports.pretrained_judge=false",
)
"""Changes that make the recipe c-wgan-gp train within a second."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes test, begin with the files whose tests are slow: else one is left alone with them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch use one thread: on tiny networks more of them only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def module_on_one_thread() -> Iterator[None]:
    """The same for a module: sums round differently on several threads, and what its fixtures computed is compared
    with what its tests do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests' packs out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSYNTH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def phantom_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of phantom cells, 32 px, with splits.csv. Do not change it."""
    from gansynth.data import open_dataset, split_dataset, write_splits
    from gansynth.data.phantom import write_phantom

    folder = tmp_path_factory.mktemp("phantom") / "cells"
    write_phantom(folder, {"basophil": 10, "eosinophil": 40, "lymphocyte": 24}, size=32)
    write_splits(split_dataset(open_dataset(folder, 32)), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_run_folder(phantom_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained for two steps on `phantom_folder`. Do not change it."""
    from gansynth.data import open_dataset
    from gansynth.gans import train_gan
    from gansynth.recipes import load_recipe

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(1)
    recipe = load_recipe("c-wgan-gp", [*TINY, "reports.classifier_images=960"])
    train_gan(open_dataset(phantom_folder, 32), recipe, folder, steps=2, device="cpu", progress=False)
    torch.set_num_threads(threads)
    torch.random.set_rng_state(state)
    return folder


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a package of somebody else's for one test: its files, and the entry points that name them.

    ``install({"darkness.py": SOURCE}, {"gansynth.metrics": {"darkness": "darkness"}})``
    """
    from gansynth.classifiers.registry import MAKERS
    from gansynth.gans.gan import _REGISTRY
    from gansynth.metrics.catalogue import METRICS
    from gansynth.plugins import load_plugins, plugins
    from gansynth.recipes.classifier import KINDS
    from gansynth.recipes.declared import DECLARED
    from gansynth.remedies.remedy import REGISTRY

    site = tmp_path / "site-packages"
    known, registries = set(sys.modules), (MAKERS, _REGISTRY, METRICS, KINDS, DECLARED, REGISTRY)
    held: list[dict[Any, Any]] = [dict(one) for one in registries]

    def put(files: dict[str, str], points: dict[str, dict[str, str]]) -> None:
        info = site / "outside-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
        lines = [f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in of.items()) for group, of in points.items()]
        (info / "entry_points.txt").write_text("\n\n".join(lines) + "\n")
        for name, text in files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        plugins.cache_clear()
        for group in points:
            if group != "gansynth.recipes":
                load_plugins(group)

    yield put
    plugins.cache_clear()
    for registry, before in zip(registries, held, strict=True):
        registry.clear()
        registry.update(before)
    for name, module in list(sys.modules.items()):
        if name not in known and str(getattr(module, "__file__", None) or "").startswith(str(site)):
            del sys.modules[name]
