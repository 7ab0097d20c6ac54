"""The loop and the run folder, on real (tiny) trainings."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gansynth.data import split_dataset
from gansynth.data.loader import ClassSampler
from gansynth.errors import InputError
from gansynth.gans import GAN, Run, build_gan, train_gan
from gansynth.gans.engine.loop import Batches
from gansynth.gans.engine.run_folder import identity_of
from gansynth.gans.engine.watch import ClassWatch
from gansynth.gans.run import CLASSIFIER, FINGERPRINTS
from gansynth.runs.weights import read_weights, write_weights

from .tiny import tiny_dataset, tiny_recipe


def train_tiny(out: Path, *changes: str, **options) -> Run:  # type: ignore[no-untyped-def]
    return train_gan(tiny_dataset(), tiny_recipe(*changes), out, device="cpu", progress=False, **options)


def assert_equal_runs(a: Path, b: Path) -> None:
    assert (a / "model.safetensors").read_bytes() == (b / "model.safetensors").read_bytes()
    assert sorted(p.name for p in (a / "state").iterdir()) == sorted(p.name for p in (b / "state").iterdir())
    for state in (a / "state").iterdir():
        mine, yours = read_weights(state)[0], read_weights(b / "state" / state.name)[0]
        assert mine.keys() == yours.keys()
        assert all(torch.equal(mine[k], yours[k]) for k in mine), state.name


def test_a_run_holds_all_that_it_promises(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", steps=6)
    assert run.info["step"] == 6
    assert run.info["finished"] is True
    assert run.class_names == ("eosinophil", "lymphocyte", "smudge cell")
    held = {p.name for p in run.path.iterdir()}
    assert held >= {
        "recipe.yaml",
        "run.json",
        "model.safetensors",
        "state",
        "log.jsonl",
        "samples",
        CLASSIFIER,
        FINGERPRINTS,
    }
    assert any(name.startswith("events.out.tfevents") for name in held)
    assert not any(name.startswith(".") for name in held)
    records = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records if "critic/wasserstein" in r] == [3, 6]
    watched = [r["watch"] for r in records if "watch" in r]
    assert len(watched) == 2
    assert set(watched[0]) == set(run.class_names)
    assert set(watched[0]["smudge cell"]) == {"recall", "real_recall", "diversity"}
    beginning, later = (Image.open(run.path / "samples" / f"step-{step:08d}.png") for step in (0, 4))
    assert beginning.size == later.size and later.size[1] > 3 * 16


def test_a_run_knows_its_training_images_and_no_others(tmp_path: Path) -> None:
    dataset = split_dataset(tiny_dataset())
    run = train_gan(dataset, tiny_recipe(), tmp_path / "run", steps=1, device="cpu", progress=False)
    assert run.training_sha256 == frozenset(dataset.part("train").records["sha256"])
    assert not run.training_sha256 & set(dataset.part("test").records["sha256"])


def test_resumed_run_equals_uninterrupted_run(tmp_path: Path) -> None:
    train_tiny(tmp_path / "whole", steps=7)
    for steps in (2, 3, 7):
        train_tiny(tmp_path / "parts", steps=steps, resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "parts")


def test_the_generator_that_was_recognised_most_is_kept_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(name: str, *scores: float, keep: str = "recognised", **options: Any) -> Path:
        looks = iter(scores)
        monkeypatch.setattr(ClassWatch, "score", property(lambda watch: next(looks)))
        return train_tiny(tmp_path / name, f"reports.keep={keep}", "reports.sheet_every=2", **options).path

    kept = train("kept", 0.3, 0.9, 0.9, 0.5, steps=8)
    model, card = read_weights(kept / "model.safetensors")
    assert (card["step"], card["score"]) == ("4", "0.9")
    until_then = read_weights(train("until then", keep="last", steps=4) / "model.safetensors")[0]
    assert all(torch.equal(model[name], until_then[name]) for name in model)
    whole = train("last", keep="last", steps=8)
    for state in (whole / "state").iterdir():
        mine, yours = read_weights(state)[0], read_weights(kept / "state" / state.name)[0]
        assert all(torch.equal(mine[name], yours[name]) for name in mine)
    train("parts", 0.3, 0.9, steps=4)
    assert_equal_runs(train("parts", 0.9, 0.5, steps=8, resume=True), kept)


def test_a_generator_that_is_not_recognised_or_repeats_itself_scores_less() -> None:
    def score(recall: list[float], diversity: list[float]) -> float:
        return ClassWatch(np.array(recall), np.array([0.8, 0.5]), np.array(diversity)).score

    assert score([0.9, 0.5], [1.0, 1.2]) == pytest.approx(1)
    assert score([0.9, 0.0], [1.0, 1.2]) == pytest.approx(0.5)
    assert score([0.9, 0.5], [1.0, 0.1]) == pytest.approx(0.55)
    assert score([0.4, 0.5], [1.0, 1.0]) == pytest.approx(0.75)


def test_random_numbers_drawn_elsewhere_do_not_change_a_training(tmp_path: Path) -> None:
    train_tiny(tmp_path / "a", steps=3)
    torch.manual_seed(99)
    torch.rand(7)
    train_tiny(tmp_path / "b", steps=3)
    assert_equal_runs(tmp_path / "a", tmp_path / "b")


def test_another_seed_is_another_training(tmp_path: Path) -> None:
    a, b = train_tiny(tmp_path / "a", steps=2), train_tiny(tmp_path / "b", steps=2, seed=1)
    assert a.model_sha256 != b.model_sha256


def test_a_finished_run_resumed_is_left_as_it_is(tmp_path: Path) -> None:
    before = train_tiny(tmp_path / "run", steps=3).model_sha256
    again = train_tiny(tmp_path / "run", steps=3, resume=True)
    assert again.model_sha256 == before
    assert again.info["finished"] is True
    assert again.info["step"] == 3


@pytest.mark.parametrize("changes", [["losses.gradient_penalty=5"], ["training.learning_rates.critic=0.5"]])
def test_resuming_with_other_settings_is_refused(tmp_path: Path, changes: list[str]) -> None:
    recipe = train_tiny(tmp_path / "run", steps=2).recipe
    with pytest.raises(InputError, match="another recipe"):
        train_tiny(tmp_path / "run", *changes, steps=4, resume=True)
    with pytest.raises(InputError, match="another seed"):
        train_tiny(tmp_path / "run", steps=4, resume=True, seed=3)
    assert Run(tmp_path / "run").info["step"] == 2
    assert Run(tmp_path / "run").recipe == recipe
    train_tiny(tmp_path / "run", steps=3, resume=True)


def test_what_a_training_prepared_before_its_first_state_is_not_taken_over_by_other_data(tmp_path: Path) -> None:
    """Killed before the first state, and resumed with another split: the classifier must not know its test images."""
    data, out = split_dataset(tiny_dataset()), tmp_path / "run"
    options = {"steps": 1, "device": "cpu", "progress": False}
    train_gan(data, tiny_recipe(), out, **options)
    prepared = [(out / name).read_bytes() for name in (CLASSIFIER, FINGERPRINTS)]
    for state in (out / "state").iterdir():
        state.unlink()
    info = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**info, "step": 0, "finished": False}))
    other = split_dataset(tiny_dataset(), seed=5)
    train_gan(other, tiny_recipe(), out, resume=True, **options)
    assert [(out / name).read_bytes() for name in (CLASSIFIER, FINGERPRINTS)] != prepared
    train_gan(other, tiny_recipe(), tmp_path / "fresh", **options)
    for name in (CLASSIFIER, FINGERPRINTS):
        assert (out / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()


def test_resuming_sweeps_unfinished_files_and_no_others(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", steps=1).path
    mine = [run / ".gitignore", run / "notes" / ".step.abcdefgh.json"]
    (run / "notes").mkdir()
    left = [
        run / ".run.x_3kd9ab.json",
        *(run / "state" / name for name in (".step-00000001.abcdefgh.safetensors", ".tmpmXz3Sj")),
    ]
    for file in (*mine, *left):
        file.write_text("half")
    train_tiny(tmp_path / "run", steps=2, resume=True)
    assert all(file.exists() for file in mine)
    assert not any(file.exists() for file in left)


def test_a_state_that_lost_its_end_is_named_with_the_one_before_it(tmp_path: Path) -> None:
    train_tiny(tmp_path / "run", steps=4)
    newest = tmp_path / "run" / "state" / "step-00000004.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"step-00000004\S*: cannot be read .*remove it to resume from step-00000002"):
        train_tiny(tmp_path / "run", steps=5, resume=True)
    newest.unlink()
    train_tiny(tmp_path / "run", steps=5, resume=True)


def test_a_trained_run_without_its_state_is_not_begun_anew(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", steps=2).path
    before = (run / "model.safetensors").read_bytes(), (run / "run.json").read_bytes()
    shutil.rmtree(run / "state")
    with pytest.raises(InputError, match=r"was trained for 2 steps and has no state to go on from; .*\(--from .*run\)"):
        train_tiny(run, steps=4, resume=True)
    assert ((run / "model.safetensors").read_bytes(), (run / "run.json").read_bytes()) == before


@pytest.mark.parametrize("lost", ["optimizer.", "optimizer.critic.1.exp_avg", "gan.", "ema."])
def test_a_state_that_lost_tensors_is_not_gone_on_from(tmp_path: Path, lost: str) -> None:
    train_tiny(tmp_path / "run", steps=2)
    state = tmp_path / "run" / "state" / "step-00000002.safetensors"
    tensors, card = read_weights(state)
    write_weights(state, {name: t for name, t in tensors.items() if not name.startswith(lost)}, card)
    with pytest.raises(InputError, match=r"step-00000002\S*: holds other tensors, .*than were written; restore"):
        train_tiny(tmp_path / "run", steps=3, resume=True)


@pytest.mark.parametrize("name", ["optimizer.critic.1.step", "optimizer.critic.1.exp_avg", "images"])
def test_a_state_whose_tensors_or_notes_are_others_is_not_gone_on_from(tmp_path: Path, name: str) -> None:
    train_tiny(tmp_path / "run", steps=2)
    state = tmp_path / "run" / "state" / "step-00000002.safetensors"
    tensors, card = read_weights(state)
    reshaped = {key: t.reshape(*t.shape, 1) if key == name else t for key, t in tensors.items()}
    renamed = {"renamed" if key == name else key: t for key, t in tensors.items()}
    for changed in (reshaped, renamed):
        write_weights(state, changed, card | ({"images": "x"} if name in card else {}))
        with pytest.raises(InputError, match="holds other tensors, or other notes"):
            train_tiny(tmp_path / "run", steps=3, resume=True)


def test_a_run_that_does_not_say_what_it_has_seen_is_not_gone_on_with(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", steps=1).path
    for text in ("", "{}", '{"parent": {"name": "another"}}'):
        (run / "run.json").write_text(text)
        with pytest.raises(InputError, match="restore it"):
            train_tiny(run, steps=2, resume=True)


def test_a_folder_that_holds_anything_is_not_trained_into(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(InputError, match="give another --out"):
            train_tiny(tmp_path, steps=1, resume=resume)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    train_tiny(tmp_path / "run", steps=1)
    with pytest.raises(InputError, match="already holds a run; continue it with --resume"):
        train_tiny(tmp_path / "run", steps=1)


def test_divergence_stops_with_a_sentence_and_keeps_the_last_good_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gansynth.gans.methods.c_wgan_gp import CWGANGP

    original = CWGANGP.generator_loss

    def breaks(self: CWGANGP, batch):  # type: ignore[no-untyped-def]
        terms = original(self, batch)
        return {k: v * float("nan") for k, v in terms.items()} if batch.step >= 4 else terms

    monkeypatch.setattr(CWGANGP, "generator_loss", breaks)
    with pytest.raises(InputError, match=r"diverged before step 6: .* the last good state is kept"):
        train_tiny(tmp_path / "run", steps=20)
    states = sorted((tmp_path / "run" / "state").iterdir())
    assert states[-1].name == "step-00000004.safetensors"
    assert all(torch.isfinite(t).all() for t in read_weights(states[-1])[0].values())
    assert all(torch.isfinite(t).all() for t in read_weights(tmp_path / "run" / "model.safetensors")[0].values())


def test_a_turn_moves_its_own_player_only(tmp_path: Path) -> None:
    """The critic's step must leave the generator where it was, and so on round the table."""
    from lightning_fabric import Fabric

    from gansynth.gans.engine.loop import _move, build_optimizers

    torch.manual_seed(0)
    recipe, data = tiny_recipe(), tiny_dataset()
    gan = build_gan(recipe, data.class_names)
    optimizers, fabric = build_optimizers(gan, recipe), Fabric(accelerator="cpu", devices=1)
    batches = Batches(data, recipe, 8, torch.device("cpu"))
    for turn in gan.turns():
        before = {k: v.clone() for k, v in gan.state_dict().items()}
        _move(gan, turn, batches.draw(turn, 0), optimizers[turn.player], fabric)
        moved = {k.split(".")[0] for k, v in gan.state_dict().items() if not torch.equal(v, before[k])}
        assert moved == {turn.player}


