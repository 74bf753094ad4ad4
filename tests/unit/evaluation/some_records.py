"""Rows of a journal whose numbers do not matter, and the plan that they belong to."""

from collections.abc import Iterable
from pathlib import Path

from distxml.config.evaluation import EvaluationSettings, Method
from distxml.evaluation.scoring.records import CurveRecord, ImageRecord, MethodRecord
from distxml.evaluation.workers.journal import RowJournal

FINGERPRINT = "0123456789abcdef"


def image_record(key: str, heat: float = 0.5) -> ImageRecord:
    """Without a mask."""
    nothing = dict.fromkeys(("weak", "pompom", "pompom_all_pixels", "heat_inside", "heat_outside"))
    terms = dict.fromkeys(("classification", "sparsity", "contiguity", "explanation", "total"), 0.25)
    return ImageRecord(
        key=key, group=None, label=0, predicted=1, probabilities=[0.25, 0.75], heat_mean=heat, **terms, **nothing
    )  # fmt: skip


def method_record(key: str, method: Method, aopc: float = 0.25) -> MethodRecord:
    """With two curves."""
    curves = [
        CurveRecord(
            patch_size=8,
            fill=fill,
            order="morf",
            steps=2,
            share=[0.0, 0.5, 1.0],
            f=[1.0, 0.75, 0.5],
            aopc=aopc,
            tie_share=0.0,
        )
        for fill in ("black", "blur")
    ]
    return MethodRecord(
        key=key, group=None, label=0, target=1, method=method, pompom=None, pompom_all_pixels=None,
        pompom_equal_area=None, energy_inside=0.5, pointing=None, curves=curves,
    )  # fmt: skip


def new_journal(folder: Path) -> RowJournal:
    """An empty one."""
    journal = RowJournal(folder / FINGERPRINT)
    journal.open({"some": "settings"})
    return journal


def fill(journal: RowJournal, images: Iterable[str], pairs: Iterable[tuple[str, Method]]) -> None:
    """Every row in a part of its own."""
    for key in images:
        journal.add_images([image_record(key)])
    for key, method in pairs:
        journal.add_methods([method_record(key, method)])


def kinds_of_files(folder: Path) -> list[str]:
    """Names of a journal's files, of its parts without their digests."""
    return sorted(path.name.split("-")[0] for path in folder.iterdir())


SETTINGS = EvaluationSettings(patch_sizes=(8,), fills=("black", "blur"), steps=2, methods=("in_model", "random"))
