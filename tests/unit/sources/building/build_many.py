"""A build in a process of its own, which a test can kill: recipe (JSON file), folder, number of processes."""

import sys
from pathlib import Path

from distxml.config import DatasetRecipe
from distxml.sources.building.build import BuildOptions, build_dataset

if __name__ == "__main__":
    recipe = DatasetRecipe.model_validate_json(Path(sys.argv[1]).read_text())
    build_dataset(recipe, Path(sys.argv[2]), BuildOptions(int(sys.argv[3])))
