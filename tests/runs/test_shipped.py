"""Claims about what ships trained."""

from __future__ import annotations

from gansynth.classifiers import open_encoder
from gansynth.gans import open_run
from gansynth.runs.shipped import shipped
from gansynth.smears.detector import open_detector


def test_what_is_said_without_the_networks_is_what_the_networks_say() -> None:
    for model in shipped("generator"):
        run = open_run(model.name)
        assert (model.class_names, model.folder) == (run.class_names, run.path)
    for model in shipped("cell encoder"):
        assert model.class_names == open_encoder(model.name).class_names
    for model in shipped("cell detector"):
        assert set(model.class_names) == set(open_detector(model.name).thresholds)


def test_a_trained_model_is_of_one_kind() -> None:
    names = [model.name for kind in ("generator", "cell encoder", "cell detector") for model in shipped(kind)]
    assert {"pbc-64", "pbc-encoder", "bccd-detector"} <= set(names)
    assert len(set(names)) == len(names)
