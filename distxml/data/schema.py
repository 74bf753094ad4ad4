"""The Parquet dataset on disk: columns, `dataset.json`, and how the two are checked when opened."""

import json
import platform
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from distxml.config.images import ImageRules
from distxml.config.load import validate, validate_json
from distxml.config.locations import is_uri
from distxml.data.digest import classes_digest
from distxml.data.location import Location, locate
from distxml.digest import digest_of
from distxml.errors import InfrastructureError, UserError, reason_of

FORMAT = "distxml-dataset"
FORMAT_VERSION = 2
METADATA_NAME = "dataset.json"

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

ENCODED = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""An encoded image file; the layout that other tools show as an image."""

_NOTE = {"info": {"features": {"image": {"_type": "Image"}, "mask": {"_type": "Image"}}}}

ROW_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("image", ENCODED),
        pa.field("mask", ENCODED),
        pa.field("label", pa.int32()),
        pa.field("group", pa.string()),
    ],
    metadata={"huggingface": json.dumps(_NOTE)},
)
"""Columns of a shard; the note makes Hugging Face datasets show images as images.

Only masks and groups are ever null: not annotated (an empty annotation is a black mask), and an image by itself. Images
of one group (a patient) are not independent: they are in one split, and intervals resample groups. That columns are
nullable is Parquet's default, and what other tools expect."""


class RowGroup(BaseModel):
    """Rows of a shard that lie, and are read, together: a Parquet row group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(ge=1)
    """Number of its rows."""
    sha256: str
    """Checksum of its rows: `digest.rows_digest`."""


class Shard(BaseModel):
    """One Parquet file of a split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(pattern=r"^[A-Za-z0-9._/-]+$", max_length=200)
    """Path below the dataset's folder, with `/`."""
    split: Split
    """Split that its rows belong to."""
    rows: int = Field(ge=0)
    """Number of its rows."""
    sha256: str
    """Checksum of the file."""
    index_sha256: str
    """Checksum of its keys, labels and groups: `digest.index_digest`."""
    groups: tuple[RowGroup, ...]
    """Its row groups, in order."""

    @model_validator(mode="after")
    def _groups_add_up(self) -> "Shard":
        if sum(group.rows for group in self.groups) != self.rows:
            raise ValueError(f"the row groups of {self.file} do not add up to its {self.rows} rows")
        return self


class DatasetMetadata(BaseModel):
    """`dataset.json`; written last, so a folder that holds it is complete."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["distxml-dataset"] = FORMAT
    """Marks the file."""
    version: Literal[2] = FORMAT_VERSION
    """Version of the layout."""
    name: str
    """Name of the dataset."""
    classes: tuple[str, ...]
    """Names of the classes; a label is an index into them."""
    classes_sha256: str
    """Checksum of the names in their order, `digest.classes_digest`: exchanged names would exchange all labels."""
    counts: dict[Split, dict[str, NonNegativeInt]]
    """Images per split and class."""
    annotated: dict[Split, NonNegativeInt]
    """Images per split that have a mask (an empty one counts)."""
    groups: dict[Split, NonNegativeInt] | None
    """Groups (patients) per split; an image without one counts as a group. None: no image of the dataset has one."""
    shards: tuple[Shard, ...]
    """The Parquet files, in reading order."""
    recipe: dict[str, object]
    """The resolved `DatasetRecipe`."""
    made_by: str
    """distxml and its version."""

    @model_validator(mode="after")
    def _is_complete(self) -> "DatasetMetadata":
        unprintable = [name for name in (self.name, *self.classes) if not name.isprintable()]
        if unprintable:
            raise ValueError(f"the name {unprintable[0]!a} holds characters that cannot be printed")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes names a class twice")
        if self.classes_sha256 != classes_digest(self.classes):
            raise ValueError(f"classes {', '.join(self.classes)} are not those it was built with, in their order")
        for split in SPLITS:
            if set(self.counts.get(split, {})) != set(self.classes):
                raise ValueError(f"counts.{split} does not name every class")
            if split not in self.annotated:
                raise ValueError(f"annotated.{split} is missing")
            if sum(self.counts[split].values()) != self.rows(split):
                raise ValueError(f"counts.{split} does not add up to the {self.rows(split)} rows of its shards")
            if self.annotated[split] > self.rows(split):
                raise ValueError(f"annotated.{split} is more than the {self.rows(split)} rows of its shards")
            if self.groups is not None and not self.groups.get(split, -1) <= self.rows(split):
                raise ValueError(f"groups.{split} is more than the {self.rows(split)} rows of its shards")
            if self.groups is not None and split not in self.groups:
                raise ValueError(f"groups.{split} is missing")
        names = [shard.file for shard in self.shards]
        if len(set(names)) < len(names):
            raise ValueError("shards names a file twice")
        return self

    def image_rules(self) -> ImageRules:
        """What became of image files that are not plain; the defaults where another program made the dataset."""
        return validate(ImageRules, self.recipe.get("images") or {}, f"{METADATA_NAME}, recipe.images")

    def class_counts(self, split: Split) -> list[int]:
        """Images of each class of a split, in label order."""
        return [self.counts[split][name] for name in self.classes]

    @property
    def all_rows(self) -> int:
        """Number of images."""
        return sum(shard.rows for shard in self.shards)

    def rows(self, split: Split) -> int:
        """Number of images of a split."""
        return sum(shard.rows for shard in self.shards if shard.split == split)


@dataclass(frozen=True)
class Dataset:
    """An opened dataset.

    Attributes:
        folder: where it lies.
        metadata: of it.
        sha256: checksum of its `dataset.json`, which holds those of all rows: it stands for the whole dataset.
    """

    folder: Location
    metadata: DatasetMetadata
    sha256: str

    def shards(self, split: Split) -> list[Shard]:
        """Entries of a split's shards, in reading order."""
        return [shard for shard in self.metadata.shards if shard.split == split]


