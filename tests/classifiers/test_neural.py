from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gansynth.classifiers import Classifier, train_classifier
from gansynth.classifiers import neural_training as training_module
from gansynth.classifiers.augmentation import _grid, free_augmentation, ordinary_augmentation, random_orientations
from gansynth.classifiers.batches import Batches
from gansynth.classifiers.neural_run import steps_per_epoch
from gansynth.classifiers.neural_training import learning_rate
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.networks.images import orient
from gansynth.remedies.treatment import Treatment

from .tiny_classifier import tiny_cells, tiny_recipe


def train(what: Treatment | CellDataset, *changes: str, **options: object) -> Classifier:
    arguments = {"validation": tiny_cells()[1], "device": "cpu", "progress": False, **options}
    return train_classifier(what, tiny_recipe(*changes), **arguments)  # type: ignore[arg-type]


def test_it_learns_to_tell_cells_apart_and_its_curve_says_so() -> None:
    cells, held_out = tiny_cells()
    classifier = train(cells, "training.epochs=12", "training.learning_rate=0.01")
    p = classifier.probabilities(held_out.images)
    assert p.shape == (20, 2) and np.allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == held_out.labels).mean() >= 0.9
    first, last = classifier.curve[0], classifier.curve[-1]
    names = {"epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_macro_f1"}
    assert set(last.to_json()) == names and (last.epoch, last.step) == (12, 60)
    assert last.train_loss < first.train_loss and last.val_loss < first.val_loss


def test_equal_seeds_give_equal_classifiers_and_leave_the_callers_randomness_alone() -> None:
    cells, held_out = tiny_cells()
    before = torch.random.get_rng_state()
    one, same, other = (train(cells, seed=seed, steps=6).probabilities(held_out.images) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_weights_with_the_best_macro_f1_are_kept() -> None:
    cells, held_out = tiny_cells()
    classifier = train(cells, "training.epochs=8", "training.learning_rate=0.3", "training.schedule=constant")
    p = classifier.probabilities(held_out.images)
    best = max(classifier.curve, key=lambda point: point.val_macro_f1)
    assert (p.argmax(axis=1) == held_out.labels).mean() == pytest.approx(best.val_accuracy)


def test_the_weights_of_the_least_loss_are_kept_where_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rising = iter(range(100))
    monkeypatch.setattr(training_module, "overall_figure", lambda table, name: next(rising))  # the last epoch is best
    cells, held_out = tiny_cells()
    kept = {}
    for keep in ("loss", "macro-F1"):
        changes = ("training.epochs=8", "training.learning_rate=0.1", "training.schedule=constant")
        classifier = train(cells, *changes, "training.precision=32", f"training.keep={keep}")
        p = classifier.probabilities(held_out.images)
        kept[keep] = float(-np.log(p[np.arange(len(p)), held_out.labels]).mean())
        losses = [point.val_loss for point in classifier.curve]
        assert min(losses) < losses[-1]
        assert kept[keep] == pytest.approx(min(losses) if keep == "loss" else losses[-1], abs=1e-4)


def test_the_recipe_names_the_optimizer() -> None:
    network = torch.nn.Linear(2, 2)
    for name, kind in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
        optimizer = training_module.build_optimizer(network, tiny_recipe(f"training.optimizer={name}").training)
        assert type(optimizer) is kind


def test_patience_ends_a_training_and_zero_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "overall_figure", lambda table, name: 0.5)  # never better than the first
    cells, _ = tiny_cells()
    assert [len(train(cells, "training.epochs=6", patience=n).curve) for n in (2, 0)] == [3, 6]


