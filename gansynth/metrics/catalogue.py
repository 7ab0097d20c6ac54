"""The metrics of `quality` and `benchmark`: what each means, which way is better, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher", "nearer"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes
    ----------
    name : str
        Its key in every table and JSON file.
    title : str
        What a report prints.
    meaning : str
        One line for a reader who has never met it.
    better : {"lower", "higher", "nearer"}
        Which way is better; "nearer" to the value of real images (`Estimate.floor`) where both too low and too high
        are wrong.
    extractor : {"inception", "alex", "cell", "dinobloom", "lite2", "lite0", ""}
        The network whose features it is computed in; "" for pixels.
    table : str
        Where hazra2022 reports it, or "".
    source : str
        Who defined it.
    """

    name: str
    title: str
    meaning: str
    better: Direction
    extractor: str = ""
    table: str = ""
    source: str = ""

    @property
    def group(self) -> str:
        """Distance, Manifold, Classifier, Similarity, Diversity or Copies."""
        question = self.name
        for suffix in ("-cell", "-dinobloom", *LITE):
            question = question.removesuffix(suffix)
        return _GROUPS[question]


LITE = {"-lite2": 2, "-lite0": 0}
"""What figures in features of a pretrained EfficientNet-Lite end with, and its version; the first judges if it may."""


_GROUPS = {
    **dict.fromkeys(("FID", "KID", "IS", "FD", "KD", "KD-worse"), "Distance"),
    **dict.fromkeys(("improved-precision", "improved-recall", "density", "coverage"), "Manifold"),
    **dict.fromkeys(("precision", "recall", "F1", "recognised", "recognised-worse"), "Classifier"),
    **dict.fromkeys(("LPIPS", "PSNR", "SSIM", "MS-SSIM", "l1", "l2"), "Similarity"),
    **dict.fromkeys(("LPIPS-diversity", "diversity", "diversity-white", "diversity-worse"), "Diversity"),
    **dict.fromkeys(("memorisation", "copies"), "Copies"),
}

# Nearer to what real images score, not as high as can be: the mean image of a class, a blur, beats real cells.
_MATCHED = "each synthetic image against one held-out real image of its class, no real image twice"


def _distances(suffix: str, extractor: str, features: str) -> list[Metric]:
    first, second = ("FID", "KID") if not suffix else (f"FD{suffix}", f"KD{suffix}")
    table = "table 6" if first == "FID" else ""
    return [
        Metric(
            second,
            second,
            f"Distance between the two sets in {features}, unbiased at any n.",
            "lower",
            extractor,
            "",
            "Binkowski et al. 2018",
        ),
        Metric(
            first,
            first,
            f"Distance between two normal distributions fitted to {features}; too large when n is small.",
            "lower",
            extractor,
            table,
            "Heusel et al. 2017",
        ),
    ]


def _manifold(suffix: str, extractor: str, features: str) -> list[Metric]:
    where = f" (in {features})"
    return [
        Metric(
            f"improved-precision{suffix}",
            f"Improved precision{suffix and ' (cell)'}",
            f"Share of synthetic images that lie among the real ones{where}: realism.",
            "nearer",
            extractor,
            "",
            "Kynkäänniemi et al. 2019",
        ),
        Metric(
            f"improved-recall{suffix}",
            f"Improved recall{suffix and ' (cell)'}",
            f"Share of real images that lie among the synthetic ones{where}: variety.",
            "nearer",
            extractor,
            "",
            "Kynkäänniemi et al. 2019",
        ),
        Metric(
            f"density{suffix}",
            f"Density{suffix and ' (cell)'}",
            f"How many real neighbourhoods a synthetic image lies in{where}; 1 as for real images.",
            "nearer",
            extractor,
            "",
            "Naeem et al. 2020",
        ),
        Metric(
            f"coverage{suffix}",
            f"Coverage{suffix and ' (cell)'}",
            f"Share of real images with a synthetic one in their neighbourhood{where}.",
            "nearer",
            extractor,
            "",
            "Naeem et al. 2020",
        ),
    ]


def _lite(suffix: str, version: int) -> list[Metric]:
    extractor, title = suffix.removeprefix("-"), f"Lite{version}"
    return [
        Metric(
            f"recognised{suffix}",
            f"Recognised ({title})",
            "Of the images asked for as a class, the share that a linear classifier in the features of a network "
            f"pretrained on natural images ({title}), learned from real cells, puts into it.",
            "nearer",
            extractor,
            "",
            "",
        )
    ]