def test_labels_of_real_and_generated_batches_follow_one_distribution() -> None:
    data, recipe = tiny_dataset(), tiny_recipe("training.batch_size=4000")
    torch.manual_seed(0)
    batch = Batches(data, recipe, 4000, torch.device("cpu")).draw(build_gan(recipe, data.class_names).turns()[0], 0)
    wanted = np.asarray(ClassSampler(data.labels, 3, mode="tempered", alpha=0.5).probabilities)
    for labels in (batch.labels, batch.generated_labels):
        np.testing.assert_allclose(np.bincount(labels, minlength=3) / 4000, wanted, atol=0.03)


def test_every_real_image_comes_with_its_own_label() -> None:
    """Labels of one shuffle with images of another is how per-class figures go wrong."""
    data = tiny_dataset()
    marked = replace(data, images=np.broadcast_to(data.labels[:, None, None, None], data.images.shape).astype(np.uint8))
    recipe = tiny_recipe("training.batch_size=64")
    batch = Batches(marked, recipe, 64, torch.device("cpu")).draw(build_gan(recipe, data.class_names).turns()[0], 0)
    shown = ((batch.images[:, 0, 0, 0] + 1) * 127.5).round().long()
    assert torch.equal(shown, batch.labels)


def test_a_class_smaller_than_the_batch_is_trained_on(tmp_path: Path) -> None:
    """`drop_last` on a loader of a small class leaves nothing at all."""
    data = tiny_dataset()
    one = data.select(np.array([0, 1, 2, len(data) - 1]))
    one = replace(one, records=one.records.assign(split="train"))
    keep = np.unique(one.labels)
    one = replace(one, labels=np.searchsorted(keep, one.labels), class_names=tuple(one.class_names[i] for i in keep))
    run = train_gan(one, tiny_recipe("training.batch_size=32"), tmp_path / "run", steps=2, device="cpu", progress=False)
    assert run.info["training_counts"] == {"eosinophil": 3, "smudge cell": 1}


