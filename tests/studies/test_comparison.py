"""Claims about `compare`: the same conditions in every arm, no leak, nothing done twice, tables that hold together."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from gansynth.cells.spoiling import SPOILINGS
from gansynth.classifiers import training
from gansynth.data import open_dataset
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.gans import Run
from gansynth.metrics.estimate import Estimate
from gansynth.recipes import load_recipe
from gansynth.studies.comparison import grid as comparison_grid
from gansynth.studies.comparison.entries import ArmResult, Endpoint, Recognition
from gansynth.studies.comparison.recognition import unrecognised
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.study import compare

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = 16
COUNTS = {"basophil": 14, "eosinophil": 40, "lymphocyte": 24}
CLASSES = list(COUNTS)
QUICK = ["classical.components=6", "classical.trees=5"]
GAN = [
    "resolution=16", "latent=8", "networks.generator=[8,8,8]", "networks.critic=[8,8]", "networks.classifier=[8,8]",
    "networks.style=8", "training.batch_size=8", "reports.watch_images=4", "reports.sheet_every=2",
    "reports.classifier_images=64", "reports.pretrained_judge=false",
]  # fmt: skip


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Phantom cells of three classes, without a split. Do not change them."""
    folder = tmp_path_factory.mktemp("cells") / "cells"
    write_phantom(folder, COUNTS, size=SIZE)
    return str(folder)


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A recipe that trains in a moment."""
    file = tmp_path_factory.mktemp("recipes") / "tiny.yaml"
    recipe = load_recipe("c-wgan-gp-64", GAN)
    file.write_text(yaml.safe_dump(recipe.model_dump(mode="json") | {"name": "tiny"}))
    return str(file)


def quickly(data: str, remedies: list[str], classifiers: list[str], out: Path, **more: Any) -> Comparison:
    options: dict[str, Any] = {"seeds": 2, "size": SIZE, "jobs": 1, "device": "cpu", "progress": False}
    needed = [change for change in QUICK if "random-forest" in classifiers or "trees" not in change]
    return compare(data, remedies, classifiers, out, **{**options, "changes": needed, **more})


@pytest.fixture(scope="module")
def finished(cells: str, gan: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Comparison]:
    """Two folds of: nothing, over-sampling and a GAN at two doses, with and without swapping."""
    out = tmp_path_factory.mktemp("comparison") / "out"
    found = quickly(
        cells, ["none", "oversample", gan], ["random-forest", "naive-bayes"], out,
        folds=2, doses=[0.5, 1], swap=True, gan_images=16, rare=["basophil"],
    )  # fmt: skip
    return out, found


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """Every training that is begun, as (classifier, seed)."""
    begun: list[tuple[str, int]] = []
    real = training.train_classifier

    def counting(treatment: Any, recipe: Any, *args: Any, **more: Any) -> Any:
        begun.append((recipe.name, more["seed"]))
        return real(treatment, recipe, *args, **more)

    monkeypatch.setattr(training, "train_classifier", counting)
    yield begun


def predictions(out: Path, arm: str, classifier: str = "naive-bayes", fold: int = 0, seed: int = 0) -> pd.DataFrame:
    return pd.read_csv(out / f"arms/fold{fold}/{arm}/{classifier}/seed{seed}/predictions.csv")


def test_every_arm_is_tested_on_the_same_images_and_every_image_once(finished: tuple[Path, Comparison]) -> None:
    out, found = finished
    tested: list[str] = []
    for fold in (0, 1):
        folders = sorted((out / f"arms/fold{fold}").glob("*/*/seed*"))
        assert len(folders) == 2 * len(found.arms)
        files = [pd.read_csv(folder / "predictions.csv")["file_name"].tolist() for folder in folders]
        assert all(other == files[0] for other in files)
        split = pd.read_csv(out / f"splits/fold{fold}.csv", keep_default_na=False)
        assert files[0] == split["file_name"][split["split"] == "test"].tolist()
        tested += files[0]
    assert len(tested) == len(set(tested)) == sum(COUNTS.values())


def test_probabilities_are_kept_and_the_predicted_class_is_the_most_probable(finished: tuple[Path, Comparison]) -> None:
    table = predictions(finished[0], "none")
    columns = [f"p_{name}" for name in CLASSES]
    assert list(table.columns) == ["file_name", "class", "predicted", *columns]
    assert table[columns].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
    assert [CLASSES[i] for i in table[columns].to_numpy().argmax(axis=1)] == table["predicted"].tolist()
    assert (table["file_name"].str.split("/").str[0] == table["class"]).all()


def test_doses_fill_the_classes_as_far_as_they_say(finished: tuple[Path, Comparison]) -> None:
    found = finished[1]
    of = {(entry.arm, entry.classifier): entry for entry in found.arms}
    specs = [arm for arm, classifier in of if classifier == "naive-bayes"]
    assert [spec.split("/")[-1] for spec in specs] == [
        "none", "oversample@0.5", "oversample", "tiny.yaml@0.5", "tiny.yaml", "tiny.yaml",
    ]  # fmt: skip
    none, half, whole = (of[spec, "naive-bayes"].training_counts for spec in specs[:3])
    most = max(none.values())
    assert set(whole.values()) == {most}
    assert half["basophil"] == pytest.approx((none["basophil"] + most) / 2, abs=1)
    made = of[specs[4], "naive-bayes"]
    assert made.training_counts == whole
    assert made.synthetic_counts["basophil"] == most - none["basophil"]
    alone = of[specs[5], "naive-bayes"]
    assert specs[5].startswith("only-") and alone.synthetic_counts == alone.training_counts == none


def test_results_hold_every_figure_with_its_interval_and_are_what_was_written(
    finished: tuple[Path, Comparison],
) -> None:
    out, found = finished
    assert json.loads((out / "results.json").read_text()) == json.loads(json.dumps(found.to_json()))
    assert Comparison.read(out) == found
    assert found.about.endpoints == (Endpoint("macro-F1"), Endpoint("recall", "basophil"))
    assert found.about.test_counts == COUNTS
    for entry in found.arms:
        one = entry.metrics["macro-F1"]
        assert one.value is not None and one.interval is not None
        assert one.n == sum(COUNTS.values()) and one.interval[0] <= one.value <= one.interval[1]
        assert one.value == pytest.approx(_macro_f1(out, entry), abs=1e-9)
        assert set(entry.classes) == set(CLASSES) and "ROC-AUC" in entry.classes["basophil"]
        assert np.sum(entry.confusion) == pytest.approx(sum(COUNTS.values()), abs=0.01)
        assert len(entry.runs) == 4 and all((out / run.folder / "arm.json").is_file() for run in entry.runs)
    scores = pd.read_csv(out / "scores.csv", keep_default_na=False)
    assert len(scores.groupby(["arm", "classifier", "fold", "seed"])) == 4 * len(found.arms)


def _macro_f1(out: Path, entry: ArmResult) -> float:
    from sklearn.metrics import f1_score

    per_seed = []
    for seed in (0, 1):
        folders = [run.folder for run in entry.runs if run.seed == seed]
        table = pd.concat([pd.read_csv(out / folder / "predictions.csv") for folder in folders])
        per_seed.append(f1_score(table["class"], table["predicted"], average="macro"))
    return float(np.mean(per_seed))


def test_effects_are_against_none_and_corrected_for_the_number_of_arms(finished: tuple[Path, Comparison]) -> None:
    out, found = finished
    assert {one.against for one in found.effects} == {"none", "oversample"}
    for classifier in ("random-forest", "naive-bayes"):
        for metric, of in (("macro-F1", None), ("recall", "basophil")):
            family = [
                e
                for e in found.effects
                if (e.against, e.classifier, e.endpoint) == ("none", classifier, Endpoint(metric, of))
            ]
            assert len(family) == 4 and not any(e.arm.startswith("only-") for e in family)
            first = min(family, key=lambda e: float(e.p or 0.0))
            assert first.p is not None and first.p_holm == pytest.approx(min(1, 4 * first.p))
            assert all((e.p_holm or 0.0) >= (e.p or 0.0) for e in family)
    by_arm = {(e.arm, e.classifier): e.metrics["macro-F1"].value or 0.0 for e in found.arms}
    for e in found.effects:
        if e.endpoint.class_name is None:
            gap = by_arm[e.arm, e.classifier] - by_arm[e.against, e.classifier]
            assert e.value == pytest.approx(gap, abs=1e-9)
    assert len(pd.read_csv(out / "effects.csv")) == len(found.effects) + len(found.in_use)


def test_a_dose_curve_begins_at_no_dose_and_the_best_dose_is_on_it(finished: tuple[Path, Comparison]) -> None:
    found = finished[1]
    of = [c for c in found.doses if c.classifier == "naive-bayes" and c.remedy == "oversample"]
    assert {(c.endpoint.metric, c.endpoint.class_name) for c in of} == {
        ("macro-F1", None), *(("recall", name) for name in CLASSES),
    }  # fmt: skip
    assert all([p[0] for p in curve.points] == [0, 0.5, 1] for curve in of)
    none = found.entry("none", "naive-bayes")
    assert none is not None
    assert of[0].points[0][1] == none.metrics["macro-F1"].value
    for best in found.best_dose:
        curve = next(
            c for c in found.doses
            if (c.classifier, c.remedy, c.endpoint) == (best.classifier, best.remedy, best.endpoint)
        )  # fmt: skip
        values = {dose: value for dose, value, *_ in curve.known}
        assert values[best.dose] == max(values.values())


def test_synthetic_and_real_change_places(finished: tuple[Path, Comparison]) -> None:
    out, found = finished
    assert {(s.classifier, s.direction) for s in found.swap} == {
        (classifier, way) for classifier in ("random-forest", "naive-bayes") for way in ("TSTR", "TRTS")
    }
    table = pd.read_csv(out / "arms/fold0/none/naive-bayes/seed0/synthetic.csv")
    none = found.entry("none", "naive-bayes")
    assert none is not None
    split = pd.read_csv(out / "splits/fold0.csv", keep_default_na=False)
    assert len(table) == (split["split"] == "train").sum()
    assert table["class"].value_counts().to_dict() == pytest.approx(none.training_counts, abs=1)


def test_synthetic_images_are_looked_at_by_a_classifier_that_took_no_part_in_the_game(
    finished: tuple[Path, Comparison], gan: str
) -> None:
    out, found = finished
    shares = {(one.gan, one.class_name): one.recognised for one in found.recognition}
    filled = [name for name in COUNTS if COUNTS[name] < max(COUNTS.values())]
    assert set(shares) >= {(gan, name) for name in filled}
    classifier = Run(out / "fold0/gans/tiny").independent_classifier()
    other = Run(out / "fold1/gans/tiny").independent_classifier()
    assert classifier is not None and other is not None
    name = filled[0]
    right = n = 0
    for fold, judge in enumerate((classifier, other)):
        made = open_dataset(out / f"fold{fold}/synthetic/tiny", SIZE)
        mine = made.images[made.labels == made.class_names.index(name)]
        names = Run(out / f"fold{fold}/gans/tiny").class_names
        right += int((judge(mine).argmax(axis=1) == names.index(name)).sum())
        n += len(mine)
    assert shares[gan, name].n == n and shares[gan, name].value == pytest.approx(right / n)
    assert shares[gan, name].floor_n == found.about.test_counts[name]


def test_what_is_drawn_cheaply_is_drawn_anew_for_every_seed(
    cells: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[int, list[int]] = {}
    real = training.train_classifier

    def watching(treatment: Any, recipe: Any, *args: Any, **more: Any) -> Any:
        drawn[more["seed"]] = treatment.rows.tolist()
        return real(treatment, recipe, *args, **more)

    monkeypatch.setattr(training, "train_classifier", watching)
    quickly(cells, ["undersample"], ["naive-bayes"], tmp_path / "out")
    assert drawn[0] != drawn[1] and len(drawn[0]) == len(drawn[1])


def test_an_arm_that_a_classifier_cannot_follow_is_left_out_and_said(cells: str, tmp_path: Path) -> None:
    found = quickly(cells, ["none", "smote", "cb-focal"], ["naive-bayes"], tmp_path / "out", seeds=1)
    assert [entry.arm for entry in found.arms] == ["none", "smote"] and not found.missing
    assert "cb-focal means something for neural networks only: no numbers of naive-bayes." in found.warnings
    assert found.warnings[0].startswith("One seed"), "and no folds that would show what trainings differ by"


def test_a_gan_whose_images_are_taken_for_other_classes_is_named() -> None:
    low = Recognition("g", "basophil", Estimate(0.1, 200, (0.07, 0.15), 0.9, 100))
    fine = Recognition("g", "monocyte", Estimate(0.5, 200, (0.4, 0.6), 0.9, 100))
    unknown = Recognition("h", "basophil", Estimate(0.0, 200, (0.0, 0.1)))
    said = unrecognised([low, fine, unknown])
    assert len(said) == 1 and "basophil 10% (real 90%)" in said[0] and "monocyte" not in said[0]


def test_the_gan_of_a_fold_has_learned_from_its_training_images_only(finished: tuple[Path, Comparison]) -> None:
    out, _ = finished
    for fold in (0, 1):
        info = json.loads((out / f"fold{fold}/gans/tiny/run.json").read_text())
        split = pd.read_csv(out / f"splits/fold{fold}.csv", keep_default_na=False)
        sha256 = _sha256(finished[1].about.data)
        mine = {sha256[name] for name in split["file_name"][split["split"] == "train"]}
        assert set(info["training_sha256"]) == mine
        assert mine.isdisjoint(sha256[name] for name in split["file_name"][split["split"] == "test"])


def _sha256(data: str) -> dict[str, str]:
    records = open_dataset(data, SIZE).records
    return dict(zip(records["path"], records["sha256"], strict=True))


def test_nothing_finished_is_done_again_and_the_tables_stay_the_same(
    finished: tuple[Path, Comparison], cells: str, gan: str, trainings: list[Any], tmp_path: Path
) -> None:
    shutil.copytree(finished[0], tmp_path / "out")
    before = {name: (tmp_path / "out" / name).read_text() for name in ("scores.csv", "effects.csv")}
    # What the folder has is kept: it need not be named again.
    again = quickly(cells, [], [], tmp_path / "out", changes=[], seeds=None, folds=2, gan_images=16, rare=["basophil"],
                    resume=True)  # fmt: skip
    assert trainings == []
    assert {name: (tmp_path / "out" / name).read_text() for name in before} == before
    assert again.arms == finished[1].arms and again.effects == finished[1].effects and again.swap == finished[1].swap


@pytest.mark.parametrize(
    "spoil",
    [lambda lines: lines[:-1], lambda lines: [*lines, lines[-1]], lambda lines: [*lines[:-1], f"x{lines[-1]}"]],
    ids=["one less", "one twice", "another"],
)
def test_predictions_of_other_images_than_those_of_the_fold_are_refused(
    spoil: Callable[[list[str]], list[str]], cells: str, tmp_path: Path
) -> None:
    quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out", seeds=1)
    (file,) = (tmp_path / "out").rglob("predictions.csv")
    file.write_text("\n".join(spoil(file.read_text().splitlines())) + "\n")
    with pytest.raises(InputError, match=r"predictions.csv: does not hold one prediction for each of the"):
        quickly(cells, [], [], tmp_path / "out", seeds=None, changes=[], resume=True)


def test_arms_and_seeds_may_be_added(cells: str, trainings: list[Any], tmp_path: Path) -> None:
    quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out")
    trainings.clear()
    found = quickly(cells, ["undersample"], ["naive-bayes"], tmp_path / "out", seeds=3, resume=True)
    assert sorted(seed for _, seed in trainings) == [0, 1, 2, 2]  # the new arm, and the new seed of the old one
    assert [entry.arm for entry in found.arms] == ["none", "undersample"] and found.about.seeds == (0, 1, 2)


def test_what_rare_classes_need_in_use_is_named_before_the_run_and_tested_like_the_endpoints(
    cells: str, tmp_path: Path
) -> None:
    found = quickly(cells, ["none", "oversample", "undersample"], ["naive-bayes"], tmp_path / "out", seeds=2)
    named = json.loads((tmp_path / "out" / "comparison.json").read_text())["in_use"]
    asked = [(metric, name) for metric in ("precision-at-recall", "calibration-error") for name in found.about.rare]
    assert [(one["metric"], one["class"]) for one in named] == asked
    assert {(one.endpoint.metric, one.endpoint.class_name) for one in found.in_use} == set(asked)
    for one in found.in_use:
        arm, other = (found.entry(name, "naive-bayes").estimate(one.endpoint) for name in (one.arm, one.against))
        assert one.value == pytest.approx(arm.value - other.value)
        assert one.p_holm is None or one.p <= one.p_holm <= 1
    assert set(found.frame("effects")["metric"]) >= {"precision-at-recall", "calibration-error"}


def test_the_same_cells_on_other_pictures_are_predicted_by_the_same_trainings(
    cells: str, trainings: list[Any], tmp_path: Path
) -> None:
    plain = quickly(cells, ["none", "oversample"], ["naive-bayes"], tmp_path / "plain", seeds=1)
    trainings.clear()
    out = tmp_path / "out"
    found = quickly(cells, ["none", "oversample"], ["naive-bayes"], out, seeds=1, robustness=True)
    assert len(trainings) == 2 and found.arms[0].metrics == plain.arms[0].metrics
    assert set(found.conditions) == set(SPOILINGS)
    for name, level in found.conditions.items():
        altered = pd.read_csv(out / f"arms/fold0/none/naive-bayes/seed0/predictions-{name}.csv")
        as_they_are = predictions(out, "none")
        assert altered["file_name"].tolist() == as_they_are["file_name"].tolist()
        assert (altered["p_basophil"] - as_they_are["p_basophil"]).abs().max() > 0
        assert level.entry("none", "naive-bayes").of("accuracy").value == pytest.approx(
            (altered["class"] == altered["predicted"]).mean()
        )
        assert {(one.arm, one.against) for one in level.effects} == {(one.arm, one.against) for one in found.effects}
    assert Comparison.read(out).conditions.keys() == found.conditions.keys()
    assert Comparison.read(out).to_json() == found.to_json()
    trainings.clear()
    quickly(cells, [], [], out, seeds=1, resume=True)
    assert not trainings, "what was asked for once holds for what is continued"


def test_another_comparison_in_the_same_folder_is_refused(cells: str, tmp_path: Path) -> None:
    quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out", seeds=1)
    with pytest.raises(InputError, match="already holds a comparison; continue it with --resume"):
        quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out")
    with pytest.raises(InputError, match="another folds, rarity, rare, endpoints"):
        quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out", folds=2, rarity={"eosinophil": 9}, resume=True)
    with pytest.raises(InputError, match="another recipe of naive-bayes"):
        quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out", changes=["classical.components=5"], resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty and holds no comparison"):
        quickly(cells, ["none"], ["naive-bayes"], tmp_path / "other")


def test_endpoints_are_named_before_anything_is_trained(
    cells: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: Any, **__: Any) -> None:
        told = json.loads((tmp_path / "out/comparison.json").read_text())
        assert told["endpoints"][0] == {"metric": "balanced-accuracy", "class": None}
        assert told["rare"] == ["lymphocyte"] and told["rarity"] == {"lymphocyte": 5}
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train_classifier", look)
    with pytest.raises(KeyboardInterrupt):
        quickly(
            cells, ["none"], ["naive-bayes"], tmp_path / "out", endpoint="balanced-accuracy", rarity={"lymphocyte": 5}
        )


def test_a_class_is_held_to_its_rarity_and_all_its_test_images_stay(cells: str, tmp_path: Path) -> None:
    found = quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out", folds=2, rarity={"eosinophil": 6}, seeds=1)
    assert found.arms[0].training_counts["eosinophil"] == 6
    assert found.about.rare == ("eosinophil",) and found.about.test_counts == COUNTS
    split = pd.read_csv(tmp_path / "out/splits/fold0.csv", keep_default_na=False)
    assert (split["split"] == "").sum() > 0
    assert found.warnings[0].startswith("One training in each fold"), "not that training noise is unknown"


def test_a_run_that_has_seen_the_test_images_is_refused_before_anything_is_written(
    finished: tuple[Path, Comparison], cells: str, tmp_path: Path
) -> None:
    run = str(finished[0] / "fold0/gans/tiny")
    with pytest.raises(InputError, match="was trained on"):
        quickly(cells, ["none", run], ["naive-bayes"], tmp_path / "out", folds=2, seed=5)
    assert not (tmp_path / "out").exists()


def test_a_classifier_that_has_seen_a_test_image_is_refused(
    cells: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = next(iter(_sha256(cells).values()))
    real = training.train_classifier

    def leaking(*args: Any, **more: Any) -> Any:
        classifier = real(*args, **more)
        classifier.seen_sha256 = classifier.seen_sha256 | {one}
        return classifier

    monkeypatch.setattr(training, "train_classifier", leaking)
    with pytest.raises(InputError, match=r"naive-bayes \(none\): was trained on 1 of the"):
        quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out", folds=2)


@pytest.mark.parametrize("leak", ["turned copy", "patient"])
def test_a_split_that_leaks_is_refused(cells: str, tmp_path: Path, leak: str) -> None:
    from PIL import Image

    folder = tmp_path / "cells"
    shutil.copytree(cells, folder)
    for remains in ("metadata.csv", "splits.csv"):
        (folder / remains).unlink(missing_ok=True)
    files = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*.png"))
    parts = {name: ("test", "val", "train", "train")[i % 4] for i, name in enumerate(files)}
    if leak == "turned copy":
        with Image.open(folder / files[0]) as image:
            image.rotate(90).save(folder / "basophil/zz_turned.png")
        parts["basophil/zz_turned.png"] = "train"
    else:
        table = pd.DataFrame({"file_name": files, "group": [f"patient {i // 3}" for i in range(len(files))]})
        table.to_csv(folder / "metadata.csv", index=False)
    pd.DataFrame({"file_name": list(parts), "split": list(parts.values())}).to_csv(folder / "splits.csv", index=False)
    with pytest.raises(InputError, match="the split leaks"):
        quickly(str(folder), ["none"], ["naive-bayes"], tmp_path / "out")


def test_synthetic_images_are_refused_as_data(finished: tuple[Path, Comparison], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="images are synthetic"):
        quickly(str(finished[0] / "fold0/synthetic/tiny"), ["none"], ["naive-bayes"], tmp_path / "out")


def test_what_fails_does_not_cost_the_others(
    cells: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainings: list[Any]
) -> None:
    counting = training.train_classifier

    def failing(treatment: Any, recipe: Any, *args: Any, **more: Any) -> Any:
        if recipe.name == "random-forest" and more["seed"] == 1:
            raise MemoryError("no trees left")
        return counting(treatment, recipe, *args, **more)

    monkeypatch.setattr(training, "train_classifier", failing)
    found = quickly(cells, ["none"], ["random-forest", "naive-bayes"], tmp_path / "out")
    assert [entry.classifier for entry in found.arms] == ["naive-bayes"]
    assert [(m.classifier, m.seed, m.error) for m in found.missing] == [
        ("random-forest", 1, "MemoryError: no trees left")
    ]
    assert any("no trees left" in warning for warning in found.warnings)
    trace = tmp_path / "out/arms/fold0/none/random-forest/seed1/failed.txt"
    assert trace.read_text().startswith("Traceback") and "in failing" in trace.read_text()
    monkeypatch.setattr(training, "train_classifier", counting)
    trainings.clear()
    found = quickly(cells, ["none"], ["random-forest", "naive-bayes"], tmp_path / "out", resume=True)
    assert trainings == [("random-forest", 1)] and not found.missing and len(found.arms) == 2
    assert not trace.exists()


def test_a_mistake_of_the_program_ends_the_comparison_and_leaves_its_traceback(
    cells: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = training.train_classifier

    def mistaken(treatment: Any, recipe: Any, *args: Any, **more: Any) -> Any:
        if more["seed"] == 1:
            raise ValueError("operands could not be broadcast together")
        return real(treatment, recipe, *args, **more)

    monkeypatch.setattr(training, "train_classifier", mistaken)
    with pytest.raises(RuntimeError, match=r"seed 1: ValueError: operands .* mistake of gansynth and not of the data"):
        quickly(cells, ["none"], ["naive-bayes"], tmp_path / "out")
    assert "in mistaken" in (tmp_path / "out/arms/fold0/none/naive-bayes/seed1/failed.txt").read_text()
    assert (tmp_path / "out/arms/fold0/none/naive-bayes/seed0/arm.json").is_file()
    assert not (tmp_path / "out/results.json").exists()


def test_networks_get_the_same_steps_whatever_the_arm(cells: str, tmp_path: Path) -> None:
    changes = ["classical.components=6", "network.channels=[4,4,4,4]", "training.batch_size=16"]
    found = quickly(
        cells, ["none", "augmentation", "oversample"], ["sequential-cnn", "naive-bayes"], tmp_path / "out",
        seeds=1, epochs=2, changes=changes,
    )  # fmt: skip
    steps = {(entry.arm, entry.classifier): entry.steps for entry in found.arms}
    trained = sum(found.about.training_counts.values())
    expected = 2 * -(-trained // 16)
    assert steps == {
        ("none", "sequential-cnn"): expected, ("augmentation", "sequential-cnn"): expected,
        ("oversample", "sequential-cnn"): expected, ("none", "naive-bayes"): None,
        ("augmentation", "naive-bayes"): None, ("oversample", "naive-bayes"): None,
    }  # fmt: skip
    note = json.loads((tmp_path / "out/arms/fold0/oversample/sequential-cnn/seed0/arm.json").read_text())
    assert note["curve"][-1]["step"] == expected
    assert {(e.arm, e.against) for e in found.effects if e.classifier == "sequential-cnn"} == {
        ("augmentation", "none"), ("oversample", "none"), ("oversample", "augmentation"),
        ("augmentation", "oversample"),
    }  # fmt: skip


def test_images_are_mapped_from_files_that_processes_share_and_the_files_do_not_stay(
    cells: str, gan: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = training.train_classifier, []

    def looking(treatment: Any, recipe: Any, *args: Any, validation: Any, **more: Any) -> Any:
        seen.append((treatment.images.images, validation.images))
        return real(treatment, recipe, *args, validation=validation, **more)

    monkeypatch.setattr(training, "train_classifier", looking)
    monkeypatch.setattr(comparison_grid, "_SHARED_FROM", 0)
    quickly(cells, ["none", "oversample", gan], ["naive-bayes"], tmp_path / "out", gan_images=8, seeds=1)
    assert len(seen) == 3 and all(isinstance(images, np.memmap) for pair in seen for images in pair)
    assert len({images.filename for images, _ in seen}) == 2  # over-sampling adds rows, not images
    assert not (tmp_path / "out/fold0/shared").exists()


def test_the_protocol_of_the_paper_tests_on_synthetic_images_and_says_what_is_wrong(
    cells: str, gan: str, tmp_path: Path
) -> None:
    found = quickly(
        cells, ["none", "oversample", gan], ["naive-bayes"], tmp_path / "out", protocol="paper", seeds=1, gan_images=16
    )
    assert found.warnings[0].startswith("Protocol paper: these numbers are too good")
    assert found.effects == () and found.about.protocol == "paper"
    none, copied, made = found.arms
    assert none.test_counts == {name: round(0.2 * n) for name, n in COUNTS.items()}
    most = max(COUNTS.values())
    for arm in (copied, made):
        assert set((arm.test_counts or {}).values()) == {round(0.2 * most)}
        assert set(arm.training_counts.values()) == {most - round(0.2 * most) - round(0.1 * most)}
    table = predictions(tmp_path / "out", "oversample")
    assert table["file_name"].nunique() < len(table)  # copies of one picture, in what it is tested on
    real = set(_sha256(cells))
    files = pd.read_csv(next((tmp_path / "out").glob("arms/fold0/tiny*/naive-bayes/seed0/predictions.csv")))
    assert not set(files["file_name"]) <= real
    with pytest.raises(InputError, match="leave out --folds"):
        quickly(cells, ["none"], ["naive-bayes"], tmp_path / "more", protocol="paper", folds=2)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"remedies": []}, "no remedy; give --remedies"),
        ({"remedies": ["overample"]}, "did you mean 'oversample'"),
        ({"classifiers": ["naive-bayes", "naive-bayes"]}, "named twice"),
        ({"changes": ["training.batch_size=8"]}, "no classifier of this comparison has such a setting"),
        ({"rare": ["blast"]}, "--rare: no class 'blast'"),
        ({"rarity": {"basophil": 500}}, "rarity basophil=500"),
        ({"doses": [-1.0]}, "--doses: -1"),
        ({"folds": 20}, "20 folds need at least 20 images of each class"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(
    cells: str, tmp_path: Path, wrong: dict[str, Any], sentence: str
) -> None:
    asked: dict[str, Any] = {"remedies": ["none"], "classifiers": ["naive-bayes"], **wrong}
    remedies, classifiers = asked.pop("remedies"), asked.pop("classifiers")
    with pytest.raises(InputError, match=sentence):
        quickly(cells, remedies, classifiers, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_several_processes_give_what_one_gives(cells: str, gan: str, tmp_path: Path) -> None:
    found = {}
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        quickly(cells, ["none", gan], ["random-forest"], out, gan_images=16, jobs=jobs)
        found[jobs] = [(out / name).read_text() for name in ("scores.csv", "effects.csv")]
    assert found[1] == found[2]


@pytest.mark.slow
def test_killed_ten_times_and_continued_gives_the_same_tables_and_repeats_no_finished_arm(
    cells: str, gan: str, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("compare_under_kills.py")
    done = subprocess.run(
        [sys.executable, str(script), cells, gan, str(tmp_path)],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "10 kills" in done.stdout
    expected = {name: (tmp_path / "whole" / name).read_text() for name in ("scores.csv", "effects.csv")}
    endings = [tmp_path / "killed", *tmp_path.glob("killed-*")]
    assert (tmp_path / "killed/results.json").exists()
    for folder in endings:
        assert {name: (folder / name).read_text() for name in expected} == expected
        whole, continued = (json.loads((f / "results.json").read_text()) for f in (tmp_path / "whole", folder))
        for part in ("effects", "doses", "best_dose", "swap"):
            assert continued[part] == whole[part]
