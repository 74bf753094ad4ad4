"""Who may import whom, as docs/architecture.md says it, holds in the code."""

import ast
import re
import tomllib
from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "distxml"


def layers() -> list[set[str]]:
    """The layers of the import contract in pyproject.toml, the highest first."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [set(re.findall(r"\w+", layer)) for layer in contracts[0]["layers"]]


def test_the_contracts_hold(monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    assert lint_imports(no_cache=True, no_logo=True) == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_the_page_lists_the_layers_of_the_contract():
    page = (REPOSITORY / "docs/architecture.md").read_text()
    table = page.split("## Who may import whom")[1].split("## ")[0]
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in table.splitlines() if line.startswith("| `")]
    assert [set(row) for row in rows] == layers()


def test_an_upward_import_would_break_the_contract(tmp_path, monkeypatch, capsys):
    (tmp_path / "example").mkdir()
    for name, text in (("__init__", ""), ("low", "import example.high\n"), ("high", "")):
        (tmp_path / "example" / f"{name}.py").write_text(text)
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_package = example\n[importlinter:contract:1]\nname = one way\ntype = layers\n"
        "layers =\n    high\n    low\ncontainers = example\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert lint_imports(no_cache=True, no_logo=True) != EXIT_STATUS_SUCCESS
    assert "example.low is not allowed to import example.high" in capsys.readouterr().out


def test_every_path_that_the_pages_name_exists():
    pages = [*(REPOSITORY / "docs").rglob("*.md"), REPOSITORY / "README.md", REPOSITORY / "cluster" / "README.md"]
    links = {
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(((?!https?:|#)[^)#\s]+)", page.read_text())
        if not (page.parent / link).exists()
    }
    assert links == set()
    named = {(page.name, path) for page in pages for path in re.findall(r"`(distxml/[\w/]+\.py)`", page.read_text())}
    assert {(page, path) for page, path in named if not (REPOSITORY / path).is_file()} == set()


def test_every_module_says_what_it_is_for():
    silent = [str(path) for path in PACKAGE.rglob("*.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
