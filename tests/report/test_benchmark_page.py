"""Claims about the page of `benchmark`."""

from __future__ import annotations

import html as entities
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gansynth.errors import InputError
from gansynth.report.benchmark.page import benchmark_page, read_measured, write_benchmark_page
from gansynth.report.benchmark.recipe_tables import class_by_recipe, clear_winner, cost_table, recipe_table
from gansynth.report.blocks import Lineup
from gansynth.report.page import Page, render_page
from gansynth.studies.benchmark.ranking import Spread
from gansynth.studies.benchmark.result import TABLE_6, TABLE_7, Benchmark

from .study_folders import NAMES, WARNINGS, WEIGHTS, write_benchmark_folder
from .test_page import refuse_addresses, refuse_loose_ends

RECIPES = ("c-wgan-gp", "ac-gan", "dc-gan")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_benchmark_folder(tmp_path_factory.mktemp("benchmark"), recipes=RECIPES)


@pytest.fixture(scope="module")
def results(folder: Path) -> Benchmark:
    return Benchmark.read(folder)


@pytest.fixture(scope="module")
def page(folder: Path, results: Benchmark) -> Page:
    return benchmark_page(results, read_measured(folder, results), folder)


@pytest.fixture(scope="module")
def html(page: Page) -> str:
    return render_page(page)


def seeds(*values: float, around: float = 0.01) -> Spread:
    return Spread(values, min(values) - around, max(values) + around, 0.0, None, 100)


def test_the_page_needs_no_other_file_and_no_network(html: str) -> None:
    refuse_addresses(html)


def test_the_page_is_whole_escaped_and_small(html: str) -> None:
    refuse_loose_ends(html)
    assert "eosinophil &lt;x&gt;" in html and "eosinophil <x>" not in html
    assert len(html) < 6e6


def test_every_recipe_class_warning_and_failure_appears(html: str) -> None:
    text = entities.unescape(html)
    for words in (*RECIPES, *NAMES, *WARNINGS, "Seeds measure the noise of training only <&>."):
        assert words in text
    assert "info-gan" in text and "the loss is not finite <nan>" in text and "6 of 7" in text
    assert "comes first in 3 of 3 metrics" in text


def test_tables_6_and_7_have_the_papers_columns_with_seeds_n_and_what_real_cells_score(
    results: Benchmark,
) -> None:
    six, seven = recipe_table(results, {}, TABLE_6), recipe_table(results, {}, TABLE_7)
    assert six is not None and seven is not None
    assert list(six.head) == ["GAN", "FID", "Precision", "F1", "Recall", "LPIPS", "IS"]
    assert list(seven.head) == ["GAN", "PSNR (dB)", "SSIM", "l1", "l2"]
    rows = {row.name: row for row in six.rows}
    assert re.fullmatch(r"\d+\.\d ± \d+\.\d%", rows["ac-gan"].cells[3].text)
    assert rows["ac-gan"].small == "n = 300, 2 seeds"
    assert rows["real against real"].cells[3].text == "95.5%"
    assert {row.name: row for row in seven.rows}["class mean"].cells[0].text == "19.10"


def test_a_missing_metric_is_a_column_that_says_so_with_its_file(results: Benchmark) -> None:
    table = recipe_table(results, {}, TABLE_6)
    assert table is not None
    for row in table.rows[: len(RECIPES)]:
        assert row.cells[0].text == "missing" and WEIGHTS in table.notes[row.cells[0].notes[0] - 1]


def test_the_best_is_marked_only_where_every_seed_says_so() -> None:
    apart = {"a": seeds(0.1, 0.12), "b": seeds(0.3, 0.32), "c": seeds(0.5, 0.6)}
    assert clear_winner("KD-cell", apart) == "a"
    assert clear_winner("IS", apart) == "c"
    assert clear_winner("recall", apart) == "a"
    assert clear_winner("KD-cell", apart | {"b": seeds(0.11, 0.5)}) is None
    assert clear_winner("KD-cell", apart | {"b": seeds(0.3)}) is None
    assert clear_winner("KD-cell", {"a": apart["a"]}) is None