def test_an_epoch_is_the_same_number_of_steps_whatever_a_remedy_added() -> None:
    cells, _ = tiny_cells()
    shown_more = Treatment(cells, np.concatenate([np.arange(40), np.arange(40)]))
    half = cells.records["origin"].where(cells.records.index < 24, "synthetic")
    with_synthetic = Treatment(replace(cells, records=cells.records.assign(origin=half)), np.arange(40))
    recipe = tiny_recipe()
    assert [steps_per_epoch(t, recipe) for t in (Treatment.of(cells), shown_more, with_synthetic)] == [5, 5, 3]
    assert len(train(shown_more, steps=12).curve) == 3  # after 5, 10 and 12 steps


def test_batches_are_full_and_show_every_row_equally_often() -> None:
    cells, _ = tiny_cells()
    rows = np.array([0, 0, 0, 5, 7, 9, 11])
    batches = Batches(Treatment(cells, rows), tiny_recipe().training, 3, torch.device("cpu"))
    drawn = [batches.rows(k) for k in range(7)]
    assert {len(index) for index in drawn} == {8}
    assert np.array_equal(np.sort(np.concatenate(drawn)), np.sort(np.tile(rows, 8)))
    assert np.array_equal(batches.rows(2), drawn[2]) and not np.array_equal(drawn[0], drawn[1])


def test_balanced_sampling_draws_the_classes_equally_often() -> None:
    cells, _ = tiny_cells()
    few = Treatment(
        cells, np.concatenate([np.flatnonzero(cells.labels == 0)[:18], np.flatnonzero(cells.labels == 1)[:2]])
    )
    training = tiny_recipe("training.sampling=balanced", "training.batch_size=64").training
    batches = Batches(few, training, 0, torch.device("cpu"))
    drawn = np.concatenate([batches.rows(k) for k in range(8)])
    assert set(drawn) <= set(few.rows)
    assert abs(cells.labels[drawn].mean() - 0.5) < 0.1


def test_what_was_seen_and_what_was_chosen_on_is_known() -> None:
    cells, held_out = tiny_cells()
    classifier = train(Treatment(cells, np.arange(10, 40)), steps=2)
    assert classifier.seen_sha256 == set(cells.records["sha256"][10:])
    assert classifier.chosen_on_sha256 == set(held_out.records["sha256"])
    assert train(cells, steps=2, validation=None).chosen_on_sha256 == frozenset()


def test_the_loss_of_a_remedy_is_used() -> None:
    cells, _ = tiny_cells()
    plain, same, other = (
        train(replace(Treatment.of(cells), loss=loss), steps=5).curve[0].train_loss
        for loss in (None, lambda z, y, done: F.cross_entropy(z, y), lambda z, y, done: 2 * F.cross_entropy(z, y))
    )
    assert plain == same and other > 1.2 * plain


def test_a_treatment_says_itself_whether_it_is_augmented() -> None:
    cells, _ = tiny_cells()
    split, bare, augmented = (
        train(what, steps=5).curve
        for what in (cells, Treatment.of(cells), replace(Treatment.of(cells), augmented=True))
    )
    assert split == augmented != bare
    assert train(cells, "augmentation=none", steps=5).curve == bare


