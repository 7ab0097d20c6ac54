from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansynth.errors import InputError
from gansynth.recipes import load_recipe, recipe_names
from gansynth.recipes.declared import DECLARED, Declared, Networks
from gansynth.recipes.reading import Section

TEXT = """\
name: mine
gan: c-wgan-gp
resolution: 64
latent: 128
networks:
  family: compact
  generator: [8, 8, 8, 8, 8]
  critic: [8, 8, 8, 8]
  classifier: [8, 8, 8, 8]
training:
  batch_size: 32
"""


HAZRA = {"family": "hazra2022", "width": 64}


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_zoo_opens_under_its_name_and_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    assert load_recipe(tmp_path) == recipe


def test_the_papers_recipe_says_what_the_paper_says() -> None:
    recipe = load_recipe("c-wgan-gp")
    assert (recipe.resolution, recipe.latent, recipe.networks.model_dump()) == (128, 500, HAZRA)
    assert (recipe.losses.gradient_penalty, recipe.training.critic_steps) == (10, 5)


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("cgan-64", "losses.gradient_penalty=5", "unknown name 'losses.gradient_penalty'; known here: none"),
        ("infogan-64", "losses.generator_class=1", "unknown name 'losses.generator_class'; known here: information"),
        ("ac-gan", "losses.critic_clas=1", "did you mean 'critic_class'"),
        ("infogan", "losses.information=-1", "losses.information: Input should be greater than or equal to 0"),
    ],
)
def test_a_weight_that_a_gan_does_not_have_is_refused(name: str, change: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        load_recipe(name, [change])


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("cgan-64", "networks.classifier=[8,8]", "unknown name 'networks.classifier'; known here: critic, "),
        ("cgan-64", "networks.projection=true", "unknown name 'networks.projection'; known here: "),
        ("cgan", "networks.style=8", "unknown name 'networks.style'; known here: family, width"),
        ("dcgan-64", "networks.style=8", "unknown name 'networks.style'; known here: critic, family, generator"),
        ("dcgan-64", "networks.family=compact", "networks.family: should be dcgan (found 'compact')"),
        ("c-wgan-gp-64", "networks.projected_edge=64", "unknown name 'networks.projected_edge'"),
        ("c-wgan-gp-64", "networks.clasifier=[8]", "did you mean 'classifier'?"),
        ("projected-c-gan-64", "networks.critic=[8,8]", "unknown name 'networks.critic'"),
        ("projected-c-gan", "networks.family=hazra2022", "networks.family: should be compact (found 'hazra2022')"),
        ("cgan-64", "networks=8", "networks: Input should be a valid dictionary"),
        ("cgan-64", "networks={}", "'networks.family' is missing; add it"),
    ],
)
def test_networks_that_a_gan_does_not_have_are_refused(name: str, change: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        load_recipe(name, [change])


def test_a_player_that_a_gan_does_not_have_is_refused_with_its_line(tmp_path: Path) -> None:
    text = load_recipe("cgan-64").to_yaml().replace("  style: 128", "  classifier: [32, 48, 64, 96]")
    (tmp_path / "mine.yaml").write_text(text)
    line = 1 + text.splitlines().index("  classifier: [32, 48, 64, 96]")
    with pytest.raises(InputError, match=f"mine.yaml, line {line}: unknown name 'networks.classifier'"):
        load_recipe(tmp_path / "mine.yaml")


def test_it_is_refused_with_its_line(tmp_path: Path) -> None:
    text = load_recipe("infogan-64").to_yaml().replace("information: 1.0", "generator_class: 1.0")
    (tmp_path / "mine.yaml").write_text(text)
    line = 1 + text.splitlines().index("  generator_class: 1.0")
    with pytest.raises(InputError, match=f"mine.yaml, line {line}: unknown name 'losses.generator_class'"):
        load_recipe(tmp_path / "mine.yaml")


def test_what_ships_trained_keeps_its_recipe() -> None:
    recipe = load_recipe(Path(__file__).parents[2] / "models" / "pbc-64")
    assert recipe.losses.model_dump() == {
        "gradient_penalty": 10, "penalty_every": 4, "drift": 0.001, "classifier_real": 1, "generator_critic": 4,
        "generator_class": 0.3, "mode_seeking": 7, "generator_texture": 1, "classifier_generated": 0,
    }  # fmt: skip


def test_a_gan_that_is_not_known_yet_keeps_what_it_is_given_until_it_declares_what_it_has() -> None:
    early = load_recipe("cgan-64", ["gan=later", "losses={push: 2, pusch: 3}", "networks={depth: 3}"])
    assert early.losses.model_dump() == {"push": 2, "pusch": 3} and early.networks.model_dump() == {"depth": 3}
    assert early.declared() == early

    class Pushing(Section):
        push: float = 1.0

    class Layers(Networks):
        depth: int = 2

    DECLARED["later"] = Declared((Layers,), Pushing)
    try:
        with pytest.raises(InputError, match=r"losses\.pusch"):
            early.declared()
        known = load_recipe("cgan-64", ["gan=later", "losses.push=2", "networks={depth: 3}"])
        assert known.weights(Pushing).push == 2 and known.networks == Layers(depth=3)
        with pytest.raises(InputError, match=r"unknown name 'networks\.deep'; did you mean 'depth'"):
            load_recipe("cgan-64", ["gan=later", "networks={deep: 3}"])
    finally:
        del DECLARED["later"]


def test_set_changes_one_value(recipe_file: Path) -> None:
    recipe = load_recipe(recipe_file, ["training.batch_size=16", "networks.critic=[4, 4, 4, 4]"])
    assert recipe.training.batch_size == 16
    assert recipe.networks.model_dump()["critic"] == (4, 4, 4, 4)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "batch_size: 32",
            "batch_sise: 32",
            r"line 11: unknown name 'training.batch_sise'; did you mean 'batch_size'\?",
        ),
        ("batch_size: 32", "batch_size: many", r"line 11: training.batch_size: .*valid integer.*'many'"),
        ("batch_size: 32", "batch_size: 1", r"line 11: training.batch_size: .*greater than or equal to 2"),
        ("latent: 128\n", "", r"'latent' is missing"),
        ("resolution: 64", "resolution: 48", r"resolution 48 does not fit networks.generator"),
        (
            "family: compact",
            "family: huge",
            r"line 6: networks.family: should be hazra2022 or compact",
        ),
        ("[8, 8, 8, 8, 8]", "[8, 8, 8, 8, 0]", r"line 7: networks.generator.4"),
        ("name: mine", "name: [", r"line 3: not a YAML file"),
        ("name: mine", "name: !!python/object/apply:os.system [ls]", r"not a YAML file"),
        ("batch_size: 32", "batch_size: yes", r"line 11: training.batch_size: should be a number"),
        ("batch_size: 32", "batch_size: 99999999", r"line 11: training.batch_size: .*less than or equal to"),
        ("name: mine", "name: 2020-13-45", r"not a YAML file: month must be in 1..12"),
        ("name: mine", "name: " + "[" * 4000, r"line 1: not a YAML file: more than 10 lists"),
        ("latent: 128", "latent: &a [*a]", r"line 4: not a YAML file: found the alias \*a"),
        (TEXT, "- 1\n", r"a recipe is a YAML mapping"),
        (TEXT, "", r"a recipe is a YAML mapping"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_line(recipe_file: Path, old: str, new: str, sentence: str) -> None:
    recipe_file.write_text(TEXT.replace(old, new))
    with pytest.raises(InputError, match=sentence):
        load_recipe(recipe_file)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("training.batch_size", "section.name=value"),
        ("training.batch_sise=3", "--set training.batch_sise=3: unknown name"),
        ("name.x=3", "'name' is a value, not a section"),
        ("latent=[", "is not YAML"),
        ("latent=-1", "--set latent=-1: latent"),
        ("latent=2020-13-45", "is not YAML"),
        ("latent=" + "1" * 5000, "is not YAML"),
        ("latent=" + "[" * 4000, "more than 10 lists"),
        ("training=&a {steps: *a}", r"found the alias \*a"),
        ("networks.style=1e30", "networks.style"),
    ],
)
def test_a_wrong_set_is_refused_with_its_words(recipe_file: Path, change: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        load_recipe(recipe_file, [change])


def test_a_few_lines_that_stand_for_a_billion_values_are_refused_at_once(recipe_file: Path) -> None:
    bomb = "a0: &a0 {x: 1}\n"
    for level in range(1, 20):
        bomb += f"a{level}: &a{level} {{{', '.join(f'k{i}: *a{level - 1}' for i in range(9))}}}\n"
    recipe_file.write_text(TEXT + bomb)
    with pytest.raises(InputError, match=r"line 13: not a YAML file: found the alias \*a0; write the value out"):
        load_recipe(recipe_file)


def test_a_near_miss_of_a_name_is_suggested() -> None:
    with pytest.raises(InputError, match=r"did you mean 'c-wgan-gp-64'"):
        load_recipe("c-wgan-gp64")


def test_a_binary_file_is_no_recipe(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="not UTF-8 text"):
        load_recipe(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: !!timestamp x\n", "line 1: not a YAML file: found the tag !!timestamp"),
        ("name: x\nresolution: !!int ''\n", "line 2: not a YAML file: found the tag !!int"),
        ("name: !!python/object/apply:os.system [id]\n", "found the tag"),
        ("[" * 10_000, "inside each other"),
        ("name: 2001-13-45\n", "not a YAML file"),
        ("a: 1\n" * 6_000_000, "has more than 1 MB"),
        ("", "a YAML mapping"),
    ],
)
def test_text_that_no_recipe_needs_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        load_recipe(tmp_path / "r.yaml")


