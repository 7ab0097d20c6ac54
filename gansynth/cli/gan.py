"""`gansynth train-gan` and `gansynth export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gansynth.cli.answering import answer, course, forecast_of
from gansynth.cli.arguments import (
    COUNT,
    MINUTES,
    OUT,
    device_option,
    dry_run_option,
    out_folder,
    parse_shares,
    seed_option,
)
from gansynth.cli.completing import DATA, GAN_RECIPE, GENERATOR, LOGGER
from gansynth.cli.screen import OneScreen, Rare
from gansynth.errors import InputError

if TYPE_CHECKING:
    from gansynth.gans import Run


@click.command(cls=OneScreen, name="train-gan")
@click.argument("data", shell_complete=DATA)
@click.option(
    "--recipe",
    shell_complete=GAN_RECIPE,
    help="A recipe of the zoo (see `gansynth models`) or a YAML file.  [default: c-wgan-gp-64, or the resumed run's]",
)
@click.option("--out", type=OUT, required=True, help="The run: a folder for weights, log and sample sheets.")
@click.option("--set", "changes", metavar="A.B=C", multiple=True, help="Change one value of the recipe; repeatable.")
@click.option("--steps", type=COUNT, help="Stop after so many generator steps.")
@click.option("--minutes", type=MINUTES, help="Stop after so many minutes.")
@click.option("--images", type=COUNT, help="Stop after so many real images were shown.")
@click.option("--resume", is_flag=True, help="Continue the run in --out exactly where it stopped.")
@click.option(
    "--from",
    "parent",
    metavar="RUN",
    shell_complete=GENERATOR,
    help="Begin with the networks of another run, or of the zoo, and its recipe.",
)
@click.option("--devices", cls=Rare, type=COUNT, default=1, show_default=True, help="How many GPUs (or CPU processes).")
@click.option("--precision", cls=Rare, type=click.Choice(["32", "bf16"]), help="Default: what the recipe says.")
@click.option(
    "--logger",
    "loggers",
    cls=Rare,
    multiple=True,
    shell_complete=LOGGER,
    help="Also log to wandb or mlflow; repeatable.",
)
@dry_run_option
@seed_option
@device_option
def train_gan(
    data: str,
    recipe: str | None,
    out: Path,
    changes: tuple[str, ...],
    steps: int | None,
    minutes: float | None,
    images: int | None,
    resume: bool,
    parent: str | None,
    devices: int,
    precision: str | None,
    loggers: tuple[str, ...],
    dry_run: bool,
    seed: int,
    device: str,
) -> None:
    """Train a generator on a data set.

    Only the training split of DATA is learned from. DATA is a folder of images per class, an imported set, or the
    word phantom. A data set without splits.csv is split first; validation and test images are never trained on.

    \b
    Example:
      gansynth train-gan my-cells --from pbc-64 --minutes 120 --out runs/my-cells
      gansynth train-gan my-cells --recipe c-wgan-gp-64 --steps 20000 \\
          --out runs/from-scratch
      gansynth train-gan my-cells --recipe c-wgan-gp \\
          --set training.batch_size=32 --device cuda --out runs/paper
      gansynth train-gan my-cells --out runs/my-cells --resume --minutes 240
    """
    from gansynth import gans
    from gansynth.data import open_dataset
    from gansynth.data.opening import count_enlarged, refuse_inside
    from gansynth.report.training import TrainingPage
    from gansynth.runs.device import Devices

    refuse_inside(data, out)
    if precision is not None:
        changes = (*changes, f"training.precision='{precision}'")
    chosen = gans.choose_recipe(recipe, changes, out, resume=resume, parent=parent)
    dataset = open_dataset(data, size=chosen.resolution, progress=True)
    enlarged = count_enlarged(data, chosen.resolution)
    if 2 * enlarged > len(dataset):
        click.echo(
            f"note: {enlarged:,} of {len(dataset):,} images are smaller than the {chosen.resolution} px of this recipe."
            " They are enlarged, which adds no detail and takes longer; a recipe or --from of their size is enough",
            err=True,
        )
    if dry_run:
        from gansynth import forecast

        begun = gans.Run(out) if resume and (out / "run.json").is_file() else None
        forecast_of(forecast.training(dataset, chosen, steps, minutes, images, begun=begun, device=device))
        return
    run = gans.train_gan(
        dataset,
        chosen,
        out,
        steps=steps,
        minutes=minutes,
        images=images,
        resume=resume,
        parent=parent,
        seed=seed,
        device=Devices(device, devices),
        loggers=[TrainingPage(out), *loggers],
    )
    if gans.is_first_process():
        answer(lambda: {**_trained(run), **course()}, wrote=f"wrote {run.path}")


def _trained(run: Run) -> dict[str, Any]:
    """Return what a script needs of a training."""
    return {
        "folder": run.path,
        "page": run.path / "report.html",
        "recipe": run.recipe.name,
        "gan": run.recipe.gan,
        "resolution": run.resolution,
        "classes": run.class_names,
        "model_sha256": run.model_sha256,
        "step": run.step,
        "images": run.images,
        "training_seconds": run.seconds,
        "finished": run.finished,
    }


@click.command(cls=OneScreen)
@click.argument("run", shell_complete=GENERATOR)
@out_folder
@click.option(
    "--format",
    "form",
    type=click.Choice(["run", "onnx", "torchscript", "huggingface"]),
    default="run",
    show_default=True,
    help="run: a small run of gansynth; onnx, torchscript: a network that runs without it; huggingface: a folder for "
    "the hub.",
)
@click.option(
    "--spread",
    metavar="CLASS=SHARE,...",
    help="Classes that vary too little, drawn farther from their typical image from now on: monocyte=1.2.",
)
def export(run: str, out: Path, form: str, spread: str | None) -> None:
    """Write a run small enough to give away, or for others.

    \b
    Example:
      gansynth export runs/my-cells my-cells-64
      gansynth export runs/my-cells --format onnx --out my-cells-onnx
      gansynth export runs/classifier --format torchscript --out classifier-ts
      gansynth export balanced --format huggingface --out balanced-hf

    Writes the generator in 16 bits with its recipe, its provenance and what checks its images, without the training
    state: it generates without the data, and cannot be resumed.

    --format onnx and torchscript take a run of train-gan or train-classifier, and keep the file only if it computes the
    same images or probabilities. export.json beside it says what goes in and what comes out. --format huggingface
    takes a run of train-gan, or a folder of images per class, and adds a card.
    """
    shares = parse_shares(spread or "", "--spread")
    if shares and form in ("onnx", "torchscript"):
        raise InputError(f"--spread: is written into a run; export one with it first, then that one as {form}")
    if form in ("onnx", "torchscript"):
        _export_network(run, out, form)
        return
    from gansynth.runs.folder import INFO

    if form == "huggingface" and Path(run).is_dir() and not (Path(run) / INFO).is_file():
        from gansynth.data.hub import export_dataset

        if shares:
            raise InputError(f"--spread: {run} is not a run, and only a generator has a spread; leave it out")
        exported = export_dataset(run, out)
        answer(
            lambda: {"folder": exported.path, "images": exported.counts, **course()},
            lambda: ", ".join(f"{n:,} images in {split}" for split, n in exported.counts.items()),
            f"wrote {exported.path}",
        )
        return
    from gansynth.gans import open_run
    from gansynth.gans.export import export_run
    from gansynth.gans.hub import export_to_hub

    written = (export_to_hub if form == "huggingface" else export_run)(open_run(run), out, spread=shares)
    size = sum(file.stat().st_size for file in written.path.iterdir())
    answer(
        lambda: {"folder": written.path, "bytes": size, **course()},
        wrote=f"wrote {written.path} ({size / 1e6:.1f} MB)",
    )


def _export_network(run: str, out: Path, form: Any) -> None:
    from gansynth.classifiers import open_classifier
    from gansynth.classifiers.opening import is_classifier
    from gansynth.classifiers.portable import export_classifier
    from gansynth.gans import open_run
    from gansynth.gans.export import export_generator

    if is_classifier(run):
        written = export_classifier(
            open_classifier(run, calibrated=False, device="cpu"), out, form, name=Path(run).name
        )
        unit = "of probability"
    else:
        written, unit = export_generator(open_run(run), out, form), "grey levels"
    size = written.file.stat().st_size
    answer(
        lambda: {
            "folder": out,
            "file": written.file,
            "bytes": size,
            "compared": written.compared,
            "largest_difference": written.largest_difference,
            "unit": unit,
            **course(),
        },
        lambda: f"compared on {written.compared} inputs: at most {written.largest_difference:.2g} {unit} apart",
        f"wrote {written.file} ({size / 1e6:.1f} MB)",
    )
