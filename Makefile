# All there is to know: make demo, make install, make test, make lint, make bench.
# Needs Python 3.11 or later and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo install dev test test-fast lint format bench clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "terapi needs Python 3.11 or later; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "this Python cannot make a virtual environment (on Debian: the package python3-venv)"; exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing terapi into $(VENV) …"
	@$(PIP) install --quiet -c constraints.txt -e '.[all]'
	@$(BIN)/python -m compileall -q runner # so that the first command starts as fast as the next
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing terapi and its development tools into $(VENV) …"
	@$(PIP) install --quiet -c constraints.txt -e '.[all,dev]'
	@$(BIN)/python -m compileall -q runner
	@touch $(VENV)/.installed $@

install: $(VENV)/.installed ## terapi in .venv/bin/terapi
dev: $(VENV)/.installed-dev ## the same, with the development tools

demo: $(VENV)/.installed ## the main job from nothing, on an emulated org
	@$(BIN)/terapi demo

test: $(VENV)/.installed-dev ## all tests, on all cores
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-fast: $(VENV)/.installed-dev ## all tests but the slow ones
	@$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow'

lint: $(VENV)/.installed-dev ## ruff, mypy --strict, the layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.installed-dev ## ruff's formatting and safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev ## the figures of docs/benchmarks.md, measured anew
	@$(BIN)/python -m benchmarks

clean: ## removes .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
