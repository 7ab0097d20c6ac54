"""What holds for all tests of classifiers."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def _one_thread(module_on_one_thread: None) -> None:
    """All tests of this room."""
