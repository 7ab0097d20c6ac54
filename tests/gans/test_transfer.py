"""Beginning with the networks of another run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gansynth.data import split_dataset
from gansynth.errors import InputError
from gansynth.gans import Run, choose_recipe, train_gan
from gansynth.gans.engine.transfer import Lineage, beginnings
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.runs.state_files import newest_state
from gansynth.runs.weights import read_weights, write_weights

from .tiny import SMALL, that_fit, tiny_dataset, tiny_recipe


def train_tiny(out: Path, dataset=None, *changes: str, **options) -> Run:  # type: ignore[no-untyped-def]
    data = dataset if dataset is not None else tiny_dataset()
    return train_gan(data, tiny_recipe(*changes), out, device="cpu", progress=False, **options)


STILL = "training.learning_rates={generator: 1.0e-12, critic: 1.0e-12, classifier: 1.0e-12}"


def tensors_of(run: Run) -> dict[str, torch.Tensor]:
    state = newest_state(run.path)
    assert state is not None
    return read_weights(state)[0]


def test_a_child_begins_where_its_parent_is_and_remembers_its_training_images(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=4)
    child = train_tiny(tmp_path / "child", None, STILL, steps=1, seed=7, parent=parent.path)
    before, after = tensors_of(parent), tensors_of(child)
    # The slow generator is not compared: its ramp follows the young training.
    players = [name for name in before if name.startswith("gan.")]
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in players)
    assert child.info["parent"]["name"] == "parent"
    assert child.info["step"] == 1
    assert child.training_sha256 == parent.training_sha256 | set(child.info["training_sha256"])
    alone = train_tiny(tmp_path / "alone", None, STILL, steps=1, seed=7)
    assert alone.info["identity"] != child.info["identity"]  # the child's weights know more images


def grown(*changes: str) -> GanRecipe:
    """Return the tiny recipe with a block more: 32 px."""
    of_32 = ("resolution=32", "networks.generator=[8,8,8,8]", "networks.critic=[8,8,8]", "networks.classifier=[8,8,8]")
    return tiny_recipe(*of_32, *changes)


def test_a_larger_child_begins_by_drawing_what_its_parent_draws(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    child = train_gan(
        tiny_dataset(32), grown(STILL), tmp_path / "child", device="cpu", progress=False, steps=1, parent=parent.path
    )
    small, large = (run.generator(torch.device("cpu"))(0, np.arange(4)) for run in (parent, child))
    shrunk = torch.nn.functional.avg_pool2d(torch.from_numpy(np.asarray(large)).float(), 2)
    assert (shrunk - torch.from_numpy(np.asarray(small)).float()).abs().mean() < 8, "of 255; smoothed by scaling up"


def test_frozen_layers_stay_and_those_above_them_learn(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    child = train_gan(
        tiny_dataset(32), grown("networks.frozen=16"), tmp_path / "child",
        device="cpu", progress=False, steps=2, parent=parent.path,
    )  # fmt: skip
    before, after = tensors_of(parent), tensors_of(child)
    own = {name for name in after if name.startswith("gan.generator.")} - set(before)
    assert own
    assert all(name.startswith("gan.generator.blocks.3.") for name in own)
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("gan.generator."))
    assert after["gan.generator.blocks.3.to_rgb.weight"].abs().max() > 0
    of_its_child = choose_recipe(None, [], tmp_path / "grandchild", resume=False, parent=child.path)
    assert of_its_child.model_dump(mode="json")["networks"]["frozen"] == 0, "what it left alone its own child learns"


def test_heads_on_pretrained_features_are_taken_over_by_the_critic_beside_another(tmp_path: Path) -> None:
    recipe = load_recipe("projected-c-gan", that_fit("projected-c-gan", SMALL))
    parent = train_gan(tiny_dataset(), recipe, tmp_path / "parent", device="cpu", progress=False, steps=1)
    name = "projected-c-wgan-gp-64"
    still = "training.learning_rates={generator: 1.0e-12, critic: 1.0e-12, classifier: 1.0e-12, texture: 1.0e-12}"
    recipe = load_recipe(name, [*that_fit(name, SMALL), "networks.mapping=2", "training.texture_since=0", still])
    child = train_gan(
        tiny_dataset(), recipe, tmp_path / "child", device="cpu", progress=False, steps=1, parent=parent.path
    )
    before, after = tensors_of(parent), tensors_of(child)
    heads = [key for key in before if key.startswith("gan.critic.heads.") and key.endswith("original")]
    assert heads
    assert all(torch.allclose(before[key], after[key.replace("critic", "texture")], atol=1e-6) for key in heads)


def test_frozen_layers_want_a_trained_generator(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name it with --from"):
        train_tiny(tmp_path / "run", None, "networks.frozen=8", steps=1)
    with pytest.raises(InputError, match="leaves nothing to learn at 16 px"):
        tiny_recipe("networks.frozen=16")


def test_a_parent_that_knows_held_out_images_is_named_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = split_dataset(tiny_dataset(), test=0.3, val=0.0)
    parent = train_tiny(tmp_path / "parent", replace(cells, records=cells.records.assign(split="train")), steps=1)
    train_gan(cells, tiny_recipe(), tmp_path / "child", device="cpu", steps=1, parent=parent.path)
    assert "note: parent has learned from" in (said := capsys.readouterr().err)
    assert "--seen-by parent" in said


def test_a_child_takes_its_parents_recipe_unless_another_is_named(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    assert choose_recipe(None, [], tmp_path / "child", resume=False, parent=parent.path) == parent.recipe
    named = choose_recipe("c-wgan-gp-64", [], tmp_path / "child", resume=False, parent=parent.path)
    assert named == load_recipe("c-wgan-gp-64")


def test_classes_are_matched_by_name_and_a_new_one_starts_as_the_one_it_resembles(tmp_path: Path) -> None:
    """The parent's own classifier sees lymphocytes in what the child calls monoblasts."""
    parent = train_tiny(tmp_path / "parent", None, "reports.classifier_images=2560", steps=2)
    assert parent.class_names == ("eosinophil", "lymphocyte", "smudge cell")
    renamed = replace(tiny_dataset(), class_names=("eosinophil", "monoblast", "smudge cell"))
    child = train_tiny(tmp_path / "child", renamed, STILL, steps=1, parent=parent.path)
    before, after = (tensors_of(run)["gan.generator.embedding.weight"] for run in (parent, child))
    torch.testing.assert_close(after, before)
    assert child.info["parent"]["classes"]["monoblast"] == "lymphocyte"
    assert Lineage.from_json(child.info["parent"]).resemblances.endswith(
        "that they resemble most: monoblast as lymphocyte"
    )