def test_a_row_is_the_same_however_many_images_are_asked_for() -> None:
    cells, held_out = tiny_cells()
    classifier = train(cells, steps=5)
    together = classifier.probabilities(held_out.images)
    assert np.allclose(together[3], classifier.probabilities(held_out.images[3:4])[0], atol=1e-6)
    assert classifier.probabilities(held_out.images[:0]).shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: replace(d, images=np.zeros((40, 3, 32, 32), np.uint8)), r"training images are 32 px .* takes 16 px"),
        (lambda d: replace(d, labels=np.zeros(40, np.int64)), "two classes or more"),
        (lambda d: replace(d, class_names=("a", "b")), "other classes"),
    ],
)
def test_data_that_do_not_fit_are_refused(change: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        train(change(tiny_cells()[0]))  # type: ignore[operator]


def test_images_of_another_size_are_refused() -> None:
    classifier = train(tiny_cells()[0], steps=1)
    with pytest.raises(InputError, match="takes images of 16 x 16 px, found 3 x 32 x 32"):
        classifier.probabilities(np.zeros((1, 3, 32, 32), np.uint8))


def test_a_training_that_diverges_says_so() -> None:
    with pytest.raises(InputError, match="diverged before step 5"):
        train(replace(Treatment.of(tiny_cells()[0]), loss=lambda z, y, done: F.cross_entropy(z, y) * torch.nan))


def test_the_rate_rises_then_falls() -> None:
    recipe = tiny_recipe("training.warm_up=0.1").training
    rates = [learning_rate(recipe, step, 100) for step in range(100)]
    assert rates[10] == recipe.learning_rate == max(rates)
    assert (np.diff(rates)[:10] > 0).all() and (np.diff(rates)[10:] < 0).all() and rates[-1] < 0.01 * rates[10]


@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_quarter_turns_and_flips_move_pixels_and_change_none(quarter: int, mirror: float) -> None:
    image = torch.rand(1, 3, 8, 8)
    grid = _grid(torch.tensor([quarter * torch.pi / 2]), torch.tensor([mirror]), 8)
    turned = F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
    assert torch.allclose(turned, orient(image, quarter + 4 * (mirror < 0)), atol=1e-5)


def test_every_image_is_augmented_by_itself_and_a_little() -> None:
    torch.manual_seed(0)
    disc = (torch.linspace(-1, 1, 32)[:, None] ** 2 + torch.linspace(-1, 1, 32) ** 2 < 0.5).float() - 0.5
    images = disc.expand(6, 3, 32, 32).contiguous()  # round: turned or flipped it is the same
    changed = ordinary_augmentation(images)
    assert changed.shape == images.shape
    assert len({round(float(image.mean()), 5) for image in changed}) == 6
    assert (changed - images).abs().mean() < 0.15


def test_free_augmentation_turns_by_any_angle_and_changes_saturation_but_not_hue() -> None:
    torch.manual_seed(0)
    half = torch.full((64, 3, 32, 32), -0.5)
    half[..., :16] = 0.5  # an edge, grey: its angle is seen in the mean of the upper half
    found = free_augmentation(half)
    assert len({round(float(image[0, :16].mean() - image[0].mean()), 3) for image in found}) > 40
    assert torch.allclose(found[:, 0], found[:, 1], atol=1e-6), "grey has no saturation to change"
    violet = torch.tensor([0.2, -0.6, 0.4]).view(1, 3, 1, 1).expand(64, 3, 8, 8)
    shown = free_augmentation(violet).mean(dim=(2, 3))
    apart = shown - shown.mean(dim=1, keepdim=True)
    direction = F.normalize(violet[0, :, 0, 0] - violet[0, :, 0, 0].mean(), dim=0)
    assert torch.allclose(F.normalize(apart, dim=1), direction.expand(64, 3), atol=1e-5)
    spread = apart.norm(dim=1)
    assert spread.max() / spread.min() > 1.5


def test_orientations_move_every_pixel_and_change_none() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 5, 5)
    all_eight = [orient(image[0], k) for k in range(8)]
    found = random_orientations(image.expand(200, 3, 5, 5))
    which = [[k for k, one in enumerate(all_eight) if torch.equal(one, shown)] for shown in found]
    assert {k for ks in which for k in ks} == set(range(8)) and all(len(ks) == 1 for ks in which)


def test_the_recipe_says_how_images_are_altered_and_the_treatment_whether(monkeypatch: pytest.MonkeyPatch) -> None:
    cells, _ = tiny_cells()
    asked = []
    for name in training_module.ALTERATIONS:
        monkeypatch.setitem(training_module.ALTERATIONS, name, lambda x, name=name: (asked.append(name), x)[1])
    for what in (cells, Treatment.of(cells), replace(Treatment.of(cells), augmented=True)):
        train(what, "augmentation=orientations", steps=1)
    assert asked == ["orientations", "orientations"]
