"""Import of published sets in the layouts their downloads have."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from trees import SHARED, needs_shared, picture, save, tree

import gansynth.data.mapping
from gansynth.data import dataset_info, import_sources, open_dataset, scheme_names
from gansynth.data.mapping import find_scheme, find_source, plain_type
from gansynth.errors import InputError

MUNICH = sorted(find_source("munich").folders)
BONE_MARROW = sorted(find_source("bone-marrow").folders)
PBC = {
    "basophil": ["BA"],
    "eosinophil": ["EO"],
    "erythroblast": ["ERB"],
    "ig": ["PMY", "MY", "MMY", "IG"],
    "lymphocyte": ["LY"],
    "monocyte": ["MO"],
    "neutrophil": ["BNE", "SNE", "NEUTROPHIL"],
    "platelet": ["PLATELET"],
}


def pbc(root: Path, each: int = 2) -> Path:
    """The download: its folder lies once more inside itself, and a hidden file is in it."""
    seed = 0
    for folder, prefixes in PBC.items():
        for prefix in prefixes:
            for i in range(each):
                save(picture(seed, 36, 36), root / "PBC_dataset_normal_DIB" / folder / f"{prefix}_{i}{seed}.jpg")
                seed += 1
    save(picture(0), root / "PBC_dataset_normal_DIB" / "neutrophil" / ".DS_169665.jpg")
    return root


def munich(root: Path) -> Path:
    for seed, code in enumerate(MUNICH):
        opaque = np.dstack([picture(100 + seed), np.full((40, 40), 255, np.uint8)])
        save(opaque, root / "AML-Cytomorphology" / code.upper() / f"{code.upper()}_0001.tiff")
    (root / "annotations.dat").write_text("AML-Cytomorphology/BAS/BAS_0001.tiff BAS")
    return root


def bone_marrow(root: Path) -> Path:
    for seed, code in enumerate(BONE_MARROW):
        save(
            picture(200 + seed),
            root / "BM_cytomorphology_data" / code.upper() / "0001-1000" / f"{code.upper()}_00001.jpg",
        )
    return root


def bloodmnist(path: Path) -> Path:
    arrays = {}
    for part, start in (("train", 0), ("val", 16), ("test", 24)):
        n = 16 if part == "train" else 8
        arrays[f"{part}_images"] = np.stack([picture(300 + start + i, 28, 28) for i in range(n)])
        arrays[f"{part}_labels"] = (np.arange(n) % 8)[:, None].astype(np.uint8)
    np.savez(path, **arrays)
    return path


WHOLE = dict.fromkeys(["basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "platelet"], 2)
STAGES = dict.fromkeys(["band neutrophil", "segmented neutrophil", "promyelocyte", "myelocyte", "metamyelocyte"], 2)


@pytest.mark.parametrize(
    ("scheme", "after"),
    [
        ("8", WHOLE | {"immature granulocyte": 8, "neutrophil": 6}),
        ("11", WHOLE | STAGES),
        ("12", WHOLE | {"immature granulocyte": 6, "neutrophil": 6, "promyelocyte": 2}),
    ],
)
def test_pbc_download_by_each_scheme(tmp_path: Path, scheme: str, after: dict[str, int]) -> None:
    report = import_sources([("pbc", pbc(tmp_path / "pbc"))], tmp_path / "out", scheme)
    assert report.after == dict(sorted(after.items()))
    assert report.left_out == ({"immature granulocyte": 2, "neutrophil": 2} if scheme == "11" else {})
    assert sum(report.before["pbc"].values()) == 26 and report.before["pbc"]["metamyelocyte"] == 2
    assert open_dataset(tmp_path / "out", 32).counts() == report.after
    assert "after merging" in report.to_text()


def test_read_as_plain_folders_promyelocytes_are_immature_granulocytes_as_in_hazra2022(tmp_path: Path) -> None:
    root = pbc(tmp_path / "pbc") / "PBC_dataset_normal_DIB"
    report = import_sources([("folders", root)], tmp_path / "out", "12")
    assert report.after == dict(sorted((WHOLE | {"immature granulocyte": 8, "neutrophil": 6}).items()))


def test_twelve_classes_of_hazra2022_from_two_sources(tmp_path: Path) -> None:
    sources = [("pbc", pbc(tmp_path / "pbc")), ("munich", munich(tmp_path / "munich"))]
    report = import_sources(sources, tmp_path / "out", "12")
    # Families of tables 1 and 2: lymphocytes, granulocytes, neutrophils and promyelocytes are grouped.
    assert report.after == {
        "basophil": 3, "eosinophil": 3, "erythroblast": 3, "immature granulocyte": 8, "lymphocyte": 4, "monoblast": 1,
        "monocyte": 3, "myeloblast": 1, "neutrophil": 8, "platelet": 2, "promyelocyte": 4, "smudge cell": 1,
    }  # fmt: skip
    assert report.left_out == {} and set(report.before) == {"pbc", "munich"}
    assert len(report.before["munich"]) == 15
    cells = open_dataset(tmp_path / "out", 32)
    assert cells.records["source"].value_counts().to_dict() == {"pbc": 26, "munich": 15}
    assert {"AML-Cytomorphology/PMB/PMB_0001.tiff"} <= set(cells.records["original"])


def test_twenty_one_classes_of_the_bone_marrow_set(tmp_path: Path) -> None:
    root = bone_marrow(tmp_path / "bm")
    assert len(import_sources([("bone-marrow", root)], tmp_path / "all").after) == 21
    report = import_sources([("bone-marrow", root)], tmp_path / "twelve", "12")
    assert report.after["lymphocyte"] == 1 and report.after["smudge cell"] == 1
    assert {"artefact", "plasma cell", "not identifiable"} <= set(report.left_out)


def test_bloodmnist_keeps_its_parts(tmp_path: Path) -> None:
    report = import_sources([("bloodmnist", bloodmnist(tmp_path / "bloodmnist.npz"))], tmp_path / "out", "8")
    assert set(report.after.values()) == {4} and len(report.after) == 8
    cells = open_dataset(tmp_path / "out", 28)
    assert cells.records["split"].value_counts().to_dict() == {"train": 16, "val": 8, "test": 8}
    first = cells.records.index[cells.records["original"] == "bloodmnist.npz:train_0"][0]
    assert np.array_equal(cells.images[first].transpose(1, 2, 0), picture(300, 28, 28))


def test_plain_folders_keep_names_group_and_origin(tmp_path: Path) -> None:
    root = tree(tmp_path / "clinic", {"Smudge_Cells": 2, "platelets": 1, "Mystery": 1})
    (root / "metadata.csv").write_text(
        "file_name,group,origin\nMystery/000.png,p7,synthetic\n"
        "Smudge_Cells/000.png,,\nSmudge_Cells/001.png,,\nplatelets/000.png,,\n"
    )
    report = import_sources([("folders", root)], tmp_path / "out")
    assert report.after == {"Mystery": 1, "platelet": 1, "smudge cell": 2}
    row = pd.read_csv(tmp_path / "out" / "metadata.csv").set_index("file_name").loc["Mystery/000.png"]
    assert row["group"] == "clinic:p7" and row["origin"] == "synthetic" and row["source"] == "clinic"
    assert import_sources([("folders", root)], tmp_path / "twelve", 12).left_out == {"Mystery": 1}


def test_equal_file_names_of_two_sources_do_not_collide(tmp_path: Path) -> None:
    sources = [("folders", tree(tmp_path / s / "cells", {"basophil": 2}, first_seed=k)) for k, s in enumerate("ab")]
    import_sources(sources, tmp_path / "out")
    assert len(list((tmp_path / "out" / "basophil").iterdir())) == 4
    assert sum(dataset_info(tmp_path / "out").counts.values()) == 4


def test_bytes_are_unchanged_and_unreadable_files_stay_behind(tmp_path: Path) -> None:
    root = pbc(tmp_path / "pbc")
    (root / "PBC_dataset_normal_DIB" / "basophil" / "BA_9.jpg").write_bytes(b"\xff\xd8\xff broken")
    report = import_sources([("pbc", root)], tmp_path / "out", "8")
    assert [bad.path for bad in report.unreadable] == ["pbc:PBC_dataset_normal_DIB/basophil/BA_9.jpg"]
    table = pd.read_csv(tmp_path / "out" / "metadata.csv")
    assert len(table) == 26 and list(table.columns[:5]) == ["file_name", "class", "source", "group", "origin"]
    for row in table.itertuples():
        assert (tmp_path / "out" / str(row.file_name)).read_bytes() == (root / str(row.original)).read_bytes()


def test_copies_where_links_are_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert import_sources([("pbc", pbc(tmp_path / "pbc"))], tmp_path / "out", 8).after["platelet"] == 2


def test_failed_import_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    root = pbc(tmp_path / "pbc")
    monkeypatch.setattr("gansynth.data.sources._put", fail)
    with pytest.raises(InputError, match="No space left"):
        import_sources([("pbc", root)], tmp_path / "out", "8")
    assert [path.name for path in tmp_path.iterdir()] == ["pbc"]


@pytest.mark.parametrize("case", ["kind", "scheme", "path", "none", "layout", "in use", "inside", "nothing left"])
def test_what_cannot_be_imported_is_named(tmp_path: Path, case: str) -> None:
    root = tree(tmp_path / "cells", {"Mystery": 1})
    sources, out, scheme = [("folders", root)], tmp_path / "out", None
    if case == "kind":
        sources = [("bcp", root)]
    elif case == "scheme":
        scheme = "13"
    elif case == "path":
        sources = [("pbc", tmp_path / "nowhere")]
    elif case == "none":
        sources = []
    elif case == "layout":
        sources = [("pbc", root)]
    elif case == "in use":
        out = root
    elif case == "inside":
        out = root / "imported"
    else:
        scheme = "12"
    with pytest.raises(InputError):
        import_sources(sources, out, scheme)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells"]
    assert [path.name for path in root.iterdir()] == ["Mystery"]


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"train_images": np.zeros((2, 8, 8, 3))},
        {"train_images": np.zeros((2, 8, 8, 3), np.uint8)},
        {"train_images": np.zeros((2, 8, 8, 3)), "train_labels": np.zeros(2, int)},
        {"train_images": np.zeros((2, 8, 8, 4), np.uint8), "train_labels": np.zeros(2, int)},
        {"train_images": np.zeros((2, 8, 8, 3), np.uint8), "train_labels": np.zeros(3, int)},
        {"train_images": np.zeros((2, 8, 8, 3), np.uint8), "train_labels": np.array([0, 99])},
        {"train_images": np.zeros((2, 8, 8, 3), np.uint8), "train_labels": np.array(["..", "/etc"])},
        {"train_images": np.zeros((2, 8, 8, 3), np.uint8), "train_labels": np.array([{}, []], dtype=object)},
    ],
)
def test_npz_that_is_no_medmnist_file_is_an_input_error(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=r"x\.npz"):
        import_sources([("bloodmnist", tmp_path / "x.npz")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", range(20))
def test_damaged_npz_is_an_input_error_or_read(tmp_path: Path, seed: int) -> None:
    whole = bloodmnist(tmp_path / "x.npz").read_bytes()
    rng = random.Random(seed)
    damaged = bytearray(whole[: rng.randrange(len(whole))] if seed % 2 else whole)
    for _ in range(20):
        damaged[rng.randrange(len(damaged))] ^= rng.randrange(1, 256)
    (tmp_path / "x.npz").write_bytes(damaged)
    try:
        import_sources([("bloodmnist", tmp_path / "x.npz")], tmp_path / "out")
    except InputError as error:
        assert "x.npz" in str(error)


def test_schemes_have_the_classes_their_names_say() -> None:
    sizes = {name: len(set(scheme.class_of.values())) for name in scheme_names() if (scheme := find_scheme(name))}
    assert sizes == {"8": 8, "11": 11, "12": 12}


def test_every_type_of_a_scheme_comes_from_a_source() -> None:
    raw = yaml.safe_load((Path(gansynth.data.mapping.__file__).parent / "schemes.yaml").read_text(encoding="utf-8"))
    known = {"platelet"}
    for name in raw["sources"]:
        source = find_source(name)
        known |= {*source.folders.values(), *source.labels.values()}
        known |= {kind for refined in source.prefixes.values() for kind in refined.values()}
    for scheme in map(find_scheme, scheme_names()):
        assert scheme is not None and set(scheme.class_of) <= known


@pytest.mark.parametrize(
    ("folder", "kind"), [("Neutrophils", "neutrophil"), ("ig", "immature granulocyte"), ("PMO", "PMO"), ("x_y", "x_y")]
)
def test_plain_names_are_recognised_or_kept(folder: str, kind: str) -> None:
    assert plain_type(folder) == kind


@needs_shared
def test_real_download_is_imported(tmp_path: Path) -> None:
    report = import_sources([("pbc", SHARED / "pbc360")], tmp_path / "out", "11")
    assert len(report.after) == 11 and sum(report.after.values()) == 198
    with Image.open(next((tmp_path / "out" / "platelet").iterdir())) as image:
        assert image.size[0] >= 350