def test_a_new_class_does_not_start_as_one_that_the_data_have_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody keeps apart from eosinophils are not eosinophils, however much they look like them."""
    parent = train_tiny(tmp_path / "parent", steps=1)
    said = torch.tensor([[0.6, 0.3, 0.1]]).numpy()
    monkeypatch.setattr(Run, "independent_classifier", lambda *_: lambda images: said.repeat(len(images), axis=0))
    child = replace(tiny_dataset(), class_names=("eosinophil", "granulocyte", "blast"))
    assert beginnings(parent, child) == {"eosinophil": 0, "granulocyte": 1, "blast": 1}
    known = {"eosinophil": 0, "lymphocyte": 1, "smudge cell": 2}
    assert beginnings(parent, replace(tiny_dataset(), class_names=tuple(known))) == known
    parent.class_names = ("lymphocyte", "e\u0301osinophile", "smudge cell")
    composed = replace(tiny_dataset(), class_names=("\u00e9osinophile", "lymphocyte", "smudge cell"))
    assert beginnings(parent, composed)["\u00e9osinophile"] == 1, "another system composes the accent"


def test_a_new_class_starts_as_the_mean_where_the_parent_has_no_classifier(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    (parent.path / "independent_classifier.safetensors").unlink()
    renamed = replace(tiny_dataset(), class_names=("eosinophil", "monoblast", "smudge cell"))
    child = train_tiny(tmp_path / "child", renamed, STILL, steps=1, parent=parent.path)
    before, after = (tensors_of(run)["gan.generator.embedding.weight"] for run in (parent, child))
    torch.testing.assert_close(after[[0, 2]], before[[0, 2]])
    torch.testing.assert_close(after[1], before.mean(dim=0))


def test_the_papers_generator_keeps_its_classes_too(tmp_path: Path) -> None:
    """Its labels are columns of the first layer; with as many classes, in another order, every shape fits as it is."""
    paper = load_recipe(
        "c-wgan-gp",
        [
            "resolution=16", "latent=8", "networks.width=4", "training.batch_size=8", "training.critic_steps=1",
            "training.learning_rates={generator: 1.0e-12, critic: 1.0e-12, classifier: 1.0e-12}",
            "reports.watch_images=4", "reports.classifier_images=128", "reports.pretrained_judge=false",
        ],
    )  # fmt: skip
    parent = train_gan(tiny_dataset(), paper, tmp_path / "parent", steps=1, device="cpu", progress=False)
    (parent.path / "independent_classifier.safetensors").unlink()
    renamed = replace(tiny_dataset(), class_names=("lymphocyte", "monoblast", "smudge cell"))
    child = train_gan(renamed, paper, tmp_path / "child", steps=1, parent=parent.path, device="cpu", progress=False)
    before, after = (tensors_of(run)["gan.generator.fully_connected.weight"] for run in (parent, child))
    torch.testing.assert_close(after[:, :8], before[:, :8])
    torch.testing.assert_close(after[:, [8, 10]], before[:, [9, 10]])
    torch.testing.assert_close(after[:, 9], before[:, 8:].mean(dim=1))


def test_a_child_stopped_before_its_first_state_wants_its_parent_again(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    child = train_tiny(tmp_path / "child", steps=2, parent=parent.path)
    for state in (child.path / "state").iterdir():
        state.unlink()
    info = json.loads((child.path / "run.json").read_text())
    (child.path / "run.json").write_text(json.dumps({**info, "step": 0, "finished": False}))
    with pytest.raises(InputError, match="began from run parent and has no state yet; give the same --from again"):
        train_tiny(tmp_path / "child", steps=2, resume=True)
    again = train_tiny(tmp_path / "child", steps=2, resume=True, parent=parent.path)
    assert again.model_sha256 == child.model_sha256


def test_a_child_resumes_without_its_parent_and_keeps_its_lineage(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    train_tiny(tmp_path / "whole", steps=4, seed=1, parent=parent.path)
    train_tiny(tmp_path / "parts", steps=2, seed=1, parent=parent.path)
    resumed = train_tiny(tmp_path / "parts", steps=4, seed=1, resume=True)
    assert resumed.info["parent"]["name"] == "parent"
    assert resumed.model_sha256 == Run(tmp_path / "whole").model_sha256


def test_a_parent_of_other_networks_is_refused(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    with pytest.raises(InputError, match="start from a run of the same networks"):
        train_tiny(tmp_path / "a", None, "networks.generator=[8,8,12]", steps=1, parent=parent.path)


def test_a_parent_without_a_state_gives_its_generator(tmp_path: Path) -> None:
    """So it is with the models of the zoo."""
    parent = train_tiny(tmp_path / "parent", steps=2)
    for state in (parent.path / "state").iterdir():
        state.unlink()
    child = train_tiny(tmp_path / "child", None, STILL, steps=1, parent=parent.path)
    given, _ = read_weights(parent.path / "model.safetensors")
    got, _ = read_weights(child.path / "model.safetensors")
    assert all(torch.allclose(given[name], got[name], atol=1e-6) for name in given)


def test_a_parent_whose_state_holds_no_generator_is_refused(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=2)
    state = newest_state(parent.path)
    assert state is not None
    tensors, card = read_weights(state)
    for lost in (tuple(tensors), ("ema.",), ("gan.generator.",)):
        write_weights(state, {name: t for name, t in tensors.items() if not name.startswith(lost)}, card)
        with pytest.raises(InputError, match=r"step-00000002\S*: holds no weights of a generator; .*remove \S*state"):
            train_tiny(tmp_path / "child", steps=1, parent=parent.path)


def test_the_slow_generator_of_a_child_remembers_its_parents(tmp_path: Path) -> None:
    parent = train_tiny(tmp_path / "parent", steps=40)
    child = train_tiny(tmp_path / "child", None, "training.ema_half_life=1e9", steps=3, parent=parent.path)
    grandchild = train_tiny(tmp_path / "grandchild", None, STILL, steps=1, parent=child.path)
    assert Lineage.from_json(grandchild.info["parent"]).images_before == parent.images + child.images
    before, after = tensors_of(parent), tensors_of(child)
    name = next(name for name in before if name.startswith("ema.") and before[name].is_floating_point())
    moved = (after[name] - before[name]).abs().max()
    assert 0 < moved < 0.5 * (after[f"gan.generator.{name.removeprefix('ema.')}"] - before[name]).abs().max()
