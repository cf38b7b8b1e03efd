# The command list: `make help`. Everything runs in .venv, made from the hashed locks.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
SPREAD := --dist loadfile --no-loadscope-reorder # groups and their order: tests/conftest.py
# What all processes of a suite need is compiled once, not by each of them: two sets of loops, the rewritten tests.
ONCE := for loops in indicators backtest.sweeping; do $(BIN)/python -c "from app.domain.$$loops import warm_up; warm_up()" & done; \
  test -e $(VENV)/.collected || $(BIN)/pytest --collect-only -qq >$(VENV)/.collected & wait

unexport PYTHONDONTWRITEBYTECODE # a suite that starts a hundred processes would compile all of it in each

.PHONY: help run setup setup-dev test test-long check format bench shots lock vendor messages clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: setup ## Start everything and serve http://127.0.0.1:8000
	@$(BIN)/sise up

setup: $(VENV)/.runtime ## The environment to run the product

setup-dev: $(VENV)/.dev ## The environment to develop it (a superset)

test: setup-dev messages ## The suite, on throwaway servers of its own
	@$(ONCE)
	@$(BIN)/pytest $(SPREAD) -n 4 $(ARGS)

test-long: setup-dev messages ## The tests that take minutes: two weeks of sessions in which everything dies
	@$(BIN)/pytest $(SPREAD) -n 2 -m long $(ARGS)

check: setup-dev messages ## Format, lint, types, import rules, dependencies, templates
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/deptry . --no-ansi
	@$(BIN)/djlint templates --check --lint --quiet

format: setup-dev ## Format and mend what can be mended by rule
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . ; $(BIN)/djlint templates --reformat --quiet

bench: setup-dev $(VENV)/.bench ## Measured comparisons beside the peers (minutes)
	@for topic in indicators backtest lead_lag ingest alerts first_load daily_run ledger portfolio_page push first_result start recommend screen refusals; do PYTHONPATH=. $(BIN)/python -m benchmarks.$$topic || exit 1; done

shots: setup-dev messages ## Screenshots of every page into shots/ (ARGS=--readme: those of the READMEs)
	@PYTHONPATH=. $(BIN)/python -m tests.browser.shots $(ARGS)

messages: $(VENV)/.dev ## Compile the translations
	@$(BIN)/pybabel --quiet compile --directory locale --domain messages

vendor: setup-dev ## Fetch the vendored browser libraries again (needs npm), check their hashes
	@$(BIN)/python tools/vendor.py

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-annotate --no-emit-index-url --custom-compile-command "make lock"

lock: $(UV) ## Resolve the dependencies again and write requirements/*.lock
	@echo "$$($(UV) --version | cut -d' ' -f1,2 | sed 's/ /==/')" | $(COMPILE) - --output-file requirements/uv.lock
	@$(COMPILE) pyproject.toml --group build --output-file requirements/runtime.lock
	@$(COMPILE) pyproject.toml --group build --group dev -c requirements/runtime.lock --output-file requirements/dev.lock
	@$(COMPILE) pyproject.toml --group build --group dev --group bench -c requirements/dev.lock --output-file requirements/bench.lock

clean: ## Remove the environment and what tools left behind (never any data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis shots

$(UV): requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Sise needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $(UV)

$(VENV)/.runtime: $(UV) requirements/runtime.lock pyproject.toml
	@test -e $(VENV)/.dev || { echo "Installing the packages of requirements/runtime.lock" && \
	  VIRTUAL_ENV=$(VENV) $(UV) pip sync --require-hashes requirements/runtime.lock; }
	@test -e $(VENV)/.dev || VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@test ! -e $(VENV)/.dev || $(MAKE) --no-print-directory $(VENV)/.dev
	@touch $@

$(VENV)/.dev: $(UV) requirements/dev.lock requirements/runtime.lock pyproject.toml
	@echo "Installing the packages of requirements/dev.lock"
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --require-hashes requirements/dev.lock
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.bench
	@touch $@ $(VENV)/.runtime

$(VENV)/.bench: $(VENV)/.dev requirements/bench.lock
	@echo "Installing the packages of requirements/bench.lock"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --require-hashes -r requirements/bench.lock
	@touch $@
