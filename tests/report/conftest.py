"""Headless Chromium, for tests that look at pages as a reader's browser shows them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium; without it, a test is skipped."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here (Debian's package is called chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="needs the extra dev: pip install -e '.[dev]'")
    with api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=300_000)
        yield chromium
        chromium.close()
