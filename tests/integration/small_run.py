"""A finished run of a small untrained model, and a dataset of a few shards, written as training would leave them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distxml.config.evaluation import EvaluationSettings
from distxml.config.run_folder import RunFolder
from distxml.data.rows import Row
from distxml.data.schema import METADATA_NAME, ROW_SCHEMA, SPLITS, DatasetMetadata, Shard
from distxml.models.checkpoint import save_model
from tests.unit.evaluation.small_model import CLASSES, small_model, small_recipe, small_rows


def write_dataset(folder: Path, rows: Sequence[Row], rows_a_shard: int = 9) -> None:
    """All rows in the test split."""
    (folder / "test").mkdir(parents=True)
    shards = [
        _write_shard(folder, f"test/{start:05}.parquet", rows[start : start + rows_a_shard])
        for start in range(0, len(rows), rows_a_shard)
    ]
    labels = [row.label for row in rows]
    metadata = DatasetMetadata(
        name="small",
        classes=CLASSES,
        counts={
            split: {name: labels.count(i) if split == "test" else 0 for i, name in enumerate(CLASSES)}
            for split in SPLITS
        },
        annotated={split: sum(row.mask is not None for row in rows) if split == "test" else 0 for split in SPLITS},
        shards=tuple(shards),
        recipe={},
        made_by="a test",
    )
    (folder / METADATA_NAME).write_text(metadata.model_dump_json())


def _write_shard(folder: Path, name: str, rows: Sequence[Row]) -> Shard:
    columns = {
        "key": [row.key for row in rows],
        "image": [{"bytes": row.image, "path": None} for row in rows],
        "mask": [None if row.mask is None else {"bytes": row.mask, "path": None} for row in rows],
        "label": [row.label for row in rows],
    }
    pq.write_table(pa.table(columns, schema=ROW_SCHEMA), folder / name)
    checksum = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return Shard(file=name, split="test", rows=len(rows), sha256=checksum)


def write_run(folder: Path, settings: EvaluationSettings, images: int) -> RunFolder:
    """`folder/dataset` and `folder/run`."""
    write_dataset(folder / "dataset", small_rows(images))
    run = RunFolder(folder / "run")
    loaded = small_model()
    run.checkpoint(3, "last").mkdir(parents=True)
    save_model(run.checkpoint(3, "last"), loaded.model, loaded.card)
    run.config.write_text(small_recipe(folder, settings).model_dump_json())
    run.finished.write_text("{}")
    return run
