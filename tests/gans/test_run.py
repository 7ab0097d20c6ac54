"""What a run gives back: images by seed, an independent classifier, fingerprints."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gansynth.cli import gansynth
from gansynth.errors import InputError
from gansynth.gans import build_gan, open_run, train_gan, zoo_models
from gansynth.gans.engine.showing import class_sheet
from gansynth.gans.export import export_run
from gansynth.gans.fingerprints import TrainingFingerprints
from gansynth.gans.sampling import CHUNK, LoadedGenerator, oriented
from gansynth.networks.images import orient, to_float, to_uint8
from gansynth.runs.weights import read_weights, write_weights

from .tiny import tiny_dataset, tiny_recipe


def test_an_image_depends_on_its_class_and_seed_and_on_nothing_beside_it(tiny_run_folder: Path) -> None:
    generator = open_run(tiny_run_folder).generator()
    seeds = np.arange(3 * CHUNK)
    whole = generator(1, seeds)
    for some in (seeds[5:6], seeds[::-7], seeds[40:70], np.array([64, 3, 3])):
        np.testing.assert_array_equal(generator(1, some), whole[some])
    assert not np.array_equal(generator(0, seeds[:4]), whole[:4])


def test_the_same_image_on_one_thread_and_on_two() -> None:
    """At 64 px a chunk is computed in tiles, one a thread."""
    before, made = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            generator = LoadedGenerator(build_gan("c-wgan-gp-64", ["a", "b"]), torch.device("cpu"))
            assert (generator.pool is not None) == (threads == 2)
            made.append(generator(1, np.arange(CHUNK)))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*made)


def test_class_by_name_and_a_near_miss_suggested(tiny_run_folder: Path) -> None:
    run = open_run(tiny_run_folder)
    assert run.class_index("eosinophil") == 1
    with pytest.raises(InputError, match="no class 'Eosinophill'; did you mean 'eosinophil'"):
        run.class_index("Eosinophill")
    with pytest.raises(InputError, match="there are basophil, eosinophil, lymphocyte"):
        run.class_index("xyz")


def test_the_independent_classifier_gives_probabilities_and_survives_a_round_trip(tiny_run_folder: Path) -> None:
    run = open_run(tiny_run_folder)
    first, second = run.independent_classifier(), run.independent_classifier()
    assert first is not None
    assert second is not None
    images = run.generator()(0, np.arange(5))
    probabilities = first(images)
    assert probabilities.shape == (5, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(probabilities, second(images))
    assert first(images[:0]).shape == (0, 3)


@pytest.mark.parametrize("missing", ["run.json", "model.safetensors", "recipe.yaml"])
def test_a_run_cut_short_is_refused_with_a_sentence(tiny_run_folder: Path, tmp_path: Path, missing: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_run_folder, broken)
    (broken / missing).unlink()
    with pytest.raises(InputError, match="broken"):
        open_run(broken)


def test_truncated_weights_and_weights_of_another_recipe_are_refused(tiny_run_folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_run_folder, broken)
    model = broken / "model.safetensors"
    whole = model.read_bytes()
    model.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        open_run(broken).generator()
    model.write_bytes(whole)
    info = json.loads((broken / "run.json").read_text())
    recipe = broken / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("resolution: 32", "resolution: 64"))
    with pytest.raises(InputError, match=r"does not fit recipe\.yaml"):
        open_run(broken).generator()
    for names in (["a", "b"], info["class_names"][::-1], [*info["class_names"], "more"]):
        (broken / "run.json").write_text(json.dumps({**info, "class_names": names}))
        with pytest.raises(InputError, match=r"is of other classes than run\.json beside it names"):
            open_run(broken).generator()
    (broken / "run.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        open_run(broken)


def test_weights_of_another_training_of_the_same_classes_are_refused(tiny_run_folder: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(tiny_run_folder, mixed)
    tensors, card = read_weights(mixed / "model.safetensors")
    assert card["identity"] == json.loads((mixed / "run.json").read_text())["identity"]
    write_weights(mixed / "model.safetensors", tensors, {**card, "identity": "0" * 64})
    with pytest.raises(InputError, match=r"model\.safetensors: was written by another training than run\.json"):
        open_run(mixed).generator()
    older = {key: text for key, text in card.items() if key != "identity"}  # as the zoo's models: no training is named
    write_weights(mixed / "model.safetensors", tensors, older)
    with pytest.raises(InputError, match=r"model\.safetensors: was written by another training than run\.json"):
        open_run(mixed).generator()
    info = json.loads((mixed / "run.json").read_text())
    (mixed / "run.json").write_text(json.dumps({key: said for key, said in info.items() if key != "identity"}))
    assert open_run(mixed).sample("basophil", 1, device="cpu").shape == (1, 3, 32, 32)


def test_neither_a_folder_nor_a_model_of_the_zoo() -> None:
    with pytest.raises(InputError, match="no run folder and no trained model"):
        open_run("no-such-run")


@pytest.mark.parametrize("name", zoo_models())
def test_every_model_of_the_zoo_makes_images_of_every_class(name: str) -> None:
    run = open_run(name)
    generator, classifier = run.generator(), run.independent_classifier()
    assert classifier is not None
    assert run.fingerprints is not None
    for index in range(len(run.class_names)):
        images = generator(index, np.arange(4))
        assert images.shape == (4, 3, run.resolution, run.resolution)
        assert images.std() > 10
    assert (run.path / "README.md").is_file()


def images_of(rng: np.random.Generator, n: int) -> np.ndarray:
    """Smooth random pictures, as different as pictures of cells are alike."""
    small = rng.integers(0, 256, (n, 3, 8, 8)).astype(np.uint8)
    return small.repeat(4, axis=2).repeat(4, axis=3)


def test_copies_are_found_in_every_orientation_and_new_images_are_not() -> None:
    rng = np.random.default_rng(0)
    train, others = images_of(rng, 50), images_of(rng, 50)
    prints = TrainingFingerprints.of(train, others)
    for k in range(8):
        turned = orient(torch.from_numpy(train), k).numpy()
        noisy = np.clip(turned.astype(int) + rng.integers(-3, 4, turned.shape), 0, 255).astype(np.uint8)
        assert (prints.distance(noisy) < prints.copy_threshold).all()
    assert (prints.distance(images_of(rng, 50)) > prints.copy_threshold).all()


def test_what_is_farther_than_real_cells_of_its_class_is_beyond_the_limit(tmp_path: Path) -> None:
    """Class 0 varies by 5 grey levels, class 1 by 40; of class 2 there are too few held-out images to say."""
    rng = np.random.default_rng(0)
    train = np.full((1, 3, 8, 8), 128, dtype=np.uint8)
    labels = np.repeat([0, 1, 2], [200, 200, 4])
    spread = np.array([5, 40, 1])[labels]
    shifts = rng.uniform(-1, 1, len(labels)) * spread
    held_out = (
        np.clip(128 + shifts[:, None, None, None], 0, 255).repeat(3, 1).repeat(8, 2).repeat(8, 3).astype(np.uint8)
    )
    TrainingFingerprints.of(train, held_out, labels, 3).save(tmp_path / "prints.safetensors")
    prints = TrainingFingerprints.load(tmp_path / "prints.safetensors")
    far = prints.distance(train + 20)[0]
    assert prints.limit(0) < far < min(prints.limit(1), prints.limit(2))
    for k in (0, 1):
        assert np.mean(prints.distance(held_out[labels == k]) > prints.limit(k)) <= 0.01
    few = TrainingFingerprints.of(train, held_out[:99], labels[:99], 3)
    assert few.limit(0) == float("inf")


def test_distance_to_the_nearest_training_image_is_in_grey_levels() -> None:
    train = np.full((1, 3, 16, 16), 100, dtype=np.uint8)
    prints = TrainingFingerprints.of(train, np.full((2, 3, 16, 16), 180, dtype=np.uint8))
    np.testing.assert_allclose(prints.distance(train + 7), [7.0], atol=1e-3)
    assert prints.copy_threshold == pytest.approx(40.0)
    assert prints.distance(train[:0]).shape == (0,)


def test_pixels_survive_the_way_to_floats_and_back() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert torch.equal(to_uint8(to_float(images)), images)


def test_eight_orientations_are_all_different() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert len({tuple(orient(image, k).flatten().tolist()) for k in range(8)}) == 8


def test_a_sheet_has_one_labelled_row_for_each_class_shown() -> None:
    images = np.zeros((5, 3, 20, 20), dtype=np.uint8)
    sheet = class_sheet(images, [0, 0, 0, 2, 2], ["a", "b", "a very long name of a class"])
    assert sheet.height == 2 * 22 + 2
    assert sheet.width > 3 * 22 + 100


def test_an_exported_run_is_half_the_size_and_makes_nearly_the_same_images(
    tiny_run_folder: Path, tmp_path: Path
) -> None:
    from gansynth.gans.export import export_run

    run = open_run(tiny_run_folder)
    small = export_run(run, tmp_path / "small")
    assert not (small.path / "state").exists()
    assert (small.path / "model.safetensors").stat().st_size < 0.6 * (run.path / "model.safetensors").stat().st_size
    difference = np.abs(run.generator()(1, np.arange(8)).astype(int) - small.generator()(1, np.arange(8)).astype(int))
    assert difference.mean() < 1
    assert small.training_sha256 == run.training_sha256
    assert small.fingerprints is not None
    assert small.independent_classifier() is not None
    with pytest.raises(InputError, match="not empty"):
        export_run(run, tmp_path / "small")


def test_a_spread_is_exported_into_the_weights_and_is_a_truncation_of_its_class(tmp_path: Path) -> None:
    recipe = tiny_recipe("networks.noise=true", "networks.embedding_noise=0.5")
    run = train_gan(tiny_dataset(), recipe, tmp_path / "run", device="cpu", progress=False, steps=1)
    done = CliRunner().invoke(gansynth, ["export", str(run.path), str(tmp_path / "wide"), "--spread", "lymphocyte=1.5"])
    assert done.exit_code == 0, done.output
    wide, plain = open_run(tmp_path / "wide"), export_run(run, tmp_path / "plain")
    assert wide.model_sha256 != plain.model_sha256, "each image says by which model it was made"
    sampled = partial(plain.sample, n=4, device="cpu")
    assert np.array_equal(wide.sample("lymphocyte", 4, device="cpu"), sampled("lymphocyte", truncation=1.5))
    assert np.abs(wide.sample("eosinophil", 4, device="cpu") - sampled("eosinophil").astype(float)).mean() < 1
    assert np.array_equal(wide.sample("lymphocyte", 4, truncation=0, device="cpu"), sampled("lymphocyte", truncation=0))
    again = export_run(wide, tmp_path / "again", spread={"eosinophil": 1.25})
    assert read_weights(again.path / "model.safetensors")[0]["spread"].tolist() == [1.25, 1.5, 1.0]
    for wrong, sentence in ((["--spread", "basophile=1.2"], "no class"), (["--spread", "lymphocyte=3"], "from 0 to 2"),
                            (["--spread", "lymphocyte"], "is not class=share"),
                            (["--spread", "lymphocyte=1.1", "--format", "onnx"], "written into a run")):  # fmt: skip
        done = CliRunner().invoke(gansynth, ["export", str(run.path), str(tmp_path / "never"), *wrong])
        assert done.exit_code == 2 and sentence in done.output
        assert not (tmp_path / "never").exists()


def test_distances_to_training_images_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, those of 30,000 cells to 70,000 training images would take eight gigabytes."""
    cells = np.random.default_rng(0).integers(0, 256, (12, 3, 16, 16), np.uint8)
    prints = TrainingFingerprints.of(cells[:7], cells[7:])
    at_once = prints.distance(cells)
    monkeypatch.setattr("gansynth.gans.fingerprints._PAIRS", 20)  # two images beside seven
    np.testing.assert_allclose(prints.distance(cells), at_once, atol=0.5)  # of 255; so far rounding goes near 0
    assert at_once[:7].max() < 1 < at_once[7:].min()


