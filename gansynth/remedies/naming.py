"""What an arm of a comparison is called in a path."""

from __future__ import annotations

import hashlib
import re


def slug(spec: str) -> str:
    """Return a folder name for an arm, a remedy or a run: the same for the same text, another for another.

    Examples
    --------
    >>> slug("augmentation+c-wgan-gp-64@0.5")
    'augmentation+c-wgan-gp-64@0.5'
    >>> slug("runs/my cells")
    'my_cells-75b0f856'
    """
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+@_-]{0,99}", spec):
        return spec
    last = re.sub(r"[^A-Za-z0-9.+@_-]", "_", re.split(r"[/\\]", spec.rstrip("/\\"))[-1])[:60].lstrip(".") or "run"
    return f"{last}-{hashlib.sha256(spec.encode()).hexdigest()[:8]}"
