"""How rare must a class be before synthetic cells pay? Remedies over the number of images that it has to learn from.

    python eval/rarity_curve.py cells pbc --rare promyelocyte --others 400 --out few
    gansynth sweep few --remedies none,... --minority promyelocyte --most 288 --ratios 1,2.88,... --folds 5 --out swept
    python eval/rarity_curve.py table swept --against posthoc-logit-adjustment,oversample-turned --out DIR
    python eval/rarity_curve.py restained pbc --size 64 --out elsewhere
    python eval/rarity_curve.py thinned elsewhere --rare promyelocyte --keep 5 --others 288 --out five

`cells` writes class folders with at most so many images of each other class, those of the smallest sha256. `restained`
writes a data set and its split as a laboratory with another stain would have them (`cells/spoiling.py`). `thinned`
writes a data set with its split in which training images are few, so that a generator, too, learns from no others; its
test images are all there. `table` reads
a sweep of one rare class: table.md has every arm at every number of its images, and how far the arms with synthetic
images are from others that have none; figures.json holds the same, and the charts are those of the sweep's page.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gansynth.cells.spoiling import restained
from gansynth.data.npz import write_png
from gansynth.data.opening import open_dataset
from gansynth.data.split import write_splits
from gansynth.errors import InputError
from gansynth.files import known_classes
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.classification_effects import Effect
from gansynth.metrics.wording import inside, p_value, signed, signed_ends
from gansynth.remedies.arm import NONE
from gansynth.report.sweep.charts import ratio_chart
from gansynth.report.sweep.page import of_the_rare
from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.comparison.figures import compared, corrected, pooled
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.sweep.result import ImbalanceSweep
from paper_arms import write_chart
from paper_study import MISSING, markdown, share

MACRO = Endpoint("macro-F1")

LEGEND = """\
95% intervals over test images and folds; bold: shown to differ from `none`, p below 0.05 after Holm's correction for
all arms and all numbers of images. At no loss: where the mean recall of the other classes is 0.02 below that of `none`,
by multiplying the probability of the rare class by one factor that is found on the test images; there p is corrected
for the arms alone. A dash: more is lost even if no cell is called rare."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    cells = steps.add_parser("cells")
    cells.add_argument("data")
    cells.add_argument("--rare", required=True)
    cells.add_argument("--others", type=int, required=True, help="images of each other class, at most")
    cells.add_argument("--out", type=Path, required=True)
    stained = steps.add_parser("restained")
    stained.add_argument("data")
    stained.add_argument("--size", type=int, default=64, help="edge length of the pictures in pixels (default 64)")
    stained.add_argument("--out", type=Path, required=True)
    thin = steps.add_parser("thinned")
    thin.add_argument("data")
    thin.add_argument("--rare", required=True)
    thin.add_argument("--keep", type=int, required=True, help="training images of the rare class")
    thin.add_argument("--others", type=int, required=True, help="training images of each other class, at most")
    thin.add_argument("--seed", type=int, default=1, help="decides which (default 1)")
    thin.add_argument("--out", type=Path, required=True)
    made = steps.add_parser("table")
    made.add_argument("swept", type=Path)
    made.add_argument("--against", default="", help="arms that those with synthetic images are held against")
    made.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        if given.step == "cells":
            print(few_cells(given.data, given.rare, given.others, given.out))
        elif given.step == "restained":
            print(elsewhere(given.data, given.size, given.out))
        elif given.step == "thinned":
            print(thinned(given.data, given.rare, given.keep, given.others, given.seed, given.out))
        else:
            print(study(given.swept, [arm for arm in given.against.split(",") if arm], given.out))
    except InputError as error:
        sys.exit(f"error: {error}")


def few_cells(data: str, rare: str, others: int, out: Path) -> str:
    """Write class folders with every image of one class and at most so many of each other; say what was written.

    Raises
    ------
    InputError
        If there is no such class, or something lies in `out`.
    """
    found = open_dataset(data, 32, splits=False)
    (rare,) = known_classes([rare], found.class_names, "--rare")
    if out.exists():
        raise InputError(f"{out}: is there already; give another --out")
    said = []
    for c, name in enumerate(found.class_names):
        mine = found.records[found.labels == c].sort_values("sha256")
        kept = mine if name == rare else mine.head(others)
        (out / name).mkdir(parents=True)
        for path in kept["path"]:
            shutil.copyfile(Path(data) / path, out / name / Path(path).name)
        said.append(f"{name} {len(kept)}")
    return f"{out}: {', '.join(said)}"