def open_dataset(location: str | Path) -> Dataset:
    """The dataset at a path or URI, its shards' presence checked.

    Raises:
        UserError: the folder is missing, may not be read, is not a dataset, or a shard is missing.
    """
    require_printable(location)
    folder = locate(str(location))
    try:
        return _opened(folder)
    except (OSError, pa.ArrowException) as error:
        raise InfrastructureError(
            f"dataset {folder}: cannot be read ({reason_of(error)}); name another with dataset.path"
        ) from None


def reopen_dataset(location: str | Path, sha256: str) -> Dataset:
    """The dataset that another process, perhaps on another machine, has opened at the same place.

    Args:
        location: path or URI.
        sha256: of the dataset that was opened: `Dataset.sha256`.

    Raises:
        UserError: see `open_dataset`; or it is another dataset here, or by now.
    """
    dataset = open_dataset(location)
    if dataset.sha256 != sha256:
        raise InfrastructureError(
            f"dataset {dataset.folder}: on {platform.node()} it is not the one that the command has opened (SHA-256 of "
            f"{METADATA_NAME}: {dataset.sha256[:16]}, not {sha256[:16]}); put the same dataset there on every node, "
            "leave it alone meanwhile, and run the command again"
        )
    return dataset


def require_printable(location: str | Path) -> None:
    """Refuse a place for a dataset whose path is not text: Arrow could not open it.

    Raises:
        UserError: the path holds characters that cannot be printed.
    """
    text = str(location) if is_uri(str(location)) else str(Path(location).absolute())
    if not text.isprintable():
        raise UserError(f"dataset {str(location)!a}: the path holds characters that cannot be printed; choose another")


def _opened(folder: Location) -> Dataset:
    if not folder.is_folder():
        raise InfrastructureError(
            f"dataset {folder}: no such folder; "
            f"build it with `distxml data build RECIPE {shlex.quote(str(folder))}` or set dataset.path"
        )
    if not folder.holds(METADATA_NAME):
        raise InfrastructureError(
            f"dataset {folder}: not a dataset (no {METADATA_NAME}); name a folder made by `data build`"
        )
    content = folder.read(METADATA_NAME)
    metadata = validate_json(DatasetMetadata, content, folder.file(METADATA_NAME), "build the dataset again")
    _check_shards(folder, metadata)
    return Dataset(folder, metadata, digest_of(content))


def _check_shards(folder: Location, metadata: DatasetMetadata) -> None:
    present = folder.files()
    for shard in metadata.shards:
        if _escapes(folder, shard.file):
            raise UserError(
                f"{folder.file(METADATA_NAME)}: shard {shard.file!r} lies outside the dataset; do not use it"
            )
        if shard.file not in present and not folder.holds(shard.file):  # behind a link, for one
            raise InfrastructureError(f"{folder.file(shard.file)}: this shard is missing; build the dataset again")


def _escapes(folder: Location, name: str) -> bool:
    if name.startswith("/") or ".." in name.split("/"):
        return True
    return folder.local is not None and not (folder.local / name).resolve().is_relative_to(folder.local.resolve())
