"""Claims about the page of `compare`."""

from __future__ import annotations

import html as entities
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gansynth.errors import InputError
from gansynth.metrics.wording import p_value, p_words
from gansynth.report.blocks import Grid, Guesses
from gansynth.report.comparison.cells import misclassified
from gansynth.report.comparison.effects import effect_table, forest_chart
from gansynth.report.comparison.models import balanced_table
from gansynth.report.comparison.page import comparison_page, write_comparison_page
from gansynth.report.page import Page, Section, render_page
from gansynth.studies.comparison.entries import ArmEffect, Endpoint
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.verdict import findings, key_figures, lead, verdict

from .comparison_folder import ARMS, CLASSIFIERS, COUNTS, GAN, RARITY, WARNINGS, write_comparison_folder
from .test_page import refuse_addresses, refuse_loose_ends

RECALL = Endpoint("recall", "promyelocyte")
BARE: dict[str, Any] = {
    key: [] for key in ("effects", "in_use", "doses", "best_dose", "swap", "recognition", "leaderboard")
}
"""What a comparison's results lack where there was nothing to compare."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison_folder(tmp_path_factory.mktemp("comparison"), seeds=2)


@pytest.fixture(scope="module")
def results(folder: Path) -> Comparison:
    return Comparison.read(folder)


@pytest.fixture(scope="module")
def page(results: Comparison) -> Page:
    return comparison_page(results)


@pytest.fixture(scope="module")
def html(page: Page) -> str:
    return render_page(page)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """The folder without the arms' own files, to be changed."""
    shutil.copy(folder / "results.json", tmp_path / "results.json")
    yield tmp_path


def changed(folder: Path, **changes: Any) -> Comparison:
    facts = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    about = facts["about"] | changes.pop("about", {})
    (folder / "results.json").write_text(json.dumps(facts | {"about": about} | changes), encoding="utf-8")
    return Comparison.read(folder)


def section(page: Page, title: str) -> Section:
    return next(s for s in page.sections if s.title == title)


def only(results: Comparison, p_holm: float | None, value: float = 0.11) -> Comparison:
    """Leave one comparison, that of the GAN's recall of promyelocytes, with this corrected p."""
    one = ArmEffect(
        value, (value - 0.08, value + 0.08), p_holm, 24, "test images and seeds", arm=GAN, against="none",
        classifier=CLASSIFIERS[0], endpoint=RECALL, p_holm=p_holm,
    )  # fmt: skip
    return replace(results, effects=(one,))


def test_the_page_needs_no_other_file_and_no_network(html: str) -> None:
    refuse_addresses(html)


def test_the_page_is_whole_escaped_and_small(html: str) -> None:
    refuse_loose_ends(html)
    assert "smudge cell &lt;&amp;&gt;" in html and len(html) < 4e6


def test_the_page_answers_first_and_shows_what_the_paper_shows(page: Page) -> None:
    titles = [section.title for section in page.sections]
    assert titles == [
        "Which remedy?",
        "Which remedy? With random-forest",
        "What each remedy changed",
        "The same against ordinary augmentation",
        "Classifiers on original and balanced data",
        "Class by class",
        "Cells that were misclassified",
        "Cells that the remedy changed",
        "While they trained",
        "Classified samples",
        "How much is enough",
        "What is taken for what",
        "Are the synthetic images recognised?",
        "Synthetic images alone",
        "What it costs",
        "What each number means",
    ]


def test_the_page_opens_with_one_table_and_one_figure_and_folds_the_rest(page: Page, html: str) -> None:
    assert page.lead == 1 and [section.folded for section in page.sections] == [False] + [True] * 15
    first = page.sections[0]
    assert [type(block).__name__ for block in first.blocks] == ["Text", "Grid", "Drawings"]
    body = html[html.index("<main") :]
    assert (
        body.index('class="verdict"') < body.index("<table") < body.index("Before you believe") < body.index("<details")
    )
    contents = html[html.index('<nav class="contents"') : html.index("</nav>")]
    for section in page.sections:
        assert f'href="#{section.place}"' in contents and html.count(f'id="{section.place}"') == 1


