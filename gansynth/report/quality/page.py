"""The page of `quality`: how good a set of synthetic images is, class by class."""

from __future__ import annotations

import shlex
from pathlib import Path

from gansynth.metrics.catalogue import DIVERSITIES, METRICS, Group, first_by_class
from gansynth.report.blocks import Block, Drawing, Drawings
from gansynth.report.class_charts import against_real_chart, confusion_chart
from gansynth.report.judgement import first_of
from gansynth.report.metric_tables import class_table, meanings, metric_table
from gansynth.report.numbers import duration, sentence
from gansynth.report.page import Page, Section, write_page
from gansynth.report.quality.cell_pictures import nearest_pairs, side_by_side
from gansynth.report.quality.families import families_section
from gansynth.report.quality.map_charts import class_map, small_maps
from gansynth.report.quality.verdict import findings, key_figures, verdict
from gansynth.studies.quality.result import Quality
from gansynth.studies.quality.shown import Pair

PAIRS_SHOWN = 5
"""Nearest pairs shown of a class."""


def write_quality_page(folder: Path) -> Path:
    """Write `report.html` into a folder that `quality` wrote, and return its path.

    Parameters
    ----------
    folder : pathlib.Path
        See `Quality.write`.

    Raises
    ------
    InputError
        If the folder does not hold what `quality` writes.
    """
    folder = Path(folder)
    return write_page(folder / "report.html", quality_page(Quality.read(folder), folder))


def quality_page(results: Quality, folder: Path) -> Page:
    """Compose the page from what was measured."""
    real, synthetic, size = results.about.real, results.about.synthetic, results.about.size
    held_out = "held-out real images" if real.split_known else "real images"
    sections = [
        *_pictures(results),
        Section("Every metric", blocks=[metric_table(results)]),
        *families_section(results),
        *_classes(results),
        *_confusion(results),
        *_nearest(results),
        *_map(results),
        *_rest(results),
        Section("What each metric means", blocks=[meanings([*results.metrics, *(m.metric for m in results.missing)])]),
    ]
    return Page(
        title="How good are the synthetic cells?",
        subtitle=f"{synthetic.n:,} synthetic images against {real.n_held_out:,} {held_out}, "
        f"{len(results.class_names)} classes, {size}\u00a0×\u00a0{size} pixels",
        verdict=verdict(results),
        findings=findings(results),
        figures=key_figures(results),
        warnings=[sentence(warning) for warning in results.warnings],
        sections=sections,
        commands=[(_command(results, folder), "Measure again")],
        commands_title="Reproduce",
        facts=_facts(results),
    )


def _pictures(results: Quality) -> list[Section]:
    if results.sheet is None:
        return []
    notes = {name: f"{of.synthetic:,} synthetic" for name, of in results.about.counts.items()}
    caption = "Held-out real cells of each class, drawn at random, and the first synthetic ones. None was picked."
    return [Section("Side by side", blocks=[side_by_side(results.sheet, results.class_names, notes, caption)])]


def _classes(results: Quality) -> list[Section]:
    blocks: list[Block] = []
    charts = []
    recall = [
        (name, results.classes[name]["recall"]) for name in results.class_names if "recall" in results.classes[name]
    ]
    if recall:
        drawn = against_real_chart("recall", recall, xlabel="recognised as the class asked for", percent=True)
        caption = (
            "Share of the images asked for as a class that an independent classifier puts into it, with 95% intervals. "
            "Where the two bars overlap, no difference from real cells can be shown."
        )
        charts.append(Drawing(drawn, caption, "Recognised", 32))
    variety = first_of(DIVERSITIES, results.metrics)
    spread = (
        [(n, results.classes[n][variety]) for n in results.class_names if variety in results.classes[n]]
        if variety
        else []
    )
    if variety and spread:
        drawn = against_real_chart(variety, spread, xlabel="mean distance between two images of the class")
        where = "perceptual distance" if variety == "LPIPS-diversity" else "features of the cell encoder"
        caption = (
            f"How much the images of a class differ from each other ({where}). Far left of the real mark: collapse."
        )
        charts.append(Drawing(drawn, caption, "Diversity", 32))
    if charts:
        blocks.append(Drawings(charts))
    table = class_table(results, first_by_class("first", "page"))
    if table:
        blocks.append(table)
    return [Section("Class by class", blocks=blocks)] if blocks else []


