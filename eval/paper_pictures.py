"""Pictures that papers show and no table of a study has: steps of a smear, an augmented cell, a cell in parts, losses.

    python eval/paper_pictures.py steps FIELD --out DIR              pasupa2020, figure 7: algorithm 1, step by step
    python eval/paper_pictures.py augmentation DATA --class NAME --out DIR      guo2022, figure 5
    python eval/paper_pictures.py parts DATA --class NAME --out DIR  abouali2023, figures 5 and 6: parts and composites
    python eval/paper_pictures.py losses --out DIR                   pasupa2020, figure 1: the focal loss over gamma

Trains nothing. Cells are the first training images of the class that can be cut out; none is picked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gansynth.cells.segmentation import segment_cell
from gansynth.classifiers.augmentation import free_augmentation
from gansynth.data.picture import read_image
from gansynth.errors import InputError
from gansynth.files import known_classes
from gansynth.files.atomic import whole_file, write_text
from gansynth.networks.images import to_float, to_uint8
from gansynth.remedies.focal import FocalLoss
from gansynth.report.drawing import SERIES, as_svg, blank_figure
from gansynth.smears.boxes import overlay
from gansynth.smears.cut import Surround, cut_cell
from gansynth.smears.diameter import given_or_measured
from gansynth.smears.field import working_field
from gansynth.smears.finding import equalised_grey, find_red_cells, white_cell_regions
from gansynth.synthesis.naturalize.composing import Composer
from gansynth.synthesis.naturalize.parts import Cut, Scene, cut_white_cell, read_scene, training_images

Pixels = NDArray[np.uint8]
Panel = tuple[str, Pixels]
"""What a part of a picture is called, and the part: uint8 [h, w, 3]."""

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
COMPOSITES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind, source in (("steps", "field"), ("augmentation", "data"), ("parts", "data"), ("losses", "")):
        one = kinds.add_parser(kind)
        if source:
            one.add_argument(source)
        if source == "data":
            one.add_argument("--class", dest="class_name", required=True)
            one.add_argument("--size", type=int, default=128)
        one.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        if given.kind == "losses":
            write_text(given.out / "losses.svg", losses())
            return
        if given.kind == "steps":
            panels = steps(read_image(Path(given.field)))
        else:
            panels = {"augmentation": augmentation, "parts": parts}[given.kind](
                given.data, given.class_name, given.size
            )
        with whole_file(given.out / f"{given.kind}.jpg") as temporary:
            strip(panels).save(temporary, format="JPEG", quality=88)
    except InputError as error:
        sys.exit(f"error: {error}")


def steps(field: Pixels, size: int = 224) -> list[Panel]:
    """Return algorithm 1 of pasupa2020 on a field, step by step, and its first whole red cell.

    Raises
    ------
    InputError
        If no red cell is found.
    """
    diameter = given_or_measured(field, None)
    work = working_field(field, diameter)
    boxes = find_red_cells(work, white_cell_regions(work))
    whole = [box for box in boxes if not box.touches_border(*field.shape[:2])]
    if not whole:
        raise InputError("no whole red cell was found in this field; give another one")
    scale = size / diameter  # a usual cell fills its image, as in the paper
    cell = max(whole, key=lambda box: box.score)
    cut = cut_cell(field, cell, size, scale, Surround.ZERO).pixels
    return [
        ("the field", field),
        ("grey: green light", grey(work.pixels[..., 1])),
        ("equalised", grey((255 * equalised_grey(work)).astype(np.uint8))),
        (f"{len(boxes)} red cells", overlay(field, boxes)),
        ("a cell and its surroundings", cut_cell(field, cell, size, scale, Surround.SMEAR).pixels),
        ("cut, zeros around it", cut),
    ]


def augmentation(data: str, class_name: str, size: int, shown: int = 5) -> list[Panel]:
    """Return a cell of a class, and what the augmentation of guo2022 makes of it."""
    cells = training_images(data, size)
    cell = cells.images[first_rows(cells.labels, cells.class_names, class_name)[0]]
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        altered = to_uint8(free_augmentation(to_float(torch.from_numpy(np.stack([cell] * shown)))))
    pictures = [np.asarray(cell), *altered.cpu().numpy()]
    names = ["original", *[f"altered {k}" for k in range(1, shown + 1)]]
    return [(name, np.ascontiguousarray(one.transpose(1, 2, 0))) for name, one in zip(names, pictures, strict=True)]


def parts(data: str, class_name: str, size: int, tried: int = 40) -> list[Panel]:
    """Return a cell taken apart into slide, red cells and white cell, and composites of it.

    Raises
    ------
    InputError
        If no cell of the class, with a clean slide and a red cell, could be cut out of the first images.
    """
    cells = training_images(data, size)
    scenes: list[Scene] = []
    chosen: tuple[Pixels, Scene, Cut] | None = None
    for row in first_rows(cells.labels, cells.class_names, class_name)[:tried]:
        image, path = np.asarray(cells.images[row]), str(cells.records["path"].iloc[row])
        masks = segment_cell(image)
        scene, white = read_scene(image, masks, path), cut_white_cell(image, masks, path)
        scenes += [] if scene is None else [scene]
        if chosen is None and scene is not None and scene.cells and isinstance(white, Cut):
            chosen = image, scene, white
    if chosen is None:
        raise InputError(f"{data}: no cell of {class_name} could be taken apart; give another class")
    image, scene, white = chosen
    composer, rng = Composer(scenes), np.random.default_rng(0)
    made = [composer.compose(white, rng).image.transpose(1, 2, 0) for _ in range(COMPOSITES)]
    reds = [on_white(cell, size) for cell in scene.cells[:2]]
    return [
        ("the image", np.ascontiguousarray(image.transpose(1, 2, 0))),
        ("slide", np.clip(scene.light, 0, 255).astype(np.uint8)),
        *((f"red cell {k}", red) for k, red in enumerate(reds, 1)),
        ("white cell", on_white(white, size)),
        *((f"composite {k}", np.ascontiguousarray(one)) for k, one in enumerate(made, 1)),
    ]


def losses() -> str:
    """Return the focal loss over the probability of the true class, a line for each gamma, as SVG."""
    figure, axes = blank_figure(4.8, 3.4)
    p = np.linspace(0.01, 0.999, 120)
    logits = torch.from_numpy(np.stack([np.log(p), np.log1p(-p)], axis=1))
    label = torch.zeros(1, dtype=torch.int64)
    for k, gamma in enumerate(GAMMAS):
        loss = FocalLoss(gamma, 1.0, (1.0, 1.0))
        values = [float(loss(row[None], label)) for row in logits]
        name = "cross-entropy (gamma 0)" if gamma == 0 else f"gamma {gamma:g}"
        axes.plot(p, values, color=SERIES[k % len(SERIES)], linewidth=1.6, label=name)
    axes.set_xlabel("probability of the true class")
    axes.set_ylabel("loss")
    axes.set_ylim(0, 5)
    axes.legend(frameon=False, fontsize=8)
    return as_svg(figure)


def first_rows(labels: Sequence[int] | NDArray[np.int64], names: Sequence[str], class_name: str) -> list[int]:
    """Return the rows of a class in their order.

    Raises
    ------
    InputError
        If there is no such class.
    """
    (class_name,) = known_classes([class_name], names, "--class")
    return np.flatnonzero(np.asarray(labels) == list(names).index(class_name)).tolist()


def on_white(cut: Cut, size: int) -> Pixels:
    """Return a cut cell on a white slide, in the middle."""
    picture = np.full((size, size, 3), 255.0)
    height, width = cut.mask.shape
    top, left = max(0, (size - height) // 2), max(0, (size - width) // 2)
    seen = cut.density[: size - top, : size - left]
    picture[top : top + seen.shape[0], left : left + seen.shape[1]] *= np.exp(-seen)
    return np.clip(picture, 0, 255).round().astype(np.uint8)


def grey(values: Pixels) -> Pixels:
    """Return one channel [h, w] as a picture [h, w, 3]."""
    return np.repeat(values[:, :, None], 3, axis=2)


def strip(panels: Sequence[Panel], edge: int = 220) -> Image.Image:
    """Put panels of one height side by side, each under its name."""
    font, head, gap = ImageFont.load_default(size=14), 24, 6
    pictures = []
    for _, pixels in panels:
        one = Image.fromarray(pixels)
        pictures.append(one.resize((max(1, round(one.width * edge / one.height)), edge), Image.Resampling.LANCZOS))
    whole = Image.new("RGB", (sum(one.width + gap for one in pictures) - gap, edge + head), "white")
    pen, left = ImageDraw.Draw(whole), 0
    for (name, _), one in zip(panels, pictures, strict=True):
        pen.text((left + 2, 3), name, "black", font)
        whole.paste(one, (left, head))
        left += one.width + gap
    return whole


if __name__ == "__main__":
    main()
