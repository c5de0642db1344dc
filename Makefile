# Every target sets up .venv by itself, from hash-locked files and the package index that pip is configured with.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast check format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed-dev ## only set up .venv

demo: .venv/.installed ## two pretend stores, shoppers, staff, and storebridge between them; options in ARGS="--for 30"
	$(BIN)/storebridge demo $(ARGS)

test: .venv/.installed-dev ## every test (what .ci/run runs); options in ARGS="-k name"
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

test-fast: .venv/.installed-dev ## the tests without the simulation, real processes and browsers
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not simulation and not process and not browser" $(ARGS)

check: .venv/.installed-dev ## style, types, layers, house rules
	$(BIN)/python -m pytest tests/house $(ARGS)

format: .venv/.installed-dev ## put every file into the house's format
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

lock: .venv/.installed-dev ## lock the dependencies again, with hashes (needs pip-tools)
	for name in requirements requirements-dev; do \
	  $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-index-url \
	    --no-emit-trusted-host --no-emit-find-links $$name.in --output-file $$name.txt || exit 1; \
	done

clean: ## remove what the targets above made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist src/*.egg-info

.venv/bin/python:
	@echo "making .venv with $(PYTHON)" >&2
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt pyproject.toml | .venv/bin/python
	@echo "installing what storebridge runs on (about 20 seconds, once)" >&2
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src # a process that may not write bytecode would compile all of it at each start
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@echo "installing what the tests need (about 20 seconds, once)" >&2
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@
