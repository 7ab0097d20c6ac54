"""A run made small enough to give away: its generator in 16 bits, and what checks its images."""

from __future__ import annotations

from pathlib import Path

from gansynth.errors import InputError
from gansynth.files import is_named
from gansynth.files.atomic import whole_folder, write_json
from gansynth.gans.run import CLASSIFIER, FINGERPRINTS, Run
from gansynth.runs.names import INFO, MODEL, RECIPE
from gansynth.runs.weights import halved, read_weights, write_weights


def export_run(run: Run, out: Path) -> Run:
    """Write a run without its training state: generator and classifier in 16 bits, fingerprints, recipe, provenance.

    The result opens like any run; it generates without the data it was trained on, and cannot be resumed.

    Parameters
    ----------
    run : Run
    out : pathlib.Path
        A new or empty folder.

    Raises
    ------
    InputError
        If `out` holds anything.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not an empty folder; give a new one")
    with whole_folder(out) as folder:
        for name in (MODEL, CLASSIFIER, FINGERPRINTS):
            if is_named(run.path / name):
                tensors, metadata = read_weights(run.path / name)
                write_weights(folder / name, halved(tensors), metadata)
        (folder / RECIPE).write_text((run.path / RECIPE).read_text(encoding="utf-8"), encoding="utf-8")
        info = {**run.info, "exported_from_model_sha256": run.model_sha256}
        write_json(folder / INFO, info)
    return Run(out)
