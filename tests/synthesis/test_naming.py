from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.synthesis.naming import class_folders, image_file_name


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=300), unique=True, max_size=8))
def test_every_class_gets_one_folder_of_its_own_inside_the_output_folder(names: list[str]) -> None:
    folders = class_folders(names)
    assert list(folders) == names
    assert len({folder.casefold() for folder in folders.values()}) == len(names)
    with tempfile.TemporaryDirectory() as out:
        for folder in folders.values():
            (Path(out) / folder).mkdir()
            (Path(out) / image_file_name(folder, 10**12)).touch()
        assert sorted(map(os.fsencode, os.listdir(out))) == sorted(map(os.fsencode, folders.values()))


def test_names_the_file_system_takes_are_kept() -> None:
    names = ["smudge cell", "naïve B", "stage=2", "a'b\"c", "50%"]
    assert list(class_folders(names).values()) == names


def test_folder_names_do_not_depend_on_the_order_of_classes() -> None:
    assert class_folders(["a/b", "a_b"])["a_b"] == class_folders(["a_b", "a/b"])["a_b"] == "a_b"
