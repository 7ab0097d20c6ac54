"""Claims about `quality`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from gansynth.cli import run
from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.gans.fingerprints import TrainingFingerprints, fingerprint
from gansynth.gans.run import FINGERPRINTS
from gansynth.metrics.catalogue import METRICS
from gansynth.studies.quality.result import Quality
from gansynth.studies.quality.sets import open_sets
from gansynth.studies.quality.study import quality

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def found(phantom_folder: Path, made_folder: Path, encoder_folder: Path) -> Quality:
    return quality(phantom_folder, made_folder, encoder=encoder_folder, progress=False)


def test_what_was_found_shows_itself_in_a_line_and_as_tables(found: Quality) -> None:
    assert len(repr(found)) < 200 and "synthetic images against" in repr(found) and "\n" not in repr(found)
    overall, classes = found.frame(), found.frame("classes")
    assert set(overall["metric"]) == set(found.metrics)
    assert {(c, m) for c, row in found.classes.items() for m in row} == set(
        zip(classes["class"], classes["metric"], strict=True)
    )
    recall = overall.set_index("metric").loc["recall"]
    assert recall["value"] == found.metrics["recall"].value and recall["n"] == found.metrics["recall"].n
    assert "<table" in found._repr_html_()


def test_every_metric_has_a_figure_or_is_missing_with_its_file_or_says_why_not(found: Quality) -> None:
    missing = {one.metric for one in found.missing}
    for name in METRICS:
        if METRICS[name].extractor == "dinobloom":
            continue  # asked for by a weight file only
        one = found.metrics.get(name)
        assert name in missing or (one is not None and (one.value is not None or one.note)), name
    assert {one.file for one in found.missing} == {
        "weights-inception-2015-12-05-6726825d.pth",
        "alexnet-owt-7be5be79.pth",
    }
    assert all(one.looked_in and "https://" in one.how for one in found.missing)


def test_every_figure_has_its_n_and_interval_and_what_real_images_score(found: Quality) -> None:
    for name, one in found.metrics.items():
        if one.value is not None:
            assert one.n > 0 and one.interval is not None and one.floor is not None, name
            if name != "copies":
                assert one.interval[0] - 1e-9 <= one.value <= one.interval[1] + 1e-9, name


def test_a_class_too_small_for_a_metric_says_so(found: Quality) -> None:
    one = found.classes["basophil"]["FD-cell"]
    assert one.value is None and "at least" in one.note and one.n < 20


def test_sets_of_unequal_size_are_compared_at_equal_n_and_it_is_said_why(found: Quality) -> None:
    counts = found.about.counts
    for of in counts.values():
        assert of.compared == min(of.held_out, of.synthetic)
    assert found.metrics["FD-cell"].n == sum(of.compared for of in counts.values())
    assert any("bias depends on n" in w for w in found.warnings)


def test_the_json_is_the_contract(found: Quality, tmp_path: Path) -> None:
    found.write(tmp_path / "q")
    read = json.loads((tmp_path / "q/results.json").read_text(encoding="utf-8"))
    assert {"metrics", "classes", "missing", "warnings"} <= set(read)
    assert {"value", "n", "interval", "floor"} <= set(read["metrics"]["KD-cell"])
    assert set(read["missing"][0]) == {"metric", "file", "looked_in", "how"}
    assert json.dumps(read, allow_nan=False)


def test_what_is_read_from_the_folder_is_what_was_measured(found: Quality, tmp_path: Path) -> None:
    found.write(tmp_path / "q")
    again = Quality.read(tmp_path / "q")
    assert again.to_json() == found.to_json() and again.about == found.about
    assert [p.synthetic for p in again.pairs] == [p.synthetic for p in found.pairs]
    assert all((a.images == b.images).all() for a, b in zip(again.pairs, found.pairs, strict=True))
    assert again.sheet is not None and found.sheet is not None and (again.sheet.real == found.sheet.real).all()
    assert again.map is not None and found.map is not None
    assert again.map.positions == pytest.approx(found.map.positions, abs=1e-3)


def test_a_result_shows_itself_in_a_line_and_as_tables(found: Quality) -> None:
    assert re.fullmatch(r"Quality\(32 synthetic images against \d+ real ones; recall [\d.]+; KD-cell .+\)", repr(found))
    assert list(found.frame()["metric"]) == list(found.metrics)
    assert set(found.frame("classes")["class"]) == set(found.classes) and "KD-cell" in found._repr_html_()


def test_the_command_prints_one_json_object_and_nothing_else(
    phantom_folder: Path, made_folder: Path, encoder_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["quality", str(phantom_folder), str(made_folder), "--encoder", str(encoder_folder), "--json"]) == 0
    assert "KD-cell" in json.loads(capfd.readouterr().out)["metrics"]


def test_the_second_time_the_real_side_is_read_not_computed(
    phantom_folder: Path, made_folder: Path, encoder_folder: Path, found: Quality, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gansynth.classifiers import CellEncoder

    seen: list[int] = []
    encode = CellEncoder.__call__

    def counting(self: CellEncoder, images: np.ndarray) -> dict[str, np.ndarray]:
        seen.append(len(images))
        return encode(self, images)

    monkeypatch.setattr(CellEncoder, "__call__", counting)
    again = quality(phantom_folder, made_folder, encoder=encoder_folder, progress=False)
    assert sum(seen) == 2 * found.about.synthetic.n  # each synthetic image and its white cell once, no real one
    for name, one in found.metrics.items():
        assert (again.metrics[name].value, again.metrics[name].floor) == pytest.approx((one.value, one.floor)), name


def test_blurred_cells_are_further_from_real_ones(
    phantom_folder: Path, made_folder: Path, encoder_folder: Path, found: Quality, tmp_path: Path
) -> None:
    for file in made_folder.rglob("*.png"):
        place = tmp_path / "blurred" / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.open(file).filter(ImageFilter.GaussianBlur(3)).save(place)
    worse = quality(phantom_folder, tmp_path / "blurred", encoder=encoder_folder, progress=False)
    for name in ("FD-cell", "KD-cell"):
        fine, blurred = found.metrics[name].value, worse.metrics[name].value
        assert fine is not None and blurred is not None and blurred > fine


def test_a_folder_of_training_images_raises_the_alarm(
    phantom_folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    training = open_dataset(phantom_folder, 32).part("train")
    for path in training.records["path"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(phantom_folder / path, tmp_path / path)
    copied = quality(phantom_folder, tmp_path, encoder=encoder_folder, progress=False)
    assert copied.about.memorisation.alarm
    assert copied.metrics["copies"].value == len(training)
    assert copied.metrics["memorisation"].value == 1
    assert all(pair.copy for pair in copied.pairs)
    assert any("pixel by pixel" in w for w in copied.warnings)


UNCHECKED = "whether the generator has learned from held-out images was not checked"


@pytest.fixture
def labelled_folder(made_folder: Path, tiny_run_folder: Path, tmp_path: Path) -> Path:
    """The synthetic images, with a table that names the tiny run's model."""
    folder = tmp_path / "made"
    shutil.copytree(made_folder, folder)
    sha256 = file_sha256(tiny_run_folder / "model.safetensors")
    table = pd.read_csv(folder / "metadata.csv")
    table.assign(model_sha256=sha256).to_csv(folder / "metadata.csv", index=False)
    return folder


