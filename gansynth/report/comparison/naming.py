"""What a page calls arms: runs and folders by their own names, without the folders above them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from gansynth.remedies.arm import Arm
from gansynth.studies.comparison.result import Comparison

_NAMED = ("arm", "against", "remedy", "gan", "remedies", "warnings", "use", "why", "error")
"""Keys of results.json whose texts name arms or what they are made of."""


def shortened(results: Comparison) -> Comparison:
    """Return a comparison whose runs and folders are called by the last part of their paths where that is enough.

    Its command, and the one that is recommended, name them as they were given.
    """
    paths = {part.name for one in results.arms for part in Arm.parse(one.arm).parts if re.search(r"[/\\]", part.name)}
    last = {path: PurePath(path.replace("\\", "/")).name for path in paths}
    taken = Counter([*last.values(), *(part.name for one in results.arms for part in Arm.parse(one.arm).parts)])
    short = {path: name for path, name in last.items() if name and taken[name] == 1}
    if not short:
        return results
    # The longest first: one path may begin with another.
    longest = re.compile("|".join(re.escape(path) for path in sorted(short, key=len, reverse=True)))

    def named(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: named(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [named(one, key) for one in value]
        if isinstance(value, str) and key in _NAMED:
            return longest.sub(lambda found: short[found[0]], value)
        return value

    return replace(Comparison.from_json(named(results.to_json())), folder=results.folder)
