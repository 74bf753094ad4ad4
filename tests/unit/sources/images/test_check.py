"""Every kind of dirty file, made with Pillow or by hand, through the gate."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from distxml.config.images import ImageRules
from distxml.data.rows import decode_image
from distxml.errors import UserError
from distxml.sources.images.check import PreparedImage, header_size, prepare_image
from distxml.sources.images.convert import eight_bits, laid_on
from distxml.sources.material import Unusable

WIDTH, HEIGHT = 32, 20
DEFAULT = ImageRules()


def photo(mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Smooth, so that JPEG keeps it nearly as it is."""
    ramp = np.linspace(0, 200, WIDTH) + np.linspace(0, 50, HEIGHT)[:, None]
    pixels = np.stack([ramp, ramp[::-1], np.full_like(ramp, 10 * seed)], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def file_of(folder: Path, name: str, image: Image.Image, kind: str | None = None, **options: Any) -> Path:
    image.save(folder / name, format=kind, **options)
    return folder / name


def pixels_of(prepared: PreparedImage) -> np.ndarray:
    """As training reads them; Pillow must read the same."""
    with Image.open(io.BytesIO(prepared.content)) as image:
        assert image.format in ("JPEG", "MPO", "PNG")
        assert image.mode in ("L", "RGB")
        assert image.size == (prepared.width, prepared.height)
        assert prepared.name.lower().endswith(".png" if image.format == "PNG" else (".jpg", ".jpeg"))
        assert image.getexif().get(0x0112, 1) not in range(2, 9)
        pillow = np.asarray(image.convert("RGB"))
    opencv = decode_image(prepared.content, None, prepared.name)
    assert np.abs(pillow.astype(int) - opencv).max() <= 3
    return opencv


def reason(path: Path, rules: ImageRules = DEFAULT) -> str:
    with pytest.raises(Unusable) as caught:
        prepare_image(path, rules)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.jpg", "RGB", {}),
        ("a.JPEG", "RGB", {"progressive": True}),
        ("a.jpg", "L", {}),
        ("a.jpg", "RGB", {"subsampling": 0, "quality": 95}),
        ("a.png", "RGB", {}),
        ("a.png", "L", {}),
    ],
)
def test_plain_files_keep_their_bytes(tmp_path: Path, name: str, mode: str, options: dict[str, Any]) -> None:
    path = file_of(tmp_path, name, photo(mode), **options)
    prepared = prepare_image(path, DEFAULT)
    assert prepared == PreparedImage(path.read_bytes(), name, WIDTH, HEIGHT, None)
    pixels_of(prepared)


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.bmp", "RGB", {}),
        ("a.bmp", "L", {}),
        ("a.tif", "RGB", {}),
        ("a.tiff", "L", {"compression": "tiff_lzw"}),
        ("a.webp", "RGB", {"lossless": True}),
        ("a.png", "P", {}),
        ("a.png", "1", {}),
        ("a.gif", "P", {}),
        ("a.gif", "L", {}),
        ("a.tif", "YCbCr", {}),
    ],
)
def test_other_files_become_png_without_loss(tmp_path: Path, name: str, mode: str, options: dict[str, Any]) -> None:
    path = file_of(tmp_path, name, photo(mode), **options)
    prepared = prepare_image(path, DEFAULT)
    assert prepared.name == "a.png"
    assert prepared.remark is not None and "saved as PNG" in prepared.remark
    with Image.open(path) as image:
        assert np.array_equal(pixels_of(prepared), np.asarray(image.convert("RGB")))


def test_grey_stays_one_channel(tmp_path: Path) -> None:
    prepared = prepare_image(file_of(tmp_path, "a.bmp", photo("L")), DEFAULT)
    assert Image.open(io.BytesIO(prepared.content)).mode == "L"


@pytest.mark.parametrize(("name", "kind", "right"), [("a.png", "JPEG", "a.jpg"), ("b.jpg", "PNG", "b.png")])
def test_a_wrong_extension_is_put_right_and_remarked(tmp_path: Path, name: str, kind: str, right: str) -> None:
    path = file_of(tmp_path, name, photo(), kind)
    prepared = prepare_image(path, DEFAULT)
    assert (prepared.name, prepared.content) == (right, path.read_bytes())
    assert prepared.remark == f"named {path.suffix}, but is {kind}"
    pixels_of(prepared)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.tif", "a.gif", "a.webp"])
