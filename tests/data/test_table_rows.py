"""metadata.csv and splits.csv are about the images that they name, however they spell them; nothing is dropped in
silence."""

from __future__ import annotations

import tempfile
import unicodedata
import warnings
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import tree

from gansynth.cli import arguments
from gansynth.data import dataset_info, open_dataset, split_dataset, table_rows, write_splits
from gansynth.data.folds import fold_dataset
from gansynth.data.leaks import refuse_straddling
from gansynth.data.opening import settled_origins
from gansynth.data.split import refuse_second_split
from gansynth.data.table_rows import match_rows
from gansynth.data.units import inseparable_units, warn_of_patients
from gansynth.errors import InputError

NAMES = [f"{name}/{i:03d}.png" for name in ("basophil", "neutrophil") for i in range(3)]
PATIENTS = ["p0", "p0", "p1", "p1", "p2", "p2"]


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    return tree(tmp_path / "cells", {"basophil": 3, "neutrophil": 3}, edge=12)


def write(folder: Path, names: list[str], column: str, cells: list[str], *, file: str = "metadata.csv", by: str = ",",
          mark: str = "", more: dict[str, list[str]] | None = None) -> None:  # fmt: skip
    table = pd.DataFrame({"file_name": names, column: cells, **(more or {})})
    (folder / file).write_text(mark + table.to_csv(index=False, sep=by), encoding="utf-8")


SPELLINGS = {
    "as it is": str,
    "backslashes": lambda name: name.replace("/", "\\"),
    "dot and slash": lambda name: f"./{name}",
    "dot and backslash": lambda name: ".\\" + name.replace("/", "\\"),
    "slash first": lambda name: f"/{name}",
    "two slashes": lambda name: name.replace("/", "//"),
    "detour": lambda name: name.replace("/", "/../" + name.split("/")[0] + "/"),
    "folder's name": lambda name: f"cells/{name}",
    "absolute": lambda name: f"/somewhere/else/cells/{name}",
    "drive": lambda name: "D:\\cells\\" + name.replace("/", "\\"),
    "blanks": lambda name: f" {name} ",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("file", ["metadata.csv", "splits.csv"])
def test_every_spelling_of_a_path_is_that_path(cells: Path, spelling: str, file: str) -> None:
    names = [SPELLINGS[spelling](name) for name in NAMES]
    if file == "metadata.csv":
        write(cells, names, "group", PATIENTS)
        assert open_dataset(cells, 16).records["group"].tolist() == PATIENTS
    else:
        parts = ["train", "test", "val", "train", "test", "train"]
        write(cells, names, "split", parts, file="splits.csv")
        assert open_dataset(cells, 16).records["split"].tolist() == parts


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rows_in_any_order_and_any_mix_of_spellings_find_their_images(data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(NAMES))))
    names = [SPELLINGS[data.draw(st.sampled_from(sorted(SPELLINGS)))](NAMES[k]) for k in order]
    found = match_rows(pd.DataFrame({"file_name": names}), NAMES)
    assert not found.problems()
    assert [order[row] for row in found.row] == list(range(len(NAMES)))


@settings(max_examples=100, deadline=None)
@given(names=st.lists(st.text(max_size=8) | st.sampled_from([*NAMES, "000.png", "../x", "", ".", "/"]), max_size=8))
def test_every_row_is_matched_counted_or_refused(names: list[str]) -> None:
    try:
        found = match_rows(pd.DataFrame({"file_name": names}), NAMES)
    except InputError as error:
        assert "twice" in str(error)
    else:
        matched = int((found.row >= 0).sum())
        assert matched + len(found.unknown) + len(found.ambiguous) == len(names)
        assert matched + len(found.missing) == len(NAMES)


def test_semicolons_and_a_byte_order_mark_are_read(cells: Path) -> None:
    write(cells, NAMES, "group", PATIENTS, by=";", mark="\ufeff")
    assert open_dataset(cells, 16).records["group"].tolist() == PATIENTS


