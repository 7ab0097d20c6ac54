"""How far a generation is, class by class: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

from contextlib import ExitStack

from gansynth.runs.display import WorkDisplay


class GenerationProgress:
    """Context manager that shows on standard error how many images there are, and of which class.

    Parameters
    ----------
    shown : bool
        False shows nothing.
    """

    def __init__(self, shown: bool) -> None:
        self._shown, self._open = shown, ExitStack()
        self._display: WorkDisplay | None = None

    def __enter__(self) -> GenerationProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def start_class(self, name: str, total: int, done: int) -> None:
        """Show a class of which `done` of `total` images are there already."""
        self._open.close()
        display = WorkDisplay(name, total, done=done, shown=self._shown, every=30.0)
        self._display = self._open.enter_context(display)

    def update(self, done: int, tries: int) -> None:
        """Show that `done` images are kept after `tries`."""
        if self._display is not None:
            self._display.update(done, note=f"{tries:,} tries")