def test_truncated_files_are_refused(tmp_path: Path, name: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    path = file_of(tmp_path, name, noise)
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - len(whole) // 8, 10, 1):
        path.write_bytes(whole[:length])
        assert "cannot be decoded" in reason(path)


@pytest.mark.parametrize("content", [b"no image at all", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 1000, b"\xff\xd8\xff"])
def test_files_that_are_no_images(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert "cannot be decoded" in reason(path)


def test_empty_missing_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    assert reason(tmp_path / "a.jpg") == "empty file"
    (tmp_path / "b.jpg").mkdir()
    for name in ("b.jpg", "missing.jpg"):
        with pytest.raises(UserError, match=rf"{name}: cannot be read"):
            prepare_image(tmp_path / name, DEFAULT)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk(tmp_path: Path, name: str) -> None:
    """Oracle: each channel is (1 - colour)(1 - black)."""
    inks = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    inks[..., 0], inks[..., 1], inks[..., 3] = 200, 30, 60
    path = file_of(tmp_path, name, Image.fromarray(inks, "CMYK"), quality=100)
    prepared = prepare_image(path, DEFAULT)
    expected = [round((255 - ink) * (255 - 60) / 255) for ink in (200, 30, 0)]
    assert np.abs(pixels_of(prepared)[5, 5].astype(int) - expected).max() <= 3
    assert "CMYK to RGB without a colour profile" in str(prepared.remark)
    assert "images.cmyk=convert" in reason(path, ImageRules(cmyk="leave_out"))


@given(value=st.integers(0, 65535))
def test_sixteen_bits_are_rounded(value: int) -> None:
    assert eight_bits(np.array([value], np.uint16))[0] == round(value / 257)  # never half way between two


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits(tmp_path: Path, name: str, channels: int) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH, channels), np.uint16)
    deep[..., 3:] = 65535
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    assert cv2.imwrite(str(tmp_path / name), deep[..., order].squeeze())
    assert "images.sixteen_bit=scale" in reason(tmp_path / name)
    prepared = prepare_image(tmp_path / name, ImageRules(sixteen_bit="scale"))
    assert np.array_equal(pixels_of(prepared), np.broadcast_to(np.rint(deep / 257)[..., :3], (HEIGHT, WIDTH, 3)))
    assert "16 bits per channel scaled to 8" in str(prepared.remark)


@pytest.mark.parametrize("mode", ["I", "F", "LAB"])
def test_pixels_without_a_rule(tmp_path: Path, mode: str) -> None:
    path = file_of(tmp_path, "a.tif", Image.new(mode, (WIDTH, HEIGHT)))
    assert "for which there is no rule" in reason(path, ImageRules(sixteen_bit="scale"))


@given(value=st.integers(0, 255), alpha=st.integers(0, 255), background=st.sampled_from([0, 255]))
def test_laying_on_a_background_is_rounded(value: int, alpha: int, background: int) -> None:
    found = laid_on(np.array([[[value, value, 7, alpha]]], np.uint8), background)
    assert abs(found[0, 0, 0] - (value * alpha + background * (255 - alpha)) / 255) <= 0.5
    assert laid_on(np.array([[[value, alpha]]], np.uint8), background)[0, 0] == found[0, 0, 0]


@pytest.mark.parametrize(("name", "mode"), [("a.png", "RGBA"), ("a.png", "LA"), ("a.webp", "RGBA"), ("a.tif", "RGBA")])
def test_alpha(tmp_path: Path, name: str, mode: str) -> None:
    image = photo("L" if mode == "LA" else "RGB")
    opaque = np.asarray(image.convert("RGB"))
    image.putalpha(Image.new("L", image.size, 255))
    options: dict[str, Any] = {"lossless": True, "exact": True} if name == "a.webp" else {}
    prepared = prepare_image(file_of(tmp_path, name, image, **options), ImageRules(alpha="leave_out"))
    assert np.array_equal(pixels_of(prepared), opaque)
    assert name == "a.webp" or "opaque alpha dropped" in str(prepared.remark)  # WebP stores no opaque alpha

    image.putpixel((3, 2), (*([90] * (len(mode) - 1)), 0))
    path = file_of(tmp_path, name, image, **options)
    for background, value in (("white", 255), ("black", 0)):
        prepared = prepare_image(path, ImageRules.model_validate({"alpha": background}))
        assert pixels_of(prepared)[2, 3].tolist() == [value] * 3
        assert np.array_equal(pixels_of(prepared)[3:], opaque[3:])
        assert f"transparent pixels laid on {background}" in str(prepared.remark)
    assert "images.alpha=white" in reason(path, ImageRules(alpha="leave_out"))


