"""Images deeper than 8 bits, in planes, with opacity, in other colours: read as tifffile and scikit-image read them, or
named as not supported; never garbled, black or negative."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from skimage.util import img_as_ubyte
from trees import picture, png

from gansynth.data.picture import READING_RULES, read_image
from gansynth.errors import InputError

COLOUR = picture(3, 20, 24)
GREY = COLOUR[..., 0]


def written(path: Path, values: np.ndarray, **how: Any) -> np.ndarray:
    tifffile.imwrite(path, values, **how)
    return read_image(path)


def same(found: np.ndarray, wanted: np.ndarray, within: int = 0) -> bool:
    wanted = wanted if wanted.ndim == 3 else np.repeat(wanted[..., None], 3, axis=2)
    return found.shape == wanted.shape and int(np.abs(found.astype(int) - wanted).max()) <= within


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 99),
    dtype=st.sampled_from(["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]),
    colour=st.booleans(),
    planes=st.booleans(),
    byteorder=st.sampled_from("<>"),
    tile=st.sampled_from([None, (16, 16)]),
    compression=st.sampled_from([None, "zlib"]),
)
def test_every_depth_and_layout_is_read_as_scikit_image_reads_it(
    tmp_path_factory: pytest.TempPathFactory, seed: int, dtype: str, colour: bool, planes: bool, byteorder: str,
    tile: tuple[int, int] | None, compression: str | None,
) -> None:  # fmt: skip
    share = picture(seed, 20, 24) / 255.0
    share[0, 0] = 1.0  # the values fill their type
    if not colour:
        share = share[..., 0]
    kind = np.dtype(dtype)
    values = (share if kind.kind == "f" else np.floor(share * np.iinfo(kind).max)).astype(kind)
    how: dict[str, Any] = {"photometric": "rgb" if colour else "minisblack", "byteorder": byteorder, "tile": tile}
    stored = np.moveaxis(values, -1, 0) if colour and planes else values
    if colour:
        how["planarconfig"] = "separate" if planes else "contig"
    path = tmp_path_factory.mktemp("tiff") / "x.tif"
    found = written(path, stored, compression=compression, **how)
    assert same(found, img_as_ubyte(values))


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float32"])
def test_eight_bits_in_a_larger_box_keep_their_values(tmp_path: Path, dtype: str) -> None:
    assert same(written(tmp_path / "g.tif", GREY.astype(dtype)), GREY)
    assert same(written(tmp_path / "c.tif", COLOUR.astype(dtype), photometric="rgb"), COLOUR)


def test_sixteen_bits_in_thirty_two_keep_the_high_byte(tmp_path: Path) -> None:
    assert same(written(tmp_path / "x.tif", GREY.astype(np.uint32) * 257), GREY)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_white_for_zero_is_turned_round(tmp_path: Path, dtype: str) -> None:
    most = np.iinfo(dtype).max
    values = (most - GREY.astype(np.uint64) * (most // 255)).astype(dtype)
    assert same(written(tmp_path / "x.tif", values, photometric="miniswhite"), GREY)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("planes", [False, True])
def test_opacity_is_laid_over_white(tmp_path: Path, dtype: str, planes: bool) -> None:
    alpha = np.broadcast_to(np.linspace(0, 255, 24).astype(np.uint8), GREY.shape)
    values = np.dstack([COLOUR, alpha]).astype(dtype) * (257 if dtype == "uint16" else 1)
    stored = np.moveaxis(values, -1, 0) if planes else values
    found = written(
        tmp_path / "x.tif", stored, photometric="rgb", extrasamples=["unassalpha"],
        planarconfig="separate" if planes else "contig",
    )  # fmt: skip
    share = alpha[..., None] / 255
    assert same(found, (COLOUR * share + 255 * (1 - share)).round().astype(np.uint8), within=1)


def test_of_several_pages_the_first_is_read_and_channels_of_imagej_are_colours(tmp_path: Path) -> None:
    pages = np.stack([GREY, 255 - GREY, GREY])
    assert same(written(tmp_path / "pages.tif", pages, photometric="minisblack"), GREY)
    assert same(written(tmp_path / "deep.tif", pages.astype(np.uint16) * 257, photometric="minisblack"), GREY)
    channels = np.moveaxis(COLOUR, -1, 0)
    assert same(written(tmp_path / "imagej.tif", channels, imagej=True, metadata={"axes": "CYX"}), COLOUR)
    assert same(
        written(tmp_path / "cell.ome.tif", channels, photometric="minisblack", metadata={"axes": "CYX"}), COLOUR
    )


def test_orientation_of_a_deep_tiff_is_applied(tmp_path: Path) -> None:
    found = written(tmp_path / "x.tif", COLOUR.astype(np.uint16) * 257, photometric="rgb", extratags=[(274, 3, 1, 6)])
    assert same(found, np.rot90(COLOUR, -1))


@pytest.mark.parametrize(
    "values",
    [
        np.float32([[0.0, 300.0]]), np.float32([[-1.0, 1.0]]), np.float32([[np.nan, 1.0]]), np.float32([[0.0, np.inf]]),
        np.int16([[-5, 5]]), np.complex64([[0, 1]]),
    ],
)  # fmt: skip
def test_values_without_an_agreed_range_are_named_as_not_supported(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(InputError, match="not supported"):
        written(tmp_path / "x.tif", values)


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"GIF89a", "GIF"), (b"8BPS\0\1", "PSD"), (b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"\0\0\0\x18ftypheic", "HEIF"),
        (bytes(128) + b"DICM", "DICOM"), (b"%PDF-1.7", "PDF"), (b"<?xml?><svg ", "SVG"),
    ],
)  # fmt: skip
def test_pictures_of_other_formats_are_named_as_not_supported(tmp_path: Path, head: bytes, named: str) -> None:
    (tmp_path / "x.png").write_bytes(head + bytes(200))
    with pytest.raises(InputError, match=f"{named}.* is not supported"):
        read_image(tmp_path / "x.png")


def test_sixteen_bit_png_of_low_values_is_not_black(tmp_path: Path) -> None:
    row = b"".join(b"\0" + bytes([0, 200] * 3) for _ in range(1))
    (tmp_path / "x.png").write_bytes(png(1, 1, row, bits=16))
    with pytest.raises(InputError, match="not supported"):
        read_image(tmp_path / "x.png")
    Image.fromarray(GREY.astype(np.uint16)).save(tmp_path / "g.png")
    assert same(read_image(tmp_path / "g.png"), GREY)


def test_transparent_colours_of_a_palette_are_white(tmp_path: Path) -> None:
    image = Image.fromarray(COLOUR).quantize(8)
    image.save(tmp_path / "x.png", transparency=bytes([0, 128, *[255] * 6]))
    wanted = np.asarray(image.convert("RGB")).astype(float)
    share = np.choose(np.asarray(image), [0, 128 / 255, *[1.0] * 6])[..., None]
    assert same(read_image(tmp_path / "x.png"), (wanted * share + 255 * (1 - share)).round().astype(np.uint8), within=1)


def test_cmyk_goes_by_its_own_profile_and_passes_over_one_that_does_not_fit(tmp_path: Path) -> None:
    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("plain", None), ("damaged", b"no profile"), ("of RGB", srgb)):
        cmyk.save(tmp_path / f"{name}.tif", **({} if profile is None else {"icc_profile": profile}))
        assert same(read_image(tmp_path / f"{name}.tif"), np.asarray(cmyk.convert("RGB")))


@settings(max_examples=80, deadline=None)
@given(at=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), cut=st.integers(0, 3000))
def test_damaged_tiff_is_read_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, at: list[tuple[int, int]], cut: int
) -> None:
    data = io.BytesIO()
    tifffile.imwrite(data, np.moveaxis(COLOUR, -1, 0).astype(np.uint16), photometric="rgb", planarconfig="separate")
    damaged = bytearray(data.getvalue())
    for place, byte in at:
        damaged[place] = byte
    path = tmp_path_factory.mktemp("damaged") / "x.tif"
    path.write_bytes(damaged[:cut] if cut < 2000 else damaged)
    try:
        assert read_image(path).dtype == np.uint8
    except InputError as error:
        assert "\n" not in str(error)


def test_packs_of_the_old_rules_are_not_used_again() -> None:
    assert READING_RULES == 2