def test_one_seed_marks_nothing_and_says_why(tmp_path: Path) -> None:
    alone = Benchmark.read(write_benchmark_folder(tmp_path, recipes=RECIPES[:2], seeds=(0,)))
    table = recipe_table(alone, {}, TABLE_7)
    assert table is not None and "One seed" in table.caption
    assert not any(cell.best for row in table.rows for cell in row.cells)
    assert "±" not in table.rows[0].cells[0].text


def test_classes_are_compared_gan_by_gan_beside_real(results: Benchmark) -> None:
    table = class_by_recipe(results, "recall", "Share.")
    assert table is not None
    assert list(table.head) == ["class", "real", *RECIPES]
    assert [row.name for row in table.rows] == list(NAMES)
    shades = [cell.shade or 0.0 for cell in table.rows[0].cells[1:]]
    assert shades == sorted(shades) and table.rows[0].cells[0].text == "95.5%"


def test_cost_counts_every_player(results: Benchmark) -> None:
    cells = cost_table(results).rows[0].cells
    assert (cells[0].text, cells[1].text, cells[1].small) == ("1.20 M", "2.10 M", "critic 0.90 M")
    assert cells[2].text == "64,000" and cells[4].text == "10 min"


def test_every_gan_shows_the_same_classes_beside_real_cells(page: Page) -> None:
    [lineup] = [b for s in page.sections for b in s.blocks if isinstance(b, Lineup)]
    assert list(lineup.sources) == ["real", *RECIPES]
    assert [name for name, _, _ in lineup.rows] == list(NAMES)
    assert all(len(pictures) == 4 and all(pictures) for _, _, pictures in lineup.rows)


def test_the_command_that_repeats_it_is_there(html: str) -> None:
    assert "gansynth benchmark" in html and "--recipes c-wgan-gp,ac-gan,dc-gan,info-gan --seeds 2" in html


def test_when_every_run_failed_the_page_says_so(results: Benchmark, tmp_path: Path) -> None:
    runs = [replace(run, status="failed", error="no memory", quality=None) for run in results.runs]
    nothing = {"ranking": [], "best": {}, "curves": [], "summary": {}, "summary_classes": {}, "class_names": []}
    said = {"verdict": "No recipe could be measured.", "primary": None}
    replace(results, runs=runs, **nothing, **said).write(tmp_path)  # type: ignore[arg-type]
    text = write_benchmark_page(tmp_path).read_text(encoding="utf-8")
    assert "No recipe could be measured." in text and "Runs that did not finish" in text
    assert text.count("no memory") == len(runs)


def test_what_is_written_is_read_back(results: Benchmark, tmp_path: Path) -> None:
    results.write(tmp_path)
    assert Benchmark.read(tmp_path) == results
    typed = replace(results, command="gansynth benchmark cells --recipes a,b --out gans")
    typed.write(tmp_path)
    assert Benchmark.read(tmp_path) == typed


def test_it_shows_itself_as_a_line_and_as_tables(results: Benchmark) -> None:
    assert len(repr(results)) < 200 and "6 of 7 runs" in repr(results)
    assert "<table" in results._repr_html_()
    metrics, classes = results.frame(), results.frame("classes")
    assert set(metrics["recipe"]) == set(RECIPES) and metrics["mean"].notna().all()
    assert set(classes["class"]) == set(NAMES) and (metrics["seeds"] == 2).all()
    assert len(results.frame("runs")) == 7 and list(results.frame("ranking")["recipe"]) == list(RECIPES)


@pytest.mark.parametrize("text", ['{"gansynth": "0"}', '{"gansynth": "0", "runs": [', "[]"])
def test_a_folder_that_is_no_benchmark_is_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; write it with `gansynth benchmark"):
        write_benchmark_page(tmp_path)
    (tmp_path / "benchmark.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"benchmark\.json: .*gansynth benchmark.*again|write it again with"):
        write_benchmark_page(tmp_path)
