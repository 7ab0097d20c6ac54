"""The page of a training: what the generator makes by now, which classes it has learned, and the players' losses.

It stands in the run's folder, is written anew at every sample sheet, and reloads itself until the training has ended.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_fabric.loggers import Logger
from numpy.typing import ArrayLike
from PIL import Image

from gansynth.files import read_json
from gansynth.report.blocks import Block, Drawing, Drawings, Grid, Lineup, Picture
from gansynth.report.figures import curves_chart
from gansynth.report.numbers import listed
from gansynth.report.page import Page, Section, write_page
from gansynth.runs.folder import INFO
from gansynth.runs.log import LOG, Record, read_log

PAGE = "report.html"
RELOAD_SECONDS = 30
_EARLIER = 5
"""Sheets shown beside the newest, from the first on."""
_WELL = 0.8
_JUDGES = 0.5
"""Share of real cells that a classifier must recognise before its word about synthetic ones is repeated."""

Curves = dict[str, tuple[list[float], list[float]]]
Drawn = Mapping[str, tuple[ArrayLike, ArrayLike]]


class TrainingPage(Logger):
    """Writes the page while a training runs; a logger as others are (`gansynth.runs.loggers`).

    Parameters
    ----------
    folder : pathlib.Path
        The run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The page's file."""
        return PAGE

    @property
    def version(self) -> str:
        """The run."""
        return self._folder.name

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write the page where a sheet and the class watch have just been recorded."""
        if any(name.startswith("watch_") for name in metrics):
            write_training_page(self._folder, runs=True)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Leave it: the recipe stands in the run."""

    def finalize(self, status: str) -> None:
        """Write the page for the last time; it no longer reloads itself."""
        if (self._folder / LOG).is_file():
            write_training_page(self._folder, runs=False)


def write_training_page(folder: Path, *, runs: bool) -> Path:
    """Write `report.html` into the folder of a run from its log and its sheets.

    Parameters
    ----------
    folder : pathlib.Path
    runs : bool
        Whether the training goes on, so that the page reloads itself.
    """
    return write_page(folder / PAGE, training_page(folder, runs=runs))


def training_page(folder: Path, *, runs: bool) -> Page:
    """Compose the page."""
    records = read_log(folder)
    curves = curves_of(records)
    seen = [record.watch for record in records if record.watch]
    last = seen[-1] if seen else {}
    info = read_json(folder / INFO) if (folder / INFO).is_file() else {}
    name = info.get("recipe", folder.name)
    now, before = _sheets(folder)
    return Page(
        title=f"Training {name}",
        subtitle=f"{folder.name}: {_how_far(records)}; {'it goes on' if runs else 'it has ended'}",
        verdict=_verdict(last),
        sections=[*now, *_watched(last, curves["watch"]), *_losses(curves["losses"]), *before],
        facts=[("log", f"{LOG}, and TensorBoard's events, beside this page")],
        reload_seconds=RELOAD_SECONDS if runs else 0,
    )


def curves_of(records: Sequence[Record]) -> dict[str, Curves]:
    """Return each player's loss ("losses") and each class's watch ("watch"), over minutes of training."""
    minutes = {record.step: record.seconds / 60 for record in records if record.seconds is not None}
    losses: Curves = {}
    watch: Curves = {}
    for record in records:
        if record.step not in minutes:
            continue
        at = minutes[record.step]
        terms = [(name.split("/")[0], value) for name, value in record.terms.items() if "/" in name]
        values: list[tuple[Curves, str, float | None]] = [
            (losses, player, sum(v for p, v in terms if p == player)) for player in {p for p, _ in terms}
        ]
        values += [(watch, name, seen["recall"]) for name, seen in record.watch.items()]
        for curves, name, value in values:
            if value is not None:
                x, y = curves.setdefault(name, ([], []))
                x.append(at)
                y.append(value)
    return {"losses": dict(sorted(losses.items())), "watch": watch}


def _how_far(records: Sequence[Record]) -> str:
    timed = [(record.step, record.seconds / 60) for record in records if record.seconds is not None]
    if not timed:
        return "no step yet"
    step, minutes = timed[-1]
    spent = f"{minutes / 60:.1f} hours" if minutes > 90 else f"{minutes:.0f} minutes"
    return f"step {step:,} after {spent}"


