"""Packaged recipes: experiments (beside this file) and datasets and sweeps (links to the
repository's `datasets/` and `tune/` folders)."""

from pathlib import Path

from distxml.errors import UserError

HERE = Path(__file__).parent


def shelf_folder(shelf: str) -> Path:
    """Folder of the packaged recipes of a shelf: `experiments`, `datasets` or `sweeps`."""
    return HERE if shelf == "experiments" else HERE / shelf


def recipe_names(shelf: str) -> list[str]:
    """Names that stand for packaged recipes of a shelf."""
    return sorted(path.stem for path in shelf_folder(shelf).glob("*.yaml"))


def find_recipe(recipe: str, shelf: str) -> Path:
    """The file that `recipe` (a path or a packaged name) stands for.

    Raises:
        UserError: there is no such file and no such name.
    """
    path = Path(recipe)
    if path.is_file():
        return path
    if recipe in recipe_names(shelf):
        return shelf_folder(shelf) / f"{recipe}.yaml"
    names = ", ".join(recipe_names(shelf))
    raise UserError(f"recipe {recipe!r}: no such file, and no packaged recipe of that name ({names})")
