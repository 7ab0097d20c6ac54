"""Folders that are not what they seem: one class under two names, classes one level deeper, patients above classes."""

from __future__ import annotations

import os
import unicodedata
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trees import tree

from gansynth.data import dataset_info, import_sources, open_dataset
from gansynth.data.folders import FolderScan, ImageFile
from gansynth.data.layout import alike_doubts, layout_doubts, refuse_alike
from gansynth.errors import InputError
from gansynth.files import name_key

NFC, NFD = (unicodedata.normalize(form, "Größe é") for form in ("NFC", "NFD"))


def scan(*paths: str) -> FolderScan:
    files = [ImageFile(path.split("/")[0], path, 1, 1) for path in sorted(paths)]
    return FolderScan(Path("cells"), sorted({file.class_name for file in files}), files)


@pytest.mark.parametrize("names", [("basophil", "basophil "), (NFC, NFD)])
def test_two_folders_of_one_name_are_refused_with_both(tmp_path: Path, names: tuple[str, str]) -> None:
    tree(tmp_path, {names[0]: 1, "neutrophil": 1}, edge=12)
    os.makedirs(tmp_path / names[1], exist_ok=True)
    if len(os.listdir(tmp_path)) < 3:
        pytest.skip("one folder here")
    tree(tmp_path, {names[1]: 1}, edge=12, first_seed=9)
    for look in (dataset_info, lambda folder: open_dataset(folder, 16)):
        with pytest.raises(InputError, match="have the same name but for blanks or how accents") as refused:
            look(tmp_path)
        first, second = (str(refused.value).split(" and ")[k].split()[-1 if k == 0 else 0] for k in (0, 1))
        assert first != second


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1), unique=True))
def test_names_are_refused_exactly_where_a_reader_takes_two_for_one(names: list[str]) -> None:
    said = {unicodedata.normalize("NFC", name.strip()) for name in names}
    if len(said) == len(names):
        refuse_alike(names, "cells")
    else:
        with pytest.raises(InputError):
            refuse_alike(names, "cells")
    assert len(alike_doubts(names, "cells")) == len(names) - len({*map(name_key, names)})


def test_two_folders_that_differ_in_capitals_are_two_classes_and_doubted(tmp_path: Path) -> None:
    tree(tmp_path, {"Neutrophil": 1, "basophil": 1}, edge=12)
    os.makedirs(tmp_path / "neutrophil", exist_ok=True)
    if len(os.listdir(tmp_path)) < 3:
        pytest.skip("one folder here")
    tree(tmp_path, {"neutrophil": 1}, edge=12, first_seed=9)
    with pytest.warns(UserWarning, match="'Neutrophil' and 'neutrophil' are two classes here"):
        assert open_dataset(tmp_path, 16).class_names == ("Neutrophil", "basophil", "neutrophil")


def test_an_unpacked_archive_is_one_class_and_the_folder_of_the_classes_is_named() -> None:
    inner = [f"{name}/{i}.png" for name in ("basophil", "neutrophil") for i in range(2)]
    for wrapper in ("PBC", "PBC/PBC"):
        (doubt,) = layout_doubts(scan(*(f"{wrapper}/{path}" for path in inner)))
        assert doubt.startswith("cells: has one class, 'PBC', with the folders basophil, neutrophil in it")
        assert doubt.endswith(f"give {Path('cells', wrapper)}")
    assert not layout_doubts(scan(*inner))
    assert not layout_doubts(scan("basophil/a.png", "basophil/p1/b.png", "basophil/p2/b.png"))
    assert not layout_doubts(scan("basophil/p1/a.png", "basophil/p1/b.png"))


def test_patients_above_classes_are_doubted_and_classes_above_patients_are_not() -> None:
    pairs = [(patient, name) for patient in ("P 1", "P 2") for name in ("Basophil", "lymphocytes")]
    (doubt,) = layout_doubts(scan(*(f"{patient}/{name}/1.png" for patient, name in pairs)))
    assert "the classes are P 1, P 2" in doubt and "class/patient/image" in doubt
    assert not layout_doubts(scan(*(f"{name}/{patient}/1.png" for patient, name in pairs)))


def test_a_doubt_is_said_whenever_the_folder_is_opened(tmp_path: Path) -> None:
    tree(tmp_path / "cells" / "inner", {"basophil": 2, "neutrophil": 2}, edge=12)
    for _ in range(2):  # the second time it is decoded already
        with pytest.warns(UserWarning, match="has one class, 'inner'"):
            open_dataset(tmp_path / "cells", 16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_dataset(tmp_path / "cells" / "inner", 16)


def test_an_import_makes_no_two_classes_of_one_name(tmp_path: Path) -> None:
    for k, name in enumerate(["Stage 2", "Stage 2 "]):
        tree(tmp_path / str(k), {name: 2, "basophil": 2}, edge=12, first_seed=9 * k)
    sources = [("folders", tmp_path / "0"), ("folders", tmp_path / "1")]
    with pytest.raises(InputError, match="'Stage 2' and 'Stage 2 ' have the same name"):
        import_sources(sources, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "1" / "Stage 2 ").rename(tmp_path / "1" / "stage 2")
    with pytest.warns(UserWarning, match="'Stage 2' and 'stage 2' are two classes here"):
        assert import_sources(sources, tmp_path / "out").after == {"Stage 2": 2, "basophil": 4, "stage 2": 2}


def test_an_import_of_an_unpacked_archive_is_doubted(tmp_path: Path) -> None:
    tree(tmp_path / "cells" / "inner", {"basophil": 2, "neutrophil": 2}, edge=12)
    with pytest.warns(UserWarning, match="has one class, 'inner'"):
        import_sources([("folders", tmp_path / "cells")], tmp_path / "out")
