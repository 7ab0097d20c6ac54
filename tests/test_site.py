"""Claims about the documentation site: its source has every page that it lists, and every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import gansynth

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def source(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("site") / "source"
    build.stage(ROOT, folder)
    return folder


def leaves(nav: object) -> list[str]:
    """Return the pages of a navigation, whatever its depth."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    assert isinstance(nav, (dict, list))
    return [page for part in parts for page in leaves(part)]


def test_every_page_of_the_navigation_is_there_and_every_page_of_docs_in_it(source: Path) -> None:
    nav = leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert [page for page in nav if not (source / page).is_file()] == []
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(nav)


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and MkDocs make it."""
    bare = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", bare))


def test_every_link_and_anchor_of_the_source_leads_somewhere(source: Path) -> None:
    lost = []
    for page in source.rglob("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            place, _, anchor = target.partition("#")
            if "://" in target:
                continue
            file = page if not place else page.parent / place
            if not file.is_file():
                lost.append(f"{page.relative_to(source)}: {target}")
            elif anchor and file.suffix == ".md":
                text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
                if anchor not in {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}:
                    lost.append(f"{page.relative_to(source)}: {target}")
    assert lost == []


def test_every_public_name_and_every_command_has_its_place_in_the_reference(source: Path, build: ModuleType) -> None:
    python = (source / build.API).read_text(encoding="utf-8")
    listed = {line.rpartition(".")[2] for line in python.splitlines() if line.startswith("::: ")}
    assert listed == set(gansynth.__all__) - {"__version__"}
    text = (source / build.COMMANDS).read_text(encoding="utf-8")
    assert "## gansynth train-gan\n" in text and "## gansynth data split\n" in text and "--seen-by RUN" in text


@pytest.mark.slow
def test_the_site_builds_without_a_warning(source: Path, tmp_path: Path) -> None:
    """Where the extra `docs` is installed."""
    pytest.importorskip("mkdocstrings")
    config = pytest.importorskip("mkdocs.config")
    commands = pytest.importorskip("mkdocs.commands.build")
    commands.build(
        config.load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(source), site_dir=str(tmp_path / "site"), strict=True)
    )
    assert "Train, generate, measure" in (tmp_path / "site" / "docs" / "reference-python.html").read_text()
