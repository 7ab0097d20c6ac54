"""Kept results are what was entered, each with the command that made it; what pages quote from them is in them."""

import re
from pathlib import Path

import pytest

import kept_results
from gansynth.errors import InputError

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"(?<![\w.])[−+-]?\d[\d,]*\.\d+(?![\w.])")

QUOTES = [
    ("README.md", "| remedy |", "few_images_cells/table.md"),
    ("docs/leaderboard.md", "| classifier |", "hazra2022_classifiers/tables.md"),
    ("docs/leaderboard.md", "| | macro-F1 |", "lite0_rare40/table.md"),
    ("docs/leaderboard.md", "| promyelocytes to learn from |", "rarity_curve/table.md"),
    ("docs/leaderboard.md", "Composites against moving the threshold", "rarity_curve/table.md"),
    ("docs/leaderboard.md", "Where every arm may move its threshold", "rarity_curve/table.md"),
    ("docs/leaderboard.md", "| promyelocytes to learn from | 288 |", "zoo_rarity/table.md"),
    ("docs/leaderboard.md", "With five promyelocytes `pbc-64` is", "zoo_rarity/table.md"),
    ("docs/leaderboard.md", "A sequential CNN says the same", "zoo_rarity_cnn/table.md"),
    ("docs/leaderboard.md", "**With a fine-tuned EfficientNet-Lite0**", "zoo_rarity_tuned_lite0/table.md"),
    ("docs/leaderboard.md", "| promyelocytes to learn from, in another stain |", "zoo_rarity_other_stain/table.md"),
    ("docs/leaderboard.md", "At no loss elsewhere, matched cells add", "zoo_rarity_other_stain/table.md"),
    ("docs/remedies.md", "**How rare?**", "rarity_curve/table.md"),
    ("docs/remedies.md", "**It is worth as much as pouring in**", "zoo_protocol/table.md"),
    ("docs/remedies.md", "With `statistics=own` it is 0.719", "zoo_protocol/table.md"),
    ("docs/remedies.md", "In another stain (five trainings", "zoo_protocol_other_stain/table.md"),
    ("docs/remedies.md", "**Screens change little", "zoo_tuned_other_stain/table.md"),
    ("docs/leaderboard.md", "**Tuning the generator there**", "zoo_tuned_other_stain/table.md"),
    ("docs/explain.md", "`python eval/explanation_share.py DATA", "explanation_share/table.md"),
]
"""Page, how the block (a table or a paragraph) that quotes begins, and the kept file that has its numbers."""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "table.md").write_text("0.5")
    return tmp_path


def test_every_kept_file_is_the_one_that_was_entered() -> None:
    assert kept_results.faults(kept_results.read_manifest()) == []


def test_every_kept_result_names_a_command_of_a_study_that_exists_and_a_commit() -> None:
    for name, kept in kept_results.read_manifest().items():
        scripts = re.findall(r"python (eval/\w+\.py)", kept.command)
        assert scripts and all((ROOT / script).is_file() for script in scripts), name
        assert re.fullmatch(r"[0-9a-f]{40}", kept.commit), name


def test_a_changed_a_missing_and_a_new_file_are_each_named(results: Path) -> None:
    kept = kept_results.enter("study", "python eval/all.py", "0" * 40, {}, results)
    assert kept_results.faults(kept, results) == []
    (results / "study" / "table.md").write_text("0.6")
    assert kept_results.faults(kept, results) == ["study/table.md: is not the file that was entered"]
    (results / "study" / "table.md").rename(results / "study" / "other.md")
    assert kept_results.faults(kept, results) == [
        "study/table.md: is gone",
        "study/other.md: was not entered",
    ]
    (results / "second").mkdir()
    assert "second: nobody entered by which command it was made" in kept_results.faults(kept, results)


def test_mended_words_keep_the_command_and_need_one(results: Path) -> None:
    kept = kept_results.enter("study", "python eval/all.py", "0" * 40, {}, results)
    (results / "study" / "table.md").write_text("0.5, in other words")
    mended = kept_results.reworded("study", kept, results)
    assert mended["study"].command == "python eval/all.py" and kept_results.faults(mended, results) == []
    with pytest.raises(InputError, match="never entered"):
        kept_results.reworded("other", kept, results)


def test_a_manifest_is_read_as_it_was_written(results: Path) -> None:
    kept = kept_results.enter("study", "python eval/all.py", "0" * 40, {}, results)
    kept_results.write_manifest(kept, results / "manifest.json")
    assert kept_results.read_manifest(results / "manifest.json") == kept
    (results / "manifest.json").write_text("[1]")
    with pytest.raises(InputError, match="not a manifest"):
        kept_results.read_manifest(results / "manifest.json")


def numbers(text: str) -> list[str]:
    return [found.replace("−", "-").replace(",", "") for found in NUMBER.findall(text)]


def block(page: str, begins: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert begins in text, f"{page}: nothing begins with {begins!r}; correct QUOTES"
    return text[text.index(begins) :].split("\n\n")[0]


def test_every_number_of_the_readmes_prose_and_tables_is_kept_or_on_the_card_of_the_shipped_generator() -> None:
    text = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|doi [\d./\w]+", " ", text)
    sources = [*kept_results.RESULTS.glob("*/*.md"), ROOT / "models" / "pbc-64" / "README.md"]
    known = {n for source in sources for n in measured(source.read_text(encoding="utf-8"))}
    said = measured(text)
    assert len(said) > 20 and said <= known, said - known


def measured(text: str) -> set[str]:
    """Return numbers with decimals and percentages, as they are printed."""
    found = re.findall(r"(?<![\w.])[−+-]?\d+(?:\.\d+%?|%)(?![\w.]\d)", text)
    return {number.replace("−", "-").lstrip("+") for number in found}


@pytest.mark.parametrize(("page", "begins", "source"), QUOTES)
def test_a_number_that_a_page_quotes_is_one_of_the_kept_result(page: str, begins: str, source: str) -> None:
    kept = [float(number) for number in numbers((kept_results.RESULTS / source).read_text(encoding="utf-8"))]
    quoted = numbers(block(page, begins))
    assert quoted
    for number in quoted:
        step = 10.0 ** -len(number.split(".")[1])
        # Half a unit of the last digit, and what rounding twice may add.
        assert any(abs(float(number) - value) <= 0.56 * step for value in kept), f"{page}: {number}"
