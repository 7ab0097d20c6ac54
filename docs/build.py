"""Build the documentation site: `make docs`, or `python docs/build.py [--serve]`.

The pages are those of the repository: README.md, docs/, the tables in eval/results, the model cards. They are laid out
in build/docs-source as they lie here, so that a link which works here works on the site, too. Two pages are added,
made from the code: every public function with its docstring, and `--help` of every command. Nothing is downloaded.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
SOURCE, SITE = ROOT / "build" / "docs-source", ROOT / "build" / "site"

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "CITATION.cff",
    "LICENSE",
    "docs/*.md",
    "eval/README.md",
    "eval/results/**/*",
    "models/**/README.md",
    "samples/*",
)
API, COMMANDS = "docs/reference-python.md", "docs/reference-help.md"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def stage(root: Path, source: Path) -> None:
    """Lay the pages out in `source`, which is replaced, with the two that are made from the code."""
    shutil.rmtree(source, ignore_errors=True)
    for pattern in PAGES:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                place = source / path.relative_to(root)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
    for page in sorted(source.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        page.write_text(LINK.sub(partial(_staged, page=page, source=source, root=root), text), encoding="utf-8")
    (source / API).write_text(python_reference(), encoding="utf-8")
    (source / COMMANDS).write_text(help_reference(), encoding="utf-8")


def _staged(link: re.Match[str], page: Path, source: Path, root: Path) -> str:
    """Return a link as it is, or as words where it leads to code, which is not part of the site."""
    image, words, target = link.groups()
    place = target.partition("#")[0]
    if image or not place or "://" in place or (page.parent / place).is_file():
        return link.group(0)
    beside = (root / page.relative_to(source)).parent / place
    if not beside.exists():
        raise SystemExit(f"{page.relative_to(source)}: links to {target}, which is not there")
    return f"{words} (`{beside.resolve().relative_to(root)}`)"


def python_reference() -> str:
    """Return the page of the public names, each with where mkdocstrings finds its docstring."""
    gansynth = importlib.import_module("gansynth")
    parts = ["# From Python", "", "What `import gansynth` offers. Names are imported when they are first used.", ""]
    for name in gansynth.__all__:
        found = getattr(gansynth, name)
        if inspect.isclass(found) or inspect.isfunction(found):
            parts += [f"::: {found.__module__}.{found.__qualname__}", ""]
    return "\n".join(parts)


def help_reference() -> str:
    """Return the page with the help of every command, its rare options included."""
    from gansynth.cli import gansynth
    from gansynth.cli.screen import OneScreen

    parts = ["# Help of every command", "", "As `--help-all` prints it; [what each writes](commands.md).", ""]
    for name, command in commands(gansynth, "gansynth"):
        assert isinstance(command, OneScreen)
        with click.Context(command, info_name=name, max_content_width=100) as context:
            parts += [f"## {name}", "", "```text", command.whole_help(context), "```", ""]
    return "\n".join(parts)


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Return every command that can be typed, with its words."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for sub in command.commands.values():
        yield from commands(sub, f"{name} {sub.name}")


def main() -> None:
    stage(ROOT, SOURCE)
    how = ["serve"] if "--serve" in sys.argv[1:] else ["build", "--strict", "--site-dir", str(SITE)]
    code = subprocess.call([sys.executable, "-m", "mkdocs", *how, "--config-file", str(ROOT / "mkdocs.yml")])
    if code == 0 and "build" in how:
        print(f"wrote {SITE / 'index.html'}")
    sys.exit(code)


if __name__ == "__main__":
    main()
