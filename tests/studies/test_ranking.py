"""Claims about ranks and verdicts."""

from __future__ import annotations

from gansynth.metrics.estimate import Estimate
from gansynth.studies.benchmark.ranking import Spread, best, clearly_better, rank, spread
from gansynth.studies.benchmark.result import verdict


def of(*values: float, half: float = 0.0, floor: float | None = None) -> Spread:
    found = spread([Estimate(v, 100, (v - half, v + half), floor) for v in values])
    assert found is not None
    return found


def test_lower_distances_and_scores_near_those_of_real_images_come_first() -> None:
    summary = {
        "a": {"KD-cell": of(1.0), "F1": of(0.80, floor=0.85)},
        "b": {"KD-cell": of(2.0), "F1": of(0.99, floor=0.85)},  # better recognised than real cells: caricatures
    }
    assert [place.recipe for place in rank(summary)] == ["a", "b"]
    assert rank(summary)[0].ranks == {"KD-cell": 1.0, "F1": 1.0}


def test_the_worse_of_two_families_ranks_where_every_recipe_has_it() -> None:
    pleasing = {"KD-cell": of(0.1), "KD-worse": of(2.0), "F1": of(0.85, floor=0.85)}
    honest = {"KD-cell": of(0.3), "KD-worse": of(0.5), "F1": of(0.85, floor=0.85)}
    ranking = rank({"pleasing": pleasing, "honest": honest})
    assert [place.recipe for place in ranking] == ["honest", "pleasing"]
    assert set(ranking[0].ranks) == {"KD-worse", "F1"}
    del pleasing["KD-worse"]
    assert rank({"pleasing": pleasing, "honest": honest})[0].recipe == "pleasing"


def test_a_metric_that_one_recipe_lacks_ranks_nobody() -> None:
    summary = {"a": {"KD-cell": of(1.0), "KID": of(9.0)}, "b": {"KD-cell": of(2.0)}}
    assert set(rank(summary)[0].ranks) == {"KD-cell"}


def test_seeds_that_overlap_tell_nothing_apart() -> None:
    assert clearly_better("KD-cell", of(1.0, 1.2), of(1.5, 1.7))
    assert not clearly_better("KD-cell", of(1.0, 1.6), of(1.5, 1.7))
    assert not clearly_better("KD-cell", of(1.0, 1.2, half=0.4), of(1.5, 1.7))
    assert clearly_better("coverage-cell", of(0.9, 0.91, floor=0.95), of(0.5, 0.51, floor=0.95))
    assert not clearly_better("coverage-cell", of(0.9, 0.91), of(0.5, 0.51))  # no real score to be near to
    assert not clearly_better("KD-cell", of(1.0), of(9.0, 9.1))  # who knows how far another training would differ


def test_the_verdict_names_those_that_cannot_be_distinguished() -> None:
    summary = {"a": {"KD-cell": of(1.0, 1.6)}, "b": {"KD-cell": of(1.5, 1.7)}, "c": {"KD-cell": of(9.0, 9.1)}}
    text = verdict(rank(summary), summary, "KD-cell")
    assert text.startswith("No recipe is shown to be best") and text.endswith("cannot be distinguished from b.")


def test_a_lead_that_the_seeds_bear_out_is_said_to_be_one() -> None:
    summary = {"a": {"KD-cell": of(1.0, 1.1)}, "b": {"KD-cell": of(1.5, 1.7)}}
    text = verdict(rank(summary), summary, "KD-cell")
    assert text.startswith("a makes the images nearest to real ones") and "lie apart" in text
    order = best("KD-cell", summary)
    assert order is not None and order.clear and order.second == "b"


def test_one_training_of_each_names_no_winner() -> None:
    summary = {"a": {"KD-cell": of(1.0)}, "b": {"KD-cell": of(9.0)}}
    text = verdict(rank(summary), summary, "KD-cell")
    assert text.startswith("One training of a recipe cannot say which is best") and "two seeds or more" in text
    order = best("KD-cell", summary)
    assert order is not None and not order.clear


def test_generators_that_have_not_learned_are_not_ranked_in_words() -> None:
    summary = {
        "a": {"KD-cell": of(1.0, 1.1), "recall": of(0.2, 0.3, floor=0.9)},
        "b": {"KD-cell": of(1.5, 1.7), "recall": of(0.1, 0.1, floor=0.9)},
    }
    text = verdict(rank(summary), summary, "KD-cell")
    assert text.startswith("These generators have not learned yet") and "makes the images nearest" not in text
    alone = verdict(rank({"a": summary["a"]}), {"a": summary["a"]}, "KD-cell")
    assert alone.startswith("This generator has not learned yet")
    learned = {**summary, "a": {"KD-cell": of(1.0, 1.1), "recall": of(0.7, 0.8, floor=0.9)}}
    text = verdict(rank(learned), learned, "KD-cell")
    assert text.startswith("a makes the images nearest")
    assert "b has not learned yet: its rank says nothing of the method; train longer" in text


def test_a_generator_that_is_taken_as_it_is_is_named_as_trained_once() -> None:
    summary = {"given": {"KD-cell": of(1.0)}, "trained": {"KD-cell": of(9.0, 9.1)}}
    text = verdict(rank(summary), summary, "KD-cell")
    assert text.startswith("given was trained once") and "two seeds" not in text


def test_of_equal_mean_ranks_the_primary_metric_decides() -> None:
    summary = {
        "a": {"KD-cell": of(2.0), "F1": of(0.85, floor=0.85)},
        "b": {"KD-cell": of(1.0), "F1": of(0.80, floor=0.85)},
    }
    assert [place.recipe for place in rank(summary)] == ["b", "a"]


def test_without_a_measured_recipe_the_verdict_says_so() -> None:
    assert verdict([], {}, None) == "No recipe could be measured."
