"""`gansynth train-classifier` and `gansynth classify`."""

from __future__ import annotations

from pathlib import Path

import click

from gansynth.cli.answering import answer, answers_in_json, course
from gansynth.cli.arguments import (
    COUNT,
    COUNT_OR_NONE,
    FOLDER,
    OUT,
    device_option,
    seed_option,
)
from gansynth.cli.completing import ARM, CLASSIFIER_RECIPE, DATA
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError


@click.command(cls=OneScreen, name="train-classifier")
@click.argument("data", shell_complete=DATA)
@click.option(
    "--recipe",
    shell_complete=CLASSIFIER_RECIPE,
    help="A recipe (docs/classifiers.md lists them) or a YAML file.  [default: sequential-cnn, or the resumed run's]",
)
@click.option("--out", type=OUT, required=True, help="The run: a folder for weights, log and curves.")
@click.option("--set", "changes", metavar="A.B=C", multiple=True, help="Change one value of the recipe; repeatable.")
@click.option(
    "--remedy",
    metavar="ARM",
    shell_complete=ARM,
    help="An arm as `gansynth compare` takes it, such as augmentation+logit-adjustment.  [default: as the recipe says]",
)
@click.option("--epochs", type=COUNT, help="Instead of the recipe's epochs.")
@click.option("--patience", cls=Rare, type=COUNT_OR_NONE, help="Stop after so many epochs without a better macro-F1.")
@click.option(
    "--weights", cls=Rare, type=click.Choice(["pretrained", "none"]), help="Of a backbone; none trains it from scratch."
)
@click.option(
    "--weights-dir", cls=Rare, type=FOLDER, help="Where the weights of pretrained backbones are (docs/classifiers.md)."
)
@click.option("--test", is_flag=True, help="At the end, score the classifier on the test split too (test.json).")
@click.option("--resume", is_flag=True, help="Continue the run in --out exactly where it stopped.")
@seed_option
@device_option
def train_classifier(
    data: str,
    recipe: str | None,
    out: Path,
    changes: tuple[str, ...],
    remedy: str | None,
    epochs: int | None,
    patience: int | None,
    weights: str | None,
    weights_dir: Path | None,
    test: bool,
    resume: bool,
    seed: int,
    device: str,
) -> None:
    """Train a classifier on a data set.

    It learns from the training split of DATA; which weights are kept is decided on the validation split. DATA is a
    folder of images per class, an imported or a balanced set, or the word phantom. A data set without splits.csv is
    split first; synthetic images are never validated or tested on.

    \b
    Example:
      gansynth train-classifier my-cells --out runs/classifier
      gansynth train-classifier my-cells --recipe resnet50 --weights-dir weights \\
          --out runs/resnet50
      gansynth train-classifier balanced --set resolution=64 --epochs 30 --test \\
          --out runs/balanced
      gansynth train-classifier my-cells --remedy augmentation+logit-adjustment \\
          --out runs/adjusted
    """
    from gansynth.classifiers.training import choose_classifier_recipe, train_on_split
    from gansynth.data import open_dataset
    from gansynth.data.opening import refuse_inside

    refuse_inside(data, out)
    shorthand = [("training.epochs", epochs), ("training.patience", patience), ("network.weights", weights)]
    changes += tuple(f"{name}={value}" for name, value in shorthand if value is not None)
    chosen = choose_classifier_recipe(recipe, changes, out, resume=resume)
    dataset = open_dataset(data, size=chosen.resolution, progress=True)
    said = train_on_split(
        dataset, chosen, out, remedy=remedy, reopen=lambda size: open_dataset(data, size=size, progress=True),
        test=test, seed=seed, device=device, weights_dir=weights_dir, resume=resume,
    )  # fmt: skip
    answer(lambda: {"folder": out, **said.to_json(), **course()}, lambda: said.sentence, f"wrote {out}")


@click.command(cls=OneScreen)
@click.argument("run", type=FOLDER)
@click.argument("images", nargs=-1, required=True, type=FOLDER)
@click.option("--calibrated", is_flag=True, help="Temper the probabilities as the validation images asked for.")
@device_option
def classify(run: Path, images: tuple[Path, ...], calibrated: bool, device: str) -> None:
    """Say of which class images are, with probabilities.

    RUN is a folder that train-classifier wrote. IMAGES are files, or folders that are searched for images. Of each
    image the centre square is looked at.

    \b
    Example:
      gansynth classify runs/classifier cell.png
      gansynth classify runs/classifier new-slide --calibrated --json
    """
    from gansynth.classifiers import classify as classify_files
    from gansynth.classifiers import open_classifier

    classifier = open_classifier(run, calibrated=calibrated or None, device=device)
    as_json = answers_in_json()
    answers, failed, seen, n = [], [], 0, 0
    for found in classify_files(classifier, images):
        n, seen = n + 1, seen + found.seen
        if found.error:
            failed.append(f"{found.file} ({found.error})")
        if as_json:
            answers.append(found.to_json())
        elif not found.error:
            second = list(found.probabilities.items())[1:2]
            also = "".join(f"  (or {name} {p:.3f})" for name, p in second)
            click.echo(f"{found.file}  {found.class_name}  {found.probabilities[found.class_name]:.3f}{also}")
    if as_json:
        answer(lambda: {"run": str(run), "images": answers})
    if seen:
        click.echo(f"{seen} of {n} images were training images; of these it only repeats what it has learned", err=True)
    if failed:
        raise InputError(f"{len(failed)} of {n} files could not be classified: {'; '.join(failed[:5])}")