def test_recipe_may_begin_with_a_byte_order_mark(recipe_file: Path) -> None:
    plain = load_recipe(recipe_file)
    recipe_file.write_bytes(b"\xef\xbb\xbf" + recipe_file.read_bytes())
    assert load_recipe(recipe_file) == plain


def test_what_is_named_as_a_recipe_and_is_not_a_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "gone.yaml")
    for name, said in (("pipe.yaml", "is a named pipe"), ("link.yaml", "a link to a file that is not there")):
        with pytest.raises(InputError, match=said):
            load_recipe(tmp_path / name)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=60) | st.text(alphabet="a:-!&*[]{}|>%@\n \t'\"#?,01.", max_size=60))
def test_any_text_is_a_recipe_or_refused_in_one_sentence(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "r.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError) as caught:  # no short text is a whole recipe
        load_recipe(path)
    assert "\n" not in str(caught.value)


@given(name=st.text(alphabet=st.sampled_from("ab9-_./\\ \0~=é"), max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_name_is_one_part_of_a_path_and_never_hidden(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Folders are made of it, and a training that begins anew removes what is in them."""
    try:
        recipe = load_recipe("c-wgan-gp-64", [f"name={json.dumps(name)}"])
    except InputError as error:
        assert str(error).startswith("--set name=") or "name: should be letters, digits" in str(error)
    else:
        folder = tmp_path_factory.getbasetemp()
        assert (folder / recipe.name).resolve().parent == folder.resolve() and not recipe.name.startswith(".")


@pytest.mark.parametrize("name", ["../../x", "/x", "..", ".hidden", "a/b", "a b", "'=1+1'", "12", "n" * 101])
def test_a_name_that_leads_elsewhere_is_refused_with_its_line(recipe_file: Path, name: str) -> None:
    recipe_file.write_text(TEXT.replace("name: mine", f"name: {name}"))
    with pytest.raises(InputError, match=r"mine.yaml, line 1: name: should be letters, digits"):
        load_recipe(recipe_file)
