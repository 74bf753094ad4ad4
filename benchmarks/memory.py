"""Peak memory of training workers on a dataset that is larger than memory should be, against the stated bound.

    python benchmarks/memory.py --gigabytes 5

Writes two datasets of the same small pictures, one of them with megabytes of ballast behind each picture's last byte
(decoders stop before it), and trains on both with two workers, one epoch per phase. Prints JSON: the workers' largest
resident memory in both runs, and the bound that `max_rows_held` states for the difference.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.data.digest import classes_digest, index_digest, rows_digest
from distxml.data.rows import Row
from distxml.data.schema import METADATA_NAME, ROW_SCHEMA, SPLITS, DatasetMetadata, RowGroup, Shard, Split, open_dataset
from distxml.training.preflight import reading_bound

CLASSES = ("dark", "light")
ROWS_PER_SHARD, ROWS_PER_GROUP, SIDE, WORKERS = 64, 16, 32, 2
BALLAST = 1_000_000
SMALL_SPLIT = 64


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    rows = int(parser.parse_args().gigabytes * 1e9 / BALLAST)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write(place / "light", rows, 0)
        write(place / "heavy", rows, BALLAST)
        figures = {name: measured(place, name) for name in ("light", "heavy")}
        recipe = load_settings(Recipe, "polygons", overrides(place, "heavy"))
        dataset = open_dataset(place / "heavy")
        held = reading_bound(recipe, dataset).images
        in_flight = recipe.loader.batch_size // WORKERS * (2 * recipe.loader.prefetch + 2)
        rows_in_memory = held + in_flight + 2 * ROWS_PER_GROUP
    grown = figures["heavy"]["largest_worker_mb"] - figures["light"]["largest_worker_mb"]
    result = {
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform(), "python": sys.version.split()[0]},
        "dataset_gb": round(rows * BALLAST / 1e9, 2),
        "row_mb": BALLAST / 1e6,
        "runs": figures,
        "grown_by_mb": round(grown, 1),
        "bound_mb": round(rows_in_memory * BALLAST / 1e6, 1),
        "bound": f"{held} rows held, {in_flight} in flight, twice the row group of {ROWS_PER_GROUP} that is being read",
    }
    print(json.dumps(result, indent=2))


def write(folder: Path, rows: int, ballast: int) -> None:
    """A dataset of `rows` training images and two small splits, `ballast` random bytes behind each image."""
    sizes: dict[Split, int] = {"train": rows, "val": SMALL_SPLIT, "test": SMALL_SPLIT}
    shards = [
        write_shard(folder, split, number, min(ROWS_PER_SHARD, size - number * ROWS_PER_SHARD), ballast)
        for split, size in sizes.items()
        for number in range(-(-size // ROWS_PER_SHARD))
    ]
    counts: dict[Split, dict[str, int]] = {
        split: dict.fromkeys(map(str, CLASSES), sizes[split] // 2) for split in SPLITS
    }
    counts["train"]["dark"] += rows % 2
    metadata = DatasetMetadata(
        name=folder.name,
        classes=CLASSES,
        classes_sha256=classes_digest(CLASSES),
        counts=counts,
        annotated=dict.fromkeys(SPLITS, 0),
        groups=None,
        shards=tuple(shards),
        recipe={},
        made_by="benchmarks/memory.py",
    )
    (folder / METADATA_NAME).write_text(metadata.model_dump_json())


def write_shard(folder: Path, split: Split, number: int, count: int, ballast: int) -> Shard:
    """`folder/split/number.parquet`, a row group in memory at a time."""
    path = folder / split / f"{number:05d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    groups: list[RowGroup] = []
    keys, labels = [], []
    with pq.ParquetWriter(path, ROW_SCHEMA, compression="none", use_dictionary=False, write_statistics=False) as writer:
        for start in range(0, count, ROWS_PER_GROUP):
            numbers = range(start, min(start + ROWS_PER_GROUP, count))
            rows = [picture(f"{split}-{number}-{row}", row, ballast) for row in numbers]
            writer.write_table(table(rows))
            groups.append(RowGroup(rows=len(rows), sha256=rows_digest(rows)))
            keys += [row.key for row in rows]
            labels += [row.label for row in rows]
    return Shard(
        file=f"{split}/{path.name}",
        split=split,
        rows=count,
        sha256="0" * 64,  # training checks row groups; only `data inspect` would ask for the file's
        index_sha256=index_digest(keys, labels, [None] * count),
        groups=tuple(groups),
    )


def picture(key: str, row: int, ballast: int) -> Row:
    """A noisy PNG, dark for label 0 and light for label 1."""
    label = row % 2
    pixels = np.random.default_rng(row).integers(0, 128, (SIDE, SIDE, 3), dtype=np.uint8) + np.uint8(127 * label)
    return Row(key, cv2.imencode(".png", pixels)[1].tobytes() + os.urandom(ballast), None, label)


def table(rows: list[Row]) -> pa.Table:
    """Rows as the dataset's columns."""
    content = [
        {
            "key": row.key,
            "image": {"bytes": row.image, "path": row.key},
            "mask": None,
            "label": row.label,
            "group": None,
        }
        for row in rows
    ]
    return pa.Table.from_pylist(content, ROW_SCHEMA)


def overrides(place: Path, name: str) -> list[str]:
    """Settings of the run on dataset `name`."""
    return [
        f"dataset.path={place / name}",
        f"run.folder={place / 'runs'}",
        f"run.name={name}",
        f"scaling.workers={WORKERS}",
        f"loader.image_size={SIDE}",
        "loader.batch_size=16",
        "loader.shuffle_buffer=256",
        "loader.backend=opencv",
        *(f"phases.{phase}.epochs=1" for phase in PhaseName),
    ]


def measured(place: Path, name: str) -> dict[str, float]:
    """Train; the largest resident memory of a training worker, and how long it took."""
    command = [sys.executable, "-c", "from distxml.cli.main import run; run()", "train", "polygons"]
    largest = Largest()
    with largest, (place / f"{name}.log").open("w") as log:
        started = time.monotonic()
        done = subprocess.run([*command, *overrides(place, name)], stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise SystemExit((place / f"{name}.log").read_text())
    return {"largest_worker_mb": round(largest.bytes / 1e6, 1), "seconds": round(time.monotonic() - started, 1)}


class Largest:
    """Watches Ray Train's workers: the largest anonymous resident memory that one of them had."""

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Largest":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            for process in Path("/proc").iterdir():
                self.bytes = max(self.bytes, worker_memory(process))


def worker_memory(process: Path) -> int:
    """Anonymous resident bytes (page cache is not counted) of a process, 0 where it is no training worker."""
    try:
        if b"RayTrainWorker" not in (process / "cmdline").read_bytes():
            return 0
        lines = (process / "status").read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)
    except (OSError, ValueError):
        return 0


if __name__ == "__main__":
    main()
