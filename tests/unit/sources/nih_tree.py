"""Writes a small NIH-NCI tree: four studies with images, masks and `covariate_data.xls`."""

from dataclasses import dataclass, field
from pathlib import Path

from distxml.config.sources import NihNciSource
from tests.unit.sources.pictures import write_image, write_mask
from tests.unit.sources.xls_file import Cell, write_xls

STUDIES = ("ALTS", "Biopsy", "CVT", "NHS")
COLUMNS = ("GG_IMAGE_ID", "GG_PATIENT_ID", "AGE_GRP", "HPV_STATUS", "HPV_DT", "WRST_HIST_AFTER", "WRST_HIST_AFTER_DT")
PREAMBLE: list[list[Cell]] = [["Covariate data"], ["made for tests"], [None, "with ragged", 3.0], []]


@dataclass
class NihTree:
    """Starts empty; `write` writes the tables."""

    root: Path
    rows: dict[str, list[list[Cell]]] = field(default_factory=lambda: {name: [] for name in STUDIES})

    def add(self, study: str, stem: str, patient: Cell, histology: Cell, mask: bool = True) -> None:
        write_image(self.root / study / f"{stem}.jpg")
        if mask:
            write_mask(self.root / study / f"{stem}_mask.jpg")
        self.add_row(study, f"{stem}.tif", patient, histology)

    def add_row(self, study: str, image: Cell, patient: Cell, histology: Cell) -> None:
        self.rows[study].append([image, patient, "-1", 1.0, ".", histology, "."])

    def write(self) -> None:
        for study in STUDIES:
            (self.root / study).mkdir(parents=True, exist_ok=True)
            write_xls(self.root / study / "covariate_data.xls", [*PREAMBLE, list(COLUMNS), *self.rows[study]])

    def settings(self, **changes: object) -> NihNciSource:
        return NihNciSource.model_validate({"kind": "nih_nci", "folder": self.root} | changes)


def make_nih_tree(root: Path, patients: int = 12, images: int = 2) -> NihTree:
    """Patients 100, 101, ... with `images` each, every fourth with cancer, dealt to the studies in turn."""
    tree = NihTree(root)
    for number in range(patients):
        for image in range(images):
            histology = float(2 + number % 3 if number % 4 == 0 else image % 2)
            tree.add(
                STUDIES[number % 4 if number % 4 else number // 4 % 4],
                f"IMG{number:03d}{image}",
                100.0 + number,
                histology,
            )
    tree.write()
    return tree
