# Two commands on a fresh machine: `make twin` and `make test`. Both set up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CHECKED := $(VENV)/.installed-for-check
SITE ?=

.PHONY: twin test check bench docs setup lock clean lint types help

help:
	@echo "make twin    the whole job: inbox/ if it holds files, else a demo town"
	@echo "make test    lint, types and tests"
	@echo "make check   the long and the heavy"
	@echo "make bench   figures"
	@echo "make docs    write the data dictionary, the table of sources and the licences anew"
	@echo "make lock    resolve requirements/*.txt anew (needs uv: pip install uv)"

setup: $(STAMP)

$(STAMP): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; this is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv and pip are missing. On Debian or Ubuntu: sudo apt install python3-venv python3-pip"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

twin: setup
	@if [ -n "$(SITE)" ]; then exec $(BIN)/twin run --site "$(SITE)"; \
	elif [ -n "$$(ls -A inbox 2>/dev/null)" ]; then exec $(BIN)/twin run; \
	else test -f demo/site.yaml || $(BIN)/twin demo demo; exec $(BIN)/twin run --site demo/site.yaml; fi

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# in the order of the folders: whole towns come first, and the many small files fill what is left
test: lint types
	$(BIN)/python -m pytest -m "not check" -n 2 --dist loadfile --no-loadscope-reorder

$(CHECKED): requirements/check.txt $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/check.txt
	@touch $(CHECKED)

check: setup $(CHECKED)
	$(BIN)/python -m pytest -m check

bench: setup
	$(BIN)/python -m benchmarks

docs: setup
	$(BIN)/python -m geodata.catalogue.document
	$(BIN)/python -m geodata.products.document
	$(BIN)/python -m pipelines.licences

lock:
	$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --no-header \
	  --override requirements/overrides.txt --extra distributed --group dev pyproject.toml --output-file requirements/lock.txt
	$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --no-header \
	  --constraint requirements/lock.txt --group pyproject.toml:check --output-file requirements/check.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
