"""Inputs that once lost something in silence, or ended in a traceback, as their users type them. Most come from public
reports about other tools; each is drawn anew here, as small as it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from tiny_classifier import tiny_cells, tiny_recipe

from gansynth.classifiers import train_classifier
from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.data.phantom.dataset import write_phantom

pytestmark = pytest.mark.usefixtures("module_on_one_thread")

PATIENTS = 6


def call(*arguments: object) -> Result:
    return CliRunner().invoke(gansynth, [str(argument) for argument in arguments])


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def refused(result: Result) -> str:
    assert result.exit_code == 2 and "Traceback" not in result.output, result.output
    return result.stderr


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "cells"
    write_phantom(folder, {"basophil": 12, "neutrophil": 12}, size=32)
    return folder


@pytest.fixture
def cells(drawn: Path, tmp_path: Path) -> Path:
    """Two classes of twelve phantom cells, without tables."""
    for file in drawn.glob("*/*.png"):
        place = tmp_path / "cells" / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.open(file).save(place)  # without the text that says it was drawn
    return tmp_path / "cells"


def images(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.png"))


def write_table(
    folder: Path, column: str, cell: Callable[[int], str], spell: Callable[[str], str] = str, by: str = ","
) -> None:
    table = pd.DataFrame({"file_name": images(folder)})
    table[column] = [cell(k) for k in range(len(table))]
    table["file_name"] = table["file_name"].map(spell)
    table.to_csv(folder / "metadata.csv", index=False, sep=by)


def patient(k: int) -> str:
    return f"P{k % PATIENTS}"


@pytest.mark.parametrize(
    ("spell", "by"),
    [
        (str, ";"),
        (lambda path: path.replace("/", "\\"), ","),
        (lambda path: f"./{path}", ","),
        (lambda path: f"cells/{path}", ","),
    ],
    ids=["semicolons", "backslashes", "dot and slash", "folder's name"],
)
def test_no_patient_straddles_the_split_however_the_table_is_spelled(
    cells: Path, spell: Callable[[str], str], by: str
) -> None:
    write_table(cells, "patient", patient, spell, by)
    done(call("data", "split", cells, "--group", "patient"))
    records = open_dataset(cells, 16).records
    assert records["patient"].tolist() == [patient(k) for k in range(24)]
    assert records.groupby("patient")["split"].nunique().max() == 1
    assert set(records["split"]) >= {"train", "test"}


def test_a_table_of_bare_names_that_two_classes_share_is_refused_and_shown(cells: Path) -> None:
    for k, path in enumerate(images(cells)):
        (cells / path).rename((cells / path).with_name(f"{k % 12:03d}.png"))
    write_table(cells, "patient", patient, lambda path: path.split("/")[1])
    for said in (refused(call("data", "split", cells, "--group", "patient")), done(call("data", "info", cells))):
        assert "24 rows that may mean several images" in said and "write the class folder before the name" in said


def test_one_file_with_two_patients_is_refused_and_shown(cells: Path) -> None:
    write_table(cells, "patient", patient)
    with (cells / "metadata.csv").open("a") as table:
        table.write(f"{images(cells)[0]},P5\n")
    for said in (refused(call("data", "split", cells, "--group", "patient")), done(call("data", "info", cells))):
        assert f"names '{images(cells)[0]}' twice" in said


def test_a_table_of_half_of_the_images_is_refused_and_shown_unless_asked_for(cells: Path) -> None:
    write_table(cells, "patient", patient)
    lines = (cells / "metadata.csv").read_text().splitlines()
    (cells / "metadata.csv").write_text("\n".join(lines[:13]) + "\n")
    split = ("data", "split", cells, "--group", "patient")
    for said in (refused(call(*split)), done(call("data", "info", cells))):
        assert "misses 12 of 24 images" in said
    assert '"metadata_problem": ""' not in done(call("data", "info", cells, "--json"))
    assert "gone on without, as asked for" in done(call("--unmatched", "ignore", *split))


def test_synthetic_images_named_with_backslashes_are_never_tested_on(cells: Path) -> None:
    write_table(cells, "origin", lambda k: "synthetic" if k % 2 else "real", lambda path: path.replace("/", "\\"))
    done(call("data", "split", cells))
    records = open_dataset(cells, 16).records
    assert (records["origin"] == "synthetic").sum() == 12
    assert not (records["split"][records["origin"] == "synthetic"] == "test").any()


def test_test_images_named_with_backslashes_are_not_trained_on(cells: Path) -> None:
    parts = ["test" if k % 3 == 0 else "train" for k in range(24)]
    write_table(cells, "split", lambda k: parts[k], lambda path: path.replace("/", "\\"))
    assert open_dataset(cells, 16).records["split"].tolist() == parts


NAMES = ("Blast, no lineage spec", "Größe é", "Neutrophil", "a=b", "neutrophil")


@pytest.fixture
def odd_names(tmp_path: Path, drawn: Path) -> Path:
    files = sorted(drawn.glob("*/*.png"))
    for name, k in [(name, k) for name in NAMES for k in range(4)]:
        (tmp_path / "odd" / name).mkdir(parents=True, exist_ok=True)
        if not (tmp_path / "odd" / name / f"{k}.png").exists():
            picture = Image.open(files[(NAMES.index(name) * 4 + k) % len(files)])
            picture.save(tmp_path / "odd" / name / f"{k}.png")
    if len(list((tmp_path / "odd").iterdir())) < len(NAMES):
        pytest.skip("this file system takes two names that differ in case for one")
    return tmp_path / "odd"


def test_classes_of_any_name_can_be_named(odd_names: Path, tmp_path: Path) -> None:
    assert all(name in done(call("data", "info", odd_names)) for name in NAMES)
    compare = (
        "compare", odd_names, "--remedies", "none,oversample", "--classifiers", "naive-bayes", "--size", 16,
        "--seeds", 1, "--set", "classical.components=4", "--jobs", 1, "--device", "cpu",
    )  # fmt: skip
    said = done(
        call(*compare, "--rarity", '"Blast, no lineage spec"=1,a=b=1', "--rare", '"Blast, no lineage spec"',
             "--out", tmp_path / "out")
    )  # fmt: skip
    assert "recall of Blast, no lineage spec" in said
    for option, typed in (("--rare", "Blast, no lineage spec"), ("--rarity", "Blast, no lineage spec=1")):
        said = refused(call(*compare, option, typed, "--out", tmp_path / option))
        assert '"Blast, no lineage spec", ' in said or "a name that has a comma between double quotes" in said
        assert not (tmp_path / option).exists()


def test_what_storage_and_editors_leave_is_not_an_image(cells: Path) -> None:
    before = done(call("data", "info", cells, "--json"))
    for litter in (
        "basophil/@eaDir/000.png",
        ".ipynb_checkpoints",
        "neutrophil/.ipynb_checkpoints",
        "__MACOSX/basophil",
    ):
        (cells / litter).mkdir(parents=True)
        Image.new("RGB", (32, 32), "red").save(cells / litter / "SYNOPHOTO_THUMB_M.jpg")
    for name in ("basophil/.DS_Store", "basophil/._000.png", "basophil/Thumbs.db", "basophil/~$annotations.xlsx"):
        (cells / name).write_bytes(b"\0")
    assert done(call("data", "info", cells, "--json")) == before


def field(folder: Path, name: str = "BloodImage_00000") -> Path:
    folder.mkdir(exist_ok=True)
    yy, xx = np.mgrid[:96, :128]
    pixels = np.full((96, 128, 3), 235, np.uint8)
    for x, y in ((30, 30), (90, 60)):
        pixels[(xx - x) ** 2 + (yy - y) ** 2 < 200] = (200, 120, 130)
    Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def voc(*objects: str, size: tuple[int, int] = (128, 96)) -> str:
    named = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return f"<annotation><filename>x.jpg</filename>{named}{''.join(objects)}</annotation>"


def box(left: int, top: int, right: int, bottom: int, name: str = "RBC") -> str:
    edges = f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
    return f"<object><name>{name}</name><bndbox>{edges}</bndbox></object>"


CELLS = (box(15, 15, 45, 45), box(75, 45, 105, 75, "WBC"))


def crop(fields: Path, out: Path) -> Result:
    return call("data", "crop", fields, out, "--boxes", "drawn", "--cell-diameter", 30, "--size", 32)


def cut(out: Path) -> int:
    return len(list((out / "cells").glob("*/*.png")))


def test_a_box_of_one_pixel_is_not_a_cell(tmp_path: Path) -> None:
    (field(tmp_path / "fields") / "BloodImage_00000.xml").write_text(voc(*CELLS, box(100, 20, 101, 21)))
    assert "drawn boxes left out: 1 " in done(crop(tmp_path / "fields", tmp_path / "out"))
    assert cut(tmp_path / "out") == 2


def test_boxes_drawn_in_a_larger_picture_are_refused(tmp_path: Path) -> None:
    (field(tmp_path / "fields") / "BloodImage_00000.xml").write_text(voc(*CELLS, size=(256, 192)))
    said = refused(crop(tmp_path / "fields", tmp_path / "out"))
    assert "drawn in a picture of 256 x 192 pixels, and this one has 128 x 96" in said


def test_boxes_without_their_edges_or_names_are_counted(tmp_path: Path) -> None:
    unnamed = "<object><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>50</xmax><ymax>50</ymax></bndbox></object>"
    half = "<object><name>RBC</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>50</xmax></bndbox></object>"
    text = voc(*CELLS, unnamed, "<object><name>RBC</name></object>", half)
    (field(tmp_path / "fields") / "BloodImage_00000.xml").write_text(text)
    assert "drawn boxes left out: 3 " in done(crop(tmp_path / "fields", tmp_path / "out"))
    assert cut(tmp_path / "out") == 2


def test_annotations_whose_names_are_in_capitals_belong_to_their_fields(tmp_path: Path) -> None:
    for name, suffix in (("BloodImage_00000", ".xml"), ("BloodImage_00002", ".XML")):
        (field(tmp_path / "fields", name) / f"{name}{suffix}").write_text(voc(*CELLS))
    assert "2 fields" in done(crop(tmp_path / "fields", tmp_path / "out"))
    assert cut(tmp_path / "out") == 4


def test_pictures_too_small_to_explain_are_named_and_the_others_explained(tmp_path: Path) -> None:
    training, validation = tiny_cells()
    train_classifier(training, tiny_recipe("training.epochs=1"), tmp_path / "run", validation=validation, device="cpu")
    (tmp_path / "pictures").mkdir()
    for k, (height, width) in enumerate([(1, 1), (2, 4), (15, 15), (200, 12), (40, 40)]):
        pixels = np.random.default_rng(k).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{k}.png")
    said = refused(call("explain", tmp_path / "run", tmp_path / "pictures", "--out", tmp_path / "o"))
    assert "4 of 5 files could not be explained" in said
    assert "2.png (15 x 15 pixels, and a cell needs 16 x 16 to be found)" in said
    assert list((tmp_path / "o").rglob("*.png"))


def test_a_run_whose_folder_no_weights_could_be_written_into_is_refused_before_it_begins(
    drawn: Path, tmp_path: Path
) -> None:
    out = f"{tmp_path}/out/\udcff/run"
    for train in ("train-gan", "train-classifier"):
        said = refused(call(train, drawn, "--out", out, "--device", "cpu"))
        assert "the name is not valid UTF-8" in said
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_utf8_is_written_and_printed_with_escapes(drawn: Path, tmp_path: Path) -> None:
    out = f"{tmp_path}/\udcff"
    assert "\\udcff" in done(call("data", "dedupe", drawn, out))
    assert "\\xff" in done(call("data", "info", out)) and Path(out, "basophil").is_dir()


def test_a_name_that_is_too_long_for_a_file_is_refused(drawn: Path, tmp_path: Path) -> None:
    search = ["search-remedy", drawn, "--out", tmp_path / "o", "--remedy", "oversample"]
    assert "file name too long; check it, or give a shorter one" in refused(call(*search, "--beside", "x" * 5000))