def test_accents_composed_or_not_are_one_name(tmp_path: Path) -> None:
    cells = tree(tmp_path / "cells", {unicodedata.normalize("NFD", "Größe é"): 2, "b": 1}, edge=12)
    write(cells, ["Größe é/000.png", "Größe é/001.png", "b/000.png"], "group", ["x", "y", "z"])
    assert sorted(open_dataset(cells, 16).records["group"]) == ["x", "y", "z"]


def test_only_the_file_name_is_enough_where_one_image_has_it(tmp_path: Path) -> None:
    cells = tree(tmp_path / "cells", {"a": 1}, edge=12)
    (tree(tmp_path / "more", {"b": 2}, edge=12, first_seed=5) / "b").rename(cells / "b")
    (cells / "b" / "000.png").unlink()
    write(cells, ["001.png", "000.png"], "group", ["x", "y"])
    assert open_dataset(cells, 16).records["group"].tolist() == ["y", "x"]


def test_only_the_file_name_is_refused_where_several_have_it_unless_the_class_is_given(cells: Path) -> None:
    names = [name.split("/")[1] for name in NAMES]
    write(cells, names, "group", PATIENTS)
    with pytest.raises(InputError, match=r"6 rows that may mean several images, such as '000\.png'"):
        open_dataset(cells, 16)
    write(cells, names, "group", PATIENTS, more={"class": [name.split("/")[0] for name in NAMES]})
    assert open_dataset(cells, 16).records["group"].tolist() == PATIENTS


@pytest.mark.parametrize("second", [NAMES[0], NAMES[0].replace("/", "\\"), f"./{NAMES[0]}"])
@pytest.mark.parametrize("file", ["metadata.csv", "splits.csv"])
def test_one_image_twice_is_refused(cells: Path, second: str, file: str) -> None:
    write(cells, [*NAMES, second], "split", ["train"] * 7, file=file)
    with pytest.raises(InputError, match="twice"):
        open_dataset(cells, 16)


def test_half_of_the_rows_is_counted_and_refused_unless_asked_for(cells: Path) -> None:
    write(cells, NAMES[:3], "group", PATIENTS[:3])
    with pytest.raises(InputError, match=r"misses 3 of 6 images, such as 'neutrophil/000\.png'.*--unmatched ignore"):
        open_dataset(cells, 16)
    with pytest.warns(UserWarning, match="misses 3 of 6 images"):
        assert open_dataset(cells, 16, unmatched="ignore").records["group"].tolist() == [*PATIENTS[:3], "", "", ""]


