"""metadata.csv: the table of what `generate` wrote, row by row, and what it says about a finished folder."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gansynth.errors import InputError
from gansynth.files import TableWriter, open_regular, plain_cell, shown
from gansynth.files.atomic import whole_file
from gansynth.synthesis.journal import Journal
from gansynth.synthesis.naming import image_file_name
from gansynth.synthesis.report import ClassReport, GenerationReport

if TYPE_CHECKING:
    from gansynth.gans import Run


METADATA_FILE = "metadata.csv"
METADATA_COLUMNS = (
    "file_name", "class", "seed", "model_sha256", "confidence", "nearest_training_distance", "min_confidence"
)  # fmt: skip


def write_metadata(
    out: Path, journal: Journal, folders: Mapping[str, str], model_sha256: str, min_confidence: float | None
) -> None:
    """Write metadata.csv from the journal; memory does not grow with the number of rows.

    Parameters
    ----------
    out : pathlib.Path
        The output folder.
    journal : Journal
        Of the generation, which is done.
    folders : mapping of class name to folder name
    model_sha256 : str
    min_confidence : float or None
        The screening that the images passed; without one the column is empty.
    """
    least = "" if min_confidence is None else f"{min_confidence:g}"
    with (
        whole_file(out / METADATA_FILE) as temporary,
        # A folder name that is not valid UTF-8 goes into the table byte by byte as it is on the disk.
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        table = TableWriter(file)
        table.write(METADATA_COLUMNS)
        for chunk in journal.chunks():
            folder = folders[chunk.class_name]
            for image in chunk.kept:
                confidence = "" if image.confidence is None else f"{image.confidence:.6f}"
                distance = "" if image.distance is None else f"{image.distance:.4f}"
                where = image_file_name(folder, image.seed)
                table.write((where, chunk.class_name, image.seed, model_sha256, confidence, distance, least))


def report_of_finished(
    out: Path, run: Run, counts: Mapping[str, int], seed: int, min_confidence: float | None
) -> GenerationReport:
    """Return the report of a finished folder that holds what is asked for.

    Raises
    ------
    InputError
        If it holds something else: another model's images, other classes, other numbers, other seeds,
        images below the confidence asked for, or not all of its images any more.
    """
    written, missing = dict.fromkeys(counts, 0), list[str]()
    other = "choose another output folder"
    try:
        with (
            open_regular(out / METADATA_FILE) as raw,
            io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="") as file,
        ):
            for row in csv.DictReader(file):
                name, model, image = plain_cell(row["class"]), row["model_sha256"], plain_cell(row["file_name"])
                if name not in written or model != run.model_sha256:
                    what = f"class '{name}'" if name not in written else "another model"
                    raise InputError(f"{out}: is finished, and holds images of {what}; {other}")
                if int(row["seed"]) < seed:
                    raise InputError(f"{out}: is finished, and starts from another seed; {other}")
                if min_confidence is not None and not float(row["confidence"] or "nan") >= min_confidence - 1e-6:
                    raise InputError(f"{out}: is finished, with images below {min_confidence}; {other}")
                missing += [] if os.path.lexists(out / image) else [image]
                written[name] += 1
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(f"{out}: its metadata.csv was not written by gansynth generate; {other}") from error
    if missing:
        raise InputError(
            f"{out}: is finished, and {len(missing):,} of its {sum(written.values()):,} images are not there any more, "
            f"such as {shown(missing[0])}; restore them, or generate into another folder"
        )
    for name, n in counts.items():
        if written[name] != n:
            raise InputError(
                f"{out}: is finished with {written[name]} images of {name}, not {n}: it was another request, or the "
                f"limit of tries was met; {other}"
            )
    classes = tuple(ClassReport(name, n, written=n) for name, n in counts.items())
    return GenerationReport(out, run.name, run.model_sha256, classes, already_complete=True)
