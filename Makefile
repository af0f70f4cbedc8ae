# `make help` says what there is. What a target needs it sets up, on a fresh machine too.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
OLDEST_VERSION := $(shell sed -n 's/.*prowler>=\([0-9.]*\).*/\1/p' pyproject.toml)
OLDEST := .venv-$(OLDEST_VERSION)
.PHONY: help demo test test-fast compat lint format build bench mutants frameworks clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.* ## /\1	/p' Makefile | expand -t 18

demo: $(READY) ## scan an embedded AWS account with the real Prowler, and show the findings
	$(BIN)/python -m tests.tools.demo

test: lint ## lint, and run all tests with the coverage of every branch
	$(BIN)/python -m pytest --cov --cov-fail-under=97

test-fast: $(READY) ## run what starts no command line of Prowler, for use while editing
	$(BIN)/python -m pytest tests/unit tests/docs tests/engine

compat: $(READY) $(OLDEST)/ready ## run the end-to-end tests on the oldest Prowler that is supported
	$(BIN)/python -m pytest --prowler $(OLDEST) tests/cli

$(OLDEST)/ready: $(READY)
	$(PYTHON) -m venv $(OLDEST)
	VIRTUAL_ENV=$(OLDEST) $(BIN)/uv pip install prowler==$(OLDEST_VERSION)
	touch $@

lint: $(READY) ## look at style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck .ci/run docs/*/*.sh

format: $(READY) ## put the code into its style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: $(READY) ## make the distribution in dist/, and check it as a package index does
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

bench: $(READY) ## measure a scan beside the built-in's: ARGS="--latency 50 --models 100 1000"
	$(BIN)/python -m tests.tools.bench $(ARGS)

mutants: $(READY) ## mutate the verdict and the network facts, whose tables of cases are to see it
	$(BIN)/mutmut run
	$(BIN)/mutmut results

frameworks: $(READY) ## derive what follows from metadata/: a second format, two tables, the audit by hand
	$(BIN)/python -m tests.tools.frameworks

clean: ## remove what make has made
	rm -rf .venv* build dist mutants output .pytest_cache .ruff_cache .mypy_cache

# Prowler and the tools of this project, without the plugin itself: tests and demo install that
# each in its own way. uv installs Prowler's 200 packages in seconds where pip takes minutes, but does
# not compile them: the first start does, of what all starts import.
$(READY): pyproject.toml
	@echo "Setting up $(VENV) with Prowler and the tools of the tests (1.9 GB, some minutes) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --upgrade -r pyproject.toml --extra dev
	$(BIN)/prowler --version
	touch $(READY)
