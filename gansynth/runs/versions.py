"""With which Python and which packages something was computed, as `run.json` and notes like it keep it."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib import metadata

version_of = lru_cache(metadata.version)
"""Return the version of an installed package. A training writes its notes often, and Python reads a package's each time
it is asked."""


def versions(*packages: str) -> dict[str, str]:
    """Return the version of Python, and those of installed packages by name."""
    return {"python": platform.python_version(), **{name: version_of(name) for name in packages}}
