"""What networks looked at before and after a remedy: two arms of a comparison, trained once more and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gansynth.classifiers import Classifier, open_classifier, train_classifier
from gansynth.classifiers.explain.files import Shares, explain_files, shares_of
from gansynth.data.dataset import CellDataset
from gansynth.errors import InputError
from gansynth.remedies import Workplace, parse_arm
from gansynth.report.explain.folder import write_explanations
from gansynth.studies.comparison.plan import load_classifiers
from gansynth.studies.comparison.splits import Images, make_folds
from paper_study import MISSING, Options, markdown, share

SHOWN = 8


def explained(
    asked: Options,
    name: str,
    classifier: str,
    arms: tuple[str, str],
    methods: Sequence[str],
    class_name: str,
    rarity: Mapping[str, int],
    *,
    changes: Sequence[str] = (),
    shown: int = SHOWN,
) -> dict[str, Shares | str]:
    """Train two arms on the first fold of a comparison of the study, and explain test images of a class by both.

    A comparison keeps predictions and no weights; so both are trained again, with its first seed, into ``OUT/runs``,
    where a finished training is kept. Sheets, pictures and numbers go to ``OUT/explained/METHOD``.

    Parameters
    ----------
    asked : Options
    name : str
        Of the comparison: images that its remedies made are not made again.
    classifier : str
        As a comparison takes it.
    arms : (str, str)
        Before and after.
    methods : sequence of str
        As `gansynth explain` takes them.
    class_name : str
        The class that is asked about, in its first test images: none is picked.
    rarity : mapping of str to int
        As `gansynth.compare` takes it.
    changes : sequence of str
        As `gansynth.compare` takes them.
    shown : int
        Test images.

    Returns
    -------
    dict of method to Shares or str
        A sentence where a method has no meaning for the network.

    Raises
    ------
    InputError
        If the data have no such class, or are not a folder.
    """
    recipe = load_classifiers([classifier], changes, asked.amount.size, asked.amount.epochs)[0]
    images = Images(asked.data)
    dataset = images.at(recipe.resolution)
    fold = make_folds(dataset, asked.amount.folds, rarity, 0)[0]
    training, validation, test = (images.of(fold, recipe.resolution, part) for part in ("train", "val", "test"))
    files = _files(Path(asked.data), test, class_name)[:shown]

    def learning(size: int) -> CellDataset:
        return images.of(fold, size, "train", "val")

    place = Workplace(asked.out / name / fold.name, learning, device=asked.device, progress=False)
    kept = []
    for arm in arms:
        run = asked.out / "runs" / f"{parse_arm(arm).folder_name}-{recipe.name}"
        if not (run / "model.safetensors").is_file():
            train_classifier(
                parse_arm(arm).treat(training, place), recipe, run, validation=validation if len(validation) else None,
                patience=0, device=asked.device, weights_dir=asked.weights_dir, resume=run.is_dir(), progress=False,
            )  # fmt: skip
        kept.append(open_classifier(run, device=asked.device))
    return {method: _explained(asked.out, kept, arms, files, method, class_name) for method in methods}


def explanation_table(found: Mapping[str, Shares | str]) -> str:
    """Return the share of the attribution that lies in the cell, before and after, as Markdown."""
    rows = []
    for method, shares in found.items():
        if isinstance(shares, str):
            rows.append([method, shares, *[MISSING] * 4])
            continue
        difference = shares.difference
        signed = MISSING if difference is None or difference.value is None else f"{difference.value:+.2f}"
        ends = (
            ""
            if difference is None or difference.interval is None
            else "({:+.2f} to {:+.2f})".format(*difference.interval)
        )
        cells = [share(one) for one in (shares.before, shares.after)]
        rows.append(
            [method, *cells, f"{signed} {ends}".strip(), share(shares.area), looks(shares), str(shares.after.n)]
        )
    head = ["method", "in the cell, before", "after", "difference", "the cell's share of the picture"]
    head += ["does it look at the cell?", "images"]
    return markdown(head, rows)


def looks(shares: Shares) -> str:
    """Return whether more of the attribution lies in the cell than of the picture: the intervals must be apart.

    Examples
    --------
    >>> from gansynth.metrics.estimate import Estimate
    >>> looks(Shares(Estimate(0.02, 34, (0.01, 0.03)), Estimate(0.12, 34, (0.11, 0.13))))
    'less than an even spread would'
    """
    inside, even = shares.after.interval, shares.area.interval
    if inside is None or even is None:
        return MISSING
    if inside[0] > even[1]:
        return "more than an even spread would"
    return "less than an even spread would" if inside[1] < even[0] else "not more than an even spread would"


def _explained(
    out: Path, kept: Sequence[Classifier], arms: tuple[str, str], files: Sequence[Path], method: str, class_name: str
) -> Shares | str:
    before, after = kept
    try:
        found = explain_files(after, files, method, before=before, class_name=class_name)
    except InputError as error:
        return str(error)
    write_explanations(out / "explained" / method, found, run=arms[1], method=method, before=arms[0])
    return shares_of(found)


def _files(data: Path, test: CellDataset, class_name: str) -> list[Path]:
    if class_name not in test.class_names:
        raise InputError(f"{data}: has no class '{class_name}' to explain; it has {', '.join(test.class_names)}")
    mine = np.flatnonzero(test.labels == test.class_names.index(class_name))
    files = [data / path for path in sorted(test.records["path"].iloc[mine])]
    if not files or not files[0].is_file():
        raise InputError(f"{data}: is not a folder with images of '{class_name}' to explain; give one")
    return files
