"""The folder of composites: files that appear whole, a journal that lets a killed run continue, a table at its end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gansynth.errors import InputError
from gansynth.files import TableWriter, read_text
from gansynth.files.atomic import naming, whole_file
from gansynth.files.json_text import MOST_BYTES
from gansynth.synthesis.journal import Request

METADATA_FILE = "metadata.csv"
JOURNAL_FILE = ".naturalize.jsonl"
COLUMNS = (
    "file_name",
    "class",
    "seed",
    "model_sha256",
    "confidence",
    "nearest_training_distance",
    "white_cell",
    "background",
    "red_cells",
)
BETWEEN = ";"
"""Separates the training images of the red cells in `red_cells`."""


@dataclass(frozen=True)
class Written:
    """One composite in place: what the table says of it, and its size."""

    file_name: str
    class_name: str
    seed: int
    distance: float
    white: str
    background: str
    reds: list[str]
    bytes: int


class CompositeFolder:
    """An output folder that is being filled.

    Parameters
    ----------
    out : pathlib.Path
    request : Request
        Everything that decides what the folder will hold.
    resume : bool

    Attributes
    ----------
    finished : bool
        Whether it holds everything asked for already.

    Raises
    ------
    InputError
        If the folder is somebody else's, unfinished without `resume`, or at another request.
    """

    def __init__(self, out: Path, request: Request, resume: bool) -> None:
        self.out, self._journal = out, out / JOURNAL_FILE
        self._request = json.loads(json.dumps(dict(request)))
        self.finished, self._done = False, dict[str, Written]()
        if out.exists() and not out.is_dir():
            raise InputError(f"{out}: is a file; name a folder for the images")
        there = {path.name for path in out.iterdir()} if out.exists() else set()
        if METADATA_FILE in there and JOURNAL_FILE in there and resume:
            self._read()
            self.finished = True
        elif JOURNAL_FILE in there:
            if not resume:
                what = "is filled by gansynth naturalize already"
                raise InputError(f"{out}: {what}; add --resume to continue the same command, or choose another folder")
            self._read()
        elif there:
            advice = "there is nothing to resume; choose an empty folder" if resume else "choose another folder"
            raise InputError(f"{out}: is not empty; {advice}")

    def start(self) -> None:
        """Make the folder, and note what is asked for."""
        self.out.mkdir(parents=True, exist_ok=True)
        for part in self.out.glob("*/.*.part"):
            part.unlink()
        lines = [json.dumps(self._request), *(json.dumps(asdict(image)) for image in self._done.values())]
        with whole_file(self._journal) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="ascii")

    def holds(self, file_name: str) -> bool:
        """Whether an image is in place already."""
        return file_name in self._done

    def add(self, png: bytes, image: Written) -> None:
        """Put an image in its place, whole, and note it."""
        path = self.out / image.file_name
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        with naming(path, part):
            part.write_bytes(png)
            part.replace(path)
        with naming(self._journal), self._journal.open("a", encoding="ascii") as journal:
            journal.write(json.dumps(asdict(image)) + "\n")
        self._done[image.file_name] = image

    def finish(self, model_sha256: str, order: list[str]) -> None:
        """Write metadata.csv, the images in the given order."""
        with (
            whole_file(self.out / METADATA_FILE) as temporary,
            temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
        ):
            table = TableWriter(file)
            table.write(COLUMNS)
            for name in order:
                image = self._done[name]
                found = f"{image.distance:.4f}"
                parts = (image.white, image.background, BETWEEN.join(image.reds))
                table.write((name, image.class_name, image.seed, model_sha256, "", found, *parts))

    def _read(self) -> None:
        try:
            first, *lines = read_text(self._journal, MOST_BYTES).splitlines()
            before = json.loads(first)
            if not isinstance(before, dict):
                raise ValueError("no request")
        except (ValueError, RecursionError) as error:
            raise InputError(f"{self._journal}: not a journal of gansynth; choose another output folder") from error
        different = [key for key, value in self._request.items() if before.get(key) != value]
        if different:
            raise InputError(
                f"{self.out}: was started by another request (other {', '.join(different)}); resume with that one, or "
                "choose another output folder"
            )
        for line in lines:
            try:
                image = Written(**json.loads(line))
                intact = (self.out / image.file_name).stat().st_size == image.bytes
            except (OSError, ValueError, TypeError, RecursionError):
                continue  # a kill tore the last line; its image is made again
            if intact:
                self._done[image.file_name] = image
