"""Published weight files are found, checked, and asked for by name where they are missing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gansynth.errors import InputError
from gansynth.metrics.extractors import MissingWeights, find_weights, open_extractor
from gansynth.metrics.extractors.weights import ALEXNET, FOLDER_VARIABLE, INCEPTION, WeightFile, read_state

CONTENT = b"not really weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = WeightFile("net.pth", SHA256[:8], "FID", "https://example.org/net.pth")


@pytest.fixture
def torch_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("sha256", [SHA256, SHA256[:8]], ids=["whole", "as torch.hub names it"])
def test_file_is_found_where_torch_hub_puts_it(torch_home: Path, sha256: str) -> None:
    (torch_home / FILE.name).write_bytes(CONTENT)
    assert find_weights(replace(FILE, sha256=sha256)) == torch_home / FILE.name


def test_folder_given_goes_before_the_variable_and_that_before_torch_hub(
    torch_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (torch_home, tmp_path / "variable", tmp_path / "given"):
        folder.mkdir(exist_ok=True)
        (folder / FILE.name).write_bytes(CONTENT)
    assert find_weights(FILE).parent == torch_home
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "variable"))
    assert find_weights(FILE).parent == tmp_path / "variable"
    assert find_weights(FILE, tmp_path / "given").parent == tmp_path / "given"


def test_missing_file_says_which_where_and_how(torch_home: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingWeights) as raised:
        open_extractor("inception", tmp_path / "given")
    assert raised.value.to_json() == {
        "metric": INCEPTION.metric,
        "file": "weights-inception-2015-12-05-6726825d.pth",
        "looked_in": f"{tmp_path / 'given'}, {torch_home}",
        "how": f"download {INCEPTION.url} and put it into the folder given with --weights-dir",
    }
    assert INCEPTION.name in str(raised.value)


@pytest.mark.parametrize("found", [CONTENT[:-1], CONTENT + b"!", b""], ids=["cut off", "another", "empty"])
def test_wrong_file_is_refused_with_both_sums(torch_home: Path, found: bytes) -> None:
    (torch_home / FILE.name).write_bytes(found)
    with pytest.raises(InputError) as raised:
        find_weights(FILE)
    assert not isinstance(raised.value, MissingWeights)
    for shown in (str(torch_home / FILE.name), FILE.sha256, hashlib.sha256(found).hexdigest()):
        assert shown in str(raised.value)


@pytest.mark.parametrize("file", [INCEPTION, ALEXNET])
def test_names_of_published_files_hold_their_sums(file: WeightFile) -> None:
    assert file.name.removesuffix(".pth").endswith(f"-{file.sha256}")
    assert file.url.endswith(file.name)


def test_code_inside_a_weight_file_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    torch.save({"weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(InputError, match=r"trap\.pth: cannot be read as PyTorch weights"):
        read_state(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


def test_unknown_extractor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="choose inception, alex, dinobloom, lite2 or lite0"):
        open_extractor("vgg")
