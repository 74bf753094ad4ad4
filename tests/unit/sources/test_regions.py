import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from distxml.errors import UserError
from distxml.sources.material import Unusable
from distxml.sources.regions import MaskFile
from tests.unit.sources.pictures import HEIGHT, IMAGE_BOX, WIDTH, mask_of, write_mask


def read(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    return MaskFile(path, f"masks/{path.name}").mask(*size)


def save(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def grey() -> Image.Image:
    return Image.fromarray(mask_of(IMAGE_BOX))


@pytest.mark.parametrize("name", ["m.png", "m.bmp", "m.tif", "m.jpg", "m.webp"])
def test_formats(tmp_path: Path, name: str) -> None:
    options = {"lossless": True} if name.endswith("webp") else {}
    assert np.array_equal(read(save(grey(), tmp_path / name, **options)), mask_of(IMAGE_BOX))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_modes(tmp_path: Path, mode: str) -> None:
    assert np.array_equal(read(save(grey().convert(mode), tmp_path / "m.tif")), mask_of(IMAGE_BOX))


@pytest.mark.parametrize(("value", "inside"), [(127, False), (128, True), (200, True)])
def test_above_127_is_inside(tmp_path: Path, value: int, inside: bool) -> None:
    pixels = mask_of((0, 0, 2, 2))
    pixels[8, 8] = value
    assert bool(read(save(Image.fromarray(pixels), tmp_path / "m.png"))[8, 8]) is inside


def test_an_empty_mask_is_an_annotation(tmp_path: Path) -> None:
    assert np.array_equal(read(save(Image.fromarray(mask_of(None)), tmp_path / "m.png")), mask_of(None))


@pytest.mark.parametrize("brightest", [1, 2, 127])
def test_a_mask_of_labels_is_not_taken_for_an_empty_one(tmp_path: Path, brightest: int) -> None:
    pixels = np.minimum(mask_of(IMAGE_BOX), brightest).astype(np.uint8)
    with pytest.raises(Unusable, match=f"brightest value is {brightest}, but inside means above 127"):
        read(save(Image.fromarray(pixels), tmp_path / "m.png"))


def test_masks_without_one_meaning(tmp_path: Path) -> None:
    coloured = Image.fromarray(np.dstack([mask_of(IMAGE_BOX), mask_of(None), mask_of(None)]))
    clear = grey().convert("RGBA")
    clear.putalpha(0)
    deep = Image.fromarray(mask_of(IMAGE_BOX).astype(np.uint16) * 257)
    turned = Image.Exif()
    turned[0x0112] = 3
    for image, words in ((coloured, "coloured"), (clear, "transparent"), (deep, "more than 8 bits")):
        with pytest.raises(Unusable, match=rf"mask masks/m\.png .*{words}"):
            read(save(image, tmp_path / "m.png"))
    with pytest.raises(Unusable, match="turned by EXIF"):
        read(save(grey(), tmp_path / "m.jpg", exif=turned))


@pytest.mark.parametrize("size", [(WIDTH + 1, HEIGHT), (HEIGHT, WIDTH), (1, 1)])
def test_another_size_names_both(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_mask(tmp_path / "m.png", size=size)
    with pytest.raises(Unusable, match=rf"has {size[0]}x{size[1]} pixels, but the image has 24x16"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.png").write_bytes(content)
    with pytest.raises(Unusable, match=r"mask masks/m\.png cannot be decoded \([^\n]+\)$") as caught:
        read(tmp_path / "m.png")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_mask(tmp_path: Path, share: float) -> None:
    speckled = np.random.default_rng(0).integers(0, 2, (180, 200)).astype(np.uint8) * 255
    path = save(Image.fromarray(speckled), tmp_path / "m.png")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(Unusable, match="cannot be decoded"):
        read(path, (200, 180))


@pytest.mark.parametrize("name", ["gone.png", "folder.png"])
def test_a_mask_that_cannot_be_read_stops_the_build(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match=rf"{name}: cannot be read \("):
        read(tmp_path / name)


def test_too_many_open_files_are_not_the_masks_fault(tmp_path: Path) -> None:
    path = save(grey(), tmp_path / "m.png")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(UserError, match=r"m\.png: cannot be read \(Too many open files\)"):
            read(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 24 16
%%EndComments
(MARK) (w) file closefile
showpage
%%EOF
"""


def test_a_kind_that_other_programs_would_read_is_refused_by_its_header(tmp_path: Path) -> None:
    """Pillow takes it for EPS of the right size, and would start Ghostscript to decode it."""
    marker = tmp_path / "ghostscript was here"
    (tmp_path / "m.png").write_bytes(EPS.replace(b"MARK", str(marker).encode()))
    with Image.open(tmp_path / "m.png") as image:
        assert (image.format, image.size) == ("EPS", (WIDTH, HEIGHT))
    with pytest.raises(Unusable, match=r"^mask masks/m\.png cannot be decoded \(not BMP, GIF, JPEG, PNG"):
        read(tmp_path / "m.png")
    assert not marker.exists()


@pytest.mark.parametrize("name", ["m.gif", "m.tif", "m.webp", "m.png"])
def test_several_pages_are_several_masks(tmp_path: Path, name: str) -> None:
    other = Image.fromarray(mask_of((0, 0, 2, 2)))
    path = save(grey(), tmp_path / name, save_all=True, append_images=[other])
    with pytest.raises(Unusable, match=rf"mask masks/{name} holds 2 images"):
        read(path)
