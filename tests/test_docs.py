"""Claims about the documentation: it names what there is, and only that."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gansynth.cli import gansynth

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "eval" / "README.md",
    ROOT / "CONTRIBUTING.md",
]
OF_EVERY_COMMAND = ("help", "config", "json")


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that a command line names, and what follows."""
    command: click.Command = gansynth
    while words and words[0] in ("--quiet", "--log-file"):  # they stand before the command
        words = words[1 if words[0] == "--quiet" else 2 :]
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def typed_lines(page: Path) -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    blocks += re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    lines = [line.strip().removeprefix("$ ") for line in lines]
    return [re.split(r"\s+#", line)[0].strip() for line in lines if line.startswith("gansynth ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_on_a_page_exists(page: Path) -> None:
    for line in typed_lines(page):
        command, rest = find(line.split()[1:])
        assert not isinstance(command, click.Group), f"{page.name}: {line}"
        known = {option for parameter in command.params for option in parameter.opts}
        used = {word.strip("[]").split("=")[0] for word in rest if word.strip("[").startswith("--")}
        assert used <= known, f"{page.name}: {line}: {used - known}"


def test_every_option_stands_in_the_reference() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")

    def walk(command: click.Command, name: str) -> None:
        if isinstance(command, click.Group):
            for sub in command.commands.values():
                walk(sub, f"{name} {sub.name}")
            return
        heading = f"## {name}\n"
        assert heading in text, f"no section for {name}"
        section = text.split(heading)[1].split("\n## ")[0]
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in OF_EVERY_COMMAND:
                assert parameter.opts[0] in section, f"{name}: {parameter.opts[0]} is not explained"

    walk(gansynth, "gansynth")
    general = text.split("## Options of every command\n")[1].split("\n## ")[0]
    assert all(option in general for option in ("--config", "--json", "--quiet", "--log-file"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_page_calls_a_generated_image_fake() -> None:
    for page in PAGES:
        assert "fake" not in page.read_text(encoding="utf-8").lower(), page.name
    assert "fake" not in CliRunner().invoke(gansynth, ["generate", "--help"]).output.lower()


def rows_of(page: Path, first: str) -> dict[str, list[str]]:
    """Return the cells of a Markdown table by its first column; `first` is that column's heading."""
    rows: dict[str, list[str]] = {}
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first and not rows:
            inside = True
        elif inside and not set(line) <= set("|- "):
            rows[cells[0]] = cells[1:]
    return rows


IN_WORDS = {
    "a diffusion model's (`edm-64`) added": "`augmentation+edm-cells+logit-adjustment`",
    "`augmentation+logit-adjustment`, which it has too": "`augmentation+logit-adjustment`",
    "the same, over real and `edm-64`'s cells": "`edm-cells+oversample-turned`",
}
"""What README calls arms that are named after folders."""


def test_numbers_of_remedies_are_those_that_were_measured() -> None:
    """Columns of the kept tables: of each of two rarities at no loss, as trained, promyelocytes, others, macro F1."""
    results = ROOT / "eval" / "results"
    kept = rows_of(results / "few_images_cells" / "table.md", "remedy")
    short = rows_of(ROOT / "README.md", "remedy")
    assert len(short) >= 5 and {"`none`", *IN_WORDS} <= set(short)
    for remedy, cells in short.items():
        assert cells == [kept[IN_WORDS.get(remedy, remedy)][k] for k in (1, 3, 4)], remedy
    kept = rows_of(results / "remedy_leaderboard" / "table.md", "remedy")
    whole = rows_of(ROOT / "docs" / "leaderboard.md", "remedy")
    assert list(whole) == list(kept)
    for remedy, cells in whole.items():
        at_no_loss, trained, others = cells[0:2], cells[2:4], cells[4:6]
        assert at_no_loss == [kept[remedy][0], kept[remedy][5]], remedy
        assert trained == [kept[remedy][k].split(" ")[0] for k in (1, 6)], remedy
        for said, k in zip(others, (3, 8), strict=True):
            exact = kept[remedy][k].split(" ")[0].replace("−", "-")
            # Rounded from the unrounded value: half a unit of the third decimal is beyond what the table shows.
            assert said == exact or abs(float(said.replace("−", "-")) - float(exact)) <= 0.0056, remedy


def test_numbers_of_the_shipped_generators_are_those_of_their_cards() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for model, words in (("pbc-64", "recognises {} (of real cells {})"), ("pbc-128", "of `pbc-128`'s {} ({})")):
        mean = rows_of(ROOT / "models" / model / "README.md", "class")["mean"]
        assert words.format(mean[3].split(" ")[0], mean[4]) in readme


def test_the_readme_is_short_and_answers_in_the_readers_order() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) < 1200
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "Two commands", "Your own cells", "Do they help?", "What it cannot do", "Python", "Links",
    ]  # fmt: skip
    assert text.index("![") < text.index("## Two commands")
    own = text.split("## Your own cells")[1].split("## ")[0]
    typed = re.findall(r"^\$ (gansynth .*)$", own, re.MULTILINE)
    assert [find(line.split()[1:])[0].name for line in typed] == ["info", "split", "train-gan", "balance", "quality"]
    assert "--from pbc-64" in typed[2]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"]({page.name})" in index, page.name
