# Two commands do everything: `make demo` and `make test`. Both install into .venv first.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test lint types tests clean

demo: $(INSTALLED)  ## polygons: build the dataset, train on two workers, evaluate, report
	$(BIN)/distxml data build polygons data/polygons
	$(BIN)/distxml train polygons
	$(BIN)/distxml evaluate runs/polygons
	$(BIN)/distxml report runs/polygons

test: lint types tests  ## everything that must be clean

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/pyright

tests: $(INSTALLED)
	$(BIN)/python -m pytest

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
