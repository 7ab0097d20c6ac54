"""Claims about the page of `search-remedy`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansynth.errors import InputError
from gansynth.report.search.chart import trials_chart
from gansynth.report.search.page import search_findings, search_page, write_search_page
from gansynth.studies.search.result import RemedySearch

from .search_folder import BASE, write_search_folder


def verdict_and_findings(folder: Path) -> tuple[str, list[str]]:
    search = RemedySearch.read(folder)
    page = search_page(search, "")
    assert list(page.findings) == search_findings(search)
    return page.verdict, list(page.findings)


def test_the_page_opens_with_the_sentence_then_one_table_and_one_figure(tmp_path: Path) -> None:
    html = write_search_page(write_search_folder(tmp_path / "out")).read_text(encoding="utf-8")
    opening = html[html.index('class="verdict"') : html.index('class="findings"')]
    assert opening.startswith('class="verdict">Best by macro-F1: cb-focal:beta=0.92. The best of many is too good by')
    assert opening.count("<table") == opening.count("<svg") == 1
    assert opening.index("<table") < opening.index("<svg")
    assert "smudge &lt;cell&gt;" in html and "<cell>" not in html
    assert "gansynth compare &#39;my cells&#39; --remedies none,cb-focal:beta=0.92 --classifiers sequential-cnn" in html
    assert "--size 64 --rarity &#39;smudge &lt;cell&gt;=30&#39; --seed 0 --out compared" in html
    assert (tmp_path / "out" / "trials.svg").read_text().startswith("<svg")


def test_only_the_candidate_worth_a_comparison_is_bold_and_what_was_not_searched_is_grey(tmp_path: Path) -> None:
    page = search_page(RemedySearch.read(write_search_folder(tmp_path / "out")), "")
    rows = page.sections[0].blocks[0].rows  # type: ignore[union-attr]
    assert [row.name for row in rows if any(cell.best for cell in row.cells)] == ["3. cb-focal:beta=0.92"]
    assert [row.name for row in rows if row.kind == "mean"] == ["none (as they are)", "oversample"]
    assert rows[0].cells[1].text == "–" and rows[4].cells[1].text == "+0.08"


@pytest.mark.parametrize(
    ("gains", "said", "found"),
    [
        ((-0.05, -0.01), "Nothing that was searched beats none: its macro-F1 is 0.700", "nor is any mean higher."),
        ((-0.05, 0.02), "Highest macro-F1: cb-focal:beta=0.91, which the folds do not show", "; 1 has a higher mean."),
    ],
)
def test_where_nothing_beats_the_untreated_classifier_the_page_says_so(
    gains: tuple[float, ...], said: str, found: str, tmp_path: Path
) -> None:
    verdict, findings = verdict_and_findings(write_search_folder(tmp_path / "out", gains=gains, beside={"none": BASE}))
    assert verdict.startswith(said)
    assert findings[0].startswith("The folds show none of the 2 candidates to be better than none")
    assert findings[0].endswith(found)


def test_a_comparison_is_recommended_only_of_what_is_worth_one(tmp_path: Path) -> None:
    lost = search_page(RemedySearch.read(write_search_folder(tmp_path / "lost", gains=(-0.05, -0.01))), "")
    assert not any("compare" in command for command, _ in lost.commands)
    assert "too good by chance" not in lost.verdict


def test_what_failed_or_is_not_finished_is_shown_and_is_not_drawn(tmp_path: Path) -> None:
    folder = write_search_folder(tmp_path / "out", unfinished=1, failed={"cb-focal:beta=0.93, fold 4": "no <memory>"})
    html = write_search_page(folder).read_text(encoding="utf-8")
    assert "1 of 5 folds missing" in html and "no &lt;memory&gt;" in html
    search = RemedySearch.read(folder)
    assert trials_chart(search) == trials_chart(search)
    nothing = write_search_folder(tmp_path / "nothing", gains=(0.1,), unfinished=1)
    page = write_search_page(nothing).read_text(encoding="utf-8")
    assert "No candidate has finished all 5 folds" in page and "<svg" not in page


def test_a_folder_that_no_search_wrote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; write it with `gansynth search-remedy"):
        write_search_page(tmp_path)
