"""A seeded generator of what a user may name by mistake, or a stranger may have put there on purpose."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

Rng = random.Random

NAMES = [
    "Blast, no lineage spec", "a=b", "Größe é", "白血球", "a\nb", "a\tb", "=1+1", "+x", "-x", "@x", "'q'", '"q"',
    "%s{0}", "$HOME", "con", "..b", "a;b", "<b>", "~", "a" * 200, "\udcff\udcfe", "\u202eevil", " blank ", "#recycle",
]  # fmt: skip

NUMBERS = [
    "nan", "-nan", "inf", "-inf", "1e400", "1e-320", "-1", "0", "-0", "0.0", "1.5", "9" * 400, "0x10", "٣", "1_0", " 2",
    "", "true", "1", "2", "3", "1,2", "½",
]  # fmt: skip
TEXTS = [
    "", ",", "=", "=3", "a=nan", "a=", "../../x", "/x", "\0", "x" * 5000, "none,none", "basophil=1", "basophil=-1",
    "basophil=99999999999999", "basophil=1,basophil=2", "{", "[", "!!python/name:os.system", "training.epochs=nan",
    "latent=-1", "latent=9" + "9" * 30, "name=../../x", "a.b.c.d=[[[[", "oversample@nan", "c-wgan-gp", "own", "auto",
    "folders=/dev/zero", "kind=", "phantom", "none+none",
]  # fmt: skip


def pixels(rng: Rng, height: int = 12, width: int = 12) -> np.ndarray:
    return np.random.default_rng(rng.randrange(10**6)).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(rng: Rng, kind: str, height: int = 12, width: int = 12) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels(rng, height, width)).save(file, kind)
    return file.getvalue()


def damaged(rng: Rng, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.randrange(len(changed))] if rng.random() < 0.3 else changed)


def strange_picture(rng: Rng) -> bytes:
    """Bytes of a picture that is small, deep, cut off, of another format, or not a picture."""
    tiff = io.BytesIO()
    dtype = rng.choice(["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64", "complex64"])
    with np.errstate(all="ignore"):
        values = (pixels(rng).astype(np.int64) * rng.choice([1, 1, 257, -1, 10**6])).astype(dtype)
    if rng.random() < 0.5:
        values = np.moveaxis(values, -1, 0)
        tifffile.imwrite(tiff, values, photometric="rgb", planarconfig="separate")
    else:
        tifffile.imwrite(tiff, values[..., 0], photometric=rng.choice(["minisblack", "miniswhite"]))
    whole = rng.choice(["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
    return rng.choice(
        [
            lambda: tiff.getvalue(),
            lambda: damaged(rng, tiff.getvalue()),
            lambda: damaged(rng, encoded(rng, whole)),
            lambda: encoded(rng, "PNG", *rng.choice([(1, 1), (2, 4), (15, 15), (1, 300), (300, 1)])),
            lambda: encoded(rng, "GIF"),
            lambda: b"",
            lambda: rng.randbytes(300),
            lambda: b"II*\0" + rng.randbytes(60),
            lambda: b"\x89PNG\r\n\x1a\n" + rng.randbytes(60),
            lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        ]
    )()


def clear(path: Path) -> None:
    """Remove whatever has this name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


KINDS = ("pipe", "zero", "random", "socket", "dangling", "itself", "folder", "up", "empty")


def strange_file(rng: Rng, path: Path, kinds: Sequence[str] = KINDS) -> None:
    """Put something that is not a regular file, or a link, where a file is expected."""
    clear(path)
    kind = rng.choice(kinds)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind in ("zero", "random"):
        path.symlink_to("/dev/zero" if kind == "zero" else "/dev/urandom")
    elif kind == "socket":
        here = Path.cwd()
        os.chdir(path.parent)  # the address of a socket has room for 100 bytes only
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name[:60])
        os.chdir(here)
    elif kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    else:
        path.symlink_to({"dangling": "nowhere", "itself": path.name, "up": "/"}[kind])


