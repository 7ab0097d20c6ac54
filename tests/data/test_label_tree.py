"""Classes have superclasses: those known for blood cells, or a user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansynth.data.label_tree import known_tree, read_groups, tree_of
from gansynth.data.mapping import find_scheme, scheme_names
from gansynth.errors import InputError

TABLE_2 = ("neutrophil", "eosinophil", "basophil", "monocyte", "lymphocyte")
"""alkrimi2023, table 2: three granulocytes, two agranulocytes."""


def test_the_types_of_alkrimi2023_are_granulocytes_and_agranulocytes_as_in_its_table_2() -> None:
    tree = known_tree(TABLE_2)
    assert tree is not None
    assert tree.groups() == {"granulocyte": list(TABLE_2[:3]), "agranulocyte": list(TABLE_2[3:])}


@pytest.mark.parametrize("scheme", scheme_names())
def test_classes_of_published_sets_have_superclasses_and_others_stand_for_themselves(scheme: str) -> None:
    found = find_scheme(scheme)
    assert found is not None
    names = sorted(set(found.class_of.values()))
    tree = known_tree(names)
    assert tree is not None and {"granulocyte", "agranulocyte"} <= set(tree.superclasses)
    parent = dict(zip(names, tree.parents, strict=True))
    assert {name for name in names if parent[name] == name} & {"erythroblast", "platelet", "myeloblast", "smudge cell"}
    assert all(parent[n] == "granulocyte" for n in names if n.endswith(("phil", "myelocyte", "immature granulocyte")))


def test_a_users_own_folder_names_are_understood() -> None:
    tree = known_tree(["Neutrophils", "ig", "Atypical_Lymphocyte", "platelet"])
    assert tree is not None
    assert tree.parents == ("granulocyte", "granulocyte", "agranulocyte", "platelet")


@pytest.mark.parametrize("names", [["cat", "dog"], ["basophil", "eosinophil"], ["basophil", "monocyte"], []])
def test_there_is_no_tree_where_it_would_tell_nothing(names: list[str]) -> None:
    assert known_tree(names) is None


@given(
    parents=st.lists(st.sampled_from("abcd"), min_size=2, max_size=9).filter(lambda p: len(set(p)) > 1),
    seed=st.integers(0, 99),
)
def test_a_superclass_has_the_probability_and_the_images_of_its_classes(parents: list[str], seed: int) -> None:
    names = [f"class {i}" for i in range(len(parents))]
    groups = {p: [n for n, q in zip(names, parents, strict=True) if q == p] for p in set(parents)}
    tree = tree_of(groups, names)
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(len(names)), (2, 5))
    above, labels = tree.probabilities(p), tree.labels(np.arange(len(names)))
    for k, superclass in enumerate(tree.superclasses):
        mine = [names.index(name) for name in groups[superclass]]
        np.testing.assert_allclose(above[..., k], p[..., mine].sum(axis=-1))
        assert (labels[mine] == k).all()
    np.testing.assert_allclose(above.sum(axis=-1), 1)


def test_a_class_that_the_users_tree_leaves_out_stands_for_itself(tmp_path: Path) -> None:
    file = tmp_path / "tree.yaml"
    file.write_text("white:\n  - lymphocyte\n  - monocyte\n")
    tree = tree_of(read_groups(file), ["lymphocyte", "monocyte", "platelet"])
    assert tree.superclasses == ("white", "platelet")


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({"white": ["lymphocyte", "monocite"]}, "white: no class 'monocite'; did you mean 'monocyte'"),
        ({"a": ["lymphocyte"], "b": ["lymphocyte"]}, "'lymphocyte' is in a and in b"),
        ({"platelet": ["lymphocyte", "monocyte"]}, "has the name of a class that is not in it"),
        ({"all": ["lymphocyte", "monocyte", "platelet"]}, "give two superclasses or more"),
    ],
)
def test_a_tree_that_does_not_fit_the_classes_is_refused(groups: dict[str, list[str]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        tree_of(groups, ["lymphocyte", "monocyte", "platelet"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a\n- b\n", "is a YAML mapping"),
        ("", "is a YAML mapping"),
        ("white: lymphocyte\n", "'white' has no list of class names"),
        ("white: [1, 2]\n", "'white' has no list of class names"),
        ("white: []\n", "'white' has no list of class names"),
        ("white: [a\nb: [", "not a YAML file"),
    ],
)
def test_a_file_that_is_no_tree_is_refused_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "tree.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=says) as error:
        read_groups(file)
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_a_tree_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_groups(tmp_path / "none.yaml")
