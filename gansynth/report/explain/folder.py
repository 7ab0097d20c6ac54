"""The folder that `gansynth explain` writes: sheets, one picture for each image, and the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gansynth.classifiers.explain.files import ExplainedFile, Looked, Shares, shares_by_class, shares_of
from gansynth.files import TableWriter
from gansynth.files.atomic import whole_file, write_json
from gansynth.report.embedding import picture_of
from gansynth.report.explain.sheet import ON_ONE_SHEET, explained_picture, explanation_sheet

TABLE = "explanations.csv"
ANSWER = "explanations.json"
_COLUMNS = (
    *(
        "file",
        "true_class",
        "class",
        "cell_area",
        "problem",
        "predicted",
        "probability",
        "share_in_cell",
        "training_image",
    ),
    *("before_predicted", "before_probability", "before_share_in_cell", "picture"),
)


def answer(explained: Sequence[ExplainedFile], *, run: str, method: str, before: str | None = None) -> dict[str, Any]:
    """Return what `gansynth explain --json` prints."""
    found: dict[str, Any] = {"run": run, "before": before, "method": method, **_shares(shares_of(explained))}
    found["classes"] = {name: _shares(shares) for name, shares in shares_by_class(explained).items()}
    found["images"] = [_entry(one) for one in explained]
    return found


def _shares(shares: Shares) -> dict[str, Any]:
    found = {"share_in_cell": shares.after.to_json(), "cell_area": shares.area.to_json()}
    if shares.before is not None and shares.difference is not None:
        found |= {"before_share_in_cell": shares.before.to_json(), "difference": shares.difference.to_json()}
    return found


def write_explanations(
    out: Path,
    explained: Sequence[ExplainedFile],
    *,
    run: str,
    method: str,
    before: str | None = None,
) -> None:
    """Write ``sheet.png`` (``sheet-2.png``, ...), ``pictures/``, ``explanations.csv`` and ``explanations.json``.

    Parameters
    ----------
    out : pathlib.Path
    explained : sequence of ExplainedFile
    run, before : str
        The classifiers, as the user named them.
    method : str
    """
    shown = [one for one in explained if one.after is not None]
    names = {}
    for k, one in enumerate(shown, start=1):
        names[one.file] = f"pictures/{k:04d}-{Path(one.file).stem}.png"
        _save(_strip(one), out / names[one.file])
    titles = ("looked at", None) if before is None else ("after", "before")
    for k, start in enumerate(range(0, len(shown), ON_ONE_SHEET), start=1):
        sheet = explanation_sheet(shown[start : start + ON_ONE_SHEET], *titles)
        _save(sheet, out / ("sheet.png" if k == 1 else f"sheet-{k}.png"))
    with whole_file(out / TABLE) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = TableWriter(file)
        table.write(_COLUMNS)
        for one in shown:
            table.write(_row(one, names[one.file]))
    write_json(out / ANSWER, answer(explained, run=run, method=method, before=before))


def _strip(one: ExplainedFile) -> Image.Image:
    """Return the original beside what was looked at, at the size the picture was kept at."""
    edge = one.pixels.shape[-1]
    tiles = [picture_of(one.pixels)]
    tiles += [explained_picture(one, looked, edge) for looked in (one.before, one.after) if looked is not None]
    strip = Image.new("RGB", (len(tiles) * (edge + 2) - 2, edge), "white")
    for k, tile in enumerate(tiles):
        strip.paste(tile, (k * (edge + 2), 0))
    return strip


def _save(picture: Image.Image, path: Path) -> None:
    with whole_file(path) as temporary:
        picture.save(temporary, format="PNG")


def _entry(one: ExplainedFile) -> dict[str, Any]:
    if one.after is None:
        return {"file": one.file, "error": one.error}
    found: dict[str, Any] = {"file": one.file, "true_class": one.true_class or None, "class": one.class_name}
    found |= _of(one.after)
    found["cell_area"] = _number(one.area)
    found["training_image"] = one.after.seen
    if one.problem:
        found["problem"] = one.problem
    if one.before is not None:
        found["before"] = _of(one.before)
    return found


def _of(looked: Looked) -> dict[str, Any]:
    return {
        "predicted": looked.predicted,
        "probability": round(looked.probability, 6),
        "share_in_cell": _number(looked.share),
    }


def _row(one: ExplainedFile, picture: str) -> list[Any]:
    assert one.after is not None
    row = [
        one.file,
        one.true_class,
        one.class_name,
        _cell(one.area),
        one.problem,
        one.after.predicted,
        _cell(one.after.probability),
    ]
    row += [_cell(one.after.share), one.after.seen]
    row += ["", "", ""] if one.before is None else [
        one.before.predicted, _cell(one.before.probability), _cell(one.before.share)
    ]  # fmt: skip
    return [*row, picture]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _cell(value: float) -> float | str:
    return "" if math.isnan(value) else round(value, 6)
