"""Synthetic images beside real ones: a share of each batch, with a smaller weight, instead of among them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, register
from gansynth.remedies.teachers import Judged, Teachers, left_out
from gansynth.remedies.treatment import Supplement, Treatment

if TYPE_CHECKING:
    from gansynth.data.dataset import CellDataset

STATISTICS: tuple[Literal["real", "own", "mixed"], ...] = ("real", "own", "mixed")
PRIORS: tuple[Literal["real", "shown", "all"], ...] = ("real", "shown", "all")
EXAMPLES = 12
"""Images of a class that the picture of what was left out shows."""


@register("supplement")
class BesideReal(Remedy):
    """Synthetic images of the parts before it take a share of each batch, in this way and not as if they were real.

    Poured among real images they are weighed like them, move the statistics of the network's normalisations, and make
    it forget until the last step what only real images show. Studies in which synthetic images helped did none of
    that.

    Parameters
    ----------
    share
        Of each batch. The others of a batch are drawn as they would be without synthetic images.
    weight
        Of the loss of a synthetic image against that of a real one.
    screen
        Leaves out images to which the teachers (`Teachers`) give a smaller probability of their class; 0 asks nobody.
    distance
        Leaves out images that lie further from the real ones of their class than this share of those lie from each
        other, by the teachers' features, and near copies of a training image; 0 measures nothing.
    statistics
        What batch normalisations learn from: real images only; both kinds apart, each with a normalisation of its own;
        or all images of a batch, mixed.
    finish
        The last share of the training sees real images only.
    labels
        Each time a synthetic image is shown, its label is the class it was made as, or drawn from the probabilities
        that the teachers give it: soft labels, for any loss.
    prior
        Whether losses and shifts of thresholds that know how frequent the classes are (and stand behind this part)
        count real images only; synthetic ones too, by their share and weight in a batch; or all, one as the other.
        Synthetic images show the rare classes more often than real ones do: with "real" a loss makes up for that again.

    References
    ----------
    Xie et al. 2020, "Adversarial examples improve image recognition", CVPR: normalisations of their own. Ravuri and
    Vinyals 2019, "Classification accuracy score for conditional generative models", NeurIPS: poured in, they harm.
    """

    noun = "synthetic images beside real ones"
    action = "showing synthetic images as a share of each batch"
    parameters = (
        Parameter("share", 0.25, 0.01, 0.9, "of each batch that is synthetic", tried=(0.125, 0.25, 0.5)),
        Parameter("weight", 0.5, 0.01, 1.0, "of their loss against that of real images", tried=(0.25, 0.5, 1.0)),
        Parameter("screen", 0.0, 0.0, 1.0, "probability of its class that teachers must give", tried=(0.0, 0.3, 0.6)),
        Parameter("distance", 0.0, 0.0, 1.0, "share of real images that may lie nearer", tried=(0.0, 0.95)),
        Parameter.choice("statistics", STATISTICS, "of batch normalisations"),
        Parameter("finish", 0.0, 0.0, 0.9, "last share of the training with real images only", tried=(0.0, 0.2)),
        Parameter.choice("labels", ("own", "teachers"), "of synthetic images"),
        Parameter.choice("prior", PRIORS, "images that losses count"),
    )
    neural_only = True
    needs_synthetic = True
    decides = "how synthetic images are shown"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        v, synthetic = self.values, treatment.is_synthetic[treatment.rows]
        rows = treatment.rows[synthetic]
        if not len(rows):  # nothing was asked for: a dose of 0, or classes that are balanced
            return treatment
        probabilities, notes = None, treatment.notes
        if v["screen"] or v["distance"] or v["labels"]:
            images = treatment.images.select(rows)
            teachers = Teachers(place)
            judged = teachers.judge(images)
            dropped = self._dropped(judged, images.labels)
            if v["screen"] or v["distance"]:
                picture = _picture(images, dropped, teachers)
                said = left_out(images.class_names, images.labels, dropped)
                notes = (*notes, f"{said} (examples: {picture})" if picture else said)
            rows = rows[~dropped]
            probabilities = judged.probabilities[~dropped] if v["labels"] else None
        real = replace(treatment, rows=treatment.rows[~synthetic], notes=notes)
        if not len(rows):
            return real
        return replace(
            real,
            supplement=Supplement(
                rows, v["share"], v["weight"], STATISTICS[int(v["statistics"])], v["finish"],
                counted=PRIORS[int(v["prior"])], probabilities=probabilities,
            ),
        )  # fmt: skip

    def _dropped(self, judged: Judged, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        dropped = np.zeros(len(labels), dtype=bool)
        if self.values["screen"]:
            dropped |= judged.unsure(labels, self.values["screen"])
        if self.values["distance"]:
            dropped |= judged.remote(self.values["distance"]) | judged.copied
        return dropped


def _picture(images: CellDataset, dropped: NDArray[np.bool_], teachers: Teachers) -> str:
    """Write a sheet of the first images of each class that were left out; return its path in the comparison."""
    from gansynth.files.atomic import whole_file
    from gansynth.gans.engine.showing import class_sheet

    shown = [np.flatnonzero(dropped & (images.labels == c))[:EXAMPLES] for c in range(len(images.class_names))]
    index = np.concatenate(shown)
    if not len(index):
        return ""
    path = teachers.folder / f"left-out-{teachers.digest(images)}-{int(dropped.sum())}.png"
    with whole_file(path) as temporary:
        class_sheet(images.images[index], images.labels[index].tolist(), images.class_names).save(temporary, "PNG")
    return f"{path.parents[1].name}/{path.parent.name}/{path.name}"
