"""What do judges of two families say of a generator's cells? One table for each, in a few minutes.

    python eval/two_judges.py DATA RUN_OR_FOLDER... --count 100 --out DIR

Each RUN (a run folder or a model of the zoo) makes `--count` images of every class; a FOLDER of synthetic images is
taken as it is. Then `gansynth quality` measures them, in the features of the cell encoder and of the first of
EfficientNet-Lite2 and -Lite0 that was not the run's critic. The real side is kept between calls. A table has, of every
class:

* *recognised*: share given the class it was made for, by the cell encoder's classifier, and by a linear classifier in
  the pretrained network's features; beside it the same of held-out real cells, of real cells as JPEG of quality 60,
  and blurred by 0.7 px;
* *KD*: kernel distance from held-out real cells in both features, beside the same of other real cells, JPEG and blur;
* *diversity*: mean distance between two images of the class, as a share of real, whole and of the white cell alone;
* *improved recall* in cell features (in the last row over all classes together), and near-copies of training images;
* *worse of two*: share recognised, as a share of real, by whichever family says less.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gansynth.errors import InputError
from gansynth.files.atomic import write_text
from gansynth.gans import Run, open_run
from gansynth.metrics.catalogue import LITE
from gansynth.metrics.estimate import Estimate, mean_of_known
from gansynth.studies.quality.controls import TITLES
from gansynth.studies.quality.makers import judges_for
from gansynth.studies.quality.result import Quality
from gansynth.studies.quality.study import quality
from gansynth.synthesis import generate

MEAN = "mean over classes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="the data set that the runs were trained on, with its splits.csv")
    parser.add_argument(
        "made", nargs="+", metavar="RUN_OR_FOLDER", help="runs, models of the zoo, or folders of images"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100, help="generated images of each class (default 100)")
    parser.add_argument("--size", type=int, help="compare at this edge length (default: that of the images)")
    parser.add_argument("--encoder", default="auto", help="cell encoder, as for `gansynth quality`")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    try:
        lines = []
        for name in options.made:
            folder, run = images_of(name, options.out, options.count, options.seed, options.device)
            judge = judges_for(run, tuple(LITE))[0][:1]
            found = quality(
                options.data, folder, run=run, encoder=options.encoder, size=options.size, pretrained=judge,
                seed=options.seed, device=options.device,
            )  # fmt: skip
            title = Path(name).name
            found.write(options.out / "quality" / title)
            table = tables(title, found, judge[0] if judge else "")
            print(table, flush=True)
            write_text(options.out / f"{title}.md", table)
            lines.append(summary_row(title, found, judge[0] if judge else ""))
        text = summary(lines)
        print(text)
        write_text(options.out / "summary.md", text)
    except InputError as error:
        sys.exit(f"error: {error}")


def images_of(name: str, out: Path, count: int, seed: int, device: str) -> tuple[Path, Run | None]:
    """Return a folder of synthetic images and the run that made them: generated where `name` is a run."""
    if Path(name).is_dir() and not (Path(name) / "run.json").is_file():
        return Path(name), None
    run = open_run(name)
    folder = out / "images" / f"{run.name}-{run.model_sha256[:12]}-{count}"
    generate(
        run, dict.fromkeys(run.class_names, count), folder, seed=seed, device=device, keep_copies=True,
        keep_broken=True, resume=folder.is_dir() and any(folder.iterdir()),
    )  # fmt: skip
    return folder, run


def tables(title: str, found: Quality, judge: str) -> str:
    """Return what was found of one generator, class by class, as Markdown."""
    families = [("cell encoder", "recall", "-cell")]
    families += [(f"Lite{LITE[judge]}", f"recognised{judge}", judge)] if judge else []
    heads = ["class"]
    for family, _, _ in families:
        heads += [f"recognised, {family} (real; JPEG 60; blur)", f"KD, {family} (real; JPEG 60; blur)"]
        heads += [f"diversity, {family}: whole, white"]
    heads += ["improved recall (real)", "copies", "worse of two"]
    rows = []
    for name, book in [*found.classes.items(), (MEAN, found.metrics)]:
        cells = [name]
        for _, recall, suffix in families:
            for metric in (recall, f"KD{suffix}"):
                books = [row.classes for row in (found.controls[control] for control in TITLES)]
                beside = [_mean(one, metric) if name == MEAN else _of(one[name], metric) for one in books]
                value = _mean(found.classes, metric) if name == MEAN else _of(book, metric)
                cells.append(f"{_number(value)} ({'; '.join(map(_number, beside))})")
            cells.append(f"{_share(book, f'diversity{suffix}')}, {_share(book, f'diversity-white{suffix}')}")
        variety = book.get("improved-recall-cell")
        cells += [
            f"{_number(_of(book, 'improved-recall-cell'))} ({_number(None if variety is None else variety.floor)})",
            _number(_of(book, "copies")),
            _number(_of(book, "recognised-worse")),
        ]
        rows.append(cells)
    notes = "".join(f"\n- {warning}" for warning in found.warnings)
    return f"\n## {title}\n\n{_markdown(heads, rows)}\n{notes}\n"


def summary_row(title: str, found: Quality, judge: str) -> list[str]:
    """Return one generator's row of the last table."""
    row = [title]
    for recall, suffix in (("recall", "-cell"), (f"recognised{judge}", judge)):
        kd, jpeg = (_mean(one, f"KD{suffix}") for one in (found.classes, found.controls["jpeg-60"].classes))
        row += [_share(found.metrics, recall), f"{_number(kd)} ({_number(jpeg)})"]
        row += [f"{_share(found.metrics, f'diversity{suffix}')}, {_share(found.metrics, f'diversity-white{suffix}')}"]
    worst = min(
        ((one.value, c) for c, book in found.classes.items() if (one := book["recognised-worse"]).value is not None),
        default=(None, ""),
    ) if judge else (None, "")  # fmt: skip
    row += [_number(_of(found.metrics, "recognised-worse")), f"{_number(worst[0])} {worst[1]}"]
    return [*row, _number(_of(found.metrics, "copies"))]


def summary(rows: Sequence[Sequence[str]]) -> str:
    """Return a row for each generator as Markdown."""
    heads = ["generator"]
    for family in ("cell encoder", "pretrained"):
        heads += [
            f"recognised, share of real, {family}",
            f"KD, {family} (JPEG 60)",
            f"diversity, {family}: whole, white",
        ]
    return f"\n{_markdown([*heads, 'worse of two', 'worst class', 'copies'], rows)}\n"


def _of(book: Mapping[str, Estimate], metric: str) -> float | None:
    return book[metric].value if metric in book else None


def _mean(classes: Mapping[str, Mapping[str, Estimate]], metric: str) -> float | None:
    """Return the mean over the classes, whose distances are not the distance of all together."""
    return mean_of_known([_of(book, metric) for book in classes.values()])


def _share(book: Mapping[str, Estimate], metric: str) -> str:
    one = book.get(metric)
    return "-" if one is None or one.value is None or not one.floor else f"{one.value / one.floor:.2f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value == int(value) and value > 1 else f"{value:.2f}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
