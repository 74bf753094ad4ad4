"""A build that takes long enough to be killed; run as a process of its own."""

import sys
from pathlib import Path

from distxml.config import DatasetRecipe
from distxml.sources.build import build_dataset

if __name__ == "__main__":
    source = {"kind": "polygons", "images": 100_000, "image_size": 16}
    recipe = DatasetRecipe.model_validate({"name": "many", "source": source, "rows_per_shard": 50})
    build_dataset(recipe, Path(sys.argv[1]))
