"""Claims about the page of `sweep`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gansynth.errors import InputError
from gansynth.report.sweep.charts import arm_looks, difference_chart, ratio_chart
from gansynth.report.sweep.page import of_the_rare, sweep_findings, sweep_page, sweep_verdict, write_sweep_page
from gansynth.studies.comparison.entries import FailedTraining
from gansynth.studies.sweep.result import ImbalanceSweep, Point, SweepFailure

from .sweep_folder import write_sweep_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_sweep_folder(tmp_path_factory.mktemp("sweep"))
    write_sweep_page(folder)
    return folder


def test_the_verdict_says_how_far_it_falls_and_what_helps_at_the_highest_ratio(folder: Path) -> None:
    said = sweep_verdict(ImbalanceSweep.read(folder))
    assert "the macro F1 of sequential-cnn falls from 0.90 (0.87 to 0.93) at ρ = 1" in said
    assert "There oversample stands highest" in said and "p = 0.001, corrected for all remedies and ratios." in said
    assert "not distinguish" not in said


def test_what_stays_the_same_is_not_said_to_rise(tmp_path: Path) -> None:
    results = ImbalanceSweep.read(write_sweep_folder(tmp_path / "flat"))
    flat = replace(results, figures=tuple(replace(one, value=0.5, low=0.4, high=0.6) for one in results.figures))
    assert "is 0.50 (0.40 to 0.60) at ρ = 1 and at ρ = 50." in sweep_verdict(flat)


def test_what_no_test_shows_is_not_called_better(tmp_path: Path) -> None:
    results = ImbalanceSweep.read(write_sweep_folder(tmp_path / "null", gain=0.0))
    assert "which the test does not distinguish from none" in sweep_verdict(results)
    assert all("no remedy of 2 can be distinguished from none at any ratio" in line for line in sweep_findings(results))


def test_the_findings_name_the_ratios_at_which_a_remedy_is_shown_to_be_better(folder: Path) -> None:
    first, second = sweep_findings(ImbalanceSweep.read(folder))
    assert first == "Macro F1, sequential-cnn: shown to be better than none: oversample (ρ = 10, 50)."
    assert "random-forest" in second


def test_the_page_has_every_figure_table_and_link_and_escapes_what_it_is_told(folder: Path) -> None:
    html = (folder / "report.html").read_text(encoding="utf-8")
    for title in (
        "Macro F1",
        "Accuracy",
        "ROC AUC",
        "What each remedy adds",
        "The rare classes",
        "What was learned from",
    ):
        assert f">{title}</h2>" in html
    assert re.findall(r'<a href="([^"#]+)"', html) == [f"rho-{n}/report.html" for n in (1, 5, 10, 50)]
    assert "&lt;promyelocyte&gt;" in html and "<promyelocyte>" not in html
    drawn = sorted(path.name for path in folder.glob("*.svg"))
    names = [
        f"{name}-{of}" for name in ("macro-F1", "accuracy", "ROC-AUC") for of in ("sequential-cnn", "random-forest")
    ]
    assert drawn == sorted(f"{name}.svg" for name in [*names, "recall-promyelocyte-sequential-cnn"])


def test_bold_stands_where_the_test_shows_a_difference_and_nowhere_else(folder: Path) -> None:
    page = sweep_page(ImbalanceSweep.read(folder), {})
    table = page.sections[0].blocks[1]
    rows = {row.name: [cell.best for cell in row.cells] for row in table.rows if row.cells}  # type: ignore[union-attr]
    assert rows["oversample"] == [False, False, True, True]
    assert not any(rows["none (as they are)"] + rows["focal"])
    untested = page.sections[1].blocks[1]
    assert not any(cell.best for row in untested.rows for cell in row.cells)  # type: ignore[union-attr]


@pytest.mark.parametrize(("arms", "ratios"), [(["none"], [5]), (["focal"], [1, 5])])
def test_one_arm_has_a_page(arms: list[str], ratios: list[float], tmp_path: Path) -> None:
    folder = write_sweep_folder(tmp_path / "out", arms=arms, ratios=ratios, classifiers=["svm"])
    assert write_sweep_page(folder).is_file()
    assert sweep_verdict(ImbalanceSweep.read(folder)).endswith(".")


def test_no_two_of_many_arms_look_the_same_and_a_chart_is_the_same_at_every_call() -> None:
    arms = ["none", *(f"remedy {i}" for i in range(20))]
    assert len(set(arm_looks(arms).values())) == len(arms)
    lines = {"none": [Point(1, 0.9, (0.8, 0.95)), Point(50, 0.5, None)], "$x$": [Point(1, 0.8, (0.7, 0.9))]}
    assert ratio_chart(lines, "macro F1") == ratio_chart(lines, "macro F1")
    many = {name: [Point(1, 0.9, (0.8, 0.95)), Point(50, 0.5, (0.4, 0.6))] for name in arms[:12]}
    assert ratio_chart(many, "macro F1").startswith("<svg")


def test_a_curve_of_one_rare_class_says_below_each_ratio_how_many_images_it_had(folder: Path) -> None:
    results = ImbalanceSweep.read(folder)
    curve = {arm: results.curve(arm, "sequential-cnn", results.primary) for arm in results.arm_names}
    said = of_the_rare(results)
    drawn = ratio_chart(curve, "macro F1", **said)
    assert said["images"][50.0] == 12 and "below: training images of promyelocyte" in drawn
    assert "below" not in ratio_chart(curve, "macro F1")
    two = replace(results.settings, minority=["promyelocyte", "monocyte"])
    assert of_the_rare(replace(results, about=replace(results.about, settings=two))) == {}


def test_a_chart_of_one_ratio_marks_it_and_has_room_for_long_names() -> None:
    def width(name: str) -> float:
        svg = ratio_chart({name: [Point(57.6, 0.7, (0.6, 0.8))]}, "macro F1", rare="promyelocyte", images={57.6: 5})
        assert all(f"<!-- {said} -->" in svg for said in (name, "57.6", "5"))
        return float(svg.partition('width="')[2].partition("pt")[0])

    longest = "pbc-64+supplement:share=0.125:weight=1:statistics=own"
    assert width(longest) > max(width("focal"), 5 * len(longest))


def test_what_is_written_is_read_back_and_shows_itself(tmp_path: Path) -> None:
    failed = SweepFailure(50.0, FailedTraining("focal", "svm", 0, 1, "no memory"))
    folder = write_sweep_folder(tmp_path / "first", missing=[failed])
    results = ImbalanceSweep.read(folder)
    results.write(tmp_path / "second")
    assert ImbalanceSweep.read(tmp_path / "second") == results and results.missing == [failed]
    for name in ("results.json", "sweep.csv", "effects.csv"):
        assert (folder / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert "3 arms by 2 classifiers at 4 ratios" in repr(results) and len(repr(results)) < 200
    assert "<table" in results._repr_html_() and set(results.frame("effects")["against"]) == {"none"}


def test_a_folder_that_no_sweep_wrote_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; write it with `gansynth sweep"):
        ImbalanceSweep.read(tmp_path)
    cut_off = (folder / "results.json").read_text()[:-20]
    for wrong in (cut_off, "{}", json.dumps({"about": {"steps": [{}]}, "figures": [], "effects": []}), "[]"):
        (tmp_path / "results.json").write_text(wrong)
        with pytest.raises(InputError, match=r"results\.json: .*`gansynth sweep`.*again|again with `gansynth sweep`"):
            ImbalanceSweep.read(tmp_path)


def test_the_small_charts_are_wide_enough_for_the_names_of_their_remedies() -> None:
    def size(*names: str) -> tuple[float, float]:
        points = [Point(rho, 0.1, (0.0, 0.2)) for rho in (1, 10)]
        svg = difference_chart(dict.fromkeys(names, points), "macro F1")
        found = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
        assert found is not None and all(f"<!-- {name} -->" in svg for name in names)
        return float(found.group(1)), float(found.group(2))

    longest = "supplement:share=0.125:weight=1:statistics=own"
    abreast, above_each_other = size("focal", "oversample", "weighted"), size("focal", "oversample", longest)
    assert above_each_other[1] > 2 * abreast[1]  # points; a letter of a title is about five wide
    assert above_each_other[0] > 5 * len(longest)
