"""Two hundred malformed data sets: every one is opened without what is broken, or refused in one sentence."""

from __future__ import annotations

import os
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trees import picture, png, tree

from gansynth.data import dataset_info, import_sources, open_dataset, split_dataset, write_splits
from gansynth.errors import InputError

NAMES = [
    "a b",
    "it's",
    '"q"',
    "ü",
    "白血球",
    "a\nb",
    "..b",
    "con",
    "a;rm -rf",
    "%s{0}",
    "$HOME",
    "=1+1",
    "-",
    "a" * 200,
]


def _valid(rng: random.Random, suffix: str, path: Path) -> bytes:
    Image.fromarray(picture(rng.randrange(999))).save(path.with_suffix(f".{suffix}"))
    return path.with_suffix(f".{suffix}").read_bytes()


def _damage(kind: str, rng: random.Random, root: Path, scratch: Path) -> None:
    folder = root / "b"
    suffix = rng.choice(["jpg", "png", "tif", "bmp", "webp"])
    target = folder / f"broken.{suffix}"
    whole = _valid(rng, suffix, scratch / "valid")
    if kind == "truncated":
        target.write_bytes(whole[: rng.randrange(len(whole))])
    elif kind == "flipped bytes":
        damaged = bytearray(whole)
        for _ in range(rng.randrange(1, 60)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        target.write_bytes(damaged)
    elif kind == "zero bytes":
        target.touch()
    elif kind == "wrong extension":
        target.write_bytes(
            rng.choice([b"plain text", b"%PDF-1.4", b"PK\x03\x04", b"GIF89a" + bytes(40), os.urandom(300)])
        )
    elif kind == "bomb":
        target.write_bytes(png(rng.choice([10_000, 60_000, 2**31 - 1]), rng.choice([10_000, 2**31 - 1]), bytes(64)))
    elif kind == "name":
        name = rng.choice(NAMES)
        (root / name).mkdir()
        (root / name / f"{name[:100]}.{suffix}").write_bytes(whole)
    elif kind == "loop":
        rng.choice([folder / "loop", root / "c", folder / "x.png"]).symlink_to(
            rng.choice([root, folder, scratch / "no"])
        )
    elif kind == "splits":
        (root / "splits.csv").write_bytes(_table(rng, b"file_name,split\n", [b"train", b"test", b"..", b"\xff", b""]))
    elif kind == "metadata":
        (root / "metadata.csv").write_bytes(_table(rng, b"file_name,origin,group\n", [b"real", b"fake", b"\x00", b'"']))
    elif kind == "folder for a file":
        (root / rng.choice(["splits.csv", "metadata.csv", "b/x.png"])).mkdir()


def _table(rng: random.Random, header: bytes, cells: list[bytes]) -> bytes:
    names = [b"a/000.png", b"../../outside.png", b"/etc/passwd", b"b/000.png", b'"', b"\xfe\xff"]
    rows = [b",".join([rng.choice(names), *rng.choices(cells, k=rng.randrange(1, 4))]) for _ in range(rng.randrange(6))]
    return (header if rng.random() < 0.8 else b"") + b"\n".join(rows)


KINDS = ["truncated", "flipped bytes", "zero bytes", "wrong extension", "bomb", "name", "loop", "splits", "metadata",
         "folder for a file"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(20))
def test_malformed_data_set_is_opened_or_refused_in_one_sentence(tmp_path: Path, kind: str, seed: int) -> None:
    rng = random.Random(f"{kind}{seed}")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    root = tree(tmp_path / "data", {"a": 2, "b": 1 if seed % 2 else 0}, edge=20)
    (root / "b").mkdir(exist_ok=True)
    _damage(kind, rng, root, scratch)
    before = {path for path in tmp_path.rglob("*") if "cache" not in path.parts}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            cells = open_dataset(root, 16, cache_dir=tmp_path / "cache")
            assert cells.images.shape[0] >= 2 and cells.images.dtype == np.uint8
            assert dataset_info(root, cache_dir=tmp_path / "cache").to_text().encode()
        except InputError as error:
            assert str(root) in str(error) and str(error).encode()
        try:
            import_sources([("folders", root)], tmp_path / "out")
            cells = open_dataset(tmp_path / "out", 16, cache_dir=tmp_path / "cache")
            write_splits(split_dataset(cells), tmp_path / "out")
            open_dataset(tmp_path / "out", 16, cache_dir=tmp_path / "cache")
        except InputError as error:
            assert str(error).encode()
    after = {path for path in tmp_path.rglob("*") if not {"cache", "out"} & set(path.parts)}
    assert after == before
