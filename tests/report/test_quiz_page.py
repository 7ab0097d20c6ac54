"""Claims about the quiz as a reader plays it in a browser, from the first cell to the file of answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gansynth.data.phantom import write_phantom
from gansynth.report.quiz.page import write_quiz
from gansynth.studies.quiz import draw_quiz, score_quiz
from gansynth.studies.quiz.drawing import Key

pytestmark = pytest.mark.slow

NAMES = ("basophil", "lymphocyte")


@pytest.fixture(scope="module")
def quiz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a quiz of eight phantom cells."""
    root = tmp_path_factory.mktemp("quiz")
    for name, seed in (("real", 0), ("synthetic", 1)):
        write_phantom(root / name, dict.fromkeys(NAMES, 4), size=32, seed=seed)
    write_quiz(draw_quiz(root / "real", root / "synthetic", count=8, seed=0), root / "quiz")
    return root / "quiz"


@contextmanager
def opened(browser: Any, folder: Path, width: int = 1280, scheme: str = "light") -> Iterator[Any]:
    """The page in a browser that has never seen it; at the end, no error may have been reported in it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(300_000)  # milliseconds, on a machine that is busy with other tests
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text))
    tab.goto((folder / "quiz.html").as_uri())
    yield tab
    context.close()
    assert errors == []


def saved(tab: Any, folder: Path) -> Path:
    """The file that the page offers."""
    with tab.expect_download() as offered:
        tab.click("#save")
    assert offered.value.suggested_filename in tab.inner_text("#saved")
    path = folder / offered.value.suggested_filename
    offered.value.save_as(path)
    return path


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_who_knows_the_key_scores_everything_right_by_keyboard_and_by_mouse(
    browser: Any, quiz: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    key = Key.read(quiz / "key.csv")
    with opened(browser, quiz, width, scheme) as tab:
        tab.keyboard.press("Tab")
        tab.keyboard.type("Ana Müller")
        tab.keyboard.press("Enter")
        for number, cell in enumerate(key.cells, 1):
            assert tab.inner_text("#number") == f"Cell {number} of 8"
            if width > 1000:
                tab.keyboard.press("s" if cell.origin == "synthetic" else "r")
                tab.keyboard.press(str(1 + NAMES.index(cell.class_name)))
                tab.keyboard.press("Enter")
            else:
                tab.click(f"#o-{cell.origin}")
                tab.click(f"#c-{1 + NAMES.index(cell.class_name)}")
                tab.click("#next")
        assert tab.inner_text("#done") == "All 8 cells answered"
        answers = saved(tab, tmp_path)
        assert tab.input_value("#text") == answers.read_text(encoding="utf-8")
    assert answers.name == "answers-Ana-Müller.csv"
    (reader,) = score_quiz([answers], quiz).readers
    assert reader.reader == "Ana Müller" and reader.overall.detection.accuracy.value == 1
    assert reader.overall.named_real.value == reader.overall.named_synthetic.value == 1


def test_a_cell_waits_for_both_answers_and_can_be_answered_anew(browser: Any, quiz: Path, tmp_path: Path) -> None:
    with opened(browser, quiz) as tab:
        tab.click("#who button")
        tab.keyboard.press("r")
        tab.keyboard.press("Enter")
        assert "both questions" in tab.inner_text("#hint") and tab.inner_text("#number") == "Cell 1 of 8"
        tab.keyboard.press("x")
        tab.keyboard.press("Enter")
        tab.keyboard.press("Backspace")
        assert tab.inner_text("#number") == "Cell 1 of 8" and tab.is_checked("#o-real") and tab.is_checked("#c-0")
        tab.keyboard.press("s")
        tab.click("#stop")
        assert tab.inner_text("#done") == "1 of 8 cells answered"
        lines = saved(tab, tmp_path).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 and lines[1].split(",")[1:5] == ["", "1", "synthetic", ""]


def test_a_second_reader_in_the_same_browser_does_not_go_on_with_the_answers_of_the_first(
    browser: Any, quiz: Path
) -> None:
    with opened(browser, quiz) as tab:
        tab.fill("#reader", "Ana")
        tab.click("#who button")
        for key in ("r", "1", "Enter"):
            tab.keyboard.press(key)
        tab.reload()
        assert tab.input_value("#reader") == "Ana" and tab.inner_text("#goes-on").startswith("1 of 8 cells")
        tab.fill("#reader", "Ben")
        assert tab.inner_text("#goes-on") == ""
        tab.click("#who button")
        assert tab.inner_text("#number") == "Cell 1 of 8" and not tab.is_checked("#o-real")
        tab.reload()
        tab.fill("#reader", "Ana")
        tab.click("#who button")
        assert tab.inner_text("#number") == "Cell 2 of 8"
