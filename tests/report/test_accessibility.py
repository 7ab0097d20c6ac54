"""Every kind of page, looked at by axe-core in headless Chromium: wide and narrow, light and dark; and on paper."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gansynth.data import open_dataset
from gansynth.data.phantom import write_phantom
from gansynth.report.benchmark.page import write_benchmark_page
from gansynth.report.comparison.page import write_comparison_page
from gansynth.report.first_look import Before, Compared, first_look_page
from gansynth.report.page import write_page
from gansynth.report.quality.page import write_quality_page
from gansynth.report.quiz.page import write_quiz
from gansynth.report.review.page import suspects, write_review
from gansynth.report.search.page import write_search_page
from gansynth.report.sweep.page import write_sweep_page
from gansynth.report.training import training_page
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.quiz import draw_quiz

from .comparison_folder import write_comparison_folder
from .search_folder import write_search_folder
from .study_folders import write_benchmark_folder, write_quality_folder
from .sweep_folder import write_sweep_folder
from .test_first_look import agreement, look

pytestmark = pytest.mark.slow

WIDTHS = (1280, 400)
LOOKED_AT = {"exclude": [["svg"]]}
"""The letters of a chart are outlines, thousands of them; what a reader hears of it stands around the SVG."""
BRIEFLY = {"resultTypes": ["violations"], "selectors": False, "preload": False}
"""No CSS path to each element: what is found is shown as it is written; and a page of one file loads nothing else."""
LOOK = "([context, options]) => axe.run(context, options)"

KINDS = ("comparison", "quality", "benchmark", "sweep", "search-remedy", "training", "demo", "quiz", "review")
REPORTS = tuple(kind for kind in KINDS if kind not in ("quiz", "review"))
A4 = 688
"""Pixels between the margins of a page of paper."""
OPENED = "document.querySelectorAll('details').forEach(one => one.open = true)"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
IS_DARK = "matchMedia('(prefers-color-scheme: dark)').matches"

SHOWN = "[...document.querySelectorAll('.inside')].every(one => one.checkVisibility({contentVisibilityAuto: true}))"
PAPER = "getComputedStyle(document.body).color + getComputedStyle(document.querySelector('main')).backgroundColor"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One page of each kind, in a folder of its own."""
    root = tmp_path_factory.mktemp("pages")
    for name, seed in (("real", 0), ("synthetic", 1)):
        write_phantom(root / name, {"basophil": 5, "lymphocyte": 5}, size=32, seed=seed)
    cells = open_dataset(root / "real", 32)
    comparison = write_comparison_folder(root / "comparison", seeds=2)
    failed = {"cb-focal:beta=0.93, fold 4": "memory ran out"}
    written = {
        "comparison": write_comparison_page(comparison),
        "quality": write_quality_page(write_quality_folder(root / "quality")),
        "benchmark": write_benchmark_page(write_benchmark_folder(root / "benchmark", recipes=("c-wgan-gp", "ac-gan"))),
        "sweep": write_sweep_page(write_sweep_folder(root / "sweep")),
        "search-remedy": write_search_page(write_search_folder(root / "search", unfinished=1, failed=failed)),
        "training": write_training_page(root / "run"),
        "demo": write_demo_page(root / "demo.html", Comparison.read(comparison)),
        "quiz": write_quiz(draw_quiz(root / "real", root / "synthetic", count=8, seed=0), root / "quiz"),
        "review": write_review(cells, root / "review", suspects(cells)),
    }
    assert tuple(written) == KINDS
    return written


def write_training_page(run: Path) -> Path:
    """The page of a training with ten sheets, as its log tells it."""
    (run / "samples").mkdir(parents=True)
    lines: list[dict[str, Any]] = []
    for step in range(100, 1100, 100):
        Image.new("RGB", (300, 80), "white").save(run / "samples" / f"step-{step:08d}.png")
        lines.append({"step": step, "images": 32 * step, "seconds": 0.6 * step, "critic/wasserstein": 1.5})
        lines.append({"step": step, "watch": {"basophil": {"recall": step / 1000, "real_recall": 0.9}}})
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return write_page(run / "report.html", training_page(run, runs=False))