def elsewhere(data: str, size: int, out: Path) -> str:
    """Write a data set with its split in another stain; say what was written.

    Raises
    ------
    InputError
        If the data have no split, or something lies in `out`.
    """
    found = open_dataset(data, size)
    if (found.records["split"] == "").any():
        raise InputError(f"{data}: has images without a split; run gansynth data split")
    if out.exists():
        raise InputError(f"{out}: is there already; give another --out")
    paths = [str(Path(path).with_suffix(".png")) for path in found.records["path"]]
    for path, image in zip(paths, restained(found.images), strict=True):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        write_png(image.transpose(1, 2, 0), out / path)
    write_splits(replace(found, records=found.records.assign(path=paths)), out)
    return f"{out}: {len(paths):,} images of {size} px in another stain"


def thinned(data: str, rare: str, keep: int, others: int, seed: int, out: Path) -> str:
    """Write a data set with its split, fewer of its training images and of its validation images; say what was written.

    Validation images: a fifth as many of the rare class as it has for training, at least one, and 50 of each other.

    Raises
    ------
    InputError
        If the data have no split or no such class, or something lies in `out`.
    """
    found = open_dataset(data, 32)
    (rare,) = known_classes([rare], found.class_names, "--rare")
    if not {"train", "test"} <= set(found.records["split"]):
        raise InputError(f"{data}: has no split; run gansynth data split")
    if out.exists():
        raise InputError(f"{out}: is there already; give another --out")
    draw = random.Random(seed)
    kept = [np.flatnonzero(found.records["split"] == "test")]
    for part, of_rare, of_others in (("train", keep, others), ("val", max(1, keep // 5), 50)):
        for c, name in enumerate(found.class_names):
            mine = list(np.flatnonzero((found.labels == c) & (found.records["split"] == part).to_numpy()))
            draw.shuffle(mine)
            kept.append(np.array(mine[: of_rare if name == rare else of_others], np.int64))
    few = found.select(np.sort(np.concatenate(kept)))
    for path in few.records["path"]:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(data) / path, out / path)
    write_splits(few, out)
    return f"{out}: {len(few):,} images, {keep} training images of {rare}"


def study(folder: Path, against: Sequence[str], out: Path) -> str:
    """Write and return the tables of a sweep of one rare class.

    Raises
    ------
    InputError
        If several classes became rare, or an arm of `against` is not among the arms.
    """
    swept = ImbalanceSweep.read(folder)
    if len(swept.settings.minority) != 1:
        raise InputError(f"{folder}: {', '.join(swept.settings.minority)} became rare; the curve is of one class")
    unknown = [arm for arm in against if arm not in swept.arm_names]
    if unknown:
        raise InputError(f"--against {unknown[0]}: no such arm; there are {', '.join(swept.arm_names)}")
    found = [Comparison.read(folder / step.folder) for step in swept.about.steps]
    rare, [classifier] = swept.settings.minority[0], swept.measured
    recall = Endpoint("recall", rare)
    counts = [step.counts[rare] for step in swept.about.steps]
    gaps = {one: _gaps(swept, found, classifier, one, against) for one in (MACRO, recall)}
    parts = [f"# {rare}: remedies over the number of its training images, {classifier}", _facts(swept, rare)]
    parts += [f"**{title}**\n\n{table}" for title, table in _tables(swept, found, classifier, rare, counts)]
    parts.append(LEGEND)
    if against:
        parts += [f"**{one.title}, difference**\n\n{_gap_table(rows, counts)}" for one, rows in gaps.items()]
        parts.append(f"p in brackets, corrected by Holm for all {len(counts)} columns and all rows of one table.")
    text = "\n\n".join(parts) + "\n"
    write_text(out / "table.md", text)
    boards = [[one.to_json() for one in results.standings(classifier)] for results in found]
    kept = {
        "about": swept.about.to_json(),
        "figures": [one.to_json() for one in swept.figures],
        "effects": [one.to_json() for one in swept.effects],
        "standings": dict(zip(map(str, counts), boards, strict=True)),
        "differences": [
            {"endpoint": str(one), "arm": arm, "against": other, "images": n, "value": gap.value,
             "interval": gap.interval, "p": gap.p, "p_holm": p}
            for one, rows in gaps.items() for (arm, other), cells in rows.items()
            for n, (gap, p) in zip(counts, cells, strict=True)
        ],
    }  # fmt: skip
    write_json(out / "figures.json", kept)
    for one in (MACRO, recall):
        lines = {arm: swept.curve(arm, classifier, one) for arm in swept.arm_names}
        write_chart(out / f"{one.metric}.svg", ratio_chart(lines, inside(one.title), **of_the_rare(swept)))
    return text


Gap = tuple[Effect, float | None]
"""A difference, and its p after Holm's correction."""


def _gaps(
    swept: ImbalanceSweep, found: Sequence[Comparison], classifier: str, endpoint: Endpoint, against: Sequence[str]
) -> dict[tuple[str, str], list[Gap]]:
    """Return how far each arm with synthetic images is from each of `against`, at every number of images."""
    made = [a for a in swept.arm_names if any((e := c.entry(a, classifier)) and e.is_synthetic for c in found)]
    pairs = [(arm, other) for arm in made for other in against if arm != other]
    tests = []
    for step, results in zip(swept.about.steps, found, strict=True):
        n_train = [step.learned_from] * results.about.folds
        arms = {}
        for arm in {name for pair in pairs for name in pair}:
            entry = results.entry(arm, classifier)
            if entry is None:
                raise InputError(f"{results.folder}: {arm} was not trained")
            arms[arm] = pooled(results.records(entry), None)
        tests += [compared(arms[arm], arms[other], endpoint, results.class_names, n_train) for arm, other in pairs]
    gaps = list(zip(tests, corrected(tests), strict=True))
    return {pair: gaps[i :: len(pairs)] for i, pair in enumerate(pairs)}


def _gap_table(rows: dict[tuple[str, str], list[Gap]], counts: Sequence[int]) -> str:
    lines = [[f"`{arm}` minus `{other}`", *map(_gap, cells)] for (arm, other), cells in rows.items()]
    return markdown(["", *map(str, counts)], lines)


def _gap(gap: Gap) -> str:
    effect, p = gap
    if effect.value is None:
        return MISSING
    ends = f" ({signed_ends(effect.interval, 3)})" if effect.interval else ""
    return f"{signed(effect.value, 3)}{ends}" + (f" [{p_value(p)}]" if p is not None else "")


def _facts(swept: ImbalanceSweep, rare: str) -> str:
    about = swept.about
    others = sorted({n for step in about.steps for name, n in step.counts.items() if name != rare})
    span = f"{others[0]:,}" if len(others) == 1 else f"{others[0]:,} to {others[-1]:,}"
    [size] = set(about.sizes.values())
    return (
        f"{len(about.classes)} classes at {size} px; of each other class {span} training images; {about.tested[rare]} "
        f"{rare}s and {sum(about.tested.values()) - about.tested[rare]:,} other cells tested, each once, in "
        f"{swept.settings.folds or 1} fold(s); {len(about.seeds)} training(s) in each."
    )


def _tables(
    swept: ImbalanceSweep, found: Sequence[Comparison], classifier: str, rare: str, counts: Sequence[int]
) -> list[tuple[str, str]]:
    """Return titles and tables: an arm a row, a number of images of the rare class a column."""
    head = [f"{rare}s to learn from", *map(str, counts)]
    recall, tables = Endpoint("recall", rare), []
    for endpoint, digits in ((MACRO, 3), (recall, 2)):
        rows = []
        for arm in swept.arm_names:
            shown = {point.rho for point in swept.differences(arm, classifier, endpoint) if point.shown}
            entries = [results.entry(arm, classifier) for results in found]
            cells = [share(entry.estimate(endpoint) if entry else None, digits) for entry in entries]
            rhos = [step.rho for step in swept.about.steps]
            rows.append([f"`{arm}`", *(_bold(c, rho in shown) for c, rho in zip(cells, rhos, strict=True))])
        tables.append((endpoint.title, markdown(head, rows)))
    standings = [{one.arm: one for one in results.standings(classifier)} for results in found]
    rows = []
    for arm in swept.arm_names:
        ranked = [one.get(arm) for one in standings]
        cells = [_bold(share(s.at_no_loss), s.p_holm is not None and s.p_holm < 0.05) if s else MISSING for s in ranked]
        rows.append([f"`{arm}`", *cells])
    tables.append((f"{recall.title}, at no loss elsewhere", markdown(head, rows)))
    rows = []
    for arm in (name for name in swept.arm_names if name != NONE):
        gaps = [s.at_no_loss_effect if (s := one.get(arm)) else None for one in standings]
        rows.append([f"`{arm}`", *(_gap((gap, gap.p_holm)) if gap else MISSING for gap in gaps)])
    tables.append((f"{recall.title}, at no loss elsewhere, difference from `{NONE}`", markdown(head, rows)))
    return tables


def _bold(text: str, shown: bool) -> str:
    return f"**{text}**" if shown else text


if __name__ == "__main__":
    main()
