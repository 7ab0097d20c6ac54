"""Claims about `naturalize`, on cells that gansynth draws itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gansynth.cells.segmentation import CellMasks, segment_cell
from gansynth.cells.stain import background_colour
from gansynth.cli import gansynth
from gansynth.data import CellDataset, open_dataset, split_dataset, write_splits
from gansynth.data.phantom import phantom_dataset, write_phantom
from gansynth.errors import InputError
from gansynth.synthesis import read_provenance, training_images
from gansynth.synthesis.naturalize.composing import STAIN_RANGE, Composer
from gansynth.synthesis.naturalize.folder import COLUMNS, JOURNAL_FILE
from gansynth.synthesis.naturalize.naturalizing import naturalize
from gansynth.synthesis.naturalize.parts import Cut, Scene, cut_white_cell, read_scene

MASKS: dict[bytes, CellMasks] = {}


def once(image: np.ndarray) -> CellMasks:
    """Segment every image of this module once."""
    key = image.tobytes()
    if key not in MASKS:
        MASKS[key] = segment_cell(image)
    return MASKS[key]


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset({"basophil": 4, "eosinophil": 6, "lymphocyte": 6}, size=64)


@pytest.fixture(scope="module")
def folder(cells: CellDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished folder. Do not change it."""
    out = tmp_path_factory.mktemp("composites") / "out"
    naturalize(cells, {"basophil": 5, "lymphocyte": 2}, out, seed=3, segmenter=once, progress=False)
    return out


@pytest.fixture(scope="module")
def parts(cells: CellDataset) -> tuple[list[Cut], list[Scene]]:
    whites, scenes = [], []
    for image, path in zip(cells.images, cells.records["path"], strict=True):
        white, scene = cut_white_cell(image, once(image), path), read_scene(image, once(image), path)
        whites += [white] if isinstance(white, Cut) else []
        scenes += [scene] if scene is not None else []
    return whites, scenes


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_folder_holds_the_images_asked_for_and_a_table_that_names_their_sources(
    cells: CellDataset, folder: Path
) -> None:
    table = pd.read_csv(folder / "metadata.csv")
    assert list(table.columns) == list(COLUMNS)
    assert table["class"].value_counts().to_dict() == {"basophil": 5, "lymphocyte": 2}
    assert table["file_name"][0] == "basophil/basophil_000003.png"
    class_of = dict(zip(cells.records["path"], cells.labels, strict=True))
    for row in table.itertuples():
        assert cells.class_names[class_of[row.white_cell]] == row[2]
        assert {row.background, *row.red_cells.split(";")} <= set(class_of)
        assert row.background != row.white_cell
    assert (table["nearest_training_distance"] > 0).all()


def test_composites_open_as_synthetic_images_and_say_so_themselves(folder: Path) -> None:
    made = open_dataset(folder, 64)
    assert (made.records["origin"] == "synthetic").all() and made.images.shape[1:] == (3, 64, 64)
    told = read_provenance(folder / "lymphocyte" / "lymphocyte_000004.png")
    assert told is not None and (told.model, told.class_name, told.seed) == ("naturalize", "lymphocyte", 4)


def test_an_image_depends_on_its_class_and_seed_only(cells: CellDataset, folder: Path, tmp_path: Path) -> None:
    other = cells.select(np.random.default_rng(0).permutation(len(cells)))
    naturalize(other, {"basophil": 2}, tmp_path / "out", seed=6, segmenter=once, progress=False)
    for seed in (6, 7):
        name = f"basophil/basophil_{seed:06d}.png"
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()


