"""What each kind of file becomes, by the rules of docs/data.md."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from trees import picture, png

from gansynth.data.picture import pixel_sha256, read_image, square
from gansynth.errors import InputError


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "bmp"])
def test_lossless_formats_give_back_their_pixels(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(picture(0)).save(tmp_path / f"a.{suffix}")
    assert np.array_equal(read_image(tmp_path / f"a.{suffix}"), picture(0))


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_lossy_formats_come_close(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(picture(0)).save(tmp_path / f"a.{suffix}", quality=95)
    assert np.abs(read_image(tmp_path / f"a.{suffix}").astype(int) - picture(0)).mean() < 6


def test_grey_is_repeated_in_three_channels(tmp_path: Path) -> None:
    grey = picture(0)[:, :, 0]
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), np.stack([grey] * 3, axis=2))


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:2] = (200, 0, 0, 255)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png")
    assert (read[:2] == (200, 0, 0)).all() and (read[2:] == 255).all()


def test_transparent_palette_is_laid_over_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([9, 9, 9, 50, 60, 70])
    image.putpixel((0, 0), 0)
    image.save(tmp_path / "a.png", transparency=0)
    read = read_image(tmp_path / "a.png")
    assert read[0, 0].tolist() == [255, 255, 255] and read[1, 1].tolist() == [50, 60, 70]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_of_sixteen_bits_the_high_byte_is_kept(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 255, 256], [32768, 65279, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    assert read_image(tmp_path / f"a.{suffix}")[:, :, 0].tolist() == [[0, 0, 1], [128, 254, 255]]


def test_sixteen_bit_colour_png_keeps_the_high_byte(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">6H", 256, 512, 65535, 0, 32768, 300) for _ in range(2))
    (tmp_path / "a.png").write_bytes(png(2, 2, rows, bits=16))
    assert read_image(tmp_path / "a.png")[0].tolist() == [[1, 2, 255], [0, 128, 1]]


def test_sixteen_bit_colour_tiff_keeps_the_high_byte(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", (picture(0).astype(np.uint16) << 8) + 77, photometric="rgb")
    assert np.array_equal(read_image(tmp_path / "a.tif"), picture(0))


def test_floating_point_without_an_agreed_range_is_refused_with_advice(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 1000, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="save it with 8 or 16 bits"):
        read_image(tmp_path / "a.tif")


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, 3), (8, 1)])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, turns: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture(0, 20, 30)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rot90(picture(0, 20, 30), turns))


def test_content_decides_about_the_format_not_the_extension(tmp_path: Path) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert np.array_equal(read_image(tmp_path / "a.jpg"), picture(0))


@pytest.mark.parametrize("edge", [9_000, 60_000])
def test_decompression_bomb_is_refused_without_being_decoded(tmp_path: Path, edge: int) -> None:
    (tmp_path / "a.png").write_bytes(png(edge, edge, bytes(1000)))
    with pytest.raises(InputError, match="megapixels"):
        read_image(tmp_path / "a.png")


def test_square_is_the_centre_and_keeps_pixels_at_their_own_size() -> None:
    wide = picture(0, 20, 50)
    assert np.array_equal(square(wide, 20), wide[:, 15:35].transpose(2, 0, 1))


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(square(stripes, 16)[:, 2:-2, 2:-2].astype(int) - 127).max() < 12


def test_hash_knows_pixels_and_shape_only() -> None:
    assert pixel_sha256(picture(0)) == pixel_sha256(picture(0).copy())
    assert pixel_sha256(np.zeros((2, 8, 3), np.uint8)) != pixel_sha256(np.zeros((4, 4, 3), np.uint8))
