"""A run as a model folder for Hugging Face's hub: what `export_run` writes, and a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from gansynth.files.atomic import write_text
from gansynth.gans.export import export_run
from gansynth.gans.run import Run


def export_to_hub(run: Run, out: Path, *, spread: Mapping[str, float] | None = None) -> Run:
    """Write a run without its training state, in safetensors, with a card (``README.md``) whose YAML the hub reads.

    The folder, or what is downloaded of it again, opens like any run.

    Parameters
    ----------
    run : Run
    out : pathlib.Path
        A new or empty folder.
    spread : mapping, optional
        See `export_run`.

    Raises
    ------
    InputError
        As `export_run`.
    """
    written = export_run(run, out, spread=spread)
    write_text(out / "README.md", card(run, out.name))
    return written


def card(run: Run, name: str) -> str:
    """Return the card of a run: YAML for the hub, what it learned from, how it is used, and what it is not for."""
    info, example = run.info, run.class_names[0]
    about = {
        "license": "unknown",
        "library_name": "gansynth",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "class-conditional", "biology", "medical", "synthetic"],
    }
    counts: dict[str, int] = info.get("training_counts", {})
    began = info.get("parent")
    lines = [
        f"# {name}",
        "",
        f"A generator of single-cell images of {run.resolution} x {run.resolution} pixels in {len(run.class_names)} "
        f"classes: `{run.recipe.gan}`, recipe `{run.recipe.name}`, {run.step:,} steps, {run.images:,} real images seen"
        + (f", begun with `{began['name']}`." if began else "."),
        "",
        "```bash",
        f"gansynth generate {name} --class {_quoted(example)} --count 100 --out synthetic",
        "```",
        "",
        "| class | training images |",
        "|---|---|",
        *(f"| {label} | {counts.get(label, 0):,} |" for label in run.class_names),
        "",
        "What it makes are synthetic images, not photographs of cells: for research and for training classifiers, not "
        "for diagnosis. It knows no more than its training images; `run.json` has the sha256 of each, so that "
        "`gansynth` refuses to test on them.",
        "",
        "To be filled in by whoever publishes it: the licence, from whom the training cells are, and what was measured "
        "(`gansynth quality`).",
    ]
    return f"---\n{yaml.safe_dump(about, sort_keys=False)}---\n" + "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name