@pytest.mark.parametrize("spread", [[1.0, -0.1, 1.0], [1.0, 2.5, 1.0], [1.0, 1.0], [[1.0, 1.0, 1.0]], 1.0])
def test_a_spread_that_no_export_writes_is_refused_where_the_weights_are_opened(spread: Any, tmp_path: Path) -> None:
    recipe = tiny_recipe("networks.noise=true", "networks.embedding_noise=0.5")
    run = train_gan(tiny_dataset(), recipe, tmp_path / "run", device="cpu", progress=False, steps=1)
    tensors, card = read_weights(run.path / "model.safetensors")
    write_weights(run.path / "model.safetensors", tensors | {"spread": torch.tensor(spread)}, card)
    for use in (lambda: open_run(run.path).generator(),
                lambda: export_run(open_run(run.path), tmp_path / "out", spread={"lymphocyte": 1.1})):  # fmt: skip
        with pytest.raises(InputError, match=r"model\.safetensors: its spread is not one number from 0 to 2"):
            use()
    assert not (tmp_path / "out").exists()


def test_the_orientation_of_an_image_follows_from_its_seed_and_all_eight_occur() -> None:
    images = torch.arange(48, dtype=torch.uint8).reshape(1, 3, 4, 4).expand(64, -1, -1, -1)
    free, fixed = (
        build_gan(tiny_recipe(f"augmentation.orientations={value}"), ["a", "b"]) for value in ("true", "false")
    )
    seen = oriented(free, images, 0, range(64))
    assert len({x.numpy().tobytes() for x in seen}) == 8
    assert torch.equal(seen[10:20], oriented(free, images[10:20], 0, range(10, 20)))
    assert not torch.equal(seen, oriented(free, images, 1, range(64)))
    assert torch.equal(images, oriented(fixed, images, 0, range(64)))


