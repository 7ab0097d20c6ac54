"""`gansynth weights`."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.answering import answer, answers_in_json
from gansynth.cli.arguments import FOLDER
from gansynth.cli.screen import OneScreen
from gansynth.errors import InputError


@click.command(cls=OneScreen)
@click.option(
    "--check", metavar="DIR", type=FOLDER, help="Look into DIR first, and load what is there, as its user would."
)
def weights(check: Path | None) -> None:
    """List published weight files, and which are there.

    gansynth downloads nothing. EfficientNet-Lite0 installs with it; every other file is put where the table says.
    A file that is not the published one is an error, a missing one is not.

    \b
    Example:
      gansynth weights
      gansynth weights --check my-weights
    """
    from gansynth.classifiers.published_files import look_for_weights
    from gansynth.cli.tables import weights_table
    from gansynth.metrics.extractors.weights import FOLDER_VARIABLE, folders

    if check is not None and not check.is_dir():
        raise InputError(f"{check}: is not a folder; give the one that the weight files were put into")
    looks = look_for_weights(check, load=check is not None)
    known = {look.file for look in looks}
    strangers = sorted(p.name for p in check.iterdir() if p.is_file() and p.name not in known) if check else []
    answer(
        lambda: {"weights": [look.to_json() for look in looks], "not_known": strangers}, lambda: weights_table(looks)
    )
    if not answers_in_json():
        click.echo(f"looked for in, the first first: {', '.join(str(folder) for folder in folders(check))}")
        if check is None:
            click.echo(f"another folder: --check DIR here, --weights-dir DIR elsewhere, or ${FOLDER_VARIABLE}")
        for name in strangers:
            click.echo(f"{name}: is not a file that gansynth knows")
    wrong = [look for look in looks if look.state == "wrong"]
    if wrong:
        raise InputError("; ".join(dict.fromkeys(look.problem for look in wrong)))