def write_demo_page(path: Path, found: Comparison) -> Path:
    """The page of a demo that fine-tuned, compared, and has something to warn of."""
    seen = agreement([[9, 1, 0], [1, 9, 0], [0, 1, 9]])
    curves = {
        "losses": {"critic": ([0.1, 0.5, 1.0], [1.0, 0.7, 0.8])},
        "watch": {"smudge cell": ([0.1, 0.5, 1.0], [0.1, 0.4, 0.8])},
    }
    cells = np.random.default_rng(0).integers(0, 255, (2, 3, 8, 8), dtype=np.uint8)
    before = Before("phantom-64", [cells] * 3, agreement([[5, 5, 0], [5, 5, 0], [0, 5, 5]]))
    compared = Compared(found, "compared/report.html", {"none": "as they are"})
    shown = replace(look(seen, copies=2), curves=curves, before=before, compared=compared)
    commands = [("gansynth data info my-cells", "See what is in your own folder")]
    page = first_look_page(shown, title="Demo", subtitle="of a test", commands=commands, facts=[("seed", "0")])
    return write_page(path, page)


def opened(browser: Any, path: Path, axe: str) -> Any:
    """Open a page with axe in it."""
    tab = browser.new_page(color_scheme="light")
    tab.set_default_timeout(300_000)  # milliseconds, on a machine that is busy with other tests
    tab.goto(path.as_uri())
    tab.evaluate(axe)
    return tab


@pytest.fixture(scope="module")
def axe() -> str:
    """The script that looks at a page; it is put into each once."""
    script: str = pytest.importorskip("axe_playwright_python.base", reason="needs the extra dev").AXE_SCRIPT
    return script


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    browser: Any, pages: dict[str, Path], axe: str, kind: str
) -> None:
    found, wide = [], []
    tab = opened(browser, pages[kind], axe)
    tab.evaluate(OPENED)
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": 900})
            assert tab.evaluate("innerWidth") == width and tab.evaluate(IS_DARK) is (scheme == "dark")
            checked = tab.evaluate(LOOK, [LOOKED_AT, BRIEFLY])
            assert len(checked["passes"]) > 10  # it has looked
            found += [(scheme, width, one["id"], one["nodes"][0]["html"][:200]) for one in checked["violations"]]
            if tab.evaluate(TOO_WIDE) > 0:
                wide.append((scheme, width))
    tab.close()
    assert found == [] and wide == []


@pytest.mark.parametrize("kind", REPORTS)
def test_on_paper_folded_sections_are_open_and_no_table_is_wider_than_the_page(
    browser: Any, pages: dict[str, Path], kind: str
) -> None:
    tab = browser.new_page(viewport={"width": A4, "height": 900}, color_scheme="light")
    tab.set_default_timeout(300_000)
    tab.goto(pages[kind].as_uri())
    folded = tab.locator("main details:not([open])").count()
    assert tab.evaluate(SHOWN) is (folded == 0)
    tab.emulate_media(media="print", color_scheme="light")
    light = tab.evaluate(PAPER)
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate(IS_DARK) and tab.evaluate(PAPER) == light
    assert tab.evaluate(SHOWN)
    assert tab.locator(".contents").count() == 0 or not tab.locator(".contents").is_visible()
    assert tab.evaluate(TOO_WIDE) <= 0
    tab.close()


def test_axe_would_find_what_is_wrong(browser: Any, axe: str, tmp_path: Path) -> None:
    page = '<!doctype html><title>x</title><img src="cell.png"><p style="color:#ccc;background:#fff">pale</p>'
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    tab = opened(browser, tmp_path / "page.html", axe)
    found = {one["id"] for one in tab.evaluate(LOOK, [LOOKED_AT, BRIEFLY])["violations"]}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= found
