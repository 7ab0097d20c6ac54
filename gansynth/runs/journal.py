"""What a training reports while it runs: the terminal, ``log.jsonl`` and TensorBoard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from lightning_fabric.loggers import Logger
from PIL import Image
from tensorboard.summary.writer import event_file_writer
from torch.utils.tensorboard import SummaryWriter

from gansynth.files import is_named
from gansynth.files.atomic import naming, write_text
from gansynth.runs.display import clock, error_console, time_left, work_bar
from gansynth.runs.log import LOG, Record, read_log
from gansynth.runs.state_files import Progress

EVENTS = "events.out.tfevents"
"""How the names of TensorBoard's files begin."""
_SECONDS_BETWEEN_LINES = 30.0


class Journal:
    """One training's record.

    Parameters
    ----------
    folder : pathlib.Path
        The run.
    first_step : int
        Where the training continues; what was logged beyond it belongs to a future that did not happen.
    terminal : bool
        Whether to speak to the user: a progress bar on a terminal, plain lines elsewhere, always on standard error.
    enabled : bool
        False in all processes but the first.
    loggers : sequence of Logger
        Trackers that get the same values.
    """

    def __init__(
        self, folder: Path, first_step: int, *, terminal: bool, enabled: bool, loggers: Sequence[Logger] = ()
    ) -> None:
        self.loggers = loggers
        self.enabled, self.path, self.first_step = enabled, folder / LOG, first_step
        self.console = error_console(quiet=not (terminal and enabled))
        self.live = self.console.is_terminal
        self.bar = work_bar(self.console, noted=True, disable=not self.live)
        self.tasks: dict[str, Any] = {}
        self._first, self._began, self._note = 0.0, time.monotonic(), ""
        self._said = self._began
        self.board: SummaryWriter | None = None
        self._hook_before = threading.excepthook
        if enabled:
            threading.excepthook = self._on_thread
            self._drop_after(first_step)
            with naming(folder / EVENTS):
                self.board = SummaryWriter(str(folder), purge_step=first_step + 1)
            self.bar.start()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()
        try:
            self._close(error)
        finally:
            threading.excepthook = self._hook_before

    def _close(self, error: BaseException | None) -> None:
        for logger in self.loggers:
            logger.finalize("success" if error is None else "failed")
        if self.board is not None:
            # Where something went wrong already, a full disk perhaps, that is what is to be said.
            with suppress(OSError) if error is not None else naming(self.path.parent / EVENTS):
                self.board.close()

    def preparation(self, what: str) -> Callable[[int, int], None]:
        """Return a callback (done, of) that shows the progress of something before the game."""
        shown = -1

        def on_step(done: int, of: int) -> None:
            nonlocal shown
            self._advance(what, done / of, "")
            if not self.live and (tenth := 10 * done // of) > shown and tenth % 5 == 0:
                shown = tenth
                self.console.print(f"{what}: {done / of:.0%}", highlight=False)

        return on_step

    def begin(self, share: float) -> None:
        """Begin the training itself, of which `share` (0..1) was done before."""
        self._first, self._began = share, time.monotonic()
        if self.enabled:
            self._advance("training", share, "")

    def advance(self, at: Progress, share: float) -> None:
        """Show how far it is: between two records the bar moves on, and a log gets a line every half minute."""
        if not self.enabled:
            return
        if self.live:
            self._advance("training", share, self._note or f"step {at.step}")
        elif time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self._say(share, f"step {at.step}")

    def log(self, at: Progress, terms: dict[str, float], share: float) -> None:
        """Record the mean loss terms since the last record."""
        if not self.enabled:
            return
        self._append(Record(at.step, at.images, round(at.seconds, 2), terms))
        for name, value in terms.items():
            self._scalar(name, value, at.step)
        for logger in self.loggers:
            logger.log_metrics(terms, at.step)
        self._note = f"step {at.step}  " + "  ".join(f"{k} {v:.3g}" for k, v in terms.items())
        self._advance("training", share, self._note)
        if not self.live:
            self._say(share, self._note)

    def note(self, step: int, sentence: str) -> None:
        """Record something that is to be known about this training, once."""
        if not self.enabled:
            return
        self._append(Record(step, note=sentence))
        self.console.print(f"note: {sentence}", highlight=False, soft_wrap=True)

    def watch(
        self,
        at: Progress,
        classes: Mapping[str, Mapping[str, float | None]],
        warnings: Sequence[str],
        sheet: Image.Image,
    ) -> None:
        """Record the class watch, and say which classes seem to collapse."""
        self._append(Record(at.step, watch=classes))
        seen = {
            f"watch_{key}/{name}": float(values[key] or 0.0)
            for name, values in classes.items()
            for key in ("recall", "diversity")
            if values[key] is not None
        }
        for name, value in seen.items():
            self._scalar(name, value, at.step)
        for logger in self.loggers:
            logger.log_metrics(seen, at.step)
        if self.board is not None:
            with naming(self.path.parent / EVENTS):
                self.board.add_image("samples", np.asarray(sheet), at.step, dataformats="HWC")
        for sentence in warnings:
            self.console.print(f"step {at.step}: class watch: {sentence}", highlight=False, soft_wrap=True)

    def _on_thread(self, what: threading.ExceptHookArgs) -> None:
        # TensorBoard's thread keeps what stopped it and raises it where the next value is recorded; said twice, it
        # would be a traceback the first time.
        if type(what.thread).__module__ != event_file_writer.__name__:
            self._hook_before(what)

    def _say(self, share: float, note: str) -> None:
        self._said = time.monotonic()
        left = time_left(self._said - self._began, share - self._first, 1.0 - self._first)
        self.console.print(f"{min(share, 1.0):4.0%}  {clock(left)} left  {note}", highlight=False, soft_wrap=True)

    def _scalar(self, name: str, value: float, step: int) -> None:
        if self.board is not None:
            with naming(self.path.parent / EVENTS):
                self.board.add_scalar(name, value, step)

    def _advance(self, what: str, share: float, note: str) -> None:
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(what, total=1.0, note=note, first=min(1.0, share))
        self.bar.update(self.tasks[what], completed=min(1.0, share), note=note)

    def _append(self, record: Record) -> None:
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(record.to_line() + "\n")

    def _drop_after(self, step: int) -> None:
        if is_named(self.path):
            kept = [record for record in read_log(self.path.parent) if record.step <= step]
            write_text(self.path, "".join(record.to_line() + "\n" for record in kept))
