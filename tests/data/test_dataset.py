"""Claims about `CellDataset` as it shows itself."""

from __future__ import annotations

from pathlib import Path

from gansynth.data import open_dataset


def test_a_data_set_shows_itself_in_a_line_and_as_a_table(phantom_folder: Path) -> None:
    cells = open_dataset(phantom_folder, 32)
    parts = cells.records["split"].value_counts()
    assert repr(cells) == (
        f"CellDataset(74 images of 32 px in 3 classes; "
        f"{parts['train']} train, {parts['val']} val, {parts['test']} test)"
    )
    assert repr(open_dataset(phantom_folder, 32, splits=False)).endswith("not split)")
    table = cells._repr_html_()
    assert all(name in table for name in (*cells.class_names, "train", "val", "test", "All"))