def test_a_palette_and_a_colour_that_are_transparent(tmp_path: Path) -> None:
    for name, image in (("p.png", photo("P")), ("p.gif", photo("P")), ("rgb.png", photo())):
        corner = image.getpixel((0, 0))
        path = file_of(tmp_path, name, image, transparency=corner)
        prepared = prepare_image(path, DEFAULT)
        assert pixels_of(prepared)[0, 0].tolist() == [255] * 3
        assert "laid on white" in str(prepared.remark)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_turned_images(tmp_path: Path, name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = file_of(tmp_path, name, photo(), exif=exif)
    assert f"EXIF orientation {orientation}" in reason(path)
    prepared = prepare_image(path, ImageRules(exif_rotated="upright"))
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(pixels_of(prepared), upright)
    assert header_size(path) == (prepared.width, prepared.height)
    assert f"turned upright (EXIF orientation {orientation})" in str(prepared.remark)


@pytest.mark.parametrize("orientation", [0, 1, 9, 77])
def test_orientations_that_turn_nothing(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = file_of(tmp_path, "a.jpg", photo(), exif=exif)
    assert prepare_image(path, DEFAULT).content == path.read_bytes()


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT" + zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


def test_enormous_images_are_left_out_by_their_header(tmp_path: Path) -> None:
    """The file is small: if it were decoded, the reason would be another."""
    path = tmp_path / "a.png"
    path.write_bytes(png_header(12_000, 10_000))
    assert reason(path) == "12000x10000 is 120000000 pixels, more than images.max_pixels=100000000"
    path.write_bytes(png_header(60_000, 60_000))
    assert "more pixels than Pillow decodes" in reason(path)
    path.write_bytes(png_header(1_100_000, 1))
    assert "no side may be longer" in reason(path)
    small = file_of(tmp_path, "b.png", photo())
    assert "32x20 is 640 pixels" in reason(small, ImageRules(max_pixels=639))
    prepare_image(small, ImageRules(max_pixels=640))


def test_several_images_in_one_file(tmp_path: Path) -> None:
    frames = [photo(seed=seed) for seed in range(3)]
    for name in ("a.gif", "a.tif", "a.webp", "a.png"):
        path = file_of(tmp_path, name, frames[0], save_all=True, append_images=frames[1:])
        assert "holds 3 images" in reason(path)
    path = file_of(tmp_path, "a.jpg", frames[0], "MPO", save_all=True, append_images=frames[1:])
    prepared = prepare_image(path, DEFAULT)  # as cameras write them: a preview or a second view behind the photograph
    assert prepared.content == path.read_bytes()
    assert prepared.remark == "the first of several images in the file"
    assert np.abs(pixels_of(prepared).astype(int) - np.asarray(frames[0])).max() < 20


def test_a_jpeg_of_rare_coding_becomes_png(tmp_path: Path) -> None:
    """A frame header that says arithmetic coding: the data behind it are not, but the rule looks at the header."""
    path = file_of(tmp_path, "a.jpg", photo())
    path.write_bytes(path.read_bytes().replace(b"\xff\xc0", b"\xff\xc9", 1))
    prepared = prepare_image(path, DEFAULT)
    assert (prepared.name, prepared.remark) == ("a.png", "JPEG saved as PNG")
    pixels_of(prepared)


def test_a_jpeg_with_rgb_inside_is_read_as_pillow_reads_it(tmp_path: Path) -> None:
    path = file_of(tmp_path, "a.jpg", photo(), keep_rgb=True)
    assert np.abs(pixels_of(prepare_image(path, DEFAULT)).astype(int) - np.asarray(photo())).max() < 20


@settings(max_examples=20)
@given(place=st.integers(0, 2000), value=st.integers(0, 255))
def test_no_damaged_file_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name in ("fuzz.jpg", "fuzz.png", "fuzz.gif", "fuzz.tif", "fuzz.bmp", "fuzz.webp"):
        buffer = io.BytesIO()
        photo().save(buffer, format={"jpg": "JPEG", "tif": "TIFF"}.get(name[5:], name[5:].upper()))
        content = bytearray(buffer.getvalue())
        content[place % len(content)] = value
        (folder / name).write_bytes(content)
        try:
            pixels_of(prepare_image(folder / name, DEFAULT))
        except Unusable as refused:
            assert str(refused).isprintable()
