"""Claims about what is installed."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import pytest

import gansynth
from gansynth import synthesis

ROOT = Path(__file__).parents[1]


def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_every_package_folder_is_listed_in_setup_cfg() -> None:
    listed = set(settings()["options"]["packages"].split())
    there = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "gansynth").rglob("__init__.py")}
    assert listed == there | {"gansynth.zoo"}


def test_every_third_party_import_is_a_dependency() -> None:
    declared = {
        re.split(r"[<>=~!\[; ]", line)[0] for line in settings()["options"]["install_requires"].split("\n") if line
    }
    called = {"PIL": "pillow", "yaml": "pyyaml", "sklearn": "scikit-learn", "skimage": "scikit-image"}
    called |= {"imblearn": "imbalanced-learn", "lightning_fabric": "lightning-fabric"}
    called |= {"torch_fidelity": "torch-fidelity", "pydantic_core": "pydantic"}
    found = set()
    for file in (ROOT / "gansynth").rglob("*.py"):
        for line in re.findall(r"^\s*(?:from|import) ([A-Za-z_]\w*)", file.read_text(encoding="utf-8"), re.MULTILINE):
            if line not in sys.stdlib_module_names and line not in ("gansynth", "__future__"):
                found.add(called.get(line, line))
    assert found <= declared, f"not in setup.cfg: {sorted(found - declared)}"


def test_the_zoo_is_a_package_of_data() -> None:
    zoo = resources.files("gansynth.zoo")
    assert zoo.joinpath("__init__.py").is_file()


def test_public_names_exist_and_an_unknown_one_does_not() -> None:
    for name in gansynth.__all__:
        assert getattr(gansynth, name) is not None
    assert set(gansynth.__all__) <= set(dir(gansynth))
    with pytest.raises(AttributeError, match="discriminate"):
        _ = gansynth.discriminate
    assert synthesis.GANOverSampler is gansynth.GANOverSampler
    with pytest.raises(AttributeError, match="discriminate"):
        _ = synthesis.discriminate


def test_the_version_is_the_same_everywhere() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert cited and cited[1] == gansynth.__version__
    assert gansynth.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_wheel_works_outside_the_checkout_zoo_included(tmp_path: Path) -> None:
    source = tmp_path / "source"
    # A copy: setuptools leaves build/ and an egg-info beside what it builds.
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "gansynth", "models"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(source / name)], check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {f"gansynth/zoo/{p.relative_to(ROOT / 'models').as_posix()}" for p in data_files(ROOT / "models")}
    assert shipped <= set(names), f"not in the wheel: {sorted(shipped - set(names))}"
    for name in ("gansynth/py.typed", "gansynth/report/page.html.j2", "gansynth/zoo/__init__.py"):
        assert name in names
    # The wheel before everything else on the path, and no checkout: what a user's machine has after installing it.
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); sys.meta_path[:] = [f for f in sys.meta_path "
        "if '__editable__' not in repr(f)]; import gansynth, gansynth.zoo; "
        f"assert gansynth.__file__.startswith({str(site)!r}) and gansynth.zoo.__file__.startswith({str(site)!r}); "
        "from gansynth.recipes import load_recipe, recipe_names; [load_recipe(name) for name in recipe_names()]; "
        "from gansynth.cli import run; sys.exit(run(['models']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "c-wgan-gp-64" in done.stdout


def data_files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.suffix in {".yaml", ".safetensors", ".json", ".md"}]
