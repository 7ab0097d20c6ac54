"""The notebooks, executed on a few drawn cells: every cell works, and results show as tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"

LESS = {
    "generate-and-balance": """
begin_with, minutes = None, 0.01
changes = ("networks.generator=[8,8,8,8,8]", "networks.critic=[8,8,8,8]", "networks.classifier=[8,8,8,8]", "latent=8",
           "training.batch_size=8", "reports.watch_images=4", "reports.classifier_images=64",
           "reports.pretrained_judge=false")
""",
    "do-they-help": """
settings = {"size": 32, "epochs": 1, "seeds": 1, "jobs": 1, "changes": ["network.channels=[4, 4, 4, 4]"]}
""",
}
"""What replaces the parameters of a notebook, to have it done in seconds."""

SHOWN = {"generate-and-balance": ("image/png", "text/html"), "do-they-help": ("text/html", "image/svg+xml")}


def test_every_notebook_is_executed_and_kept_without_results() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(LESS)
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert all(not cell.get("outputs") for cell in cells), f"{path.name}: clear its outputs"


@pytest.mark.parametrize("name", LESS)
def test_a_notebook_works_and_shows_tables_and_figures(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANSYNTH_CACHE", str(tmp_path / "cache"))
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    parameters = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    parameters.source += LESS[name]
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs: list[Any] = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    kinds = {kind for one in outputs for kind in one.get("data", {})}
    assert set(SHOWN[name]) <= kinds
    assert "promyelocyte" in str(outputs)