def test_a_run_that_saw_the_held_out_images_is_refused(
    phantom_folder: Path, labelled_folder: Path, encoder_folder: Path, tiny_run_folder: Path, tmp_path: Path
) -> None:
    """Whether it is named, or lies beside the images whose table names its model."""
    info = json.loads((tiny_run_folder / "run.json").read_text())
    shutil.copytree(tiny_run_folder, tmp_path / "leaky")
    info["training_sha256"] = open_dataset(phantom_folder, 32).part("test").records["sha256"].tolist()
    (tmp_path / "leaky" / "run.json").write_text(json.dumps(info))
    for maker in (tmp_path / "leaky", None):
        with pytest.raises(InputError, match=r"GAN leaky: was trained on .* of the .* held-out images, such as"):
            quality(phantom_folder, labelled_folder, encoder=encoder_folder, run=maker, progress=False)


def test_a_run_that_saw_turned_copies_of_the_held_out_images_is_refused(
    phantom_folder: Path, labelled_folder: Path, encoder_folder: Path, tiny_run_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_run_folder, tmp_path / "turned")
    held_out = open_dataset(phantom_folder, 32).part("test").images
    TrainingFingerprints(fingerprint(np.rot90(held_out, axes=(2, 3))), 0.0).save(tmp_path / "turned" / FINGERPRINTS)
    for maker in (tmp_path / "turned", None):
        with pytest.raises(
            InputError, match=r"GAN turned: was trained on copies of .* images to be tested on, such as"
        ):
            quality(phantom_folder, labelled_folder, encoder=encoder_folder, run=maker, progress=False)


