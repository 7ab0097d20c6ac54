"""What remedies ask for is followed: by networks step for step, by classical classifiers in their features."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gansynth.classifiers import Classifier, neural_training, open_classifier, train_classifier
from gansynth.classifiers.batches import Batches
from gansynth.classifiers.turned_repeats import TurnedRepeats, repetition
from gansynth.data.dataset import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.networks.head import CosineLinear, with_cosine_head
from gansynth.networks.images import to_float
from gansynth.networks.sequential_cnn import SequentialCNN
from gansynth.recipes.classifier import load_classifier_recipe
from gansynth.remedies import Treatment, Workplace, parse_arm, slug
from gansynth.remedies.mixing import MixedImages, PatchedImages
from gansynth.remedies.remedy import REGISTRY
from gansynth.runs.state_files import seed_step

from .test_classifier_run import Killed, kill_at
from .tiny_classifier import tiny_cells, tiny_recipe

NETWORKS = sorted(name for name, remedy in REGISTRY.items() if remedy.cheap and remedy.neural_only)
CLASSICAL = sorted(name for name, remedy in REGISTRY.items() if remedy.cheap and not remedy.neural_only)


def treated(spec: str, cells: CellDataset | None = None) -> Treatment:
    cells = tiny_cells()[0] if cells is None else cells
    return parse_arm(spec).treat(cells, Workplace(Path("nowhere"), learning=lambda size: cells))


def train(what: Treatment, *changes: str, out: Path | None = None, **options: object) -> Classifier:
    arguments = {"validation": tiny_cells()[1], "device": "cpu", "progress": False, **options}
    return train_classifier(what, tiny_recipe(*changes), out, **arguments)  # type: ignore[arg-type]


def unequal() -> CellDataset:
    cells, _ = tiny_cells()
    return cells.select(np.r_[np.flatnonzero(cells.labels == 0), np.flatnonzero(cells.labels == 1)[:4]])


@pytest.mark.parametrize(
    "spec", ["augmentation+oversample-turned+ldam-drw+cutmix+balanced-batches", "undersample@0.5+cb-focal+mixup"]
)
def test_a_run_killed_and_resumed_is_the_run_never_interrupted(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neural_training, "SECONDS_BETWEEN_STATES", 0.0)
    what = treated(spec, unequal())
    train(what, out=tmp_path / "whole", steps=10)
    with monkeypatch.context() as patch:
        kill_at(7, patch)
        with pytest.raises(Killed):
            train(what, out=tmp_path / "killed", steps=10)
    train(what, out=tmp_path / "killed", steps=10, resume=True)
    hashes = {file_sha256(tmp_path / run / "model.safetensors") for run in ("whole", "killed")}
    assert len(hashes) == 1
    images = tiny_cells()[1].images
    opened = open_classifier(tmp_path / "killed", device="cpu", calibrated=False)
    again = train(what, steps=10)
    assert np.array_equal(opened.probabilities(images), again.probabilities(images))
    assert json.loads((tmp_path / "killed" / "run.json").read_text())["treatment"] == what.settings


def test_a_run_is_not_continued_with_another_treatment(tmp_path: Path) -> None:
    train(treated("focal+mixup"), out=tmp_path, steps=5)
    for other in ("focal:gamma=1+mixup", "mixup", "focal+mixup:alpha=0.3", "none", "balanced-batches+focal+mixup"):
        with pytest.raises(InputError, match="resume with the same"):
            train(treated(other), out=tmp_path, steps=5, resume=True)


@pytest.mark.parametrize("spec", ["weighted", "oversample-turned", *NETWORKS])
def test_every_remedy_learns(spec: str) -> None:
    found = train(treated(spec), "training.epochs=12", "training.learning_rate=0.02")
    held_out = tiny_cells()[1]
    assert (found.probabilities(held_out.images).argmax(axis=1) == held_out.labels).mean() >= 0.9


def test_one_alpha_for_all_classes_changes_nothing_that_adamw_learns() -> None:
    """So rows of table 1 of pasupa2020 that differ in alpha alone are trainings of one thing."""
    images = tiny_cells()[1].images
    half, twice, focused = (
        train(treated(spec), steps=10).probabilities(images)
        for spec in ("focal:alpha=0.5", "focal:alpha=2", "focal:alpha=2:gamma=5")
    )
    assert np.abs(half - twice).max() < 0.2 * np.abs(half - focused).max()


def test_the_loss_is_told_how_much_of_the_training_is_done() -> None:
    told: list[float] = []

    def loss(z: torch.Tensor, y: torch.Tensor, done: float) -> torch.Tensor:
        told.append(done)
        return F.cross_entropy(z, y)

    train(replace(Treatment.of(tiny_cells()[0]), loss=loss), steps=4)
    assert told == [0, 0.25, 0.5, 0.75]


def test_a_repetition_is_counted_where_it_stands() -> None:
    rows = np.random.default_rng(0).integers(0, 9, 50)
    assert repetition(rows).tolist() == [int((rows[:i] == row).sum()) for i, row in enumerate(rows)]
    assert repetition(np.arange(0)).tolist() == []


def test_repetitions_are_turned_each_otherwise_and_first_showings_are_the_image_itself() -> None:
    cells = unequal()
    what = treated("oversample-turned", cells)
    batches = Batches(what, tiny_recipe().training, 3, torch.device("cpu"))
    original = to_float(torch.from_numpy(cells.images.copy()))
    shown: dict[int, torch.Tensor] = {}
    for step in range(12):
        images, labels = batches.draw(step)
        for position, row, image, label in zip(
            batches.positions(step), batches.rows(step), images, labels, strict=True
        ):
            assert int(label) == cells.labels[row]
            assert torch.equal(shown.setdefault(int(position), image.clone()), image)  # in every epoch the same
            first = repetition(what.rows)[position] == 0
            assert torch.equal(image, original[row]) == first
    assert len(shown) == len(what.rows)
    rare = [shown[p] for p in np.flatnonzero(what.rows == what.rows[-1])]
    assert all(not torch.equal(a, b) for i, a in enumerate(rare) for b in rare[:i])


def test_turns_are_flips_and_small_angles() -> None:
    rows = np.zeros(4001, np.int64)
    turned = TurnedRepeats(rows, 15, 0)
    upright = (turned._angle * 180 / torch.pi)[1:]
    over = upright > 90
    assert 0.45 < over.float().mean() < 0.55 and (torch.where(over, upright - 180, upright).abs() <= 15).all()
    kinds = 2 * over.long() + (turned._mirror[1:] < 0)
    assert torch.bincount(kinds).tolist() == pytest.approx([1000] * 4, rel=0.15)
    image = torch.rand(1, 3, 8, 8)
    exact = TurnedRepeats(rows, 0, 0)(image.expand(40, 3, 8, 8), np.arange(40))
    flips = [image, image.flip(-1), image.flip(-2), image.flip((-1, -2))]
    found = {next(i for i, flip in enumerate(flips) if torch.allclose(one, flip[0], atol=1e-5)) for one in exact}
    assert found == {0, 1, 2, 3}


def test_balanced_batches_draw_all_classes_equally_often_whatever_the_recipe_says() -> None:
    cells = unequal()
    recipe = tiny_recipe("training.batch_size=64", "training.sampling=tempered")
    batches = Batches(treated("balanced-batches", cells), recipe.training, 0, torch.device("cpu"))
    drawn = cells.labels[np.concatenate([batches.rows(k) for k in range(8)])]
    assert abs(drawn.mean() - 0.5) < 0.1


@pytest.mark.parametrize("mix", [MixedImages(1.0), PatchedImages(1.0)])
def test_images_are_mixed_by_the_share_that_is_told(mix: MixedImages | PatchedImages) -> None:
    for step in range(20):
        seed_step(0, step, 0)
        plain = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 3, 20, 20).contiguous()
        mixed, partner, kept = mix(plain)
        assert mixed.shape == plain.shape and 0 <= kept <= 1 and sorted(partner.tolist()) == list(range(6))
        assert torch.allclose(mixed.mean(dim=(1, 2, 3)), kept * torch.arange(6.0) + (1 - kept) * partner, atol=1e-4)
        assert torch.equal(plain[:, 0, 0, 0], torch.arange(6.0))  # what came in is as it was


def test_what_is_mixed_with_itself_is_learned_as_if_nothing_were_mixed() -> None:
    def itself(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
        return images, torch.arange(len(images)), 0.25

    plain = Treatment.of(tiny_cells()[0])
    one, other = (
        train(what, "training.precision=32", steps=5).curve[0] for what in (plain, replace(plain, mix=itself))
    )
    assert one.train_loss == pytest.approx(other.train_loss, rel=1e-5)
    assert one.train_accuracy == other.train_accuracy


def test_a_cosine_head_gives_scaled_cosines() -> None:
    network = with_cosine_head(SequentialCNN(3, 16, (4, 4, 4, 8)), 3, 20.0)
    assert isinstance(network.logits, CosineLinear)
    features, weight = torch.randn(5, 8), network.logits.weight
    cosines = F.cosine_similarity(features[:, None], weight[None], dim=2)
    assert torch.allclose(network.logits(features), 20 * cosines, atol=1e-4)
    assert torch.allclose(network.logits(7 * features), network.logits(features), atol=1e-4)
    with pytest.raises(InputError, match="no linear layer gives its logits"):
        with_cosine_head(torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1)), 3, 20.0)


@pytest.mark.parametrize("kind", ["network", "logistic-regression", "random-forest"])
def test_posthoc_logit_adjustment_is_menon2021_equation_9(kind: str, tmp_path: Path) -> None:
    cells = unequal()
    kept = {spec: tmp_path / slug(spec) for spec in ("none", "posthoc-logit-adjustment:tau=0.5")}
    for spec, out in kept.items():
        if kind == "network":
            train(treated(spec, cells), out=out, steps=10, validation=None)
        else:
            recipe = load_classifier_recipe(kind, ["resolution=16", "classical.components=6"])
            train_classifier(treated(spec, cells), recipe, out, validation=None, device="cpu", progress=False)
    images = tiny_cells()[1].images
    plain, moved = (open_classifier(out, device="cpu").probabilities(images) for out in kept.values())
    prior = np.bincount(cells.labels) / len(cells)
    expected = plain / prior**0.5
    assert moved == pytest.approx(expected / expected.sum(axis=1, keepdims=True), rel=2e-3, abs=1e-6)
    assert not np.allclose(moved, plain, atol=0.01)


@cache
def classical(spec: str, name: str, seed: int = 0, out: Path | None = None) -> Classifier:
    small = ["classical.trees=30"] if name == "random-forest" else []
    recipe = load_classifier_recipe(name, ["resolution=16", "classical.components=6", *small])
    what = treated(spec, _three())
    return train_classifier(what, recipe, out, validation=None, seed=seed, device="cpu", progress=False)


@cache
def _three() -> CellDataset:
    return phantom_dataset({"basophil": 5, "eosinophil": 30, "lymphocyte": 12}, size=16)


@cache
def _fresh() -> CellDataset:
    return phantom_dataset({"basophil": 20, "eosinophil": 20, "lymphocyte": 20}, size=16, seed=1)


@pytest.mark.parametrize("spec", [*CLASSICAL, "augmentation+oversample-turned@0.5+weighted", "weighted+smote"])
@pytest.mark.parametrize("name", ["svm", "naive-bayes"])
def test_classical_runs_of_every_remedy_are_opened_as_they_were(spec: str, name: str, tmp_path: Path) -> None:
    trained, images = classical(spec, name, 2, tmp_path / "run"), _fresh().images
    p = trained.probabilities(images)
    assert np.array_equal(open_classifier(tmp_path / "run", device="cpu").probabilities(images), p)
    assert p.sum(axis=1) == pytest.approx(np.ones(60)) and p.min() >= 0


@pytest.mark.parametrize("name", ["logistic-regression", "naive-bayes", "svm", "random-forest"])
@pytest.mark.parametrize("spec", ["weighted", "smote", "oversample-turned"])
def test_the_rare_class_gets_more_probability(spec: str, name: str) -> None:
    plain, balanced = (classical(arm, name).probabilities(_fresh().images)[:, 0].sum() for arm in ("none", spec))
    assert balanced > plain


def test_a_calibration_does_not_bring_the_old_frequencies_back() -> None:
    plain, filled = (classical(spec, "svm").probabilities(_fresh().images).mean(axis=0) for spec in ("none", "smote"))
    assert plain[0] < 0.15 and filled == pytest.approx(np.full(3, 1 / 3), abs=0.06)  # a third of the images is of each


def test_a_weighted_forest_is_scikit_learns_with_class_weight() -> None:
    from sklearn.ensemble import RandomForestClassifier

    found = classical("weighted", "random-forest")
    lesson = found.lesson  # type: ignore[attr-defined]
    forest = RandomForestClassifier(30, class_weight="balanced", random_state=0).fit(lesson.points, lesson.labels)
    points = found.projection(found.features(_fresh().images))  # type: ignore[attr-defined]
    assert forest.predict_proba(points) == pytest.approx(found.probabilities(_fresh().images))


def test_turned_repetitions_are_points_of_their_own_and_belong_to_their_picture() -> None:
    lesson = classical("oversample-turned", "naive-bayes").lesson  # type: ignore[attr-defined]
    assert np.bincount(lesson.labels).tolist() == [30, 30, 30] and (lesson.times == 1).all()
    assert len(np.unique(lesson.points, axis=0)) == 90 and len(np.unique(lesson.image)) == 47


@pytest.mark.parametrize(
    ("spec", "recipe", "said"),
    [
        ("smote", "sequential-cnn", "learns from images; give it to a classifier of features"),
        ("mixup", "random-forest", "learns without batches"),
        ("balanced-batches", "svm", "learns without batches"),
        ("focal", "svm", "no loss to be replaced"),
    ],
)
def test_what_a_classifier_cannot_follow_is_refused(spec: str, recipe: str, said: str) -> None:
    chosen = load_classifier_recipe(recipe, ["resolution=16"])
    with pytest.raises(InputError, match=said):
        train_classifier(treated(spec), chosen, validation=None, device="cpu", progress=False)


def test_labels_are_not_silently_left_unsmoothed() -> None:
    with pytest.raises(InputError, match="smooths labels"):
        train(treated("focal"), "training.label_smoothing=0.1", steps=1)
