"""The curve over rarity says what the sweep's comparisons say, and holds synthetic images against what needs none."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import rarity_curve
from gansynth.cells.spoiling import restained
from gansynth.data import open_dataset, split_dataset, write_splits
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.sweep.result import ImbalanceSweep
from gansynth.studies.sweep.study import sweep_imbalance

pytestmark = pytest.mark.usefixtures("one_thread")

COUNTS = {"basophil": 24, "eosinophil": 40, "lymphocyte": 30}
RARE, CLASSIFIER = "basophil", "logistic-regression"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rarity")
    write_phantom(folder / "cells", COUNTS, size=16, seed=3)
    write_phantom(folder / "more", {RARE: 12}, size=16, seed=4)
    return folder


@pytest.fixture(scope="module")
def swept(place: Path) -> Path:
    few, out = place / "few", place / "swept"
    rarity_curve.few_cells(str(place / "cells"), RARE, 24, few)
    sweep_imbalance(
        few, ["none", "posthoc-logit-adjustment", str(place / "more")], [CLASSIFIER], out,
        ratios=[2, 8], minority=[RARE], seeds=2, folds=2, size=16, jobs=1, progress=False,
    )  # fmt: skip
    return out


def test_a_laboratory_elsewhere_has_the_same_cells_and_split_in_another_stain(place: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has images without a split"):
        rarity_curve.elsewhere(str(place / "more"), 16, tmp_path / "elsewhere")
    cells = tmp_path / "cells"
    write_phantom(cells, COUNTS, size=32, seed=3)
    write_splits(split_dataset(open_dataset(cells, 32)), cells)
    rarity_curve.elsewhere(str(cells), 32, tmp_path / "elsewhere")
    here, there = open_dataset(cells, 32), open_dataset(tmp_path / "elsewhere", 32)
    assert list(there.records["split"]) == list(here.records["split"])
    np.testing.assert_array_equal(there.images, restained(here.images))


def test_few_training_images_are_kept_with_their_split_and_every_test_image(place: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no split"):
        rarity_curve.thinned(str(place / "more"), RARE, 3, 10, 1, tmp_path / "few")
    cells = tmp_path / "cells"
    write_phantom(cells, COUNTS, size=32, seed=3)
    whole = split_dataset(open_dataset(cells, 32))
    write_splits(whole, cells)
    rarity_curve.thinned(str(cells), RARE, 3, 10, 1, tmp_path / "few")
    few = open_dataset(tmp_path / "few", 32)
    assert few.part("train").counts() == {"basophil": 3, "eosinophil": 10, "lymphocyte": 10}
    assert few.part("val").counts()["basophil"] == 1
    assert list(few.part("test").records["sha256"]) == list(whole.part("test").records["sha256"])
    rarity_curve.thinned(str(cells), RARE, 2, 10, 1, tmp_path / "fewer")
    kept = [set(open_dataset(tmp_path / name, 32).part("train").records["sha256"]) for name in ("fewer", "few")]
    assert kept[0] < kept[1], "the fewer are among the many"


def columns(text: str, title: str) -> dict[str, list[str]]:
    table = text.split(f"**{title}**\n\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_all_of_the_rare_class_and_some_of_each_other_are_kept(place: Path, tmp_path: Path) -> None:
    said = rarity_curve.few_cells(str(place / "cells"), RARE, 10, tmp_path / "few")
    there = Counter(path.parent.name for path in (tmp_path / "few").glob("*/*"))
    assert there == {"basophil": 24, "eosinophil": 10, "lymphocyte": 10} and "eosinophil 10" in said
    rarity_curve.few_cells(str(place / "cells"), RARE, 5, tmp_path / "fewer")
    names = [{path.name for path in (tmp_path / name / "eosinophil").iterdir()} for name in ("fewer", "few")]
    assert names[0] < names[1], "the fewer are among the many"
    with pytest.raises(InputError, match="is there already"):
        rarity_curve.few_cells(str(place / "cells"), RARE, 10, tmp_path / "few")
    with pytest.raises(InputError, match=re.escape("--rare: no class 'blast'; there are basophil")):
        rarity_curve.few_cells(str(place / "cells"), "blast", 10, tmp_path / "another")


def test_the_tables_hold_what_the_comparisons_hold(place: Path, swept: Path, tmp_path: Path) -> None:
    text = rarity_curve.study(swept, ["posthoc-logit-adjustment"], tmp_path)
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == text
    steps = ImbalanceSweep.read(swept).about.steps
    counts = [step.counts[RARE] for step in steps]
    assert f"| {RARE}s to learn from | {counts[0]} | {counts[1]} |" in text
    recall = columns(text, Endpoint("recall", RARE).title)
    assert list(recall) == ["none", "posthoc-logit-adjustment", str(place / "more")]
    for i, step in enumerate(steps):
        found = Comparison.read(swept / step.folder)
        for arm, cells in recall.items():
            entry = found.entry(arm, CLASSIFIER)
            assert entry is not None and cells[i].strip("*").startswith(f"{entry.of('recall', RARE).value:.2f} (")
            effect = found.effect(arm, CLASSIFIER, Endpoint("recall", RARE))
            assert not cells[i].startswith("**") or (effect is not None and effect.p is not None and effect.p < 0.05)
    assert {path.name for path in tmp_path.glob("*.svg")} == {"macro-F1.svg", "recall.svg"}


def test_only_arms_with_synthetic_images_are_held_against_others(place: Path, swept: Path, tmp_path: Path) -> None:
    more = str(place / "more")
    text = rarity_curve.study(swept, ["none", "posthoc-logit-adjustment"], tmp_path)
    rows = columns(text, f"{Endpoint('macro-F1').title}, difference")
    assert list(rows) == [f"{more}` minus `none", f"{more}` minus `posthoc-logit-adjustment"]
    kept = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    mine = [one for one in kept["differences"] if one["against"] == "none" and one["endpoint"] == "macro-F1"]
    for i, one in enumerate(mine):
        found = Comparison.read(swept / kept["about"]["steps"][i]["folder"])
        effect = found.effect(more, CLASSIFIER, Endpoint("macro-F1"))
        assert effect is not None and (one["value"], one["p"]) == (pytest.approx(effect.value), pytest.approx(effect.p))
        assert one["p_holm"] >= one["p"]
    with pytest.raises(InputError, match="--against smote: no such arm; there are none, posthoc"):
        rarity_curve.study(swept, ["smote"], tmp_path)
