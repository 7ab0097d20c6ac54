"""The commands that write, each as it is typed before its output folder, and what of a folder does not depend on the
moment or the speed of the machine."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

CPU = ("--device", "cpu")


@dataclass(frozen=True)
class Writing:
    """A command that writes.

    Attributes
    ----------
    typed : tuple of str
        All but the output.
    place : tuple of str
        What stands before the output.
    resumable : bool
        Whether it takes --resume.
    long : bool
        Whether it takes more than a few seconds even here.
    file : str
        The name of what it writes, where that is a file.
    into : path-like, optional
        A data set that it writes into: the output begins as a copy.
    """

    typed: tuple[str, ...]
    place: tuple[str, ...] = ("--out",)
    resumable: bool = False
    long: bool = False
    file: str = ""
    into: Path | None = None

    def lay(self, out: Path) -> None:
        """Put there what the command finds in its folder, unless it lies there already."""
        if self.into is not None and not out.exists():
            shutil.copytree(self.into, out, ignore=shutil.ignore_patterns("splits.csv"))

    def line(self, out: Path, resume: bool = False) -> list[str]:
        """Return what is typed."""
        return [*self.typed, *self.place, str(out / self.file), *(["--resume"] if resume and self.resumable else [])]


def writing_commands(cells: Path, gan: Path, classifier: Path, synthetic: Path, fields: Path) -> dict[str, Writing]:
    """Return the commands by name, about data and runs that are there."""
    small = ("--size", "32", "--seeds", "1", "--jobs", "1", "--set", "classical.components=6", *CPU)
    bayes = ("--classifiers", "naive-bayes", *small)
    return {
        "data import": Writing(("data", "import", "--source", f"folders={cells}"), ()),
        "data dedupe": Writing(("data", "dedupe", f"{cells}"), ()),
        "data split": Writing(("data", "split"), (), into=cells),
        "data phantom": Writing(("data", "phantom", "--counts", "basophil=9,platelet=9", "--size", "32"), ()),
        "data crop": Writing(("data", "crop", "--cell-diameter", "30", "--boxes", "drawn", f"{fields}"), ()),
        "data nuclei": Writing(("data", "nuclei", f"{synthetic}", "--size", "32", "--jobs", "1")),
        "data review": Writing(("data", "review", f"{synthetic}", "--size", "32")),
        "train-gan": Writing(
            ("train-gan", f"{cells}", "--recipe", f"{gan}", "--set", "reports.classifier_images=64", "--steps", "4",
             *CPU),
            resumable=True,
        ),
        "generate": Writing(
            ("generate", f"{gan}", "--class", "basophil=5", "--class", "lymphocyte=3", "--keep-copies", *CPU),
            resumable=True,
        ),
        "balance": Writing(
            ("balance", f"{cells}", f"{gan}", "--target", "12", "--keep-copies", *CPU), resumable=True
        ),
        "naturalize": Writing(("naturalize", f"{synthetic}", "--class", "basophil=4"), resumable=True),
        "train-classifier": Writing(
            ("train-classifier", f"{cells}", "--recipe", f"{classifier / 'recipe.yaml'}", "--epochs", "2", *CPU),
            resumable=True,
        ),
        "explain": Writing(("explain", f"{classifier}", f"{cells / 'basophil'}", *CPU)),
        "export": Writing(("export", f"{gan}")),
        "quiz": Writing(("quiz", f"{cells}", f"{synthetic}", "--count", "8")),
        "sheet": Writing(("sheet", f"{synthetic}", "--beside", f"{cells}"), file="sheet.png"),
        "walk": Writing(("walk", f"{gan}", "--classes", "basophil", "--steps", "2", *CPU), file="walk.gif"),
        "compare": Writing(("compare", f"{cells}", "--remedies", "none,oversample", *bayes), resumable=True),
        "sweep": Writing(
            ("sweep", f"{cells}", "--remedies", "none,oversample", "--ratios", "1,4", "--minority", "basophil", *bayes),
            resumable=True, long=True,
        ),
        "search-remedy": Writing(
            ("search-remedy", f"{cells}", "--remedy", "oversample", "--classifier", "naive-bayes", "--folds", "2",
             "--size", "32", "--jobs", "1", "--set", "classical.components=6", *CPU),
            resumable=True, long=True,
        ),
        "benchmark": Writing(("benchmark", f"{cells}", "--recipes", f"{gan}", "--count", "4", *CPU), resumable=True,
                             long=True),
        "quality": Writing(("quality", f"{cells}", f"{synthetic}", *CPU), long=True),
        "demo": Writing(("demo", "--minutes", "0.05", *CPU), long=True),
    }  # fmt: skip


TIMED = ("run.json", "log.jsonl", "arm.json", "results.json", "report.html", "report.json", "costs.csv")
"""Files that say when, how fast, where, or by which command line they were made."""


HALF = re.compile(r"\..+\.[a-z0-9_]{8}\.[a-z]+")
"""A file that was being written when its process was killed: hidden, beside the whole one, which it is not."""


SECONDS = re.compile(rb'("(?:generating_)?seconds": )[0-9.e+-]+')
"""What `benchmark` writes beside its figures: how long each model generated."""


def lasting(folder: Path) -> dict[str, bytes]:
    """Return the files that depend on what was asked for alone; of a training's states only the names do."""
    found = {
        path.relative_to(folder).as_posix(): SECONDS.sub(rb"\1", data) if path.suffix == ".json" else data
        for path in folder.rglob("*")
        if path.is_file() and path.name not in TIMED and "events.out" not in path.name and not HALF.fullmatch(path.name)
        for data in [path.read_bytes()]
    }
    return {name: b"" if "/state/" in f"/{name}" else data for name, data in found.items()}
