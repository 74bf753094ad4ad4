"""Writes small ImageNet-HVZ trees in both layouts."""

import csv
from pathlib import Path

from distxml.config.sources import HvzFlatSource, HvzSource
from tests.unit.sources.pictures import HEIGHT, IMAGE_BOX, WIDTH, BoxCorners, write_image, write_mask

SYNSETS = {"horse": "n02389026", "zebra": "n02391049"}


class ImageNetTree:
    """Images and box XML below two folders, as ILSVRC lays them out."""

    def __init__(self, root: Path) -> None:
        self.images = root / "Data" / "CLS-LOC" / "train"
        self.annotations = root / "Annotations" / "CLS-LOC" / "train"
        for synset in SYNSETS.values():
            (self.images / synset).mkdir(parents=True)
            (self.annotations / synset).mkdir(parents=True)

    def add(self, name: str, number: int, *boxes: BoxCorners, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
        """An image, and its XML where there are boxes; `size` is what the XML states."""
        synset = SYNSETS[name]
        path = write_image(self.images / synset / f"{synset}_{number}.JPEG")
        if boxes:
            self.add_xml(synset, path.stem, "".join(box_xml(synset, box) for box in boxes), size)
        return path

    def add_xml(self, synset: str, stem: str, objects: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        head = f"<folder>{synset}</folder><filename>{stem}</filename>"
        stated = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
        xml = f"<annotation>{head}{stated}<segmented>0</segmented>{objects}</annotation>"
        (self.annotations / synset / f"{stem}.xml").write_text(xml)

    def settings(self, **changes: object) -> HvzSource:
        where = {"kind": "imagenet_hvz", "images": self.images, "annotations": self.annotations}
        return HvzSource.model_validate(where | changes)


def box_xml(name: str, box: BoxCorners) -> str:
    corners = "".join(
        f"<{tag}>{value}</{tag}>" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object><name>{name}</name><pose>Unspecified</pose><bndbox>{corners}</bndbox></object>"


def make_imagenet_tree(root: Path, images: int = 6) -> ImageNetTree:
    tree = ImageNetTree(root)
    for name in SYNSETS:
        for number in range(images):
            tree.add(name, number, IMAGE_BOX)
    return tree


class FlatTree:
    """`data.csv`, `images/CLASS/*.JPEG`, `masks/CLASS/*_mask.JPEG`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: list[tuple[str, str]] = []

    def add(self, name: str, number: int, mask: bool = True) -> str:
        stem = f"{SYNSETS[name]}_{number}"
        write_image(self.root / "images" / name / f"{stem}.JPEG")
        if mask:
            write_mask(self.root / "masks" / name / f"{stem}_mask.JPEG")
        self.rows.append((f"{stem}.JPEG", name))
        return stem

    def write(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "data.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("imageID", "label"), *self.rows])

    def settings(self, **changes: object) -> HvzFlatSource:
        self.write()
        return HvzFlatSource.model_validate({"kind": "imagenet_hvz_flat", "folder": self.root} | changes)


def make_flat_tree(root: Path, images: int = 6) -> FlatTree:
    tree = FlatTree(root)
    for name in SYNSETS:
        for number in range(images):
            tree.add(name, number)
    tree.write()
    return tree
