"""Claims about the progress display: what matters stays visible at 80 columns, and the time left is honest."""

from __future__ import annotations

import io
import math
import time

import pytest
from rich.console import Console

from gansynth.runs.display import WorkDisplay, clock, time_left, work_bar


def test_time_left_follows_the_pace_of_this_session() -> None:
    assert time_left(60.0, 3, 12) == 180.0
    assert time_left(60.0, 0, 12) is None
    assert time_left(60.0, 13, 12) == 0.0
    assert clock(180) == "03:00" and clock(7322) == "2:02:02" and clock(None) == "--:--"


@pytest.mark.parametrize("noted", [True, False])
def test_bar_percentage_and_time_left_stay_visible_at_80_columns(noted: bool) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, color_system=None)
    bar = work_bar(console, noted=noted)
    note = "step 1200  " + "  ".join(f"critic/term{i} 0.123" for i in range(9))
    task = bar.add_task("a description that is longer than its place: cutting out cells", total=4000, note=note)
    time.sleep(0.02)
    bar.update(task, completed=1000)
    console.print(bar)
    (line,) = written.getvalue().splitlines()
    assert len(line) <= 80
    assert "━━━" in line and " 25%" in line and "00:00 left" in line


def test_a_log_gets_lines_with_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with WorkDisplay("decoding images", 8, every=0.0) as display:
        time.sleep(0.01)
        display.update(4)
        display.step("the fifth")
    assert capsys.readouterr().err.splitlines() == [
        "decoding images: 4 of 8, 00:00 left",
        "decoding images: 5 of 8, 00:00 left",
        "[5 of 8] the fifth; 00:00 left",
    ]


def test_the_first_line_of_a_log_comes_within_two_seconds_and_the_next_when_it_is_due(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with WorkDisplay("decoding images", 40) as display, WorkDisplay("trainings", 40, every=math.inf) as said_only:
        for now in (101.0, 102.0, 103.0, 116.0, 117.0, 140.0):
            display.update(int(now - 100))
            said_only.update(int(now - 100))
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "decoding images: 2 of 40",
        "decoding images: 17 of 40",
        "decoding images: 40 of 40",
    ]


def test_what_is_not_shown_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with WorkDisplay("decoding images", 8, shown=False, every=0.0) as display:
        display.update(4)
        display.step("the fifth")
    assert not capsys.readouterr().err
