"""Builds a dataset into an object store: on this machine first, then its shards, then the file that lists them."""

from pathlib import Path

from distxml.config.dataset import DatasetRecipe
from distxml.config.locations import is_uri
from distxml.data.left_out import CONVERTED_NAME, REJECTED_NAME
from distxml.data.schema import METADATA_NAME, open_dataset
from distxml.errors import UserError
from distxml.sources.building.build import QUIET, BuildOptions, Built, build_dataset, refuse_other_recipe
from distxml.storage.files import Store, open_store
from distxml.storage.staging import remove_staging, staging_folder

LISTS = (REJECTED_NAME, CONVERTED_NAME)
SECONDS_TO_BEGIN = 20.0
"""How long the store is waited for before anything is built."""


def build_at(recipe: DatasetRecipe, place: str, options: BuildOptions = QUIET) -> Built:
    """Builds the dataset at a path or a URI; see `build_dataset`.

    In a store the dataset is there once its `dataset.json` is, which comes last and holds the checksums of the others.
    A build that ends before that is resumed by the next one with the same recipe on this machine.

    Raises:
        UserError: see `build_dataset`; or nothing can open or write such a URI.
    """
    if not is_uri(place):
        return build_dataset(recipe, Path(place), options)
    store = open_store(place, options.say, SECONDS_TO_BEGIN)
    if _is_there(store, recipe):
        return Built(open_dataset(place), anew=False)
    store.require_writable()
    folder = staging_folder(place) / "dataset" / "built"
    build_dataset(recipe, folder, options)
    _upload(open_store(place, options.say), folder)
    remove_staging(folder)
    return Built(open_dataset(place), anew=True)


def _is_there(store: Store, recipe: DatasetRecipe) -> bool:
    names = store.names()
    if METADATA_NAME in names:
        refuse_other_recipe(open_dataset(store.name), recipe, store.name)
        return True
    if any(not name.endswith((".parquet", *LISTS)) for name in names):  # those are of an upload that was cut off
        raise UserError(f"{store.name}: exists and is not a dataset; name a folder that does not exist yet")
    return False


def _upload(store: Store, folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in [*(name for name in names if name != METADATA_NAME), METADATA_NAME]:
        store.put(name, folder / name)
