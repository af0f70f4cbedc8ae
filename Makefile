# demo: scan an embedded account.  test: run the tests.  Both set up what they need on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
OLDEST_VERSION := $(shell sed -n 's/.*prowler>=\([0-9.]*\).*/\1/p' pyproject.toml)
OLDEST := .venv-$(OLDEST_VERSION)
.PHONY: demo test test-fast compat build lint bench bench-accounts faults permissions mutants frameworks \
	pictures clean

demo: $(READY)
	$(BIN)/python -m tests.tools.demo

test: lint
	$(BIN)/python -m pytest --cov --cov-fail-under=98

# What needs no command line and no matrix of scans: for use while editing.
test-fast: $(READY)
	$(BIN)/python -m pytest -m "not slow"

# The end-to-end tests on the oldest Prowler that is supported; `make test` has the newest.
compat: $(READY) $(OLDEST)/ready
	$(BIN)/python -m pytest --prowler $(OLDEST) tests/cli

$(OLDEST)/ready: $(READY)
	$(PYTHON) -m venv $(OLDEST)
	VIRTUAL_ENV=$(OLDEST) $(BIN)/uv pip install prowler==$(OLDEST_VERSION)
	touch $@

# The distribution in dist/, checked as a package index checks it.
build: $(READY)
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck .ci/run docs/*/*.sh checks/*/lib/fixer/*.sh

# What a scan costs beside the built-in's: make bench ARGS="--latency 50 --models 100 1000".
bench: $(READY)
	$(BIN)/python -m tests.tools.bench $(ARGS)

# How many accounts one machine scans: make bench-accounts ARGS="--accounts 8 --parallel 2 4".
bench-accounts: $(READY)
	$(BIN)/python -m tests.tools.organisation $(ARGS)

# Run the fault matrix and write docs/faults.md.
faults: $(READY)
	$(BIN)/python -m tests.tools.faults

# Scan without each permission in turn and write the table of docs/permissions.md.
permissions: $(READY)
	$(BIN)/python -m tests.tools.permissions

# Mutate the verdict and the network facts; each mutant is to be killed by their tables of cases.
mutants: $(READY)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

# Derive the universal format of the frameworks in metadata/ from the older one.
frameworks: $(READY)
	$(BIN)/python -m tests.tools.frameworks

# Make the pictures of docs/pictures anew (apt-get install bsdutils chromium npm).
pictures: $(READY)
	$(BIN)/python -m tests.tools.pictures

clean:
	rm -rf .venv* build dist mutants output *.egg-info .pytest_cache .ruff_cache .mypy_cache

# Prowler and the tools of this project, without the plugin itself: tests and demo install that
# each in its own way. uv installs Prowler's 200 packages in seconds where pip takes minutes, but does
# not compile them: the first start does, of what all starts import.
$(READY): pyproject.toml
	@echo "Setting up $(VENV) with Prowler and the tools of the tests (2.4 GB, some minutes) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --upgrade -r pyproject.toml --extra dev
	$(BIN)/prowler --version
	touch $(READY)
