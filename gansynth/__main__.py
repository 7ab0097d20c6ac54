"""The `gansynth` command, also `python -m gansynth`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status: 0 whole job done, 1 failed, 2 wrong input, 3 a mistake of
    gansynth, 130 stopped."""
    from gansynth.cli import run

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
