# `make demo` and `make test` do everything; `make quick` is the part of the tests to run after each change.
# All install into .venv first.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

PYTEST := $(BIN)/python -m pytest

.PHONY: demo test quick slow lint types clean

demo: $(INSTALLED)  ## polygons: build the dataset, train on two workers, evaluate, report
	$(BIN)/distxml data build polygons data/polygons
	$(BIN)/distxml train polygons
	$(BIN)/distxml evaluate runs/polygons
	$(BIN)/distxml report runs/polygons

test: $(INSTALLED)  ## everything that must be clean; the types are checked beside the quick tests
	$(MAKE) --jobs=2 lint types quick
	$(MAKE) slow

quick: $(INSTALLED)  ## tests that start neither Ray nor a process, on two cores
	$(PYTEST) -m "not slow" -n 2 --dist loadfile

slow: $(INSTALLED)  ## the others, one after the other: they take both cores themselves, and some of them look at the clock
	$(PYTEST) -m slow

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/pyright

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "distxml needs Python 3.11 or newer; name one: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@# Without what it asks for: opencv-python would overwrite opencv-python-headless, and needs a display's libraries.
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps quantus
	@touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