def strange_table(rng: Rng, paths: list[str], column: str, cells: list[str]) -> bytes:
    """A CSV table that fits the images more or less."""
    spell: list[Callable[[str], str]] = [
        str,
        lambda p: p.replace("/", "\\"),
        lambda p: f"./{p}",
        lambda p: p.split("/")[-1],
        lambda p: f"/x/{p}",
        str.upper,
        lambda p: "../../outside.png",
        lambda p: "",
    ]
    how = rng.choice(spell)
    names = [(how if rng.random() < 0.8 else rng.choice(spell))(path) for path in paths]
    rng.shuffle(names)
    names = names[: rng.randrange(len(names) + 1)] if rng.random() < 0.3 else names
    by = rng.choice([",", ",", ";", "\t", "|"])
    rows = [by.join([name, *rng.choices(cells, k=rng.choice([1, 1, 1, 0, 2]))]) for name in names]
    header = by.join(["file_name", column] + ["x"] * rng.choice([0, 0, 0, 1, 20_000]))
    text = rng.choice(["", "", "\ufeff"]) + rng.choice(["\n", "\r\n"]).join([header, *rows])
    data = text.encode(rng.choice(["utf-8", "utf-8", "utf-8", "utf-16", "latin-1"]), "replace")
    return rng.choice([data, data, data, damaged(rng, data), data + b"\0", b"", b'"' + data])


def strange_json(rng: Rng, whole: str) -> bytes:
    """JSON that was cut, emptied, nested without end, or holds other values."""
    value = json.loads(whole)
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    for key in rng.sample(keys, min(len(keys), rng.randrange(1, 4))):
        value[key] = rng.choice(
            [None, [], {}, "", 0, -1, float("nan"), [[]], {"a": []}, "x" * 99, True, [None, 3], 10**30]
        )
    return rng.choice(
        [
            lambda: json.dumps(value).encode(),
            lambda: json.dumps(value).encode(),
            lambda: whole.encode()[: rng.randrange(len(whole))],
            lambda: damaged(rng, whole.encode()),
            lambda: b"",
            lambda: b"[" * 10_000,
            lambda: b'{"a":' * 10_000,
            lambda: rng.choice([b"null", b"[]", b"3", b'"x"', b"{}", b"NaN", b"9" * 9999]),
            lambda: whole.encode("utf-16"),
        ]
    )()


def strange_yaml(rng: Rng, whole: str) -> bytes:
    """YAML with tags, aliases, depth, odd values, damage."""
    lines = whole.splitlines()
    at = rng.randrange(len(lines))
    value = rng.choice(
        ["!!timestamp x", "!!python/object/apply:os.system [id]", "&a [*a]", "nan", ".inf", "-1", "1e400", "[]",
         "{}", "null", "2001-13-45", "../../x", "/x", "'\0'", "9" * 5000, "yes", "[" * 500, "!!binary x", "? x", "'"]
    )  # fmt: skip
    changed = "\n".join([*lines[:at], f"{lines[at].split(':')[0]}: {value}", *lines[at + 1 :]])
    return rng.choice(
        [
            lambda: changed.encode(),
            lambda: changed.encode(),
            lambda: damaged(rng, whole.encode()),
            lambda: b"[" * 10_000,
            lambda: b"a: 1\n" * 300_000,
            lambda: whole.encode("utf-16"),
            lambda: rng.randbytes(200),
        ]
    )()


def strange_voc(rng: Rng) -> bytes:
    """A Pascal VOC file with boxes anywhere, another size, or another document altogether."""
    edge = lambda: rng.choice([-5, 0, 1, 30, 60, 95, 96, 500, "nan", "inf", "1e400", "", "x", 10**30])  # noqa: E731
    names = ("xmin", "ymin", "xmax", "ymax")
    boxes = ["".join(f"<{name}>{edge()}</{name}>" for name in names) for _ in range(rng.randrange(5))]
    boxes += boxes[:1]
    name = rng.choice(["RBC", "WBC", "../../x", "a/b", "Platelets", "", "&#0;"])
    objects = "".join(f"<object><name>{name}</name><bndbox>{box}</bndbox></object>" for box in boxes)
    size = rng.choice([(96, 96), (96, 96), (192, 192), (0, 0), (-1, 5)])
    text = f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>{objects}</annotation>"
    bomb = f'<!DOCTYPE a [<!ENTITY b "{"c" * 50}">]>'
    return rng.choice(
        [
            lambda: text.encode(),
            lambda: text.encode(),
            lambda: damaged(rng, text.encode()),
            lambda: (bomb + text).encode(),
            lambda: f'<?xml version="1.0" encoding="utf-16"?>{bomb}{text}'.encode("utf-16"),
            lambda: b"<annotation>" + b"<object>" * 5000,
            lambda: b"<html/>",
            lambda: b"",
        ]
    )()


