"""What several rooms test with: phantom cells on disk, and a run that was really trained, if only for two steps."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gansynth.data.phantom.dataset import _draw_image

settings.register_profile("untimed", deadline=None)  # a busy machine is not the fault of what is tested
settings.load_profile("untimed")

gc.disable()  # until everything is imported and collected: almost nothing of it is garbage
if "PYTEST_XDIST_WORKER" in os.environ:  # several test processes, one for each core
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # and so do the commands that they start
    threadpool_limits(1, user_api="blas")  # numpy has read the environment already, and its threads wait by turning


@lru_cache
def _entry_points(path: tuple[str, ...], **chosen: str) -> importlib.metadata.EntryPoints:
    return _READ(**chosen)


# Lightning Fabric asks in every training which callbacks other packages have, and all packages are read: 20 ms.
_READ = importlib.metadata.entry_points
importlib.metadata.entry_points = lambda **chosen: _entry_points(tuple(sys.path), **chosen)

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


def pytest_collection_finish() -> None:
    """From here on look for garbage among what the tests make, not among all modules again and again."""
    gc.freeze()
    gc.enable()


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


_CUTS: dict[tuple[Any, ...], Any] = {}
_JUDGES: dict[tuple[Any, ...], Any] = {}
_NETWORKS: dict[Path, torch.nn.Module] = {}
_ROWS: dict[tuple[Any, ...], Any] = {}


@pytest.fixture(scope="module", autouse=True)
def _nothing_waits_for_the_disk(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave it to the system when a file reaches the disk: that takes 10 ms each time, and only tests of files and of
    full disks ask for it."""
    with pytest.MonkeyPatch.context() as patch:
        if "files" not in request.path.parts and request.path.stem not in ("test_full_disk", "test_small_disk"):
            patch.setattr(os, "fsync", lambda file: None)
        yield


@lru_cache(maxsize=10_000)
def _drawn(name: str, seed: int, i: int, size: int) -> NDArray[np.uint8]:
    pixels = _draw_image(name, seed, i, size)
    pixels.flags.writeable = False
    return pixels


@pytest.fixture(scope="module", autouse=True)
def _each_phantom_drawn_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Draw a phantom cell once in a process: many tests begin with the same few. The phantom's own tests draw anew."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_phantom.py":
            patch.setattr("gansynth.data.phantom.dataset._draw_image", _drawn)
        yield


@pytest.fixture(scope="module")
def each_cell_cut_once() -> Iterator[None]:
    """Cut the cell out of a picture once in a process, where many tests look at the same few pictures."""
    from gansynth.cells.segmentation import CellMasks, segment_cell

    def kept(image: NDArray[np.uint8]) -> CellMasks:
        key = (image.shape, image.tobytes())
        if key not in _CUTS:
            _CUTS[key] = segment_cell(image)
        cut = _CUTS[key]
        return CellMasks(cut.nucleus.copy(), cut.cell.copy(), cut.red.copy(), cut.problem)

    with pytest.MonkeyPatch.context() as patch:
        for place in ("report.review.page", "studies.quality.white_cells", "synthesis.naturalize.parts"):
            patch.setattr(f"gansynth.{place}.segment_cell", kept)
        yield


@pytest.fixture(scope="module")
def each_picture_seen_once() -> Iterator[None]:
    """Let a pretrained judge look at a picture once in a process: a row of features depends on its picture only."""
    from gansynth.metrics.extractors import LiteFeatures

    look = LiteFeatures.__call__

    def kept(self: LiteFeatures, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        keys = [(self.sha256, self._bfloat16, image.shape, image.tobytes()) for image in images]
        new = {key: i for i, key in enumerate(keys) if key not in _ROWS}
        if new or not keys:
            rows = look(self, images[list(new.values())])["features"]
            _ROWS.update(zip(new, rows, strict=True))
        return {"features": np.stack([_ROWS[key] for key in keys])} if keys else {"features": rows}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LiteFeatures, "__call__", kept)
        yield


@pytest.fixture(scope="module", autouse=True)
def _each_judge_trained_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Train the independent classifier of a run once in a process for the same images, seed and budget, with a quarter
    of its channels: most tiny trainings begin with the same. Its own tests, and every process that a test starts, train
    it anew."""
    from gansynth.gans.independent_classifier import IndependentClassifier, train_independent_classifier

    def kept(train: Any, *, on_step: Callable[[int, int], None] | None = None, **how: Any) -> IndependentClassifier:
        pixels = np.asarray(train.images)
        key = (pixels.shape, pixels.tobytes(), train.labels.tobytes(), train.class_names, torch.get_num_threads())
        key += tuple(sorted((name, str(value)) for name, value in how.items()))
        if key not in _JUDGES:
            steps: list[tuple[int, int]] = []

            def step(*at: int) -> None:
                steps.append((at[0], at[1]))
                if on_step is not None:
                    on_step(*at)

            _JUDGES[key] = train_independent_classifier(train, width=8, on_step=step, **how), steps
        elif on_step is not None:
            for at in _JUDGES[key][1]:
                on_step(*at)
        judge = _JUDGES[key][0]
        return IndependentClassifier(deepcopy(judge.network), judge.device)

    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_independent_classifier.py":
            patch.setattr("gansynth.gans.engine.showing.train_independent_classifier", kept)
        yield


@pytest.fixture(scope="module", autouse=True)
def _each_file_of_weights_read_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Build and read a pretrained EfficientNet-Lite once in a process, and copy it. Its own tests read it anew."""
    from gansynth.networks import efficientnet_lite

    def kept(version: int) -> torch.nn.Module:
        path = efficientnet_lite.weight_file(version)
        if path not in _NETWORKS:
            with torch.random.fork_rng():  # one that is copied draws no weights to begin with
                _NETWORKS[path] = read(version)
        return deepcopy(_NETWORKS[path])

    read = efficientnet_lite.pretrained_efficientnet_lite
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_efficientnet_lite.py":
            for place in ("networks.efficientnet_lite", "classifiers.backbones", "classifiers.published_files"):
                patch.setattr(f"gansynth.{place}.pretrained_efficientnet_lite", kept)
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests' packs out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSYNTH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _as_installed() -> Iterator[None]:
    """Hide torchmetrics from processes that tests start: gansynth does not install it, and where it lies Lightning
    Fabric imports all of it, scipy.signal and matplotlib with it, to ask for its version."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).with_name("hidden")), prepend=os.pathsep)
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
    # What registers itself when it is imported, now: from sys.modules it would not do so again after the test.
    import gansynth.classifiers.classical
    import gansynth.classifiers.neural
    import gansynth.gans.methods
    import gansynth.remedies  # noqa: F401
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
