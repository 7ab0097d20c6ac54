"""Claims about `generate`, on a run that was really trained."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from gansynth.data import open_dataset
from gansynth.errors import InputError
from gansynth.gans import Run, open_run
from gansynth.gans.sampling import LoadedGenerator
from gansynth.runs.weights import read_weights, write_weights
from gansynth.synthesis import generate, read_provenance
from gansynth.synthesis.journal import JOURNAL_FILE
from gansynth.synthesis.provenance import Provenance, encode_png

pytestmark = pytest.mark.usefixtures("one_thread")

COLUMNS = ["file_name", "class", "seed", "model_sha256", "confidence", "nearest_training_distance", "min_confidence"]


@pytest.fixture(scope="module")
def run(tiny_run_folder: Path) -> Run:
    return open_run(tiny_run_folder)


@pytest.fixture(scope="module")
def median_confidence(run: Run) -> float:
    """A threshold that about half of the images of the class eosinophil pass."""
    index = run.class_index("eosinophil")
    classifier = run.independent_classifier("cpu")
    assert classifier is not None
    probabilities = classifier(run.generator("cpu")(index, np.arange(64)))
    accepted = probabilities[probabilities.argmax(axis=1) == index, index]
    if not len(accepted):
        pytest.skip("the two-step classifier sees no image as this class")
    return float(np.median(accepted))


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def named(run: Run, folder: Path, names: list[str]) -> Run:
    """A copy of a run whose classes have other names."""
    shutil.copytree(run.path, folder)
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**info, "class_names": names}))
    tensors, card = read_weights(folder / "model.safetensors")
    write_weights(folder / "model.safetensors", tensors, {**card, "class_names": json.dumps(names)})
    return open_run(folder)


def test_folder_holds_class_folders_and_a_table_of_every_image(run: Run, tmp_path: Path) -> None:
    report = generate(run, {"basophil": 5, "lymphocyte": 40}, tmp_path / "out", seed=20, progress=False)
    table = pd.read_csv(tmp_path / "out" / "metadata.csv")
    assert list(table.columns) == COLUMNS
    assert table["class"].value_counts().to_dict() == {"basophil": 5, "lymphocyte": 40}
    assert set(table["file_name"]) | {"metadata.csv"} == set(tree(tmp_path / "out"))
    assert table["file_name"][0] == "basophil/basophil_000020.png"
    assert set(table["model_sha256"]) == {run.model_sha256}
    assert table["confidence"].between(0, 1).all() and (table["nearest_training_distance"] > 0).all()
    assert report.complete and "lymphocyte: 40 of 40" in str(report)


def test_a_class_is_found_however_its_accents_are_composed(run: Run, tmp_path: Path) -> None:
    """A keyboard composes what a file system has decomposed."""
    decomposed, composed = "basophile\u0301", "basophil\u00e9"
    french = named(run, tmp_path / "run", [decomposed, "eosinophil", "lymphocyte"])
    report = generate(french, {composed: 2}, tmp_path / "out", progress=False)
    assert [one.name for one in report.classes] == [decomposed]
    assert len(list((tmp_path / "out" / decomposed).iterdir())) == 2
    with pytest.raises(InputError, match="given twice; name each class once"):
        generate(french, {composed: 2, decomposed: 3}, tmp_path / "twice", progress=False)


def test_no_class_is_a_formula_in_the_table_and_all_of_it_is_read_back(run: Run, tmp_path: Path) -> None:
    names = ["=1+1", "-cell", "@x"]
    odd, out = named(run, tmp_path / "odd", names), tmp_path / "out"
    counts = dict.fromkeys(names, 1)
    generate(odd, counts, out, keep_copies=True, progress=False)
    table = pd.read_csv(out / "metadata.csv")
    assert table["class"].tolist() == [f"'{name}" for name in names] and table["file_name"].str.startswith("'").all()
    assert generate(odd, counts, out, keep_copies=True, resume=True, progress=False).already_complete
    assert open_dataset(out, 32).counts() == counts


def test_a_planted_link_in_the_place_of_the_journal_is_not_followed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".generate.jsonl").symlink_to(tmp_path / "thesis.txt")
    for there in (False, True):
        if there:
            (tmp_path / "thesis.txt").write_text("ten years of work")
        with pytest.raises(InputError, match=r"generate\.jsonl: is not a regular file"):
            generate(run, {"basophil": 1}, tmp_path / "out", resume=True, progress=False)
        assert (tmp_path / "thesis.txt").exists() == there
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_every_png_says_that_it_is_synthetic_and_by_which_model(run: Run, tmp_path: Path) -> None:
    generate(run, {"basophil": 2}, tmp_path / "out", seed=7, progress=False)
    path = tmp_path / "out" / "basophil" / "basophil_000008.png"
    origin = read_provenance(path)
    assert origin is not None
    assert (origin.model, origin.model_sha256, origin.seed) == (run.name, run.model_sha256, 8)
    assert (origin.class_name, origin.recipe) == ("basophil", run.recipe.name)
    with Image.open(path) as image:
        assert image.text["Description"].startswith("Synthetic image")  # type: ignore[attr-defined]
        pixels = np.asarray(image.convert("RGB"))
    expected = run.generator("cpu")(run.class_index("basophil"), np.array([8]))[0]
    assert np.array_equal(pixels, expected.transpose(1, 2, 0))


def test_image_depends_on_model_class_and_seed_only(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansynth.synthesis.generation.WORKERS", 3)
    generate(run, {"eosinophil": 70, "basophil": 3}, tmp_path / "many", seed=10, progress=False)
    monkeypatch.setattr("gansynth.synthesis.generation.WORKERS", 1)
    generate(run, {"eosinophil": 9}, tmp_path / "few", seed=45, progress=False)
    many, few = tree(tmp_path / "many"), tree(tmp_path / "few")
    shared = [name for name in few if name.endswith(".png")]
    assert len(shared) == 9 and all(few[name] == many[name] for name in shared)


@pytest.mark.slow
def test_killed_at_twenty_random_moments_and_resumed_equals_never_killed(
    run: Run, tmp_path: Path, median_confidence: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For the fork server and all its children: on a busy machine two threads mostly wait for each other.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gansynth.synthesis", "gansynth.gans"])
    counts = {"eosinophil": 60, "lymphocyte": 70}
    # Screened, so that gaps in the seeds and the limit of tries have to be met again, too.
    options = {"seed": 5, "min_confidence": median_confidence, "max_tries_factor": 3, "progress": False, "resume": True}

    def start(out: Path) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=generate, args=(str(run.path), counts, str(out)), kwargs=options)
        process.start()
        return process

    start(tmp_path / "warm").join()  # the fork server imports torch once
    begin = time.monotonic()
    start(tmp_path / "whole").join()
    seconds = time.monotonic() - begin
    whole = tree(tmp_path / "whole")
    assert len(whole) > 50 and "metadata.csv" in whole and JOURNAL_FILE not in whole
    chance, kills, midway, attempt = random.Random(0), 0, 0, 0
    while kills < 20:
        out = tmp_path / f"killed-{attempt}"
        attempt += 1
        for _ in range(5):
            process = start(out)
            process.join(chance.uniform(0.1, 1) * seconds)
            if process.is_alive():
                process.kill()
                kills += 1
            process.join()
            midway += (out / JOURNAL_FILE).exists() and (out / JOURNAL_FILE).read_bytes().count(b"\n") > 1
        start(out).join()
        assert tree(out) == whole
    assert midway >= 5, "the kills came before or after the work, not within it"


def test_resume_after_images_were_lost_makes_them_again(run: Run, tmp_path: Path) -> None:
    counts = {"basophil": 70}
    generate(run, counts, tmp_path / "whole", progress=False)
    whole = tree(tmp_path / "whole")

    class Stopped(Exception):
        pass

    with pytest.raises(Stopped), pytest.MonkeyPatch.context() as patch:
        patch.setattr("gansynth.synthesis.generation.write_metadata", _raiser(Stopped))
        generate(run, counts, tmp_path / "out", progress=False)
    (tmp_path / "out" / "basophil" / "basophil_000040.png").write_bytes(b"")
    (tmp_path / "out" / "basophil" / "basophil_000041.png").unlink()
    (tmp_path / "out" / "basophil" / ".basophil_000050.png.part").write_bytes(b"half")
    with (tmp_path / "out" / JOURNAL_FILE).open("ab") as journal:
        journal.write(b'{"class_name": "baso')
    generate(run, counts, tmp_path / "out", progress=False, resume=True)
    assert tree(tmp_path / "out") == whole


def test_what_a_slow_generator_has_made_is_noted_before_it_makes_more(run: Run, tmp_path: Path) -> None:
    made: list[int] = []
    quick = LoadedGenerator.__call__

    def slow(self: LoadedGenerator, class_index: int, seeds: NDArray[np.int64]) -> NDArray[np.uint8]:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(int(seeds[0]))
        return quick(self, class_index, seeds)

    with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoadedGenerator, "__call__", slow)
        patch.setattr("gansynth.synthesis.generation._SLOW", 0.0)
        generate(run, {"basophil": 70}, tmp_path / "out", progress=False)
    _, *chunks = (tmp_path / "out" / JOURNAL_FILE).read_text().splitlines()
    assert made == [0, 32] and [json.loads(chunk)["chunk"] for chunk in chunks] == [0, 1]


def _raiser(error: type[Exception]):  # type: ignore[no-untyped-def]
    def stop(*_: object) -> None:
        raise error

    return stop


def test_resume_of_another_request_is_refused_and_says_what_differs(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), pytest.MonkeyPatch.context() as patch:
        patch.setattr("gansynth.synthesis.generation.write_metadata", _raiser(ZeroDivisionError))
        generate(run, {"basophil": 3}, tmp_path / "out", progress=False)
    with pytest.raises(InputError, match="unfinished generation; add --resume"):
        generate(run, {"basophil": 3}, tmp_path / "out", progress=False)
    with pytest.raises(InputError, match="counts was basophil=3, now basophil=4; seed was 0, now 9"):
        generate(run, {"basophil": 4}, tmp_path / "out", seed=9, progress=False, resume=True)


def test_a_finished_folder_from_which_images_were_taken_is_not_complete(run: Run, tmp_path: Path) -> None:
    generate(run, {"basophil": 3}, tmp_path / "out", progress=False, keep_copies=True)
    gone = sorted((tmp_path / "out" / "basophil").iterdir())[1]
    gone.unlink()
    with pytest.raises(InputError, match=f"1 of its 3 images are not there any more, such as basophil/{gone.name}"):
        generate(run, {"basophil": 3}, tmp_path / "out", progress=False, keep_copies=True, resume=True)


def test_a_finished_folder_says_that_it_is_complete(run: Run, tmp_path: Path) -> None:
    generate(run, {"basophil": 3}, tmp_path / "out", progress=False)
    before = tree(tmp_path / "out")
    report = generate(run, {"basophil": 3}, tmp_path / "out", progress=False, resume=True)
    assert report.complete and report.already_complete and "already complete" in str(report)
    assert tree(tmp_path / "out") == before
    for other in ({"basophil": 4}, {"lymphocyte": 3}):
        with pytest.raises(InputError, match="is finished"):
            generate(run, other, tmp_path / "out", progress=False, resume=True)


def test_a_folder_with_other_things_in_it_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    for resume in (False, True):
        with pytest.raises(InputError, match="not empty"):
            generate(run, {"basophil": 3}, tmp_path, progress=False, resume=resume)
    with pytest.raises(InputError, match="is a file"):
        generate(run, {"basophil": 3}, tmp_path / "thesis.txt", progress=False)
    assert tree(tmp_path) == {"thesis.txt": b"precious"}


def test_screening_keeps_only_what_the_independent_classifier_accepts(
    run: Run, tmp_path: Path, median_confidence: float
) -> None:
    report = generate(
        run, {"eosinophil": 40}, tmp_path / "out", min_confidence=median_confidence, max_tries_factor=50, progress=False
    )
    table = pd.read_csv(tmp_path / "out" / "metadata.csv")
    assert (table["confidence"] >= median_confidence - 1e-6).all()
    assert table["min_confidence"].to_numpy() == pytest.approx(median_confidence, rel=1e-5)
    (only,) = report.classes
    assert report.complete and only.written == 40 == len(table)
    assert only.tries == only.written + only.rejected + only.copies + only.broken > 40
    assert "tries" in str(report) and only.acceptance == 40 / only.tries
    assert table["seed"].is_monotonic_increasing and table["seed"].max() == only.tries - 1


def test_a_class_that_cannot_be_filled_stops_with_what_was_reached(run: Run, tmp_path: Path) -> None:
    report = generate(run, {"basophil": 30}, tmp_path / "out", min_confidence=1.0, max_tries_factor=3, progress=False)
    (only,) = report.classes
    assert not report.complete and only.tries == 90 and only.written < 30
    assert "stopped at the limit of tries" in str(report)
    assert len(pd.read_csv(tmp_path / "out" / "metadata.csv")) == only.written
    assert not (tmp_path / "out" / JOURNAL_FILE).exists()


def test_copies_are_left_out_and_counted_unless_wanted(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.path, folder)
    copying = open_run(folder)
    assert copying.fingerprints is not None
    distances = copying.fingerprints.distance(run.generator("cpu")(0, np.arange(64)))
    copying.fingerprints.copy_threshold = float(np.median(distances))
    report = generate(copying, {"basophil": 30}, tmp_path / "out", progress=False)
    table = pd.read_csv(tmp_path / "out" / "metadata.csv")
    assert report.complete and report.classes[0].copies > 0 and "near copies" in str(report)
    assert (table["nearest_training_distance"] >= copying.fingerprints.copy_threshold - 1e-4).all()
    kept = generate(copying, {"basophil": 30}, tmp_path / "kept", keep_copies=True, progress=False)
    assert kept.classes[0].tries == 30


def test_broken_images_are_left_out_and_counted_unless_wanted(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.path, folder)
    bursting = open_run(folder)
    assert bursting.fingerprints is not None
    distances = bursting.fingerprints.distance(run.generator("cpu")(0, np.arange(64)))
    limit = float(np.median(distances))
    bursting.fingerprints.limits = (limit, *[float("inf")] * (len(run.class_names) - 1))
    counts = {run.class_names[0]: 30, run.class_names[1]: 30}
    report = generate(bursting, counts, tmp_path / "out", keep_copies=True, progress=False)
    table = pd.read_csv(tmp_path / "out" / "metadata.csv")
    first, second = report.classes
    assert report.complete and first.broken > 0 and second.broken == 0 and "broken" in str(report)
    assert (table.loc[table["class"] == first.name, "nearest_training_distance"] <= limit + 1e-4).all()
    kept = generate(bursting, counts, tmp_path / "kept", keep_copies=True, keep_broken=True, progress=False)
    assert kept.classes[0].tries == 30


def test_without_a_classifier_confidence_is_empty_and_screening_is_refused(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.path, folder)
    (folder / "independent_classifier.safetensors").unlink()
    (folder / "training_fingerprints.safetensors").unlink()
    generate(folder, {"basophil": 3}, tmp_path / "out", progress=False)
    table = pd.read_csv(tmp_path / "out" / "metadata.csv")
    assert table["confidence"].isna().all() and table["nearest_training_distance"].isna().all()
    with pytest.raises(InputError, match="no independent classifier"):
        generate(folder, {"basophil": 3}, tmp_path / "other", min_confidence=0.5, progress=False)


def test_no_class_name_leaves_the_output_folder(run: Run, tmp_path: Path) -> None:
    odd = named(run, tmp_path / "run", ["../../etc", 'smudge "cell"\n, ünïcode', "metadata.csv"])
    generate(odd, dict.fromkeys(odd.class_names, 2), tmp_path / "deep" / "out", progress=False)
    assert {p.name for p in tmp_path.iterdir()} == {"run", "deep"} and len(list((tmp_path / "deep").iterdir())) == 1
    table = pd.read_csv(tmp_path / "deep" / "out" / "metadata.csv")
    assert table["class"].tolist() == [name for name in odd.class_names for _ in range(2)]
    for file, name in zip(table["file_name"], table["class"], strict=True):
        origin = read_provenance(tmp_path / "deep" / "out" / file)
        assert origin is not None and origin.class_name == name
    assert len(tree(tmp_path / "deep" / "out")) == 7


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"counts": {}}, "no class asked for"),
        ({"counts": {"basofil": 3}}, "did you mean 'basophil'"),
        ({"counts": {"basophil": 0}}, "whole number above zero"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**63 - 10}, "below 2\\^63"),
        ({"min_confidence": 1.5}, "from 0 to 1"),
        ({"max_tries_factor": 0}, "at least 1"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_what_a_user_gets_wrong_is_said_in_words(
    run: Run, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    arguments = {"counts": {"basophil": 3}, "progress": False, **change}
    with pytest.raises(InputError, match=says):
        generate(run, out=tmp_path / "out", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_run_cut_off_half_way_is_refused_and_nothing_is_written(tiny_run_folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_run_folder, broken)
    model = broken / "model.safetensors"
    model.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(InputError, match="may be cut off"):
        generate(str(broken), {"basophil": 2}, tmp_path / "out", device="cpu", progress=False)
    assert not (tmp_path / "out").exists()


def test_a_truncated_image_says_so(tmp_path: Path) -> None:
    path, image = tmp_path / "cell.png", np.zeros((3, 4, 4), np.uint8)
    for truncation in (1.0, 0.7, 1.2):
        path.write_bytes(encode_png(image, Provenance("m", "0", "r", "basophil", 3, truncation=truncation)))
        assert read_provenance(path) == Provenance("m", "0", "r", "basophil", 3, truncation=truncation)


def test_a_generator_without_styles_is_not_truncated(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only a generator with styles"):
        generate(run, {"basophil": 2}, tmp_path / "out", truncation=0.7, progress=False)
    with pytest.raises(InputError, match=r"truncation of 2\.5: give a number from 0 to 2"):
        generate(run, {"basophil": 2}, tmp_path / "out", truncation=2.5, progress=False)
    assert not (tmp_path / "out").exists()
