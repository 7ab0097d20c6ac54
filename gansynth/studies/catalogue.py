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
    extractor : {"inception", "alex", "cell", "dinobloom", ""}
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
        return _GROUPS[self.name.removesuffix("-cell").removesuffix("-dinobloom")]


_GROUPS = {
    **dict.fromkeys(("FID", "KID", "IS", "FD", "KD"), "Distance"),
    **dict.fromkeys(("improved-precision", "improved-recall", "density", "coverage"), "Manifold"),
    **dict.fromkeys(("precision", "recall", "F1"), "Classifier"),
    **dict.fromkeys(("LPIPS", "PSNR", "SSIM", "MS-SSIM", "l1", "l2"), "Similarity"),
    **dict.fromkeys(("LPIPS-diversity", "diversity"), "Diversity"),
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
    Metric(
        "diversity-cell",
        "Diversity (cell)",
        "Mean distance between two images of a class in cell features; far below real: collapse.",
        "nearer",
        "cell",
        "",
        "Odena et al. 2017",
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
