"""Claims about the demo and the commands that a user types after it, on one tiny run that the demo trained."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from gansynth.cli import gansynth
from gansynth.data import split_dataset
from gansynth.data.phantom import phantom_dataset
from gansynth.demo import PARENT, Effort, free_name, run_demo
from gansynth.errors import InputError
from gansynth.gans import open_run, train_gan
from gansynth.recipes import load_recipe
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.study import compare

pytestmark = pytest.mark.slow

COUNTS = {"eosinophil": 10, "neutrophil": 16, "smudge cell": 7}
TINY = (
    "networks.generator=[8,8,8,8,8]",
    "networks.critic=[8,8,8,8]",
    "networks.classifier=[8,8,8,8]",
    "latent=8",
    "training.batch_size=4",
    "reports.log_every=1",
    "reports.sheet_every=2",
    "reports.watch_images=4",
    "reports.classifier_images=64",
    "reports.pretrained_judge=false",
)
LITTLE = Effort(COUNTS, validation=3, test=4, epochs=1, seeds=1, least_steps=0)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that fine-tunes a tiny run, which stands in for the generator that ships."""
    folder, shipped = tmp_path_factory.mktemp("place") / "my demo", tmp_path_factory.mktemp("zoo") / PARENT
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSYNTH_CACHE", str(tmp_path_factory.mktemp("cache")))
        recipe = load_recipe("c-wgan-gp-64", TINY)
        cells = phantom_dataset({**COUNTS, "basophil": 8}, size=64, seed=9)
        train_gan(split_dataset(cells), recipe, shipped, steps=2)
        page = run_demo(folder, minutes=0.02, parent=shipped, recipe=recipe, effort=LITTLE)
        assert page == folder / "report.html"
    return folder