def test_every_arm_classifier_class_and_warning_appears(html: str) -> None:
    text = entities.unescape(html)
    for words in (*ARMS, *CLASSIFIERS, *COUNTS, *WARNINGS, "promyelocyte to 5"):
        assert words in text


def test_a_shown_effect_is_told_as_a_physician_would_ask_for_it(results: Comparison) -> None:
    said = verdict(only(results, 0.012))
    assert re.match(
        r"With 5 real promyelocytes to learn from, adding 22 synthetic ones \(c-wgan-gp-64\) raises the share of "
        r"promyelocytes that sequential-cnn recognises \(recall\) from 0\.\d\d \(0\.\d\d to 0\.\d\d\) to 0\.\d\d "
        r"\(0\.\d\d to [01]\.\d\d\); difference \+0\.11 \(\+0\.03 to \+0\.19\), p = 0\.012\. The recall of the other "
        r"classes moved by [+−]0\.\d\d to \+0\.\d\d\.",
        said,
    ), said


def test_the_first_sentence_names_every_part_of_an_arm(results: Comparison) -> None:
    spec = "augmentation+logit-adjustment:tau=0.5"
    base = results.entry("augmentation", CLASSIFIERS[0])
    assert base is not None
    one = replace(only(results, 0.01).effects[0], arm=spec)
    said = verdict(replace(results, arms=(*results.arms, replace(base, arm=spec)), effects=(one,)))
    assert "ordinary augmentation and logit adjustment (tau = 0.5) (without synthetic images) raises" in said


def test_harm_is_told_as_plainly(results: Comparison) -> None:
    assert " lowers the share of promyelocytes " in verdict(only(results, 0.001, -0.2))