def strange_lines(rng: Rng, whole: str) -> bytes:
    """JSON lines of which one is torn, doubled, of another file, or not JSON."""
    lines = whole.splitlines()
    at = rng.randrange(len(lines))
    other = rng.choice(["", "{", "null", "[]", "3", "NaN", '{"a":' * 5000, '{"step": "x"}', "\0", lines[0], "{}"])
    lines[at] = rng.choice([other, other, lines[at][: len(lines[at]) // 2]])
    text = "\n".join(lines)
    return rng.choice([lambda: text.encode(), lambda: text.encode(), lambda: damaged(rng, whole.encode())])()


def spoil_file(rng: Rng, file: Path) -> None:
    """Spoil a file in the way of its kind, or put something else in its place."""
    whole = file.read_bytes()
    if rng.random() < 0.25 or not whole:
        strange_file(rng, file)
    elif file.suffix == ".json":
        file.write_bytes(strange_json(rng, whole.decode()))
    elif file.suffix == ".jsonl":
        file.write_bytes(strange_lines(rng, whole.decode()))
    elif file.suffix == ".yaml":
        file.write_bytes(strange_yaml(rng, whole.decode()))
    elif file.suffix == ".safetensors" and rng.random() < 0.6:
        file.write_bytes(strange_weights(rng, whole))
    else:
        file.write_bytes(damaged(rng, whole))


def strange_weights(rng: Rng, whole: bytes) -> bytes:
    """Safetensors whose header says something else, or whose numbers are not finite."""
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    about = dict(header.get("__metadata__", {}))
    names = sorted(set(header) - {"__metadata__"})
    what = rng.randrange(5)
    if what == 0:
        for key in rng.sample(sorted(about), min(len(about), 2)):
            about[key] = rng.choice(["", "{", "null", "[]", "{}", "nan", '{"step": -1}', "[" * 5000, "\0"])
        header["__metadata__"] = about
    elif what == 1:
        header.pop("__metadata__", None)
    elif what == 2 and names:
        header["renamed"] = header.pop(rng.choice(names))
    elif what == 3 and names:
        one = header[rng.choice(names)]
        one["shape"] = rng.choice([[], [0], [*one["shape"], 1], [-1], [10**12]])
    else:
        return whole[: 8 + length] + b"\xff" * (len(whole) - 8 - length)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + whole[8 + length :]


def tree(rng: Rng, root: Path) -> list[str]:
    """Write a small class-folder tree of real pictures; return the images' paths."""
    paths = []
    for name in ["basophil", "neutrophil", rng.choice(NAMES)][: rng.choice([1, 2, 2, 3])]:
        (root / name).mkdir(parents=True)
        for i in range(rng.choice([1, 1, 2, 4])):
            suffix, kind = rng.choice([(".png", "PNG"), (".JPG", "JPEG"), (".jfif", "JPEG"), (".tif", "TIFF")])
            (root / name / f"{i:03d}{suffix}").write_bytes(encoded(rng, kind))
            paths.append(f"{name}/{i:03d}{suffix}")
    return paths


def spoil(rng: Rng, root: Path, paths: list[str]) -> None:
    """Do one to three things to a data set that its user did not expect."""
    for _ in range(rng.randrange(1, 4)):
        what = rng.randrange(8)
        home = root / rng.choice(paths).split("/")[0]
        home.mkdir(exist_ok=True)
        if what == 0:
            (home / f"strange.{rng.choice(['png', 'TIF', 'jpg', 'jfif', 'txt', 'webp'])}").write_bytes(
                strange_picture(rng)
            )
        elif what == 1:
            clear(root / "metadata.csv")
            column, cells = rng.choice(
                [
                    ("origin", ["real", "synthetic", "fake", ""]),
                    ("split", ["train", "test", ""]),
                    ("group", ["p1", "p2"]),
                ]
            )
            (root / "metadata.csv").write_bytes(strange_table(rng, paths, column, cells))
        elif what == 2:
            clear(root / "splits.csv")
            (root / "splits.csv").write_bytes(strange_table(rng, paths, "split", ["train", "test", "val"]))
        elif what == 3:
            strange_file(rng, root / rng.choice(["metadata.csv", "splits.csv", "class", "README.md"]))
        elif what == 4:
            strange_file(rng, home / rng.choice(["x.png", "x.tif", "deeper", "000.png"]))
        elif what == 5:
            litter = home / rng.choice(["@eaDir", "__MACOSX", ".ipynb_checkpoints", "~$x"])
            litter.mkdir(exist_ok=True)
            (litter / "000.jpg").write_bytes(encoded(rng, "JPEG"))
        elif what == 6:
            (home / f"{rng.choice(NAMES)[:120]}.png").write_bytes(encoded(rng, "PNG"))
        else:
            (root / rng.choice(NAMES)).mkdir(exist_ok=True)


def ordinary_picture(rng: Rng, path: Path) -> None:
    """Write a picture as microscopes and phones leave them: of any mode, turned, with several pages, tiny, or long."""
    values = pixels(rng, *rng.choice([(12, 12), (12, 12), (1, 1), (1, 500), (40, 16)]))
    image = Image.fromarray(values)
    tag = Image.Exif()
    tag[0x0112] = rng.choice([1, 3, 6, 8, 99])
    rng.choice(
        [
            lambda: image.convert("CMYK").save(path.with_suffix(".jpg")),
            lambda: image.save(path.with_suffix(".jpeg"), exif=tag),
            lambda: image.quantize(8).save(path.with_suffix(".png"), transparency=3),
            lambda: image.convert("RGBA").save(path.with_suffix(".png")),
            lambda: image.convert("1").save(path.with_suffix(".png")),
            lambda: image.save(path.with_suffix(".webp"), save_all=True, append_images=[image.rotate(180)]),
            lambda: image.save(path.with_suffix(".tiff"), save_all=True, append_images=[image.rotate(180)]),
            lambda: Image.fromarray(values[..., 0].astype(np.uint16) * 200).save(path.with_suffix(".png")),
            lambda: image.save(path.with_suffix(".bmp")),
        ]
    )()


def disorder(rng: Rng, root: Path) -> None:
    """Write a data set as it comes from a laboratory: put together by several people, copied and unpacked, with tables
    that were kept in a spreadsheet."""
    paths = tree(rng, root)
    first = paths[0].split("/")[0]
    for _ in range(rng.randrange(1, 4)):
        what = rng.randrange(8)
        if what == 0:  # the same class once more, under nearly its name
            name = rng.choice([first.upper(), f"{first} ", first.capitalize(), f"{first}\u00a0", "Gro\u0308\u00dfe"])
            (root / name).mkdir(exist_ok=True)
            (root / name / "again.png").write_bytes(encoded(rng, "PNG"))
        elif what == 1:  # one folder too many above the classes, or patients above them
            (root.parent / "inner").mkdir()
            root.rename(root.parent / "inner" / rng.choice(["cells", "p1"]))
            if rng.random() < 0.3:
                tree(rng, root.parent / "inner" / "p2")
            (root.parent / "inner").rename(root)
            return
        elif what == 2:
            name = rng.choice(
                ["Splits.csv", "SPLITS.CSV", "splits.csv.csv", "splits.xlsx", "metadata.jsonl", "Metadata.csv"]
            )
            (root / name).write_bytes(strange_table(rng, paths, "split", ["train", "test", "val"]))
        elif what == 3:
            column = rng.choice(["patient", "Patient ID", "slide", "group", "class", "index", "path", "sha256"])
            cells = rng.choice([["p1", "p1 ", "P1"], ["1", "1.0", "01"], ["NaN", "n/a", ""], ["basophil", "Basophil "]])
            clear(root / "metadata.csv")
            (root / "metadata.csv").write_bytes(strange_table(rng, paths, column, cells))
        elif what == 4:
            ordinary_picture(rng, root / first / "other.x")
        elif what == 5:  # a clock that was wrong
            moment = rng.choice([0, -1, 2**31, 2**33])
            os.utime(root / paths[-1], (moment, moment))
        elif what == 6:
            clear(root / "linked")
            (root / "linked").symlink_to(rng.choice([root, root / first, root.parent, Path("linked")]))
        else:  # it takes no room until somebody copies it
            (root / first / "giant.tif").touch()
            os.truncate(root / first / "giant.tif", 10**9)
