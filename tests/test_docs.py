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


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that a command line names, and what follows."""
    command: click.Command = gansynth
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def typed_lines(page: Path) -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [re.split(r"\s+#", line)[0].strip() for line in lines if line.strip().startswith("gansynth ")]


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
            if isinstance(parameter, click.Option) and parameter.name != "help":
                assert parameter.opts[0] in section, f"{name}: {parameter.opts[0]} is not explained"

    walk(gansynth, "gansynth")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_page_calls_a_generated_image_fake() -> None:
    for page in PAGES:
        assert "fake" not in page.read_text(encoding="utf-8").lower(), page.name
    assert "fake" not in CliRunner().invoke(gansynth, ["generate", "--help"]).output.lower()