def test_a_stopped_run_resumed_leaves_the_folder_of_one_never_stopped(
    cells: CellDataset, folder: Path, tmp_path: Path
) -> None:
    out, counts = tmp_path / "out", {"basophil": 5, "lymphocyte": 2}
    shutil.copytree(folder, out)
    (out / "metadata.csv").unlink()
    journal = (out / JOURNAL_FILE).read_bytes()
    (out / JOURNAL_FILE).write_bytes(journal[: len(journal) // 2])
    (out / "basophil" / "basophil_000003.png").write_bytes(b"half")
    (out / "basophil" / ".basophil_000009.png.part").write_bytes(b"x")
    with pytest.raises(InputError, match="add --resume"):
        naturalize(cells, counts, out, seed=3, segmenter=once, progress=False)
    with pytest.raises(InputError, match="another request"):
        naturalize(cells, counts, out, seed=4, segmenter=once, progress=False, resume=True)
    naturalize(cells, counts, out, seed=3, segmenter=once, progress=False, resume=True)
    left, whole = tree(out), tree(folder)
    assert sorted(left.pop(JOURNAL_FILE).splitlines()) == sorted(whole.pop(JOURNAL_FILE).splitlines())
    assert left == whole
    again = naturalize(cells, counts, out, seed=3, segmenter=once, progress=False, resume=True)
    assert again.already_complete


def test_a_folder_with_something_else_in_it_is_refused(cells: CellDataset, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(InputError, match="is not empty"):
            naturalize(cells, {"basophil": 1}, tmp_path, segmenter=once, progress=False, resume=resume)


def test_failed_cuts_are_left_out_and_counted(cells: CellDataset, tmp_path: Path) -> None:
    bad = {cells.images[i].tobytes() for i in np.flatnonzero(cells.labels == 0)[:2]}

    def sometimes(image: np.ndarray) -> CellMasks:
        masks = once(image)
        return replace(masks, problem="it moved") if image.tobytes() in bad else masks

    report = naturalize(cells, {"basophil": 2}, tmp_path / "out", segmenter=sometimes, progress=False)
    assert report.classes[0].left_out["it moved"] == 2 and report.classes[0].cut <= 2
    assert "2 left out: it moved" in str(report)
    broken = [
        str(path) for path, image in zip(cells.records["path"], cells.images, strict=True) if image.tobytes() in bad
    ]
    assert not set(pd.read_csv(tmp_path / "out" / "metadata.csv")["white_cell"]) & set(broken)


def test_a_class_of_which_nothing_can_be_cut_is_refused_with_the_reasons(cells: CellDataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no cell could be cut out of 4 training images \(4: it moved\)"):
        naturalize(
            cells, {"basophil": 1}, tmp_path / "out", progress=False,
            segmenter=lambda image: replace(once(image), problem="it moved"),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_without_red_cells_it_says_how_to_do_without(cells: CellDataset, tmp_path: Path) -> None:
    def none(image: np.ndarray) -> CellMasks:
        return replace(once(image), red=np.zeros_like(once(image).red))

    with pytest.raises(InputError, match="add --red-cells 0"):
        naturalize(cells, {"basophil": 1}, tmp_path / "out", segmenter=none, progress=False)
    naturalize(cells, {"basophil": 1}, tmp_path / "out", segmenter=none, red_cells=0, progress=False)
    assert pd.read_csv(tmp_path / "out" / "metadata.csv")["red_cells"].isna().all()


def test_synthetic_images_are_no_material(cells: CellDataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="16 synthetic images"):
        naturalize(
            replace(cells, records=cells.records.assign(origin="synthetic")), {"basophil": 1}, tmp_path, progress=False
        )


@pytest.mark.parametrize("counts", [{}, {"blast": 1}, {"basophil": 0}])
def test_impossible_counts_are_refused(cells: CellDataset, counts: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        naturalize(cells, counts, tmp_path / "out", progress=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set with its split. Do not change it."""
    place = tmp_path_factory.mktemp("data") / "cells"
    write_phantom(place, {"basophil": 5, "eosinophil": 8}, size=32)
    write_splits(split_dataset(open_dataset(place, 32)), place)
    return place


def test_only_training_images_are_cut(data: Path, tmp_path: Path) -> None:
    training, whole = training_images(data, 32), open_dataset(data, 32)
    assert set(training.records["path"]) == set(whole.part("train").records["path"])
    assert len(training) < len(whole)
    unsplit = replace(whole, records=whole.records.assign(split=""))
    assert 0 < len(training_images(unsplit)) < len(whole)


def test_a_cut_laid_on_its_own_slide_is_the_image_it_was_cut_from(cells: CellDataset) -> None:
    image = cells.images[5]
    masks = once(image)
    white, scene = cut_white_cell(image, masks, "a"), read_scene(image, masks, "a")
    assert isinstance(white, Cut) and scene is not None
    found = scene.light.mean(axis=(0, 1)) * np.exp(-white.density[white.mask])
    real = image.transpose(1, 2, 0)[masks.cell]
    # Its rim may fade towards other cells; nearly all of it is kept as it was.
    assert np.median(np.abs(found - real)) < 4


def test_cells_never_overlap_and_the_slide_between_them_is_clean(parts: tuple[list[Cut], list[Scene]]) -> None:
    whites, scenes = parts
    composer = Composer(scenes, 8)
    for seed in range(4):
        made = composer.compose(whites[seed], np.random.default_rng(seed))
        assert made.image.dtype == np.uint8 and made.image.shape == (3, 64, 64)
        scene = next(s for s in scenes if s.path == made.background)
        clean = background_colour(np.ascontiguousarray(made.image.transpose(1, 2, 0)))
        assert np.abs(clean - scene.colour).max() < 8
        assert len(made.reds) <= 8


def test_with_alpha_a_cell_keeps_the_colours_of_its_own_slide_inside_its_mask_alone(
    parts: tuple[list[Cut], list[Scene]],
) -> None:
    whites, scenes = parts
    white = replace(whites[0], light=np.array([250, 40, 40], np.float32), density=np.zeros_like(whites[0].density))
    pasted, added = (
        Composer(scenes, 0, how).compose(white, np.random.default_rng(1)).image.transpose(1, 2, 0).astype(int)
        for how in ("alpha", "density")
    )
    own = (pasted == [250, 40, 40]).all(axis=2)
    assert 0.8 * white.mask.sum() < own.sum() < 1.2 * white.mask.sum()
    # Around it both are the same slide; and a cell without density is nothing where densities add up.
    assert (pasted[~own] == added[~own]).all() and not (added == [250, 40, 40]).all(axis=2).any()


def test_how_cells_are_pasted_belongs_to_the_request(cells: CellDataset, folder: Path, tmp_path: Path) -> None:
    made = naturalize(cells, {"basophil": 1}, tmp_path / "out", paste="alpha", segmenter=once, progress=False)
    assert made.model_sha256 not in (folder / "metadata.csv").read_text()
    with pytest.raises(InputError, match="there are density and alpha"):
        naturalize(cells, {"basophil": 1}, tmp_path / "more", paste="glue", segmenter=once)  # type: ignore[arg-type]


def test_stain_is_matched_within_limits_and_never_in_hue(parts: tuple[list[Cut], list[Scene]]) -> None:
    whites, scenes = parts
    composer = Composer(scenes, 0)
    scene = next(s for s in scenes if np.isfinite(s.red).all())
    for times, expected in ((1.0, 1.0), (1.1, 1.1), (3.0, STAIN_RANGE[1]), (0.1, STAIN_RANGE[0])):
        cut = replace(whites[0], red=scene.red / np.float32(times))
        assert composer._gain(cut, scene) == pytest.approx(expected, rel=0.02)
    assert composer._gain(replace(whites[0], red=np.full(3, np.nan, np.float32)), scene) == 1


def test_command_writes_what_it_says_and_asks_for_a_class(data: Path, tmp_path: Path) -> None:
    call = ["naturalize", str(data), "--size", "32", "--out", str(tmp_path / "out")]
    nothing = CliRunner().invoke(gansynth, call)
    assert nothing.exit_code == 2 and "which class?" in nothing.output
    inside = CliRunner().invoke(gansynth, [*call[:-1], str(data / "x"), "--class", "basophil=1"])
    assert inside.exit_code == 2 and "lies inside" in inside.output
    done = CliRunner().invoke(gansynth, [*call, "--class", "basophil=2"])
    assert done.exit_code == 0, done.output
    assert "basophil: 2 of 2 images" in done.output and len(list((tmp_path / "out").rglob("*.png"))) == 2