def _confusion(results: Quality) -> list[Section]:
    names, items = results.class_names, []
    both = results.about.confusion, results.about.real_confusion
    for title, counts, rows in zip(("Synthetic", "Held-out real"), both, ("asked for", "is"), strict=True):
        if counts:
            caption = (
                f"{title} images in percent of each row: the class they {'were asked for' if rows != 'is' else 'are'} "
                "(rows) and the class that the independent classifier puts them into (columns). Shares below half a "
                "percent are left out."
            )
            items.append(Drawing(confusion_chart(counts, names, rows), caption, title, 12 + 2.2 * len(names)))
    return [Section("What is taken for what", blocks=[Drawings(items)])] if items else []


def _nearest(results: Quality) -> list[Section]:
    if not results.pairs:
        return []
    groups: dict[str, list[Pair]] = {name: [] for name in results.class_names}
    for pair in results.pairs:
        group = groups.setdefault(pair.class_name, [])
        if len(group) < PAIRS_SHOWN or pair.copy:
            group.append(pair)
    caption = (
        "Left the synthetic image, right the training image nearest to it; the closest pairs of each class, where a "
        "generator that copies would be caught. Below, how far apart the two are; fresh real: how far the median "
        "held-out real cell of the class lies from its own nearest training image. Copies are framed."
    )
    return [Section("Nearest training images", blocks=[nearest_pairs(groups, caption)])]


def _map(results: Quality) -> list[Section]:
    if results.map is None:
        return []
    whole = (
        "Features of the cell encoder in the two directions that best separate the real training classes; crowded "
        "regions are stretched, so that distances have no unit. Where the crosses lie beside their dots the synthetic "
        "cells carry the features of their class. Two directions of many cannot show all that differs."
    )
    each = (
        "The same map for each class: its real cells, its synthetic ones, the real cells of all other classes in grey."
    )
    charts = [
        Drawing(class_map(results.map, results.class_names), whole, width=46),
        Drawing(small_maps(results.map, results.class_names), each, "Class by class", 48),
    ]
    return [Section("A map of real and synthetic cells", blocks=[Drawings([chart]) for chart in charts])]


def _rest(results: Quality) -> list[Section]:
    blocks = []
    apart = {Group.MANIFOLD: "Realism and variety among neighbours.", Group.SIMILARITY: "Matched similarity."}
    for title, groups in (
        ("Distance, classifier, diversity and copies.", {group for group in Group if group not in apart}),
        *((title, {group}) for group, title in apart.items()),
    ):
        names = [m.name for m in METRICS.values() if m.group in groups and m.by_class == "later"]
        table = class_table(results, names, title)
        if table:
            blocks.append(table)
    return [Section("Every other metric, class by class", blocks=blocks)] if blocks else []


def _command(results: Quality, folder: Path) -> str:
    about = results.about
    words = ["gansynth", "quality", about.real.path, about.synthetic.path, "--size", str(about.size)]
    words += ["--pairing", about.pairing, "--seed", str(about.seed), "--out", str(folder)]
    return about.command or shlex.join(words)


def _facts(results: Quality) -> list[tuple[str, str]]:
    about = results.about
    real, encoder, synthetic = about.real, about.encoder, about.synthetic
    beside = f"; the {synthetic.n_real:,} real images there are not measured" if synthetic.n_real else ""
    said = [
        ("gansynth", results.gansynth),
        ("real images", f"{real.path}: {real.n_held_out:,} held out, {real.n_training:,} for training"),
        ("synthetic images", f"{synthetic.path}: {synthetic.n:,}{beside}"),
        ("real data, sha256", real.data_sha256),
        ("seed, pairing", f"{about.seed}, {about.pairing}"),
    ]
    if encoder:
        share = encoder.recall_of_held_out
        good = "" if share is None else f", recognises {share:.1%} of held-out real cells"
        said.append(("cell encoder", f"{encoder.name}, trained on {encoder.n_training:,} real images{good}"))
        said.append(("encoder, sha256", encoder.sha256))
    said.append(("time", ", ".join(f"{stage} {duration(s)}" for stage, s in about.seconds.items())))
    return [(name, value) for name, value in said if value]
