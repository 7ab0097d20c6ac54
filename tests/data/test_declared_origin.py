"""A synthetic PNG is synthetic without any table beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from trees import picture, save, tree

from gansynth.data import import_sources, open_dataset, split_dataset
from gansynth.data.declared_origin import declared_origin
from gansynth.data.phantom import write_phantom
from gansynth.synthesis.provenance import Provenance, encode_png

PNG = encode_png(np.zeros((3, 12, 12), np.uint8), Provenance("run", "ab" * 32, "c-wgan-gp", "basophil", 7))


def test_generated_images_without_their_table_are_synthetic_and_never_tested_on(tmp_path: Path) -> None:
    cells = tree(tmp_path / "cells", {"basophil": 4, "neutrophil": 4}, edge=12)
    (cells / "basophil" / "made.png").write_bytes(PNG)
    records = open_dataset(cells, 16).records
    assert records["path"][records["origin"] == "synthetic"].tolist() == ["basophil/made.png"]
    split = split_dataset(open_dataset(cells, 16), test=0.5).records
    assert split["split"][split["origin"] == "synthetic"].tolist() == ["train"]
    import_sources([("folders", cells)], tmp_path / "imported")
    assert (open_dataset(tmp_path / "imported", 16).records["origin"] == "synthetic").sum() == 1


def test_phantoms_without_their_table_are_phantoms(tmp_path: Path) -> None:
    write_phantom(tmp_path / "cells", {"basophil": 3, "eosinophil": 3}, size=32)
    (tmp_path / "cells" / "metadata.csv").unlink()
    assert set(open_dataset(tmp_path / "cells", 32).records["origin"]) == {"phantom"}


@pytest.mark.parametrize(("journal", "command"), [(".generate.jsonl", "generate"), (".naturalize.jsonl", "naturalize")])
def test_folder_in_progress_says_so(tmp_path: Path, journal: str, command: str) -> None:
    cells = tree(tmp_path / "cells", {"a": 2}, edge=12)
    (cells / journal).write_text("{}\n")
    with pytest.warns(UserWarning, match=f"`gansynth {command}` has not finished this folder"):
        open_dataset(cells, 16)


def test_other_files_say_nothing(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("Comment", "gansynth.origin synthetic")
    Image.fromarray(picture(1)).save(tmp_path / "comment.png", pnginfo=text)
    save(picture(1), tmp_path / "plain.png")
    save(picture(1), tmp_path / "plain.jpg")
    for name in ("comment.png", "plain.png", "plain.jpg", "absent.png"):
        assert declared_origin(tmp_path / name) == ""


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(PNG) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(PNG)))
def test_damaged_files_are_read_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "x.png"
    path.write_bytes((PNG[:at] + bytes([byte]) + PNG[at + 1 :])[:cut])
    assert declared_origin(path) in ("", "synthetic", "real", "phantom")