def test_an_empty_class_and_a_wrong_size_are_refused(tmp_path: Path) -> None:
    data = tiny_dataset()
    with pytest.raises(InputError, match="images are 16 px and recipe c-wgan-gp-64 makes 64 px"):
        train_gan(data, "c-wgan-gp-64", tmp_path / "run")
    records = data.records.assign(split=np.where(data.labels == 2, "test", "train"))
    with pytest.raises(InputError, match="no training image of class smudge cell"):
        train_gan(replace(data, records=records), tiny_recipe(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "limit", [{"steps": 0}, {"steps": -1}, {"minutes": 0}, {"minutes": float("nan")}, {"images": -3}]
)
def test_an_impossible_budget_is_refused(tmp_path: Path, limit: dict[str, float]) -> None:
    with pytest.raises(InputError, match="give a number above 0"):
        train_tiny(tmp_path / "run", **limit)


def test_budgets_in_images_and_in_minutes_stop_a_training(tmp_path: Path) -> None:
    by_images = train_tiny(tmp_path / "a", images=64)
    assert by_images.info["images"] == 64  # 8 images x 2 critic steps x 4 iterations
    by_minutes = train_tiny(tmp_path / "b", minutes=0.01)
    assert by_minutes.info["step"] >= 1
    assert by_minutes.info["finished"] is True


def test_a_training_that_began_before_there_were_all_settings_goes_on() -> None:
    """Its identity was taken of settings without these names."""
    recipe, data = tiny_recipe(), tiny_dataset()
    settings = recipe.model_dump(mode="json")
    del settings["reports"], settings["training"]["steps"], settings["training"]["warm_up"]
    del settings["networks"]["classifier_norm"]
    digest = hashlib.sha256(json.dumps([settings, 0, list(data.class_names)], sort_keys=True).encode())
    digest.update("".join(data.records["sha256"]).encode() + data.labels.tobytes())
    assert identity_of(data, recipe, 0) == digest.hexdigest()
    for change in ("training.warm_up=5", "networks.classifier_norm=group"):
        assert identity_of(data, tiny_recipe(change), 0) != digest.hexdigest()


def test_linear_decay_ends_at_a_rate_of_nothing(tmp_path: Path) -> None:
    a = train_tiny(tmp_path / "a", "training.decay=linear", steps=4)
    with pytest.raises(InputError, match="another recipe"):
        train_tiny(tmp_path / "a", "training.decay=linear", "training.steps=9", resume=True)
    assert a.info["step"] == 4


def test_precision_bf16_trains_to_finite_weights(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", "training.precision=bf16", steps=3)
    assert run.info["precision"] == "bf16-mixed"
    tensors, _ = read_weights(run.path / "model.safetensors")
    assert all(torch.isfinite(t).all() and t.dtype == torch.float32 for t in tensors.values())


def test_a_sixth_gan_is_one_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stranger writes: players, turns, losses. The loop, the run folder and resume come with it."""
    from torch.nn import functional as F

    from gansynth.gans import Batch, Turn, register
    from gansynth.gans import gan as registry
    from gansynth.gans.players import build_critic, build_generator
    from gansynth.recipes.declared import DECLARED, Declared, ThreePlayerNetworks

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setitem(DECLARED, "hinge-gan", Declared())

    @register("hinge-gan", networks=ThreePlayerNetworks)
    class HingeGAN(GAN):
        def __init__(self, recipe, n_classes: int) -> None:  # type: ignore[no-untyped-def]
            super().__init__(recipe, n_classes)
            self.generator, self.judge = build_generator(recipe, n_classes), build_critic(recipe, n_classes)

        def turns(self) -> tuple[Turn, ...]:
            return Turn("judge", self.judge_loss), Turn("generator", self.generator_loss)

        def judge_loss(self, batch: Batch) -> dict[str, torch.Tensor]:
            on_real = self.judge(batch.images, batch.labels)
            on_generated = self.judge(self.generate_detached(batch), batch.generated_labels)
            return {"hinge": F.relu(1 - on_real).mean() + F.relu(1 + on_generated).mean()}

        def generator_loss(self, batch: Batch) -> dict[str, torch.Tensor]:
            images = self.generate(batch.latents, batch.generated_labels)
            return {"hinge": -self.judge(images, batch.generated_labels).mean()}

    run = train_tiny(tmp_path / "run", "gan=hinge-gan", "losses={}", steps=2)
    assert run.generator()(0, np.arange(3)).shape == (3, 3, 16, 16)


def test_labels_come_in_groups_of_one_class_where_the_recipe_wants_it() -> None:
    data, recipe = tiny_dataset(), tiny_recipe("training.batch_size=16", "sampling.group=4")
    turns = build_gan(recipe, data.class_names).turns()
    torch.manual_seed(0)
    drawn = [Batches(data, recipe, 16, torch.device("cpu")).draw(turns[0], 0) for _ in range(8)]
    for batch in drawn:
        for labels in (batch.labels, batch.generated_labels):
            groups = labels.reshape(4, 4)
            assert (groups == groups[:, :1]).all()
    assert len({tuple(batch.labels.tolist()) for batch in drawn}) > 1