def test_where_the_model_is_not_at_hand_it_is_said_that_leaks_were_not_checked(
    phantom_folder: Path, labelled_folder: Path, encoder_folder: Path, tiny_run_folder: Path, found: Quality
) -> None:
    assert any(UNCHECKED in warning and "metadata.csv names its model" in warning for warning in found.warnings)
    unknown = quality(phantom_folder, labelled_folder, encoder=encoder_folder, pretrained=(), progress=False)
    assert any(UNCHECKED in warning and "neither in the zoo" in warning for warning in unknown.warnings)
    shutil.copytree(tiny_run_folder, labelled_folder.parent / "runs" / "tiny")
    checked = quality(phantom_folder, labelled_folder, encoder=encoder_folder, pretrained=(), progress=False)
    assert not any(UNCHECKED in warning for warning in checked.warnings)


def test_synthetic_images_in_the_place_of_the_real_ones_are_refused(phantom_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "basophil").mkdir()
    Image.new("RGB", (32, 32), "purple").save(tmp_path / "basophil" / "made.png")
    shutil.copy(next((phantom_folder / "basophil").iterdir()), tmp_path / "basophil" / "known.png")
    (tmp_path / "metadata.csv").write_text(
        "file_name,origin\nbasophil/made.png,synthetic\nbasophil/known.png,phantom\n"
    )
    with pytest.raises(InputError, match=r"holds 1 synthetic image and .* none; the real images come first"):
        open_sets(tmp_path, phantom_folder, size=32, seed=0)


def test_composites_are_checked_by_the_real_images_that_they_were_made_from(
    phantom_folder: Path, made_folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    records = open_dataset(phantom_folder, 32).records
    paths = {part: records["path"][records["split"] == part].tolist() for part in ("train", "test")}
    shutil.copytree(made_folder, tmp_path / "made")
    table = pd.read_csv(made_folder / "metadata.csv").assign(model_sha256="0" * 64, background="")

    def warnings(white: str, reds: list[str]) -> list[str]:
        made = table.assign(white_cell=white, red_cells=";".join(reds))
        made.to_csv(tmp_path / "made" / "metadata.csv", index=False)
        how = {"encoder": encoder_folder, "pretrained": (), "progress": False}
        return [w for w in quality(phantom_folder, tmp_path / "made", **how).warnings if "held-out images" in w]

    assert not [w for w in warnings(paths["train"][0], paths["train"][1:3]) if "not checked" in w]
    (said,) = [w for w in warnings("elsewhere/cell.png", paths["train"][:2]) if "not checked" in w]
    assert said.startswith("the synthetic images are composites; whether") and "1 of the 3 real images" in said
    with pytest.raises(InputError, match=r"are composites, and 1 of the images .* held out, such as"):
        warnings(paths["train"][0], [paths["train"][1], paths["test"][0]])


def test_two_folders_without_classes_are_measured_with_what_makes_sense(tmp_path: Path, made_folder: Path) -> None:
    for k, part in enumerate(("real", "made")):
        (tmp_path / part).mkdir()
        for i, file in enumerate(sorted(made_folder.rglob("*.png"))[k::2]):
            shutil.copy(file, tmp_path / part / f"{i}.png")
    found = quality(tmp_path / "real", tmp_path / "made", progress=False)
    assert list(found.classes) == ["all"]
    assert found.metrics["recall"].value is None and "one class" in found.metrics["recall"].note
    assert found.metrics["PSNR"].value is not None
    assert any("no split" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "{made}"], "there is no such folder"),
        (["{real}", "{made}", "--encoder", "pbc-encoderr"], "did you mean 'pbc-encoder'"),
        (["{real}", "{made}", "--run", "nothing"], "no run folder"),
    ],
)
def test_bad_input_gets_one_sentence(
    arguments: list[str], sentence: str, phantom_folder: Path, made_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    typed = [a.format(real=phantom_folder, made=made_folder) for a in arguments]
    assert run(["quality", *typed]) == 2
    error = capfd.readouterr().err.strip()
    assert sentence in error and "Traceback" not in error