def _verdict(last: Mapping[str, Mapping[str, float | None]]) -> str:
    if not last:
        return "No sample sheet yet: what the generator makes is looked at with the first one."
    shares = {name: found["recall"] for name, found in last.items() if found.get("recall") is not None}
    well = [name for name, share in shares.items() if (share or 0.0) >= _WELL]
    mean = sum(share or 0.0 for share in shares.values()) / max(len(shares), 1)
    real = [share for found in last.values() if (share := found.get("real_recall")) is not None]
    if real and sum(real) / len(real) < _JUDGES:
        return (
            f"The classifier that watches recognises {sum(real) / len(real):.0%} of real cells only, so that its "
            f"{mean:.0%} of what the generator makes now say little: look at the sheet. A larger "
            "reports.classifier_images teaches it more."
        )
    said = f"The classifier that watches recognises {mean:.0%} of what the generator makes now"
    if len(well) == len(shares):
        return f"{said}: of every class at least {_WELL:.0%}."
    behind = sorted((name for name in shares if name not in well), key=lambda name: shares[name] or 0.0)
    return (
        f"{said}: of {len(well)} of {len(shares)} classes at least {_WELL:.0%}. Furthest behind: {listed(behind[:3])}."
    )


def _sheets(folder: Path) -> tuple[list[Section], list[Section]]:
    """Return the newest sheet, and some from the beginning on, folded."""
    files = sorted((folder / "samples").glob("step-*.png"))
    if not files:
        return [], []
    *before, last = files
    places = [i * (len(before) - 1) // (_EARLIER - 1) for i in reversed(range(_EARLIER))] if before else []
    chosen = [before[place] for place in dict.fromkeys(places)]
    caption = "A row for each class, the same latents at every step."
    now = Section("What it makes", blocks=[Lineup(["synthetic"], [_sheet(last)], caption)])
    words = "From the newest to the first; all of them are in samples/."
    earlier = Lineup(["synthetic"], [_sheet(file) for file in chosen], words)
    then = Section("What it made before", blocks=[earlier], folded=True)
    return [now], [then] if chosen else []


def _sheet(file: Path) -> tuple[str, str, list[Picture]]:
    step = int(file.stem.partition("-")[2])
    with Image.open(file) as image:
        width = image.width
    alt = f"Synthetic cells of every class at step {step:,}"
    return f"step {step:,}", "", [Picture(f"samples/{file.name}", alt, width, "synthetic")]


def _watched(last: Mapping[str, Mapping[str, float | None]], watch: Curves) -> list[Section]:
    if not last:
        return []
    rows = [
        [name, _share(found.get("recall")), _share(found.get("real_recall")), _share(found.get("diversity"))]
        for name, found in last.items()
    ]
    caption = (
        "Recognised: share that a classifier which has seen training images alone puts into the class. Diversity: how "
        "much the images of a class differ, as a share of what real ones do; well below 100% it collapses."
    )
    blocks: list[Block] = [Grid.of_texts(["class", "recognised", "real images", "diversity"], rows, caption)]
    if watch:
        worst = sorted(last, key=lambda name: last[name].get("recall") or 0.0)[:3]
        words = "How much of each class is recognised over the training. Named: the three classes furthest behind."
        blocks.insert(0, Drawings([watch_drawing(watch, worst, words)]))
    return [Section("Which classes it has learned", blocks=blocks)]


def _losses(losses: Curves) -> list[Section]:
    return [Section("The players' losses", blocks=[Drawings([losses_drawing(losses)])])] if losses else []


def watch_drawing(watch: Drawn, named: Sequence[str], caption: str) -> Drawing:
    """Draw how much of each class is recognised over minutes of training; the classes `named` stand out."""
    chart = curves_chart(
        watch,
        xlabel="minutes of training",
        ylabel="recognised",
        percent=True,
        emphasis=[name for name in named if name in watch],
    )
    return Drawing(chart, caption)


def losses_drawing(losses: Drawn) -> Drawing:
    """Draw each player's loss over minutes of training."""
    caption = (
        "Loss of each player. In this game a falling loss does not prove better images, nor a flat one failure; what "
        "matters is that no line runs away."
    )
    return Drawing(curves_chart(losses, xlabel="minutes of training", ylabel="loss"), caption)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
