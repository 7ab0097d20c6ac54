"""Claims about the page of a training: it says how far it is, shows sheets over time, and reloads while it goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from gansynth.report.page import render_page
from gansynth.report.training import TrainingPage, curves_of, training_page
from gansynth.runs.log import read_log


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of which 40 sheets were made, and a log whose last line is being written."""
    (tmp_path / "samples").mkdir()
    lines: list[dict[str, object]] = []
    for step in range(100, 4100, 100):
        Image.new("RGB", (300, 80), "white").save(tmp_path / "samples" / f"step-{step:08d}.png")
        lines.append({"step": step, "images": 32 * step, "seconds": 0.6 * step, "critic/wasserstein": 1.5})
        watch = {"recall": step / 4000, "real_recall": 0.95, "diversity": 0.9}
        lines.append({"step": step, "watch": {"basophil": watch, "smudge cell": {**watch, "recall": 0.25}}})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "log.jsonl").write_text(text + '{"step": 4100, "ima', encoding="utf-8")
    return tmp_path


def test_the_page_says_how_far_it_is_and_which_classes_are_behind(run: Path) -> None:
    page = training_page(run, runs=True)
    assert "step 4,000 after 40 minutes; it goes on" in page.subtitle
    assert page.verdict == (
        "The classifier that watches recognises 62% of what the generator makes now: of 1 of 2 classes at least 80%. "
        "Furthest behind: smudge cell."
    )
    html = render_page(page)
    for words in ("What it makes", "Which classes it has learned", "The players&#39; losses"):
        assert words in html


def test_a_classifier_that_does_not_know_real_cells_does_not_measure_synthetic_ones(run: Path) -> None:
    seen = {"recall": 0.1, "real_recall": 0.2, "diversity": 0.9}
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write("\n" + json.dumps({"step": 4200, "watch": {"basophil": seen, "smudge cell": seen}}) + "\n")
    said = training_page(run, runs=True).verdict
    assert said.startswith("The classifier that watches recognises 20% of real cells only") and "behind" not in said


def test_sheets_are_shown_from_the_newest_to_the_first(run: Path) -> None:
    shown = re.findall(r'src="samples/step-(\d+)\.png"', render_page(training_page(run, runs=True)))
    steps = [int(step) for step in shown]
    assert steps[0] == 4000 and steps[-1] == 100 and steps == sorted(steps, reverse=True) and 5 <= len(steps) <= 7


def test_it_reloads_itself_only_while_the_training_goes_on(run: Path) -> None:
    writer = TrainingPage(run)
    writer.log_metrics({"critic/wasserstein": 1.0}, 100)
    assert not (run / "report.html").exists()
    writer.log_metrics({"watch_recall/basophil": 0.5}, 100)
    assert "location.reload" in (run / "report.html").read_text(encoding="utf-8")
    writer.finalize("success")
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "location.reload" not in html and "it has ended" in html


def test_curves_are_over_minutes(run: Path) -> None:
    curves = curves_of(read_log(run))
    assert curves["losses"]["critic"][0][:2] == [1.0, 2.0] and curves["watch"]["basophil"][1][-1] == 1.0