def _diversities(suffix: str, extractor: str, title: str, features: str) -> list[Metric]:
    return [
        Metric(
            f"diversity{suffix}",
            f"Diversity ({title})",
            f"Mean distance between two images of a class in {features}; far below real: collapse.",
            "nearer",
            extractor,
            "",
            "Odena et al. 2017",
        ),
        Metric(
            f"diversity-white{suffix}",
            f"Diversity of the white cell ({title})",
            f"The same of the white cells alone, cut out and put on an empty slide, in {features}: varied "
            "backgrounds do not count.",
            "nearer",
            extractor,
            "",
            "",
        ),
    ]


_ALL = [
    *_distances("", "inception", "Inception features"),
    Metric(
        "IS",
        "IS",
        "How sure and how varied an ImageNet classifier is; it knows no cells, so it says little here.",
        "higher",
        "inception",
        "table 6",
        "Salimans et al. 2016",
    ),
    *_distances("-cell", "cell", "the features of a cell encoder"),
    *_distances("-lite2", "lite2", "the features of EfficientNet-Lite2, pretrained on natural images"),
    *_distances("-lite0", "lite0", "the features of EfficientNet-Lite0, pretrained on natural images"),
    Metric(
        "KD-worse",
        "KD, the worse of both families",
        "Kernel distance as a multiple of that of real cells saved as JPEG of quality 60, in the features of the cell "
        "encoder and of the pretrained judge: of each class, the worse of the two.",
        "lower",
    ),
    *_distances("-dinobloom", "dinobloom", "DinoBloom features"),
    Metric(
        "precision",
        "Precision",
        "Of the images a classifier of real cells puts into a class, the share that was asked for as it.",
        "nearer",
        "cell",
        "table 6",
        "hazra2022",
    ),
    Metric(
        "recall",
        "Recall",
        "Of the images asked for as a class, the share that a classifier of real cells puts into it.",
        "nearer",
        "cell",
        "table 6",
        "hazra2022",
    ),
    Metric("F1", "F1", "Harmonic mean of the two.", "nearer", "cell", "table 6", "hazra2022"),
    *_lite("-lite2", 2),
    *_lite("-lite0", 0),
    Metric(
        "recognised-worse",
        "Recognised, the worse of both families",
        "Share recognised as a share of real cells (at most 1), by the cell encoder and by the pretrained judge: of "
        "each class, the worse of the two.",
        "nearer",
    ),
    *_manifold("", "inception", "Inception features"),
    *_manifold("-cell", "cell", "cell features"),
    Metric("LPIPS", "LPIPS", f"Perceptual distance; {_MATCHED}.", "nearer", "alex", "table 6", "Zhang et al. 2018"),
    Metric("PSNR", "PSNR (dB)", f"Signal to noise; {_MATCHED}.", "nearer", "", "table 7", "hazra2022"),
    Metric("SSIM", "SSIM", f"Structural similarity; {_MATCHED}.", "nearer", "", "table 7", "Wang et al. 2004"),
    Metric("MS-SSIM", "MS-SSIM", f"The same at five scales; {_MATCHED}.", "nearer", "", "", "Wang et al. 2003"),
    Metric("l1", "l1", f"Mean absolute difference as a share of the range; {_MATCHED}.", "nearer", "", "table 7", ""),
    Metric("l2", "l2", f"Mean squared difference as a share of the range; {_MATCHED}.", "nearer", "", "table 7", ""),
    Metric(
        "LPIPS-diversity",
        "Diversity (LPIPS)",
        "Mean perceptual distance between two images of a class; far below real: collapse.",
        "nearer",
        "alex",
        "",
        "Odena et al. 2017",
    ),
    *_diversities("-cell", "cell", "cell", "cell features"),
    *_diversities("-lite2", "lite2", "Lite2", "pretrained features"),
    *_diversities("-lite0", "lite0", "Lite0", "pretrained features"),
    Metric(
        "diversity-worse",
        "Diversity of the white cell, the worse of both families",
        "Variety of the white cells of a class as a share of real ones (at most 1), in cell features and in pretrained "
        "ones: of each class, the worse of the two.",
        "nearer",
    ),
    Metric(
        "memorisation",
        "Memorisation (AUC)",
        "How often a synthetic image lies nearer to the training images than a fresh real one does; 0.5: as fresh.",
        "nearer",
        "",
        "",
        "Meehan et al. 2020",
    ),
    Metric("copies", "Copies", "Synthetic images that nearly equal a training image.", "lower"),
]

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric by its name, in the order in which a report shows them."""
