"""SMOTE and Borderline-SMOTE: new points between the features of neighbouring images of a rare class."""

from __future__ import annotations

from dataclasses import replace

from gansynth.remedies.feature_oversampling import FeatureOverSampling
from gansynth.remedies.parameter import Parameter
from gansynth.remedies.remedy import Remedy, Workplace, register
from gansynth.remedies.treatment import Treatment


@register("smote")
class Smote(Remedy):
    """For classifiers that learn from features: between two images, pixel by pixel, there is no cell."""

    noun = "SMOTE"
    takes_dose = True
    parameters = (Parameter("k", 5.0, 1.0, 100.0, "neighbours, at most all others", whole=True, tried=(3, 5, 10)),)
    classical_only = True
    cheap = True
    decides = "points between features"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(treatment, in_features=FeatureOverSampling("smote", self.dose, int(self.values["k"])))


@register("borderline-smote")
class BorderlineSmote(Smote):
    """The same, starting from the points only that have about as many neighbours of other classes."""

    noun = "Borderline-SMOTE"

    def treat(self, treatment: Treatment, place: Workplace) -> Treatment:
        return replace(treatment, in_features=FeatureOverSampling("borderline-smote", self.dose, int(self.values["k"])))
