# `make demo` and `make test` do everything; `make quick` is the part of the tests to run after each change.
# All install into .venv first.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

PYTEST := $(BIN)/python -m pytest
SIDE_BY_SIDE := -n 2 --dist loadfile  # what a file's tests share is made once

.PHONY: demo test quick lint types clean

demo: $(INSTALLED)  ## polygons: build the dataset, train on two workers, evaluate, report
	$(BIN)/distxml data build polygons data/polygons
	$(BIN)/distxml train polygons
	$(BIN)/distxml evaluate runs/polygons
	$(BIN)/distxml report runs/polygons

test: lint types  ## everything that must be clean; the longest tests first
	$(PYTEST) $(SIDE_BY_SIDE) --no-loadscope-reorder tests/integration tests

quick: $(INSTALLED)  ## the tests that start neither Ray nor a process
	$(PYTEST) -m "not slow" $(SIDE_BY_SIDE)

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
