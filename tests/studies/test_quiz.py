"""Claims about the quiz: which cells it shows, what the page gives away, and what readers' answers say."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gansynth.cli import gansynth
from gansynth.data import open_dataset
from gansynth.data.phantom import write_phantom
from gansynth.errors import InputError
from gansynth.report.quiz.page import render_quiz, write_quiz
from gansynth.studies.quiz import Quiz, draw_quiz, score_quiz
from gansynth.studies.quiz.drawing import Key, even_counts


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quiz") / "synthetic"
    write_phantom(folder, {"basophil": 6, "eosinophil": 8, "lymphocyte": 8}, size=32, seed=5)
    return folder


@pytest.fixture(scope="module")
def quiz(phantom_folder: Path, synthetic: Path) -> Quiz:
    return draw_quiz(phantom_folder, synthetic, count=20, seed=3)


def write_answers(path: Path, quiz: str, reader: str, rows: list[tuple[int, str, str]]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("quiz", "reader", "cell", "origin", "class", "seconds"))
        table.writerows((quiz, reader, cell, origin, name, 1.5) for cell, origin, name in rows)
    return path


def test_every_class_has_as_many_real_as_synthetic_cells_and_no_real_one_was_trained_on(
    quiz: Quiz, phantom_folder: Path
) -> None:
    kinds = Counter((cell.class_name, cell.origin) for cell in quiz.key.cells)
    for name in quiz.key.class_names:
        assert kinds[name, "real"] == kinds[name, "synthetic"] > 0
    records = open_dataset(phantom_folder, 32).records
    split = dict(zip(records["path"], records["split"], strict=True))
    assert {split[cell.path] for cell in quiz.key.cells if cell.origin == "real"} <= {"val", "test"}


def test_the_order_is_random_and_follows_from_the_seed(phantom_folder: Path, synthetic: Path, quiz: Quiz) -> None:
    again = draw_quiz(phantom_folder, synthetic, count=20, seed=3)
    other = draw_quiz(phantom_folder, synthetic, count=20, seed=4)
    assert again.key == quiz.key and np.array_equal(again.images, quiz.images)
    assert other.key != quiz.key
    origins = [cell.origin for cell in quiz.key.cells]
    assert origins != sorted(origins)


def test_images_are_spread_evenly_as_far_as_they_go() -> None:
    assert even_counts(np.array([1, 9, 9]), 9).tolist() == [1, 4, 4]
    assert even_counts(np.array([1, 2]), 9).tolist() == [1, 2]
    assert sorted(even_counts(np.array([9, 9, 9]), 4).tolist()) == [1, 1, 2]


def test_the_page_gives_no_answer_away(quiz: Quiz) -> None:
    page = render_quiz(quiz)
    for cell in quiz.key.cells:
        assert cell.path not in page and Path(cell.path).stem not in page
    images = re.findall(r"data:image/png;base64,[A-Za-z0-9+/=]+", page)
    assert len(images) == len(quiz) and len({len(one) for one in images}) == 1
    for address, pixels in zip(images, quiz.images, strict=True):
        image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
        image.load()
        assert not image.info
        assert np.array_equal(np.asarray(image).transpose(2, 0, 1), pixels)
    assert not re.search(r"https?://|<link|@import", page)
    # The same words for whatever is asked: swapping all answers leaves the page as it is.
    swapped = tuple(
        type(cell)("real" if cell.origin == "synthetic" else "synthetic", cell.class_name, "other.png")
        for cell in quiz.key.cells
    )
    assert render_quiz(Quiz(Key(quiz.key.quiz, swapped), quiz.images, ())) == page


def test_class_names_cannot_break_the_page(quiz: Quiz) -> None:
    names = {name: f'"><script>{name}</script>' for name in quiz.key.class_names}
    cells = tuple(type(cell)(cell.origin, names[cell.class_name], cell.path) for cell in quiz.key.cells)
    page = render_quiz(Quiz(Key(quiz.key.quiz, cells), quiz.images, ()))
    assert page.count("<script>") == 1


def test_answers_are_scored_by_the_key_beside_them(quiz: Quiz, tmp_path: Path) -> None:
    folder = tmp_path / "quiz"
    write_quiz(quiz, folder)
    assert Key.read(folder / "key.csv") == quiz.key
    cells = list(enumerate(quiz.key.cells, 1))
    perfect = [(k, cell.origin, cell.class_name) for k, cell in cells]
    yes_sayer = [(k, "synthetic", "") for k, _ in cells]
    files = [
        write_answers(folder / "a.csv", quiz.key.quiz, "anna", perfect),
        write_answers(folder / "b.csv", quiz.key.quiz, "", yes_sayer[:10]),
    ]
    score = score_quiz(files)
    anna, b = score.readers
    assert (anna.reader, b.reader) == ("anna", "b")
    figures = anna.overall.metrics()
    assert figures["accuracy"].value == 1 and figures["class named, synthetic"].value == 1
    low, _ = figures["d'"].interval or (0, 0)
    assert low > 0 and "distinguishes" in anna.verdict
    assert b.overall.metrics()["accuracy"].n == 10
    assert b.overall.metrics()["class named, real"].value == 0
    assert "not seen to distinguish" in b.verdict
    assert set(anna.classes) == set(quiz.key.class_names)
    assert score.mean is not None and score.mean.n == 2
    assert repr(score).startswith("QuizScore(20 cells: anna d' ") and "<table" in score._repr_html_()
    frame = score.frame()
    assert set(frame["reader"]) == {"anna", "b"} and len(frame) == len(set(map(tuple, frame.iloc[:, :3].to_numpy())))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(1, "real", ""), (1, "real", "")], "cell 1 twice"),
        ([(99, "real", "")], "no cell '99'"),
        ([(1, "perhaps", "")], "'perhaps'"),
        ([(1, "real", "unicorn")], "'unicorn'"),
        ([], "no answer"),
    ],
)
def test_answers_that_are_none_are_refused(
    quiz: Quiz, tmp_path: Path, rows: list[tuple[int, str, str]], says: str
) -> None:
    quiz.key.write(tmp_path / "key.csv")
    with pytest.raises(InputError, match=says):
        score_quiz([write_answers(tmp_path / "a.csv", quiz.key.quiz, "anna", rows)])


def test_answers_to_another_quiz_or_without_a_key_are_refused(quiz: Quiz, tmp_path: Path) -> None:
    answers = write_answers(tmp_path / "a.csv", "other", "anna", [(1, "real", "")])
    with pytest.raises(InputError, match="--key"):
        score_quiz([answers])
    quiz.key.write(tmp_path / "key.csv")
    with pytest.raises(InputError, match="answers quiz other"):
        score_quiz([answers], tmp_path)


def test_the_command_writes_a_quiz_once_and_scores_it(phantom_folder: Path, synthetic: Path, tmp_path: Path) -> None:
    out = tmp_path / "quiz"
    call = ["quiz", str(phantom_folder), str(synthetic), "--out", str(out), "--count", "8"]
    first = CliRunner().invoke(gansynth, call)
    assert first.exit_code == 0 and "4 real and 4 synthetic" in first.output
    assert sorted(path.name for path in out.iterdir()) == ["key.csv", "quiz.html"]
    again = CliRunner().invoke(gansynth, call)
    assert again.exit_code == 2 and "choose another folder for the quiz" in again.output
    key = Key.read(out / "key.csv")
    answers = write_answers(tmp_path / "a.csv", key.quiz, "anna", [(k, "real", "") for k in range(1, 9)])
    scored = CliRunner().invoke(gansynth, ["quiz", "--score", str(answers), "--key", str(out)])
    assert scored.exit_code == 0 and "anna" in scored.output and "criterion" in scored.output
    for wrong in (["quiz"], ["quiz", "a", "b"], ["quiz", "--score", str(answers), "--out", str(tmp_path / "x")]):
        assert CliRunner().invoke(gansynth, wrong).exit_code == 2