@pytest.mark.parametrize("p", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("value", [-0.2, 0.2])
def test_what_the_corrected_test_does_not_carry_is_not_claimed(results: Comparison, p: float, value: float) -> None:
    said = verdict(only(results, p, value))
    assert "did not measurably change" in said and not re.search(r"\b(raises|lowers)\b", said)


def test_without_a_test_nothing_is_claimed(results: Comparison) -> None:
    said = verdict(only(results, None))
    assert "whether that is chance cannot be said" in said and not re.search(r"\b(raises|lowers)\b", said)


def test_the_sentence_speaks_of_the_classifier_that_is_best_without_remedies(results: Comparison) -> None:
    weak = [replace(e, p_holm=1e-6, p=1e-6) for e in results.effects if e.classifier == "random-forest"]
    strong = [e for e in results.effects if e.classifier == "sequential-cnn"]
    chosen = lead(replace(results, effects=(*weak, *strong)))
    assert chosen is not None and (chosen.classifier, chosen.against) == ("sequential-cnn", "none")
    assert GAN in chosen.arm


def test_one_clear_comparison_of_many_is_called_a_lead_and_not_a_proof(results: Comparison) -> None:
    one = only(results, 0.02).effects[0]
    others = [replace(e, p=0.6, p_holm=1.0) for e in results.effects if e.against == "none" and e.endpoint != RECALL]
    [tally, *_] = findings(replace(results, effects=(one, *others)))
    assert "1 better, 0 worse" in tally and "a lead, not yet a proof" in tally


def test_plain_remedies_stand_beside_the_gan(results: Comparison) -> None:
    [said] = [line for line in findings(results) if line.startswith("Without synthetic images")]
    assert "augmentation 0." in said and "oversample 0." in said


def test_key_figures_name_the_endpoints_and_count_the_comparisons(results: Comparison) -> None:
    values = dict(key_figures(results))
    told = sum(e.shown for e in results.effects if e.against == "none")
    assert f"{told} of 36" in values and "174" in values
    assert sum("→" in value for value in values) == 3


def test_tables_8_and_9_stand_side_by_side_with_their_differences(results: Comparison) -> None:
    table = balanced_table(results, GAN)
    assert table is not None
    assert [word for word in table.head if word] == ["classifier", "Recall", "F1", "Specificity", "Precision"]
    for row in table.rows:
        before, after = results.entry("none", row.name), results.entry(GAN, row.name)
        assert before is not None and after is not None
        first, last = before.metrics["balanced-accuracy"].value, after.metrics["balanced-accuracy"].value
        assert first is not None and last is not None
        assert [cell.text for cell in row.cells[:2]] == [f"{first:.3f}", f"{last:.3f}"]
        assert float(row.cells[2].text.replace("−", "-")) == pytest.approx(last - first, abs=6e-4)


def test_every_comparison_is_in_the_table_and_only_shown_ones_are_marked(results: Comparison, page: Page) -> None:
    [table] = [b for b in section(page, "What each remedy changed").blocks if isinstance(b, Grid)]
    rows = [row for row in table.rows if row.kind != "group"]
    found = [e for e in results.effects if e.against == "none"]
    assert len(rows) == len(found)
    assert sum(row.cells[2].best for row in rows) == sum(e.shown for e in found)
    assert {row.cells[-1].text for row in rows} <= {"better", "worse", "not shown"}


def test_a_lower_score_is_better_where_it_is_an_error(results: Comparison) -> None:
    one = ArmEffect(
        -0.1, (-0.2, -0.05), 0.001, 9, "", arm="a", against="none", classifier="svm", endpoint=Endpoint("Brier"),
        p_holm=0.001,
    )  # fmt: skip
    empty = replace(results, arms=(), effects=(one,))
    assert [row.cells[-1].text for row in effect_table(empty, [one], "").rows[1:]] == ["better"]


def test_the_forest_is_the_same_picture_every_time(results: Comparison) -> None:
    rows = [("svm", None), *((e.arm, e) for e in results.effects[:3])]
    first = forest_chart(rows, xlabel="difference")
    assert first.startswith("<svg") and first == forest_chart(rows, xlabel="difference")


def test_misclassified_cells_are_wrong_and_show_their_true_class(page: Page) -> None:
    [block] = [b for b in section(page, "Cells that were misclassified").blocks if isinstance(b, Guesses)]
    assert [name for name, _, _ in block.rows][:2] == list(RARITY)
    for name, note, cells in block.rows:
        assert re.match(r"\d+ of \d+ wrong; \d+ with the original data", note)
        for cell in cells:
            assert not cell.right and cell.text.endswith(f"({name})")
            assert [label for label, _, is_truth in cell.bars if is_truth] == [name]


def test_samples_show_every_class_whether_right_or_wrong(page: Page) -> None:
    [block] = [b for b in section(page, "Classified samples").blocks if isinstance(b, Guesses)]
    assert {name for name, _, _ in block.rows} == set(COUNTS)
    assert {cell.right for _, _, cells in block.rows for cell in cells} == {True, False}
    assert "drawings of the phantom" in section(page, "Classified samples").paragraphs[0]


def test_where_the_images_are_gone_a_line_stands_for_the_pictures(copy: Path) -> None:
    sections = misclassified(changed(copy, about={"data": str(copy / "gone")}))
    assert [s.blocks for s in sections] == [()] and "no longer" in sections[0].paragraphs[0]


def test_doses_are_drawn_for_every_endpoint_with_the_best_one(page: Page) -> None:
    [best] = [b for b in section(page, "How much is enough").blocks if isinstance(b, Grid)]
    assert list(best.head) == ["remedy", "Macro F1", "Recall of promyelocyte", "Recall of smudge cell"]
    assert {cell.text for row in best.rows for cell in row.cells} == {"100%"}


def test_remedies_are_ranked_by_the_rare_classes_at_no_loss_elsewhere(results: Comparison, page: Page) -> None:
    ranked = [s for s in page.sections if s.title.startswith("Which remedy?")]
    tables = [b for s in ranked for b in s.blocks if isinstance(b, Grid)]
    assert len(tables) == len(results.classifiers)
    for classifier, table in zip(results.classifiers, tables, strict=True):
        entries = [e for e in results.leaderboard if e.classifier == classifier]
        names = [row.name.split(". ")[1].replace(" (original)", "") for row in table.rows]
        assert names == [e.arm for e in sorted(entries, key=lambda e: e.rank)]
        reached = [float(row.cells[0].text) if row.cells[0].text[0].isdigit() else -1.0 for row in table.rows]
        assert reached == sorted(reached, reverse=True) and reached[0] > 0
        trained = {name: float(row.cells[3].text) for name, row in zip(names, table.rows, strict=True)}
        assert trained[GAN] > trained["none"]


def test_one_remedy_alone_is_not_ranked(copy: Path) -> None:
    two = [e.to_json() for e in Comparison.read(copy).leaderboard if e.arm in ("none", "oversample")]
    titles = [s.title for s in comparison_page(changed(copy, leaderboard=two)).sections]
    assert "Which remedy?" not in titles and "What each remedy changed" in titles


def test_one_arm_of_a_remedy_stands_for_its_doses(results: Comparison) -> None:
    assert results.main_arms == list(ARMS)
    fewer = replace(results, arms=tuple(e for e in results.arms if e.arm != GAN))
    assert fewer.main_arms == [*ARMS[:3], f"{GAN}@0.5"]


def test_the_papers_protocol_is_marked_and_claims_nothing(folder: Path, copy: Path) -> None:
    paper = changed(
        copy,
        about={"protocol": "paper", "data": ""},
        effects=[],
        doses=[],
        best_dose=[],
        swap=[],
        recognition=[],
        leaderboard=[],
    )
    page = comparison_page(paper, Comparison.read(folder))
    assert "paper's protocol" in page.title and "too good" in page.warnings[0] and "too good" in page.subtitle
    assert "These numbers are too good, and no test is made" in page.verdict
    assert page.sections[0].title == "What the protocol adds"
    assert not re.search(r"\b(raises|lowers|did not)\b", page.verdict)


def test_trainings_that_failed_are_named_with_their_reason(copy: Path) -> None:
    failed = {"arm": GAN, "classifier": "svm", "fold": 1, "seed": 0, "error": "no memory <left>"}
    bare = changed(copy, arms=[], **BARE, missing=[failed])
    html = render_page(comparison_page(bare))
    assert "Trainings that did not finish" in html and "no memory &lt;left&gt;" in html


def test_only_one_arm_still_makes_a_page(copy: Path, folder: Path) -> None:
    alone = [entry.to_json() for entry in Comparison.read(folder).arms if entry.arm == "none"]
    text = render_page(comparison_page(changed(copy, arms=alone, **BARE)))
    assert "Nothing was held against the original data" in text


def test_a_p_value_is_never_rounded_across_the_line() -> None:
    for p in (0.0499, 0.04996, 0.0494, 0.012):
        assert float(p_value(p)) < 0.05
    for p in (0.05, 0.0502, 0.2, 0.999):
        assert float(p_value(p)) >= 0.05
    assert p_words(1e-9) == "p < 0.001" and p_words(None) == "no p"


def test_a_folder_that_is_no_comparison_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; write it with `gansynth compare"):
        write_comparison_page(tmp_path)
    (tmp_path / "results.json").write_text(json.dumps({"arms": []}), encoding="utf-8")
    with pytest.raises(InputError, match="is not what `gansynth compare"):
        write_comparison_page(tmp_path)


def test_predictions_of_other_classes_are_refused_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "other")
    [place, *_] = sorted((tmp_path / "other/arms/fold0/none").rglob("seed0/predictions.csv"))
    place.write_text(place.read_text(encoding="utf-8").replace("p_lymphocyte", "p_other"), encoding="utf-8")
    results = Comparison.read(tmp_path / "other")
    entry = next(e for e in results.arms if e.arm == "none" and e.classifier in str(place))
    with pytest.raises(InputError, match="not what `compare` writes"):
        results.predictions(entry)


def test_a_trunk_without_its_weights_is_said(results: Comparison) -> None:
    trained = replace(results.arms[0], classifier="efficientnet-lite0", weights="none")
    frozen = replace(results.arms[0], classifier="resnet50", weights="random frozen")
    html = render_page(comparison_page(replace(results, arms=[*results.arms, trained, frozen])))
    assert "Trained from scratch, without the published weights: efficientnet-lite0." in html
    assert "Only the head has learned, on a trunk of random weights: resnet50." in html
