"""Writes small COCO detection datasets."""

import json
from pathlib import Path
from typing import Any

from distxml.config.sources import CocoSource
from tests.unit.sources.pictures import HEIGHT, WIDTH, write_image

CATEGORIES = {24: "zebra", 19: "horse", 90: "toothbrush"}
BOX = (4, 3, 11, 9)
"""x, y, width, height; the same pixels as `pictures.IMAGE_BOX`."""


class CocoFolder:
    """Images below `root/images` and one JSON; starts empty, with three categories."""

    def __init__(self, root: Path) -> None:
        self.images = root / "images"
        self.images.mkdir(parents=True)
        self.json = root / "instances.json"
        self.tree: dict[str, Any] = {
            "info": {"year": 2026},
            "images": [],
            "annotations": [],
            "categories": [{"id": number, "name": name} for number, name in CATEGORIES.items()],
        }

    def add(self, name: str, *objects: tuple[int, tuple[float, ...]], file: bool = True) -> int:
        """An image with (category, box) pairs; its id."""
        if file:
            write_image(self.images / name)
        number = 100 + len(self.tree["images"])
        self.tree["images"].append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for category, box in objects:
            self.add_object(number, category, box)
        return number

    def add_object(self, image: int, category: int, box: tuple[float, ...] = BOX, **more: object) -> dict[str, Any]:
        number = 1000 + len(self.tree["annotations"])
        entry = {"id": number, "image_id": image, "category_id": category, "bbox": list(box), "iscrowd": 0, **more}
        self.tree["annotations"].append(entry)
        return entry

    def settings(self, **changes: object) -> CocoSource:
        self.json.write_text(json.dumps(self.tree))
        where = {"kind": "coco", "images": self.images, "annotations": self.json}
        return CocoSource.model_validate(where | changes)


def make_coco_folder(root: Path, images: int = 6) -> CocoFolder:
    folder = CocoFolder(root)
    for number in range(images):
        for category in (24, 19):
            folder.add(f"{CATEGORIES[category]}{number}.jpg", (category, BOX))
    return folder
