"""Whether what is resumed gets the data that it was started with."""

from pathlib import Path

from distxml.config.load import validate_json_file
from distxml.data.schema import Dataset, DatasetMetadata
from distxml.errors import InfrastructureError


def check_same_data(noted: Path, dataset: Dataset, name: str, remedy: str) -> None:
    """The path may have changed; the images and their splits must not, or training images become test images.

    Args:
        noted: copy of the `dataset.json` that something was started with.
        dataset: that is there now.
        name: what the message calls what was started.
        remedy: what else the user can do than name the first dataset again.

    Raises:
        UserError: the data are others; or the copy is damaged.
    """
    before = validate_json_file(DatasetMetadata, noted, f"restore the file, or {remedy}")
    if before.shards != dataset.metadata.shards:
        raise InfrastructureError(
            f"dataset {dataset.folder}: holds other data than {name} was started with; name that dataset, or {remedy}"
        )
