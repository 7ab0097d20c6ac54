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
from gansynth.report.quality.folder import Pair, QualityResults, read_quality_folder
from gansynth.report.quality.map_charts import class_map, small_maps
from gansynth.report.quality.verdict import findings, key_figures, verdict

PAIRS_SHOWN = 5
"""Nearest pairs shown of a class."""


def write_quality_page(folder: Path) -> Path:
    """Write `report.html` into a folder that `quality` wrote, and return its path.

    Parameters
    ----------
    folder : pathlib.Path
        See `gansynth.report.quality.folder.read_quality_folder`.

    Raises
    ------
    InputError
        If the folder does not hold what `quality` writes.
    """
    folder = Path(folder)
    return write_page(folder / "report.html", quality_page(read_quality_folder(folder)))


def quality_page(results: QualityResults) -> Page:
    """Compose the page from what was measured."""
    real, synthetic, size = results.facts["real"], results.facts["synthetic"], results.facts["size"]
    origin = f" ({synthetic['origin']})" if synthetic.get("origin") else ""
    held_out = "real images" if real.get("split_known") is False else "held-out real images"
    sections = [
        *_pictures(results),
        Section("Every metric", blocks=[metric_table(results)]),
        *families_section(results),
        *_classes(results),
        *_confusion(results),
        *_nearest(results),
        *_map(results),
        *_rest(results),
        Section("What each metric means", blocks=[meanings([*results.metrics, *results.missing])]),
    ]
    return Page(
        title="How good are the synthetic cells?",
        subtitle=f"{synthetic['n']:,} synthetic images{origin} against {real['n_held_out']:,} {held_out}, "
        f"{len(results.class_names)} classes, {size}\u00a0×\u00a0{size} pixels",
        verdict=verdict(results),
        findings=findings(results),
        figures=key_figures(results),
        warnings=[sentence(warning) for warning in results.facts.get("warnings", [])],
        sections=sections,
        commands=[(_command(results), "Measure again")],
        commands_title="Reproduce",
        facts=_facts(results),
    )


def _pictures(results: QualityResults) -> list[Section]:
    if results.sheet is None:
        return []
    counts = results.facts.get("counts", {})
    notes = {name: f"{counts[name]['synthetic']:,} synthetic" for name in results.class_names if name in counts}
    caption = "Held-out real cells of each class, drawn at random, and the first synthetic ones. None was picked."
    return [Section("Side by side", blocks=[side_by_side(results.sheet, results.class_names, notes, caption)])]


def _classes(results: QualityResults) -> list[Section]:
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


def _confusion(results: QualityResults) -> list[Section]:
    names, items = results.class_names, []
    for title, key, rows in (("Synthetic", "confusion", "asked for"), ("Held-out real", "real_confusion", "is")):
        counts = results.facts.get(key)
        if counts:
            caption = (
                f"{title} images in percent of each row: the class they {'were asked for' if rows != 'is' else 'are'} "
                "(rows) and the class that the independent classifier puts them into (columns). Shares below half a "
                "percent are left out."
            )
            items.append(Drawing(confusion_chart(counts, names, rows), caption, title, 12 + 2.2 * len(names)))
    return [Section("What is taken for what", blocks=[Drawings(items)])] if items else []


def _nearest(results: QualityResults) -> list[Section]:
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


def _map(results: QualityResults) -> list[Section]:
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


def _rest(results: QualityResults) -> list[Section]:
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


def _command(results: QualityResults) -> str:
    facts = results.facts
    words = ["gansynth", "quality", str(facts["real"]["path"]), str(facts["synthetic"]["path"])]
    words += ["--size", str(facts["size"]), "--pairing", str(facts["pairing"]), "--seed", str(facts["seed"])]
    words += ["--out", str(results.folder)]
    return str(facts.get("command") or shlex.join(words))


def _facts(results: QualityResults) -> list[tuple[str, str]]:
    facts, encoder = results.facts, results.facts.get("encoder") or {}
    real = facts["real"]
    said = [
        ("gansynth", str(facts["gansynth"])),
        ("real images", f"{real['path']}: {real['n_held_out']:,} held out, {real['n_training']:,} for training"),
        ("synthetic images", f"{facts['synthetic']['path']}: {facts['synthetic']['n']:,}"),
        ("real data, sha256", str(real.get("data_sha256", ""))),
        ("seed, pairing", f"{facts['seed']}, {facts['pairing']}"),
    ]
    if encoder:
        share = encoder.get("recall_of_held_out")
        good = "" if share is None else f", recognises {share:.1%} of held-out real cells"
        said.append(("cell encoder", f"{encoder['name']}, trained on {encoder['n_training']:,} real images{good}"))
        said.append(("encoder, sha256", str(encoder["sha256"])))
    if facts.get("seconds"):
        said.append(("time", ", ".join(f"{stage} {duration(s)}" for stage, s in facts["seconds"].items())))
    return [(name, value) for name, value in said if value]
