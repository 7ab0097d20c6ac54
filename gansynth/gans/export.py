"""A run made to be given away: small, with its generator in 16 bits, or as a file that draws cells without gansynth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from gansynth.errors import InputError
from gansynth.files import is_named, known_counts
from gansynth.files.atomic import refuse_used, whole_folder, write_json
from gansynth.gans.gan import GAN
from gansynth.gans.run import CLASSIFIER, FINGERPRINTS, MOST_TRUNCATION, SPREAD, Run
from gansynth.gans.sampling import draw_latents
from gansynth.networks.images import to_uint8
from gansynth.recipes.declared import CompactGenerator
from gansynth.runs.folder import INFO, MODEL, RECIPE
from gansynth.runs.portable import About, Format, Portable, write_portable
from gansynth.runs.weights import halved, read_weights, write_weights

_COMPARED = 11
_ONE_LEVEL = 1.0
"""Two programs round a value between two grey levels differently; more is another image."""


def export_run(run: Run, out: Path, *, spread: Mapping[str, float] | None = None) -> Run:
    """Write a run without its training state: generator and classifier in 16 bits, fingerprints, recipe, provenance.

    The result opens like any run; it generates without the data it was trained on, and cannot be resumed.

    Parameters
    ----------
    run : Run
    out : pathlib.Path
        A new or empty folder.
    spread : mapping, optional
        Class to the truncation, 0 to 2, that its images are to be drawn with from now on; other classes keep theirs.
        Above 1 where a class varies less than real cells do.

    Raises
    ------
    InputError
        If `out` holds anything, a class is unknown, a share is out of range, or the generator has no styles.
    """
    refuse_used(out)
    tensors, metadata = read_weights(run.path / MODEL)
    tensors = halved(tensors)
    if spread:
        tensors[SPREAD] = _spread(run, spread, tensors.get(SPREAD))
    with whole_folder(out) as folder:
        write_weights(folder / MODEL, tensors, metadata)
        for name in (CLASSIFIER, FINGERPRINTS):
            if is_named(run.path / name):
                tensors, metadata = read_weights(run.path / name)
                write_weights(folder / name, halved(tensors), metadata)
        (folder / RECIPE).write_text((run.path / RECIPE).read_text(encoding="utf-8"), encoding="utf-8")
        info = {**run.info, "exported_from_model_sha256": run.model_sha256}
        write_json(folder / INFO, info)
    return Run(out)


def _spread(run: Run, asked: Mapping[str, float], known: Tensor | None) -> Tensor:
    if not isinstance(run.recipe.networks, CompactGenerator):
        raise InputError(
            f"{run.name}: only a generator with styles (networks of family compact) has a spread; export without it"
        )
    shares = run.spread_in(known)
    for name, share in known_counts(asked, run.class_names, f"run {run.name}").items():
        if not 0 <= share <= MOST_TRUNCATION:
            raise InputError(f"a spread of {share} for {name}: give a number from 0 to {MOST_TRUNCATION}")
        shares[run.class_names.index(name)] = share
    return shares


class PixelGenerator(nn.Module):
    """Latents and classes in, pixels out."""

    def __init__(self, gan: GAN) -> None:
        super().__init__()
        self.gan = gan

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return uint8 images [n, 3, R, R] for float32 latents [n, L] and int64 labels [n]."""
        return to_uint8(self.gan.generate(latents, labels))


def export_generator(run: Run, out: str | Path, form: Format, *, truncation: float = 1.0) -> Portable:
    """Write a generator as ONNX or TorchScript.

    It takes latents, float32 [n, L] standard normal numbers, and labels, int64 [n] indices into the class names in
    ``export.json``; it gives uint8 images [n, 3, R, R]. `generate` also turns each image as its seed says; here that is
    left to the caller.

    Parameters
    ----------
    run : Run
    out : path-like
        A new or empty folder.
    form : {"onnx", "torchscript"}
    truncation : float
        See `Run.generator`.

    Returns
    -------
    Portable

    Raises
    ------
    InputError
        If the GAN cannot be asked for a class by itself, the packages are missing, or the file makes other images.
    """
    gan = run.load_gan(truncation)
    if type(gan).label_with is not GAN.label_with:
        raise InputError(f"{run.name}: {run.recipe.gan} needs a classifier to make a class; it is not one network")
    labels = torch.arange(_COMPARED) % len(run.class_names)
    latents = torch.cat([draw_latents(gan, int(c), [seed]) for seed, c in enumerate(labels)])
    about: About = {
        "kind": "generator",
        "model": run.name,
        "model_sha256": run.model_sha256,
        "class_names": list(run.class_names),
        "resolution": run.resolution,
        "truncation": truncation,
        "notice": "What this network makes are synthetic images, not photographs of cells.",
    }
    return write_portable(
        PixelGenerator(gan), {"latents": latents, "labels": labels}, "images", out, form,
        tolerance=_ONE_LEVEL, about=about,
    )  # fmt: skip
