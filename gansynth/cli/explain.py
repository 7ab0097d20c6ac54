"""`gansynth explain`."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.answering import answer, answers_in_json
from gansynth.cli.arguments import (
    COUNT,
    FOLDER,
    OUT,
    device_option,
)
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError


@click.command(cls=OneScreen)
@click.argument("run", type=FOLDER)
@click.argument("images", nargs=-1, required=True, type=FOLDER)
@click.option("--out", type=OUT, required=True, help="An empty folder for sheets, pictures and numbers.")
@click.option(
    "--method",
    type=click.Choice(["grad-cam", "guided-grad-cam", "score-cam"]),
    default="grad-cam",
    show_default=True,
    help="How to find out what was looked at (docs/explain.md).",
)
@click.option("--before", type=FOLDER, help="Another run to ask the same: trained before the data were balanced.")
@click.option(
    "--class",
    "class_name",
    help="The class to ask about.  [default: the one that RUN gives each image; with --before that of its folder]",
)
@click.option("--channels", cls=Rare, type=COUNT, help="Of score-cam: try only the N maps that vary most.")
@device_option
def explain(
    run: Path,
    images: tuple[Path, ...],
    out: Path,
    method: str,
    before: Path | None,
    class_name: str | None,
    channels: int | None,
    device: str,
) -> None:
    """Show how much of what a network looks at is the cell.

    RUN is a folder that train-classifier wrote. IMAGES are files, or folders that are searched for images; images that
    it was not trained on say more. With --before, the sheet has three columns: original, before, after.

    \b
    Example:
      gansynth explain runs/balanced test/promyelocyte --class promyelocyte \\
          --out explained
      gansynth explain runs/balanced cell.png --before runs/original \\
          --method score-cam --out explained
    """
    from gansynth.classifiers import open_classifier
    from gansynth.classifiers.explain.files import explain_files
    from gansynth.cli.tables import shares_table
    from gansynth.data.opening import refuse_beside_classes, refuse_inside
    from gansynth.files.atomic import refuse_used
    from gansynth.report.explain.folder import answer as explained
    from gansynth.report.explain.folder import write_explanations

    for place in images:
        refuse_inside(place, out)
    refuse_used(out, "the explanations")
    classifier = open_classifier(run, device=device)
    for place in images:
        refuse_beside_classes(place, classifier.class_names, out)
    earlier = None if before is None else open_classifier(before, device=device)
    found = explain_files(classifier, images, method, before=earlier, class_name=class_name, channels=channels)
    names = {"run": str(run), "method": method, "before": None if before is None else str(before)}
    write_explanations(out, found, run=str(run), method=method, before=names["before"])
    said = explained(found, run=str(run), method=method, before=names["before"])
    answer(lambda: said, lambda: shares_table(found))
    seen = sum(one.after.seen for one in found if one.after is not None)
    if seen:
        click.echo(f"{seen} of {len(found)} images were training images", err=True)
    unsure = [one for one in found if one.problem]
    if unsure:
        click.echo(f"{len(unsure)} of {len(found)} cells were not found, and have no share", err=True)
    click.echo(f"wrote {out}", err=answers_in_json())
    failed = [f"{one.file} ({one.error})" for one in found if one.error]
    if failed:
        raise InputError(f"{len(failed)} of {len(found)} files could not be explained: {'; '.join(failed[:5])}")