@pytest.mark.parametrize("name", ["training_fingerprints.safetensors", "independent_classifier.safetensors"])
def test_a_part_of_a_run_whose_link_leads_nowhere_is_not_an_absent_one(
    name: str, tiny_run_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_run_folder, tmp_path / "run")
    run = open_run(tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    assert (run.fingerprints if "finger" in name else run.independent_classifier("cpu")) is None
    (tmp_path / "run" / name).symlink_to("nowhere")
    again = open_run(tmp_path / "run")
    with pytest.raises(InputError, match="a link to a file that is not there"):
        again.fingerprints if "finger" in name else again.independent_classifier("cpu")


@pytest.mark.parametrize(
    ("prints", "about"),
    [
        ((4, 192), {}),
        ((4, 192), {"copy_threshold": "nan"}),
        ((4, 192), {"copy_threshold": "-1"}),
        ((4, 192), {"copy_threshold": "close"}),
        ((4, 191), {"copy_threshold": "3"}),
        ((192,), {"copy_threshold": "3"}),
        ((1, 192), {"copy_threshold": "1", "limits": "5"}),
        ((1, 192), {"copy_threshold": "1", "limits": "[-1]"}),
        ((1, 192), {"copy_threshold": "1", "limits": "[NaN]"}),
        ((1, 192), {"copy_threshold": "1", "limits": "[[1]]"}),
        ((1, 192), {"copy_threshold": "1", "limits": "[0, 1"}),
    ],
)
def test_fingerprints_that_would_let_every_copy_pass_are_refused(
    prints: tuple[int, ...], about: dict[str, str], tmp_path: Path
) -> None:
    write_weights(tmp_path / "prints.safetensors", {"prints": torch.zeros(prints)}, about)
    with pytest.raises(InputError, match="are not fingerprints of gansynth"):
        TrainingFingerprints.load(tmp_path / "prints.safetensors")


@pytest.mark.parametrize("lost", ["training_sha256", "parent", "all", "images"])
def test_a_run_that_does_not_say_what_it_has_seen_is_refused(tiny_run_folder: Path, tmp_path: Path, lost: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_run_folder, run)
    info = json.loads((run / "run.json").read_text())
    if lost == "images":
        info["training_sha256"] = []
    info.pop(lost, None)
    (run / "run.json").write_text("" if lost == "all" else json.dumps(info))
    with pytest.raises(InputError, match="restore it"):
        open_run(run)
