"""Claims about trackers beside TensorBoard: they get what log.jsonl gets, offline, and in one run when resumed."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lightning_fabric.loggers import Logger

from gansynth.errors import InputError
from gansynth.runs.loggers import open_loggers

TINY = (
    *("networks.generator=[8,8,8,8,8]", "networks.critic=[8,8,8,8]", "networks.classifier=[8,8,8,8]", "latent=8"),
    *("training.batch_size=4", "reports.watch_images=4", "reports.classifier_images=64", "reports.log_every=1"),
    *("reports.sheet_every=2", "reports.pretrained_judge=false"),
)


class Kept(Logger):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.metrics: list[tuple[int | None, dict[str, float]]] = []
        self.params: dict[str, Any] = {}
        self.end = ""

    @property
    def name(self) -> str:
        return "kept"

    @property
    def version(self) -> int:
        return 0

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.metrics.append((step, dict(metrics)))

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        assert isinstance(params, dict)
        self.params |= params

    def finalize(self, status: str) -> None:
        self.end = status


@pytest.mark.slow
def test_a_logger_of_ones_own_gets_recipe_losses_and_class_watch(tmp_path: Path) -> None:
    from gansynth.data import split_dataset
    from gansynth.data.phantom import phantom_dataset
    from gansynth.gans import train_gan
    from gansynth.recipes import load_recipe

    cells = split_dataset(phantom_dataset({"basophil": 10, "neutrophil": 12}, size=64))
    mine = Kept()
    train_gan(cells, load_recipe("c-wgan-gp-64", TINY), tmp_path / "run", steps=2, progress=False, loggers=[mine])
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [(one["step"], {k: v for k, v in one.items() if "/" in k}) for one in lines if "seconds" in one]
    assert [one for one in mine.metrics if not any(name.startswith("watch_") for name in one[1])] == losses
    watched = {name for _, values in mine.metrics for name in values if name.startswith("watch_recall/")}
    assert watched == {"watch_recall/basophil", "watch_recall/neutrophil"}
    assert mine.params["name"] == "c-wgan-gp-64" and mine.params["seed"] == 0 and mine.end == "success"


def test_an_unknown_logger_and_one_that_is_not_installed_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="--logger wandbb: not a logger; did you mean 'wandb'"):
        open_loggers(["wandbb"], tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r"wandb is not installed; run `pip install 'gansynth\[wandb\]'`"):
        open_loggers(["wandb"], tmp_path)


def test_a_logger_that_is_not_installed_is_refused_before_there_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gansynth.data import split_dataset
    from gansynth.data.phantom import phantom_dataset
    from gansynth.gans import train_gan

    monkeypatch.setitem(sys.modules, "wandb", None)
    cells = split_dataset(phantom_dataset({"basophil": 6, "neutrophil": 6}, size=64))
    with pytest.raises(InputError, match="wandb is not installed"):
        train_gan(cells, "c-wgan-gp-64", tmp_path / "run", steps=1, progress=False, loggers=["wandb"])
    assert not (tmp_path / "run").exists()


def test_mlflow_keeps_one_run_for_a_training_and_its_resumption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for step in (1, 2):
        (logger,) = open_loggers(["mlflow"], tmp_path / "run")
        logger.log_hyperparams({"name": "mine", "training": {"batch_size": 4}})
        logger.log_metrics({"critic/penalty": 0.5 * step, "watch_recall/smudge cell": 0.25}, step)
        logger.finalize("success")
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "run" / "mlruns").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("gansynth").experiment_id])
    assert (
        run.data.params
        == {
            "name": "mine",
            "training.batch_size": "4",
        }
        and run.info.status == "FINISHED"
    )
    history = client.get_metric_history(run.info.run_id, "critic/penalty")
    assert [(one.step, one.value) for one in history] == [(1, 0.5), (2, 1.0)]


def test_weights_and_biases_writes_a_folder_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    (tmp_path / "run").mkdir()
    (logger,) = open_loggers(["wandb"], tmp_path / "run")
    logger.log_hyperparams({"name": "mine"})
    logger.log_metrics({"critic/penalty": 0.5}, 1)
    logger.finalize("success")
    (kept,) = (tmp_path / "run" / "wandb").glob("offline-run-*")
    assert kept.name.endswith(str(logger.version)) and list(kept.glob("*.wandb"))
