"""What a comparison says of superclasses follows from its predictions, by scikit-learn too, and trains nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score, roc_auc_score

from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.studies.comparison.figures import Pooled
from gansynth.studies.comparison.levels import chosen_tree, lifted
from gansynth.studies.comparison.result import Comparison, Superclasses
from gansynth.studies.comparison.study import compare

pytestmark = pytest.mark.usefixtures("one_thread")

COUNTS = {"basophil": 16, "eosinophil": 40, "lymphocyte": 24, "platelet": 12}
GRANULOCYTES = ("basophil", "eosinophil")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cells") / "cells"
    write_phantom(folder, COUNTS, size=16)
    return str(folder)


def quickly(data: str, out: Path, **more: Any) -> Comparison:
    options = {"seeds": 2, "folds": 2, "size": 16, "jobs": 1, "device": "cpu", "progress": False, **more}
    changes = ["classical.components=6"]
    return compare(data, ["none", "oversample"], ["naive-bayes"], out, changes=changes, **options)


@pytest.fixture(scope="module")
def finished(cells: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Comparison]:
    out = tmp_path_factory.mktemp("comparison") / "out"
    return out, quickly(cells, out)


def above(found: Comparison) -> Superclasses:
    assert found.superclasses is not None
    return found.superclasses


def test_figures_of_superclasses_are_scikit_learns_on_summed_probabilities(finished: tuple[Path, Comparison]) -> None:
    out, found = finished
    told = above(found)
    assert told.tree["granulocyte"] == GRANULOCYTES
    names = told.class_names
    assert names == ("granulocyte", "agranulocyte", "platelet")
    parent = dict.fromkeys(GRANULOCYTES, 0) | {"lymphocyte": 1, "platelet": 2}
    entry = told.arms[0]
    of: dict[str, list[float]] = {"macro-F1": [], "kappa": [], "ROC-AUC": []}
    tables = []
    for seed in (0, 1):
        files = [out / f"arms/fold{fold}/none/naive-bayes/seed{seed}/predictions.csv" for fold in (0, 1)]
        rows = pd.concat([pd.read_csv(file) for file in files])
        truth = rows["class"].map(parent).to_numpy()
        sums = np.stack([rows[["p_basophil", "p_eosinophil"]].sum(axis=1), rows["p_lymphocyte"], rows["p_platelet"]], 1)
        said = sums.argmax(axis=1)
        of["macro-F1"].append(f1_score(truth, said, average="macro"))
        of["kappa"].append(cohen_kappa_score(truth, said))
        of["ROC-AUC"].append(np.mean([roc_auc_score(truth == k, sums[:, k]) for k in range(3)]))
        tables.append(confusion_matrix(truth, said))
    for metric, values in of.items():
        one = entry.metrics[metric]
        assert one.value == pytest.approx(np.mean(values), abs=1e-9), metric
        assert one.value is not None and one.interval is not None and one.interval[0] <= one.value <= one.interval[1]
    np.testing.assert_allclose(entry.confusion, np.mean(tables, axis=0), atol=1e-4)
    assert told.about.test_counts == {names[0]: 56, names[1]: 24, names[2]: 12}


def test_superclasses_are_in_results_json_with_an_effect_of_the_primary_endpoint(
    finished: tuple[Path, Comparison],
) -> None:
    out, found = finished
    held = json.loads((out / "results.json").read_text())["superclasses"]
    assert held == json.loads(json.dumps(above(found).to_json()))
    assert [(e["arm"], e["against"], e["metric"], e["class"]) for e in held["effects"]] == [
        ("oversample", "none", "macro-F1", None)
    ]
    assert held["effects"][0]["n"] == sum(COUNTS.values())


def test_a_finished_comparison_takes_another_tree_without_training(
    finished: tuple[Path, Comparison], cells: str, tmp_path: Path
) -> None:
    out, found = finished
    file = tmp_path / "tree.yaml"
    file.write_text("fragment: [platelet]\nwhite: [basophil, eosinophil, lymphocyte]\n")
    notes = {p: p.stat().st_mtime_ns for p in out.rglob("arm.json")}
    again = quickly(cells, out, resume=True, tree=file)
    assert above(again).tree == {"white": ("basophil", "eosinophil", "lymphocyte"), "fragment": ("platelet",)}
    assert {p: p.stat().st_mtime_ns for p in out.rglob("arm.json")} == notes
    assert again.arms == found.arms
    # Continued without naming it, a comparison keeps its tree.
    assert above(quickly(cells, out, resume=True)).tree == above(again).tree


def test_the_sum_decides_not_the_most_probable_class() -> None:
    tree = chosen_tree({"a": ["a1", "a2"]}, None, ["a1", "a2", "b"])
    assert tree is not None
    p = np.array([[[0.3, 0.3, 0.4]]])
    arm = Pooled(("x",), np.array([0]), np.array([0]), np.array([0]), p.argmax(2), p)
    assert arm.predicted.tolist() == [[2]]
    assert lifted(arm, tree).predicted.tolist() == [[0]] and lifted(arm, tree).labels.tolist() == [0]


def test_a_tree_of_other_classes_is_refused_before_anything_is_trained(cells: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no class"):
        quickly(cells, tmp_path / "out", tree={"white": ["monocyte", "basophil"]})
    assert not (tmp_path / "out/arms").exists()
    assert chosen_tree(None, None, ["cat", "dog"]) is None
