"""What every synthetic PNG says about itself, and the PNG encoding."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from gansynth.errors import InputError
from gansynth.files import open_regular
from gansynth.version import __version__

NOTICE = "Synthetic image made by gansynth; not a photograph of a cell."

_PREFIX = "gansynth."


@dataclass(frozen=True)
class Provenance:
    """Where a synthetic image comes from.

    Attributes
    ----------
    model : str
        Name of the run.
    model_sha256 : str
        Of the generator's weights.
    recipe : str
        Name of the recipe it was trained by.
    class_name : str
        The class that was asked for.
    seed : int
        With the model, the class, the truncation and the guidance, all that the image depends on.
    version : str
        Of gansynth.
    truncation : float
        Share kept of the distance from the typical image of the class; 1 for images as the generator makes them.
    guidance : float
        Of a diffusion model (`gansynth.gans.Run.guided`); 1 for images that were not guided.
    stain : str
        How its colours were changed to those of real images (`gansynth.cells.stain_matching.StainChange`); "" for
        images as the generator makes them.
    """

    model: str
    model_sha256: str
    recipe: str
    class_name: str
    seed: int
    version: str = __version__
    truncation: float = 1.0
    guidance: float = 1.0
    stain: str = ""


def encode_png(image: NDArray[np.uint8], provenance: Provenance) -> bytes:
    """Return a PNG that says that it is synthetic, and by which model.

    Run-length compression (zlib's Z_RLE after PNG's filters) is meant for photographs like these: on
    128 px cells it takes 1.4 ms and 23.5 KiB where the usual level 6 takes 4.4 ms and 23.4 KiB, and
    level 1 takes 1.6 ms and 26.3 KiB. It loses nothing; every reader of PNG reads it.

    Parameters
    ----------
    image : uint8 array, shape [3, H, W]
        RGB, 0..255.
    provenance : Provenance

    Returns
    -------
    bytes
        The same for the same arguments and library versions.
    """
    text = PngInfo()
    text.add_text("Description", NOTICE)
    text.add_text("Software", f"gansynth {provenance.version}")
    facts = {
        "origin": "synthetic",
        "model": provenance.model,
        "model_sha256": provenance.model_sha256,
        "recipe": provenance.recipe,
        "class": provenance.class_name,
        "seed": str(provenance.seed),
    }
    if provenance.truncation != 1:
        facts["truncation"] = repr(provenance.truncation)
    if provenance.guidance != 1:
        facts["guidance"] = repr(provenance.guidance)
    if provenance.stain:
        facts["stain"] = provenance.stain
    for key, value in facts.items():
        # A folder name that is not valid Unicode reaches Python with surrogates, which PNG text cannot hold.
        text.add_text(_PREFIX + key, value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?"))
    buffer = io.BytesIO()
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=text, compress_level=1, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def read_provenance(path: str | Path) -> Provenance | None:
    """Read what a PNG says about its origin.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Provenance or None
        None if the image does not say that gansynth made it.

    Raises
    ------
    InputError
        If the file cannot be read as an image.

    Examples
    --------
    >>> read_provenance("synthetic/promyelocyte/promyelocyte_000123.png").seed  # doctest: +SKIP
    123
    """
    try:
        with open_regular(path) as file, Image.open(file) as image:
            text = dict(image.text) if isinstance(image, PngImageFile) else {}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: not a readable image ({error}); name a PNG file") from error
    if text.get(_PREFIX + "origin") != "synthetic":
        return None
    seed = text.get(_PREFIX + "seed", "")
    return Provenance(
        model=text.get(_PREFIX + "model", ""),
        model_sha256=text.get(_PREFIX + "model_sha256", ""),
        recipe=text.get(_PREFIX + "recipe", ""),
        class_name=text.get(_PREFIX + "class", ""),
        seed=int(seed) if seed.isdecimal() and len(seed) < 20 else -1,
        version=text.get("Software", "").removeprefix("gansynth "),
        truncation=_number(text.get(_PREFIX + "truncation", "1")),
        guidance=_number(text.get(_PREFIX + "guidance", "1")),
        stain=text.get(_PREFIX + "stain", ""),
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
