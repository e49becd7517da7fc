# `make demo` and `make test` need nothing but python3 and make: each builds its own environment in .venv.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PACKAGES := scraper aggregator scheduler db insights service processes

.PHONY: help demo test check lint types imports format accuracy bench soak fuzz clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.venv/installed-user: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("jobledger needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-dev: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("jobledger needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/installed-user

demo: .venv/installed-user ## crawl the sample site, normalise, report: the main job in a minute
	$(BIN)/jobledger demo

test: .venv/installed-dev ## all tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile

check: .venv/installed-dev lint types imports test ## the whole gate: format, lint, types, import order, tests

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/installed-dev
	$(BIN)/mypy

imports: .venv/installed-dev
	$(BIN)/lint-imports --no-cache

format: .venv/installed-dev ## write the code the way the gate wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

accuracy: .venv/installed-dev ## precision and recall on labelled rows, peers beside us, into docs/accuracy.md
	$(BIN)/python -m benchmarks.accuracy

bench: .venv/installed-dev ## every speed claim beside its peer or limit
	$(BIN)/python -m benchmarks

soak: .venv/installed-dev ## the long reliability tests
	$(BIN)/python -m pytest -q -m soak tests

fuzz: .venv/installed-dev ## ten minutes of hostile text
	$(BIN)/python -m benchmarks.fuzz --minutes 10

clean: ## remove what was built
	rm -rf .venv demo build dist .mypy_cache .ruff_cache .pytest_cache
