"""Claims about the page of `quality`."""

from __future__ import annotations

import html as entities
import itertools
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gansynth.errors import InputError
from gansynth.metrics.catalogue import METRICS
from gansynth.metrics.estimate import Estimate
from gansynth.report.class_charts import confusion_chart
from gansynth.report.metric_tables import class_table, metric_table
from gansynth.report.quality.map_charts import apart, stretched
from gansynth.report.quality.page import write_quality_page
from gansynth.report.quality.verdict import findings, verdict, weak_classes
from gansynth.studies.quality.result import Memorisation, Quality
from gansynth.studies.quality.shown import FeatureMap

from .study_folders import ALEX, NAMES, WARNINGS, WEIGHTS, write_quality_folder
from .test_page import refuse_addresses, refuse_loose_ends


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_quality_folder(tmp_path_factory.mktemp("quality"))


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return write_quality_page(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results(folder: Path) -> Quality:
    return Quality.read(folder)


def only(results: Quality, **metrics: Estimate) -> Quality:
    """The same study with these metrics alone, and nothing wrong in any class."""
    named = {name.replace("_", "-"): estimate for name, estimate in metrics.items()}
    about = replace(results.about, memorisation=Memorisation(alarm=False, p=0.5))
    return replace(results, about=about, missing=[], metrics=named, classes={name: {} for name in results.class_names})


def test_the_page_needs_no_other_file_and_no_network(html: str) -> None:
    refuse_addresses(html)


def test_the_page_is_whole_escaped_and_small(html: str) -> None:
    refuse_loose_ends(html)
    assert "eosinophil &lt;x&gt;" in html and "eosinophil <x>" not in html
    assert len(html) < 6e6
    assert not re.search(r"\bnan\b|>None<|\binf\b", html)


def test_every_class_warning_and_metric_appears(html: str, results: Quality) -> None:
    text = entities.unescape(html)
    for name in NAMES:
        assert text.count(name) > 5
    for words in WARNINGS:
        assert words in text
    for name in [*results.metrics, *(one.metric for one in results.missing)]:
        assert METRICS[name].meaning in text


def test_pictures_and_charts_have_words_for_who_cannot_see_them(html: str) -> None:
    assert all(re.search(r'alt="[^"]{10,}"', tag) for tag in re.findall(r"<img[^>]*>", html))
    figures = re.findall(r"<div role=\"img\"[^>]*>", html)
    assert len(figures) == 6 and all("aria-label=" in tag for tag in figures)


def test_a_missing_metric_says_so_and_names_its_file(results: Quality) -> None:
    table = metric_table(results)
    rows = {row.name: row for row in table.rows}
    for title, file in (("FID", WEIGHTS), ("KID", WEIGHTS), ("IS", WEIGHTS), ("LPIPS", ALEX)):
        cell = rows[title].cells[0]
        assert cell.text == "missing"
        assert file in table.notes[cell.notes[0] - 1] and "/weights" in table.notes[cell.notes[0] - 1]
    assert len(table.notes) == 2


def test_every_value_stands_with_its_interval_its_floor_its_n_and_its_direction(results: Quality) -> None:
    rows = {row.name: row for row in metric_table(results).rows}
    value, floor, n, way = rows["Recall"].cells
    assert re.fullmatch(r"\d+\.\d%", value.text) and re.fullmatch(r"\d+\.\d to \d+\.\d%", value.small)
    assert (floor.text, n.text, way.text) == ("95.5%", "300", "nearer to real is better")
    assert "class mean 19.10" in rows["PSNR (dB)"].cells[1].small


def test_a_class_too_small_says_so(results: Quality) -> None:
    table = class_table(results, ["recall", "KD-cell"])
    assert table is not None
    cell = table.rows[-1].cells[1]
    assert cell.text == "no value" and "there are 12" in table.notes[cell.notes[0] - 1]


def test_only_what_differs_from_real_is_shaded(results: Quality) -> None:
    same, worse = Estimate(0.9, 100, (0.8, 1.0), floor=0.95), Estimate(0.5, 100, (0.4, 0.6), floor=0.95)
    book = {NAMES[0]: {"recall": same}, NAMES[1]: {"recall": worse}, NAMES[2]: {}}
    table = class_table(replace(results, classes=book), ["recall"])
    assert table is not None
    shades = [row.cells[0].shade for row in table.rows]
    assert shades[0] == 0 and shades[1] and shades[1] > 0.5 and shades[2] == 0


def test_copies_are_shown_and_framed(html: str) -> None:
    assert html.count('class="alarm"') == 2 and html.count("copy: 0.400 apart") == 2


def test_the_verdict_names_the_difference_and_the_weak_classes(results: Quality) -> None:
    assert "can be distinguished from real ones: they are recognised less often" in verdict(results)
    assert re.search(r"95% interval \d+\.\d to \d+\.\d%\); of real cells it has never seen, 95\.5%", verdict(results))
    said = " ".join(findings(results))
    assert weak_classes(results)[0] in said
    assert "more than chance explains" in said and "2 of 300 nearly equal a training image" in said


def test_the_verdict_claims_no_difference_that_the_interval_allows_away(results: Quality) -> None:
    alike = only(
        results,
        recall=Estimate(0.94, 300, (0.91, 0.97), floor=0.95, floor_n=300),
        KD_cell=Estimate(0.01, 300, (-0.01, 0.03), floor=0.0),
        diversity_cell=Estimate(13.9, 300, (13.0, 14.8), floor=14.2),
        copies=Estimate(1.0, 300, (0.2, 5.6), floor=1.0),
    )
    assert "no difference between the synthetic cells and real ones could be shown" in verdict(alike)
    said = " ".join(findings(alike))
    assert said.count("no more than chance explains") == 2 and "which may be chance" in said


def test_cells_that_are_too_typical_are_distinguished_from_real_ones(results: Quality) -> None:
    typical = only(results, recall=Estimate(1.0, 900, (0.996, 1.0), floor=0.9, floor_n=900))
    assert "can be distinguished from real ones: they are more typical" in verdict(typical)
    assert "more typical than cells are" in " ".join(findings(typical))


def test_without_a_single_metric_the_page_says_so(results: Quality) -> None:
    assert "Nothing could be measured" in verdict(only(results))
    assert findings(only(results)) == []


def test_a_study_without_pictures_and_classifier_still_makes_a_page(folder: Path, tmp_path: Path) -> None:
    facts = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    facts |= {"confusion": [], "real_confusion": [], "encoder": None, "metrics": {"PSNR": facts["metrics"]["PSNR"]}}
    facts["classes"] = {name: {"PSNR": found["PSNR"]} for name, found in facts["classes"].items()}
    (tmp_path / "results.json").write_text(json.dumps(facts), encoding="utf-8")
    page = write_quality_page(tmp_path).read_text(encoding="utf-8")
    assert "<img" not in page and "PSNR (dB)" in page


def test_a_folder_without_results_is_refused_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; write it with `gansynth quality"):
        write_quality_page(tmp_path)
    (tmp_path / "results.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="not what `gansynth quality"):
        write_quality_page(tmp_path)
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "nearest.csv").write_text("class,synthetic,training,distance,held_out_median,copy\n")
    with pytest.raises(InputError, match="measure again"):
        write_quality_page(tmp_path / "copy")


def test_what_is_put_outside_the_classes_has_a_column_only_if_anything_is() -> None:
    names = ["a", "b"]
    square, wide = confusion_chart([[9, 1], [0, 10]], names), confusion_chart([[9, 1, 0], [0, 10, 0]], names)
    assert square == wide
    assert len(confusion_chart([[9, 1, 0], [0, 8, 2]], names)) > len(square)


def test_labels_of_a_map_stand_clear_of_each_other_and_inside() -> None:
    placed = apart([[0.5, 0.99], [0.52, 0.99], [0.48, 0.98], [0.0, 0.1]], [0.2] * 4)
    heights = sorted(placed[:3, 1])
    assert all(b - a > 0.041 for a, b in itertools.pairwise(heights)) and heights[-1] <= 1
    assert placed[3, 0] >= 0.1


def test_a_stretched_map_keeps_the_order_and_opens_the_crowd() -> None:
    x = np.array([0.0, 0.01, 0.02, 0.03, 100.0])
    flat = FeatureMap(np.column_stack([x, x]), np.array(["a"] * 5), np.ones(5, bool))
    wide = stretched(flat).positions[:, 0]
    assert np.all(np.diff(wide) > 0) and wide[1] - wide[0] > 0.1