@pytest.fixture
def _in_one_process(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare without processes of its own, which the demo of this module has started: each imports everything."""
    monkeypatch.setattr("gansynth.demo.compare", partial(compare, jobs=1))


def call(*arguments: object) -> Result:
    return CliRunner().invoke(gansynth, [str(argument) for argument in arguments])


def test_the_page_shows_every_class_and_says_what_it_is_not(demo: Path) -> None:
    html = (demo / "report.html").read_text(encoding="utf-8")
    for name in COUNTS:
        assert f">{name}<" in html
    assert "Phantom cells are drawn by a program" in html
    assert "fresh phantom cells" in html
    assert not re.search(r"\bfake\b|\bnan\b|>None<|real, training", html)
    assert html.count("data:image/") == 3 * len(COUNTS)
    for words in ("phantom cells, training", f"synthetic, {PARENT} as it ships", "synthetic, fine-tuned"):
        assert words in html
    assert html.count("<svg") >= 3


def test_the_page_says_what_won_of_four_ways_to_train_and_leads_to_the_whole_comparison(demo: Path) -> None:
    html = (demo / "report.html").read_text(encoding="utf-8")
    verdict = re.search(r'<p class="verdict">(.*?)</p>', html, re.DOTALL)
    assert verdict is not None
    assert " won" in verdict[1] and f"fine-tuning {PARENT}" in verdict[1]
    for way in ("as they are", "moving the threshold", "repeating rare cells", "balancing with synthetic cells"):
        assert way in html
    assert 'href="compared/report.html"' in html and (demo / "compared" / "report.html").is_file()
    found = Comparison.read(demo / "compared")
    assert len(found.arms) == 4 and sum(found.about.test_counts.values()) == 4 * len(COUNTS)


def test_the_demo_leaves_a_balanced_data_set(demo: Path) -> None:
    balanced = pd.read_csv(demo / "balanced" / "metadata.csv").merge(
        pd.read_csv(demo / "balanced" / "splits.csv"), on="file_name"
    )
    training = balanced[balanced["split"] == "train"]["class"].value_counts()
    assert training.nunique() == 1
    assert set(balanced[balanced["split"] != "train"]["origin"]) == {"phantom"}


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(InputError, match="not a demo"):
        run_demo(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        run_demo(tmp_path / "file")
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


@pytest.mark.usefixtures("_in_one_process")
def test_an_earlier_demo_is_replaced_only_by_force(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = tmp_path / "demo"
    shutil.copytree(demo, earlier)
    before = (earlier / "run" / "model.safetensors").read_bytes()
    refused = call("demo", "--out", earlier)
    assert refused.exit_code == 2 and "holds an earlier demo" in refused.stderr and "--force" in refused.stderr
    assert (earlier / "run" / "model.safetensors").read_bytes() == before
    monkeypatch.chdir(tmp_path)
    assert free_name() == Path("demo-2")
    Path("demo-2").symlink_to("nowhere")
    assert free_name() == Path("demo-3")
    recipe = load_recipe("c-wgan-gp-64", TINY)
    run_demo(earlier, minutes=0.001, effort=LITTLE, recipe=recipe, seed=1, force=True)
    assert (earlier / "run" / "model.safetensors").read_bytes() != before


def test_generate_takes_several_classes_and_counts(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "synthetic"
    one, other = ("--class", "smudge cell=3"), ("--class", "eosinophil")
    result = call("generate", demo / "run", *one, *other, "--count", 2, "--out", out, "--keep-copies")
    assert result.exit_code == 0, result.stderr
    assert pd.read_csv(out / "metadata.csv")["class"].value_counts().to_dict() == {"smudge cell": 3, "eosinophil": 2}
    assert f"wrote {out}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--class", "eosinofil", "--count", 2), "did you mean 'eosinophil'"),
        (("--class", "eosinophil"), "--count"),
        ((), "eosinophil, neutrophil, smudge cell"),
    ],
)
def test_a_wrong_class_is_answered_with_the_right_one(
    demo: Path, tmp_path: Path, arguments: tuple[object, ...], says: str
) -> None:
    result = call("generate", demo / "run", *arguments, "--out", tmp_path / "synthetic")
    assert result.exit_code == 2
    assert says in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "synthetic").exists()


def test_a_class_that_cannot_be_filled_is_no_success(demo: Path, tmp_path: Path) -> None:
    sure = ("--class", "smudge cell", "--count", 5, "--min-confidence", 1)
    result = call("generate", demo / "run", *sure, "--out", tmp_path / "synthetic")
    assert result.exit_code == 1
    assert "not every class could be filled" in result.stderr


def test_balance_prints_the_counts_and_where_it_wrote(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "balanced"
    result = call("balance", demo / "phantom", demo / "run", "--target", 8, "--out", out, "--keep-copies")
    assert result.exit_code == 0, result.stderr
    assert "smudge cell" in result.stdout and f"wrote {out}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--recipe", "c-wgan-gq-64"), "did you mean 'c-wgan-gp-64'"),
        (("--set", "training.batch_sise=4"), "batch_size"),
        (("--set", "training.batch_size=many"), "batch_size"),
        (("--set", "nonsense"), "--set nonsense"),
    ],
)
def test_a_wrong_recipe_is_named_before_anything_is_written(
    demo: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = call("train-gan", demo / "phantom", "--out", tmp_path / "run", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_overwritten(demo: Path) -> None:
    before = (demo / "run" / "model.safetensors").read_bytes()
    result = call("train-gan", demo / "phantom", "--recipe", demo / "run", "--out", demo / "run", "--steps", 1)
    assert result.exit_code == 2 and "--resume" in result.stderr
    assert (demo / "run" / "model.safetensors").read_bytes() == before


def test_the_next_command_of_the_page_works(demo: Path) -> None:
    again = ("--recipe", demo / "run", "--seed", 0, "--resume", "--out", demo / "run")
    result = call("train-gan", demo / "phantom", *again, "--minutes", 0.04)
    assert result.exit_code == 0, result.stderr
    assert f"wrote {demo / 'run'}" in result.stdout
    page = (demo / "run" / "report.html").read_text(encoding="utf-8")
    assert "it has ended" in page and "location.reload" not in page and 'src="samples/step-' in page


def test_an_unknown_run_is_answered_with_what_there_is(tmp_path: Path) -> None:
    result = call("generate", "pbc-46", "--class", "promyelocyte", "--count", 1, "--out", tmp_path / "x")
    assert result.exit_code == 2 and "pbc-46" in result.stderr


def test_every_part_of_the_page_names_the_command_for_the_readers_own_cells(demo: Path) -> None:
    html = (demo / "report.html").read_text(encoding="utf-8")
    for command in ("generate runs/my-cells", "balance my-cells", "train-gan my-cells", "quality my-cells", "compare"):
        assert f"The same with your cells: <code>gansynth {command}" in html


@pytest.mark.usefixtures("_in_one_process")
def test_a_slow_machine_trains_on_to_the_least_number_of_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSYNTH_CACHE", str(tmp_path / "cache"))
    recipe = load_recipe("c-wgan-gp-64", TINY)
    monkeypatch.setattr("gansynth.demo.MOST", 1e6)
    run_demo(tmp_path / "out", minutes=1e-6, recipe=recipe, effort=replace(LITTLE, least_steps=5))
    assert open_run(tmp_path / "out" / "run").info["step"] == 5
