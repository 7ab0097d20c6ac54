"""The manifest of eval/results: the command that made each kept result, its commit, and the sha256 of its files.

    python eval/kept_results.py                                       do the files still have their sha256?
    python eval/kept_results.py NAME --command "python eval/..."      enter results/NAME as it is now, made at HEAD
    python eval/kept_results.py NAME --words                          its words were mended, its numbers were not

A number that no command made has no place in eval/results: `tests/eval/test_kept_results.py` checks every file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gansynth.errors import InputError
from gansynth.files.atomic import write_json

RESULTS = Path(__file__).parent / "results"
MANIFEST = RESULTS / "manifest.json"


@dataclass(frozen=True)
class Kept:
    """A kept result.

    Attributes
    ----------
    command : str
        That made it; data sets and folders of earlier commands are named as in the README.
    commit : str
        At whose code its numbers were kept.
    files : mapping of str to str
        sha256 of every file, by its path in the result's folder.
    """

    command: str
    commit: str
    files: Mapping[str, str]


def read_manifest(path: Path = MANIFEST) -> dict[str, Kept]:
    """Return every kept result by the name of its folder.

    Raises
    ------
    InputError
        If the manifest is not one.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return {name: Kept(**entry) for name, entry in held.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        raise InputError(f"{path}: not a manifest of kept results; restore it from version control") from None


def write_manifest(kept: Mapping[str, Kept], path: Path = MANIFEST) -> None:
    """Write the manifest, results by name."""
    write_json(path, {name: asdict(kept[name]) for name in sorted(kept)})


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file in a folder, by its path in it."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def faults(kept: Mapping[str, Kept], results: Path = RESULTS) -> list[str]:
    """Return what differs between the manifest and the files, a line each; empty where nothing does."""
    there = {place.name for place in results.iterdir() if place.is_dir()}
    found = [f"{name}: is in the manifest, and there is no such folder" for name in sorted(set(kept) - there)]
    found += [f"{name}: nobody entered by which command it was made" for name in sorted(there - set(kept))]
    for name in sorted(there & set(kept)):
        now, then = hashes(results / name), kept[name].files
        found += [f"{name}/{file}: is gone" for file in sorted(set(then) - set(now))]
        found += [f"{name}/{file}: was not entered" for file in sorted(set(now) - set(then))]
        found += [
            f"{name}/{file}: is not the file that was entered"
            for file in sorted(set(now) & set(then))
            if now[file] != then[file]
        ]
    return found


def enter(name: str, command: str, commit: str, kept: Mapping[str, Kept], results: Path = RESULTS) -> dict[str, Kept]:
    """Return the manifest with a result as it lies in `results` now.

    Raises
    ------
    InputError
        If there is no such folder, or nothing is in it.
    """
    files = hashes(results / name)
    if not files:
        raise InputError(f"{results / name}: holds no file; copy what the study wrote there first")
    return {**kept, name: Kept(command, commit, files)}


def reworded(name: str, kept: Mapping[str, Kept], results: Path = RESULTS) -> dict[str, Kept]:
    """Return the manifest with a result's files as they are now, made by the same command at the same commit.

    Raises
    ------
    InputError
        If the result was never entered.
    """
    if name not in kept:
        raise InputError(f"{name}: was never entered; give the --command that made it")
    return {**kept, name: replace(kept[name], files=hashes(results / name))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="a folder in eval/results")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--command", help="that made it")
    how.add_argument("--words", action="store_true", help="keep command and commit")
    given = parser.parse_args()
    try:
        kept = read_manifest() if MANIFEST.is_file() else {}
        if given.name is None:
            wrong = faults(kept)
            sys.exit("\n".join(wrong) if wrong else None)
        if given.words:
            write_manifest(reworded(given.name, kept))
        elif given.command:
            head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
            write_manifest(enter(given.name, given.command, head.strip(), kept))
        else:
            parser.error("say by which --command it was made, or that only --words were mended")
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"entered {given.name}")


if __name__ == "__main__":
    main()
