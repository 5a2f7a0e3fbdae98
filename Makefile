# `make demo` shows the whole job; `make test` installs what the tests need and runs them all.
# Both work on a fresh clone with git and Python 3.11 or newer, and install nothing twice.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

# The interpreter that makes the virtual environment: the first of these that is 3.11 or newer.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$python"; break; }; \
	done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Tests run in this many processes at a time: many of them wait for other programs.
JOBS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1 )))
# Handed to `greylag demo`, `pytest` and `python -m bench`: e.g. make demo ARGS="--seed 7 --keep /tmp/fleet"
ARGS ?=

.PHONY: help
help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.installed-demo ## the whole job on a fleet built in a temporary folder
	@$(BIN)/greylag demo $(ARGS)

.PHONY: test
test: lint tests ## everything that must pass: lint, types, floors, tests

.PHONY: tests
# Where writing bytecode is forbidden, every process that a test starts would compile the sources anew.
tests: export PYTHONDONTWRITEBYTECODE :=
tests: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

.PHONY: lint
lint: $(VENV)/.installed-dev ## ruff, mypy and the import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.installed-dev ## let ruff lay the code out
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.installed-dev ## figures against named baselines
	$(BIN)/python -m bench $(ARGS)

FRONT ?= sql
SECONDS_OF_FUZZ ?= 300
.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## coverage-guided fuzzing of FRONT=sql|py|scala|json|… (needs `pip install atheris`)
	$(BIN)/python fuzz/codemods.py $(FRONT) -max_total_time=$(SECONDS_OF_FUZZ) -max_len=4000 $(ARGS)

.PHONY: docs-picture
docs-picture: $(VENV)/.installed-dev ## draw docs/demo.svg from a run of the demo
	$(BIN)/python docs/picture.py --sections 2,4,5 docs/demo.svg

.PHONY: docs-tour
docs-tour: $(VENV)/.installed-dev ## renew the outputs that the README shows
	$(BIN)/python docs/readme.py

.PHONY: agents
agents: ## install the pinned coding agents (npm, 1.4 GB) that `GREYLAG_AGENTS=1 make tests` drives
	tests/agents/install.sh

LOCK := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-strip-extras
# What the container image can do: everything but the demo and the warehouses' own clients.
IMAGE := postgres github health notify agent mcp otlp serve
.PHONY: lock
lock: ## resolve the dependencies anew (needs uv)
	$(LOCK) --upgrade --group dev --output-file requirements/dev.lock
	$(LOCK) --upgrade --group build --extra demo --extra agent --constraint requirements/dev.lock --output-file requirements/demo.lock
	$(LOCK) --upgrade --group build $(addprefix --extra ,$(IMAGE)) --constraint requirements/dev.lock --output-file requirements/image.lock

.PHONY: clean
clean: ## remove the virtual environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# A stamp is newer than what it was installed from; the editable install follows the sources by itself.
# The build backend comes from the lock too: isolation would fetch an unlocked one.
$(VENV)/.installed-%: requirements/%.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes --only-binary :all: --requirement $<
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@
