"""Weights & Biases and MLflow through Lightning Fabric's logger interface, without a network unless one is asked for.

Another tracker is a class of one's own with that interface (`lightning_fabric.loggers.Logger`), handed to `train_gan`.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from lightning_fabric.loggers import Logger

from gansynth.errors import InputError, nearest_name

PROJECT = "gansynth"


class WandbLogger(Logger):
    """Weights & Biases: a folder that `wandb sync` sends, or with ``WANDB_MODE=online`` the server itself.

    Parameters
    ----------
    folder : pathlib.Path
        The run; the tracker's files lie in its `wandb/`.

    Raises
    ------
    InputError
        If wandb is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run = _module("wandb", "wandb").init(
            project=PROJECT,
            name=folder.name,
            id=_id(folder),
            resume="allow",
            dir=str(folder),
            mode=os.environ.get("WANDB_MODE", "offline"),
        )

    @property
    def name(self) -> str:
        """The project."""
        return PROJECT

    @property
    def version(self) -> str:
        """The run's identifier there, which a training that is resumed has again."""
        return _id(self._folder)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record values at a step."""
        self._run.log(dict(metrics), step=step)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Record the recipe."""
        self._run.config.update(params, allow_val_change=True)

    def finalize(self, status: str) -> None:
        """End."""
        self._run.finish(exit_code=0 if status == "success" else 1)


class MlflowLogger(Logger):
    """MLflow: the server that ``MLFLOW_TRACKING_URI`` names, else files in the run's `mlruns/`.

    Parameters
    ----------
    folder : pathlib.Path

    Raises
    ------
    InputError
        If mlflow is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        place = os.environ.get("MLFLOW_TRACKING_URI") or (folder / "mlruns").absolute().as_uri()
        # Newer versions take files only if asked to: a database would need packages that nothing else here does.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        self._client = _module("mlflow", "mlflow").MlflowClient(tracking_uri=place)
        there = self._client.get_experiment_by_name(PROJECT)
        experiment = self._client.create_experiment(PROJECT) if there is None else there.experiment_id
        same = self._client.search_runs([experiment], f"tags.gansynth_id = '{_id(folder)}'", max_results=1)
        if same:
            self._run_id = same[0].info.run_id
            self._client.update_run(self._run_id, status="RUNNING")
        else:
            tags = {"gansynth_id": _id(folder)}
            self._run_id = self._client.create_run(experiment, tags=tags, run_name=folder.name).info.run_id

    @property
    def name(self) -> str:
        """The experiment."""
        return PROJECT

    @property
    def version(self) -> str:
        """The run's identifier there."""
        return str(self._run_id)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record values at a step."""
        for name, value in metrics.items():
            self._client.log_metric(self._run_id, name, value, step=step)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Record the recipe: sections with their values, as MLflow's flat names."""
        for name, value in _flat(params if isinstance(params, dict) else vars(params)).items():
            self._client.log_param(self._run_id, name, value)

    def finalize(self, status: str) -> None:
        """End."""
        self._client.set_terminated(self._run_id, "FINISHED" if status == "success" else "FAILED")


LOGGERS: dict[str, Callable[[Path], Logger]] = {"mlflow": MlflowLogger, "wandb": WandbLogger}
"""Trackers by the name that `--logger` takes; each is given the run's folder."""


def refuse_loggers(asked: Sequence[str | Logger]) -> None:
    """Refuse loggers that could not be opened, before there is a folder for them.

    Raises
    ------
    InputError
        For an unknown name, or a package that is not installed.
    """
    for one in asked:
        if isinstance(one, str) and one not in LOGGERS:
            near = nearest_name(one, list(LOGGERS))
            hint = f"did you mean '{near}'?" if near else f"there are {', '.join(LOGGERS)}"
            raise InputError(f"--logger {one}: not a logger; {hint}")
        if isinstance(one, str) and LOGGERS[one] in (MlflowLogger, WandbLogger):
            _module(one, one)


def open_loggers(asked: Sequence[str | Logger], folder: Path) -> list[Logger]:
    """Return the loggers asked for, by name or as they are.

    Raises
    ------
    InputError
        As `refuse_loggers`.
    """
    refuse_loggers(asked)
    return [LOGGERS[one](folder) if isinstance(one, str) else one for one in asked]


def _module(name: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"--logger {name}: {name} is not installed; run `pip install 'gansynth[{extra}]'`") from None


def _id(folder: Path) -> str:
    return hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found