@pytest.mark.filterwarnings("ignore")
def test_the_environment_asks_for_every_process(cells: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(cells, ["elsewhere/000.png"], "group", ["x"])
    monkeypatch.setenv(table_rows.UNMATCHED_VARIABLE, "ignore")
    assert set(open_dataset(cells, 16).records["group"]) == {""}
    monkeypatch.setenv(table_rows.UNMATCHED_VARIABLE, "perhaps")
    with pytest.raises(InputError, match="'perhaps': choose one of refuse, ignore"):
        open_dataset(cells, 16)
    assert (arguments.UNMATCHED, arguments.UNMATCHED_VARIABLE) == (table_rows.UNMATCHED, table_rows.UNMATCHED_VARIABLE)


def test_synthetic_images_named_with_backslashes_are_synthetic(cells: Path) -> None:
    write(cells, [name.replace("/", "\\") for name in NAMES], "origin", ["real", "real", "synthetic"] * 2)
    records = open_dataset(cells, 16).records
    assert records["origin"].tolist() == ["real", "real", "synthetic"] * 2
    assert not (split_dataset(open_dataset(cells, 16)).part("test").records["origin"] == "synthetic").any()


@pytest.mark.parametrize("file", ["metadata.csv", "splits.csv"])
def test_link_that_leads_nowhere_is_not_an_absent_table(cells: Path, file: str) -> None:
    (cells / file).symlink_to("gone.csv")
    with pytest.raises(InputError, match="is a link to a file that is not there"):
        open_dataset(cells, 16)


def test_split_of_some_images_only_is_counted_and_no_other_is_made_over_it(cells: Path) -> None:
    write(cells, NAMES, "split", ["train", "test", "", "", "train", "test"])
    with pytest.raises(InputError, match="2 of 6 images have no split"):
        open_dataset(cells, 16)
    assert set(open_dataset(cells, 16, splits=False).records["split"]) == {""}


@pytest.mark.parametrize("parts", [["test"] * 6, ["val"] * 6, ["test", "val"] * 3])
def test_split_without_training_images_is_kept_and_never_replaced(cells: Path, parts: list[str]) -> None:
    write(cells, NAMES, "split", parts, file="splits.csv")
    dataset = open_dataset(cells, 16)
    assert dataset.records["split"].tolist() == parts
    with pytest.raises(InputError, match=rf"0 train, {parts.count('val')} val, {parts.count('test')} test"):
        split_dataset(dataset)


def test_second_split_is_made_only_by_force_and_keeps_the_first(cells: Path) -> None:
    first = split_dataset(open_dataset(cells, 16))
    write_splits(first, cells)
    given = (cells / "splits.csv").read_bytes()
    with pytest.raises(InputError, match="--force"):
        write_splits(first, cells)
    for kept in ("splits.previous.csv", "splits.previous-2.csv"):
        write_splits(first, cells, force=True)
        assert (cells / kept).read_bytes() == given
    assert open_dataset(cells, 16).records["split"].equals(first.records["split"])


def test_name_that_a_spreadsheet_would_compute_is_marked_and_read_back(tmp_path: Path) -> None:
    cells = tree(tmp_path / "cells", {"=1+1": 3, "@a": 3, "-b": 3}, edge=12)
    dataset = split_dataset(open_dataset(cells, 16))
    write_splits(dataset, cells)
    rows = (cells / "splits.csv").read_text().splitlines()[1:]
    assert len(rows) == 9 and all(row.startswith("'") for row in rows)
    assert open_dataset(cells, 16).records["split"].equals(dataset.records["split"])


def test_what_a_file_says_of_itself_outweighs_a_table(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="1 images are synthetic by their own text"):
        settled = settled_origins(
            ["real", "", "", "synthetic", ""], ["synthetic", "synthetic", "phantom", "", ""], tmp_path
        )
    assert settled == ["synthetic", "synthetic", "phantom", "synthetic", "real"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert settled_origins(["synthetic", ""], ["synthetic", ""], tmp_path) == ["synthetic", "real"]


NEARLY = ["Splits.csv", "SPLITS.CSV", "splits.csv.csv", "splits.tsv", "splits .csv", "splits.xlsx"]


@pytest.mark.parametrize("name", [*NEARLY, *(name.lower().replace("splits", "Metadata") for name in NEARLY)])
def test_a_table_that_is_called_nearly_so_is_not_passed_over(cells: Path, name: str) -> None:
    read = "splits.csv" if "split" in name.lower() else "metadata.csv"
    write(cells, NAMES, "split", ["train"] * 6, file=name)
    if (cells / read).exists():
        pytest.skip("capitals make no difference here")
    with pytest.raises(InputError, match=f"is not read, since it is not called {read}"):
        open_dataset(cells, 16)
    info = dataset_info(cells, size=16)
    assert "is not read" in info.splits_problem + info.metadata_problem
    if read == "splits.csv":
        with pytest.raises(InputError, match="is not read"):
            refuse_second_split(cells, force=False)
        refuse_second_split(cells, force=True)
        with pytest.raises(InputError, match="is not read"):
            open_dataset(cells, 16, unmatched="ignore")
    else:
        with pytest.warns(UserWarning, match="gone on without"):
            open_dataset(cells, 16, unmatched="ignore")
    write(cells, NAMES, "split", ["train"] * 6, file=read)
    open_dataset(cells, 16)  # with the table that is read, another beside it is somebody's copy


@pytest.mark.parametrize("name", ["metadata.json", "metadata.txt", "splits.previous-2.csv", "my-splits.csv"])
def test_what_only_describes_the_data_may_lie_there(cells: Path, name: str) -> None:
    (cells / name).write_text("x")
    assert len(open_dataset(cells, 16)) == 6


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["p1", "P1", " p1", "p1\u00a0", "p2", ""]), min_size=6, max_size=6))
def test_a_patient_is_one_however_the_name_is_spelled(groups: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        cells = tree(Path(place), {"basophil": 3, "neutrophil": 3}, edge=12)
        write(cells, NAMES, "group", groups)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            split = split_dataset(open_dataset(cells, 16), test=0.4)
        first = [part for part, group in zip(split.records["split"], groups, strict=True) if "1" in group]
        assert len({*first}) <= 1
        refuse_straddling(split)


@pytest.mark.parametrize("name", ["NaN", "nan", "NA", "None", "null", "#N/A"])
def test_a_group_that_is_called_as_what_is_missing_is_text(cells: Path, name: str) -> None:
    """A program that fills a table in writes so where it knows no patient."""
    write(cells, NAMES, "group", [name, name, "p1", name, name, "p2"])
    dataset = open_dataset(cells, 16)
    assert dataset.records["group"].tolist() == [name, name, "p1", name, name, "p2"]
    units = inseparable_units(dataset)
    assert len({*units[[0, 1, 3, 4]]}) == 1 and len({*units}) == 3
    with pytest.warns(UserWarning, match=f"4 images have the group '{name}', which is taken for one group"):
        warn_of_patients(dataset.records)


def test_blanks_around_cells_do_not_count(cells: Path) -> None:
    write(
        cells,
        NAMES,
        "split",
        ["train ", " train", "test", "val", "test", "train\u00a0"],
        more={"origin": ["real "] * 6},
    )
    records = open_dataset(cells, 16).records
    assert {*records["split"]} == {"train", "test", "val"} and {*records["origin"]} == {"real"}
    write(cells, NAMES, "split", ["train ", " train", "test", "val", "test", "train"], file="splits.csv")
    assert open_dataset(cells, 16).records["split"].tolist() == ["train", "train", "test", "val", "test", "train"]


def test_a_class_that_contradicts_the_folder_is_warned_of(cells: Path) -> None:
    said = ["Basophil", "basophil ", "neutrophil", "neutrophil", "", "neutrophil"]
    write(cells, NAMES, "class", said)
    with pytest.warns(UserWarning, match=r"calls 1 of 6 images otherwise than .* 'basophil/002.png' \('neutrophil'\)"):
        dataset = open_dataset(cells, 16)
    assert dataset.counts() == {"basophil": 3, "neutrophil": 3}


@pytest.mark.parametrize("column", ["patient", "Patient ID", "slide_no", "subject"])
def test_patients_that_a_split_does_not_go_by_are_warned_of(cells: Path, column: str) -> None:
    write(cells, NAMES, column, PATIENTS)
    for split in (split_dataset, lambda dataset: fold_dataset(dataset, 2)):
        with pytest.warns(UserWarning, match=f"has a column '{column}', and no `group`"):
            split(open_dataset(cells, 16))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*and no `group`")
        split_dataset(open_dataset(cells, 16), groups=column)
        write(cells, NAMES, column, PATIENTS, more={"group": PATIENTS})
        split_dataset(open_dataset(cells, 16))
        write(cells, NAMES, "stain", PATIENTS)
        split_dataset(open_dataset(cells, 16))


def test_capitals_in_the_name_of_a_column_do_not_count(cells: Path) -> None:
    write(cells, NAMES, "Group", PATIENTS, more={"ORIGIN": ["synthetic"] * 6})
    records = open_dataset(cells, 16).records
    assert records["group"].tolist() == PATIENTS and {*records["origin"]} == {"synthetic"}
    write(cells, NAMES, "Group", ["x"] * 6, more={"group": PATIENTS})
    assert open_dataset(cells, 16).records["group"].tolist() == PATIENTS
