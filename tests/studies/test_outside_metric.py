"""Claims about a metric that another package brings: `quality`, `benchmark` and their pages show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gansynth.cli.tables import quality_table
from gansynth.report.benchmark.page import write_benchmark_page
from gansynth.report.quality.page import write_quality_page
from gansynth.studies.benchmark.result import BenchmarkRun, Budget, Settings, gather
from gansynth.studies.quality.study import quality

DARKNESS = """
    from gansynth.metrics.catalogue import Group, Metric, Question, TwoSets, register


    def darker(sets: TwoSets) -> float:
        return float(sets.reference.mean() - sets.images.mean())


    register(
        Metric(
            "darkness", "Darkness (outside)", "How much darker the images are than real ones.", "nearer",
            Group.DIVERSITY, decimals=1, by_class="first", ranks=Question.VARIETY, compute=darker,
        )
    )
"""


def test_a_metric_of_another_package_is_measured_ranked_and_shown(
    install: Callable[..., None],
    phantom_folder: Path,
    made_folder: Path,
    encoder_folder: Path,
    tmp_path: Path,
) -> None:
    install({"darkness.py": DARKNESS}, {"gansynth.metrics": {"darkness": "darkness"}})
    found = quality(phantom_folder, made_folder, encoder=encoder_folder, pretrained=(), progress=False)
    for book in (found.metrics, *found.classes.values()):
        one = book["darkness"]
        assert one.value is not None and one.floor is not None and abs(one.floor) < 60
    assert "Darkness (outside)" in quality_table(found)
    found.write(tmp_path / "quality/cgan-seed0")
    page = write_quality_page(tmp_path / "quality/cgan-seed0").read_text(encoding="utf-8")
    assert page.count("Darkness (outside)") == 3  # every metric, class by class, and what it means
    gathered = gather(_settings(tmp_path, phantom_folder), [_run("cgan"), _run("dcgan")])
    gathered.write(tmp_path)
    assert "darkness" in gathered.ranking[0].ranks
    assert "Darkness (outside)" in write_benchmark_page(tmp_path).read_text(encoding="utf-8")


def _run(recipe: str) -> BenchmarkRun:
    return BenchmarkRun(recipe, recipe, 0, "done", quality="quality/cgan-seed0")


def _settings(out: Path, data: Path) -> Settings:
    return Settings(
        data=str(data), out=out, budget=Budget(100, None), count=4, size=32, encoder="auto", pairing="one-to-one",
        seed=0, device="cpu", devices=1, weights_dir=None, dinobloom=None, progress=False,
    )  # fmt: skip
