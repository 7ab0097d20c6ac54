"""What the studies of the papers share: a command line, a comparison, and tables with the paper's numbers beside ours.

A study takes any data set with classes. All training goes through `gansynth compare`, so that a study is resumed where
it was stopped, tests on real images only, and has intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import gansynth
from budget import Amount, Budget, Timed, add_budget, announced
from gansynth.classifiers.curves import Epoch
from gansynth.metrics.estimate import Estimate
from gansynth.report.comparison.page import write_comparison_page
from gansynth.studies.comparison.entries import ArmResult, ArmScores
from gansynth.studies.comparison.result import Comparison

MISSING = "-"
"""What stands where a figure is not known."""


@dataclass(frozen=True)
class Options:
    """What a study was asked for on the command line."""

    data: str
    out: Path
    budget: Budget
    amount: Amount
    jobs: int | None
    weights_dir: Path | None
    device: str


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return the parser of a study's command line; a study may add arguments before it hands it to `options`."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("data", metavar="DATA", help="class folders, an imported set, or phantom")
    add_common(made)
    return made


def add_common(made: argparse.ArgumentParser) -> None:
    """Give a parser what all studies of papers take but their data."""
    made.add_argument("--out", type=Path, required=True, help="gets comparisons, tables.md, figures, report.html")
    add_budget(made)
    made.add_argument("--size", type=int, help="edge length in pixels, instead of the budget's")
    made.add_argument("--epochs", type=int, help="of the untreated images, instead of the budget's")
    made.add_argument("--seeds", type=int, help="trainings of each arm on each fold, instead of the budget's")
    made.add_argument("--folds", type=int, help="instead of the budget's")
    made.add_argument("--jobs", type=int, help="trainings at a time")
    made.add_argument("--weights-dir", type=Path, help="where the weights of pretrained backbones are")
    made.add_argument("--device", default="auto")


def options(given: argparse.Namespace, amounts: Mapping[Budget, Amount], timed: Timed | None = None) -> Options:
    """Return what was asked for, and print what it takes: the amount of the budget, where no other is named.

    Parameters
    ----------
    given : Namespace
        Of a `parser`.
    amounts : mapping of Budget to Amount
    timed : Timed, optional
        A run of the study whose time is known.
    """
    own = amounts[given.budget]
    asked = {name: getattr(given, name) for name in ("size", "epochs", "seeds", "folds")}
    amount = replace(own, **{name: value for name, value in asked.items() if value is not None})
    print(announced(given.budget, amount, timed), flush=True)
    return Options(given.data, given.out, given.budget, amount, given.jobs, given.weights_dir, given.device)


def comparison(
    asked: Options,
    remedies: Sequence[str],
    classifiers: Sequence[str],
    *,
    name: str = "comparison",
    data: str | None = None,
    rarity: Mapping[str, int] | None = None,
    rare: Sequence[str] = (),
    changes: Sequence[str] = (),
    protocol: Literal["clean", "paper"] = "clean",
    gan_images: int | None = None,
) -> Comparison:
    """Carry out or continue a comparison in the folder `name` of the study, write its page, and read it back.

    Parameters
    ----------
    asked : Options
    remedies, classifiers : sequence of str
        As `gansynth.compare` takes them.
    name : str
        Of the folder; a study with several comparisons gives each its own.
    data : str, optional
        Other data than the study's, such as a part of its classes.
    rarity, rare, changes, protocol, gan_images : optional
        As `gansynth.compare` takes them.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        As `gansynth.compare` does.
    """
    folder = asked.out / name
    gansynth.compare(
        data or asked.data,
        remedies,
        classifiers,
        folder,
        seeds=asked.amount.seeds,
        folds=asked.amount.folds,
        size=asked.amount.size,
        epochs=asked.amount.epochs,
        rarity=rarity,
        rare=rare,
        changes=changes,
        protocol=protocol,
        gan_images=gan_images,
        jobs=asked.jobs,
        device=asked.device,
        weights_dir=asked.weights_dir,
        resume=(folder / "comparison.json").is_file(),
    )
    write_comparison_page(folder)
    return Comparison.read(folder)


def parts(results: Comparison, keys: Sequence[str]) -> dict[str, Any]:
    """Return some parts of what results.json holds, to be kept beside a study's tables."""
    return {key: value for key, value in results.to_json().items() if key in keys}


def last_epochs(results: Comparison, entry: ArmResult) -> list[Epoch]:
    """Return the last point of the curve of every training of an arm that has one."""
    notes = [record.note for record in results.records(entry) if record.has_note]
    return [note.curve[-1] for note in notes if note.curve]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(entry: ArmScores | None, metric: str, class_name: str | None = None) -> Estimate | None:
    """Return a figure of an arm, of one class or of all, or None where there is no such arm or figure."""
    if entry is None:
        return None
    return entry.of(metric, class_name)


def percent(found: Estimate | None) -> str:
    """Return a share in percent with its 95% interval, such as "74.1 (73.2-75.0)".

    Examples
    --------
    >>> percent(Estimate(0.7413, 100, (0.732, 0.75)))
    '74.1 (73.2-75.0)'
    """
    if found is None or found.value is None:
        return MISSING
    ends = "" if found.interval is None else f" ({100 * found.interval[0]:.1f}-{100 * found.interval[1]:.1f})"
    return f"{100 * found.value:.1f}{ends}"


def share(found: Estimate | None, digits: int = 2) -> str:
    """Return a share, or any other figure, with its 95% interval, such as "0.74 (0.73-0.75)"."""
    if found is None or found.value is None:
        return MISSING
    ends = "" if found.interval is None else f" ({found.interval[0]:.{digits}f}-{found.interval[1]:.{digits}f})"
    return f"{found.value:.{digits}f}{ends}"


def beside(paper: float | None, found: Estimate | None) -> str:
    """Return the paper's figure, in percent, beside ours, such as "90.48 / 74.1 (73.2-75.0)".

    Examples
    --------
    >>> beside(90.48, None)
    '90.48 / -'
    """
    return f"{MISSING if paper is None else f'{paper:.2f}'} / {percent(found)}"
