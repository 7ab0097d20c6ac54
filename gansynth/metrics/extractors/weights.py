"""Published weight files: where they are looked for, and how a wrong or a missing one is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gansynth.errors import InputError
from gansynth.files import open_regular
from gansynth.files.regular import file_sha256

FOLDER_VARIABLE = "GANSYNTH_WEIGHTS"
"""The environment variable that names a folder of weights where no ``--weights-dir`` is given."""


@dataclass(frozen=True)
class WeightFile:
    """A file of weights that somebody publishes and gansynth does not ship.

    Attributes
    ----------
    name : str
        File name, as it is published.
    sha256 : str
        The file's sha256, or its first digits: torch.hub's names end in the first eight, and that is what torch.hub
        itself checks after a download.
    metric : str
        The metrics that cannot be had without it.
    url : str
        Where it is published.
    """

    name: str
    sha256: str
    metric: str
    url: str

    @property
    def how(self) -> str:
        """What a user does to have it, in one sentence."""
        return f"download {self.url} and put it into the folder given with --weights-dir"


INCEPTION = WeightFile(
    name="weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d",
    metric="FID, KID, IS, improved-precision, improved-recall, density, coverage",
    url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
)
"""The Inception network of 2015 that FID is defined with, converted from TensorFlow by torch-fidelity."""

ALEXNET = WeightFile(
    name="alexnet-owt-7be5be79.pth",
    sha256="7be5be79",
    metric="LPIPS, LPIPS-diversity",
    url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
)
"""torchvision's AlexNet, the trunk of LPIPS; its linear heads come with the package lpips."""


class MissingWeights(InputError):
    """A weight file is not there, so that some metrics cannot be computed.

    Attributes
    ----------
    metric : str
        The metrics that need it, separated by ", ".
    file : str
        Its name.
    looked_in : str
        The folders it was looked for in, separated by ", ".
    how : str
        How to get it.
    """

    def __init__(self, metric: str, file: str, looked_in: str, how: str) -> None:
        self.metric, self.file, self.looked_in, self.how = metric, file, looked_in, how
        where = f" (looked in {looked_in})" if looked_in else ""
        super().__init__(f"{metric}: there is no {file}{where}; {how}")

    def to_json(self) -> dict[str, str]:
        """Return the entry of ``missing`` in the answer of ``quality --json``."""
        return {"metric": self.metric, "file": self.file, "looked_in": self.looked_in, "how": self.how}


def folders(weights_dir: Path | str | None = None) -> tuple[Path, ...]:
    """Return the folders that weights are looked for in, the first first.

    ``weights_dir`` or else ``$GANSYNTH_WEIGHTS``; then where torch.hub puts its downloads
    (``$TORCH_HOME/hub/checkpoints``, by default ``~/.cache/torch/hub/checkpoints``).
    """
    own = weights_dir or os.environ.get(FOLDER_VARIABLE)
    return *([Path(own)] if own else []), Path(torch.hub.get_dir()) / "checkpoints"


def find_weights(file: WeightFile, weights_dir: Path | str | None = None) -> Path:
    """Return where a published weight file lies, after its sha256 was checked.

    Parameters
    ----------
    file : WeightFile
    weights_dir : path-like or None
        See `folders`.

    Raises
    ------
    MissingWeights
        If it is in none of the folders.
    InputError
        If what is there is not the published file: another one, or a download that was cut off.
    """
    looked_in = folders(weights_dir)
    for folder in looked_in:
        path = folder / file.name
        if path.is_file():
            check_sha256(path, file.sha256)
            return path
    raise MissingWeights(file.metric, file.name, ", ".join(str(folder) for folder in looked_in), file.how)


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file whose sha256 does not begin with `expected`.

    Raises
    ------
    InputError
        Naming the file, what was expected and what was found.
    """
    found = file_sha256(path)
    if not found.startswith(expected):
        shown = f"{expected}..." if len(expected) < len(found) else expected
        raise InputError(
            f"{path}: is not the published file: its sha256 should be {shown} and is {found}; "
            "it may be cut off, so download it again"
        )


def read_state(path: Path) -> Mapping[str, object]:
    """Read what a weight file (.pth) holds, without running any code that may be in it.

    Raises
    ------
    InputError
        If it cannot be read, or is not a dict.
    """
    open_regular(path).close()  # a pipe would be waited for
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    # What torch raises on a damaged file depends on where the damage is.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as PyTorch weights ({reason}); download it again") from None
    if not isinstance(state, Mapping):
        raise InputError(f"{path}: holds no weights by name; give the published file")
    return state


def only_tensors(state: Mapping[str, object]) -> dict[str, Tensor]:
    """Return the entries that are tensors."""
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}
