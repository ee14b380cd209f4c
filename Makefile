# Every target sets up what it needs: `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help repro report ui check test test-slow lint format schema wiring bench screenshots clean moved
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= 5000

# dvc runs `python`, git and itself: the environment's come first.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true

SETUP := .venv/.installed
TOOLS := .venv/.tools-installed

# The first lines of a program in .venv name the folder that it was installed in, after `#!`, a quote
# or a space. In a folder that was renamed or copied they name another: .venv is made again then.
MOVED := $(shell test -e $(SETUP) && test -e .venv/bin/dvc && here="$$(pwd -P)/.venv/bin/" && \
	! head -n 3 .venv/bin/dvc | grep -qF -e "!$$here" -e "\"$$here" -e " $$here" && echo moved)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \2/p' Makefile | awk '{printf "  %s %-12s", $$1, $$2; $$1=$$2=""; print}'

repro: $(SETUP) ## run the pipeline where something changed, and show the result
	@python -m pipeline.check
	@dvc repro
	@echo
	@python -m pipeline.summary

report: $(SETUP) ## open the report on the result in the browser, reports/report.html
	@test -e reports/report.html || dvc repro
	@python -m pipeline.open_report

ui: $(SETUP) ## open `mlflow ui` on the runs (PORT=5000)
	@python -m pipeline.ui --port $(PORT)

check: lint ## format, lint, types and the tests that start no process and export no model, in a minute or so
	pytest -m "not slow and not process"

test: lint ## format, lint, types and tests, in a few minutes
	pytest

test-slow: $(TOOLS) ## the tests that take minutes each
	pytest -m slow

lint: $(TOOLS) ## format, lint, which room imports which, and types alone
	ruff format --check .
	ruff check .
	lint-imports --no-cache --no-logo
	mypy

format: $(TOOLS) ## put the code into its format
	ruff check --fix .
	ruff format .

schema: $(SETUP) ## write the JSON schemas again from settings/keys/sections.py and onnx_model/contract.py
	@python -m pipeline.check --schema > params.schema.json
	@python -m pipeline.onnx_model.contract > clients/contract.schema.json
	@if command -v npm > /dev/null; then \
	  cd clients/javascript && npm ci --silent --no-audit --no-fund && npm run --silent types; \
	else echo "there is no npm: clients/javascript/src/contract-file.ts is as it was"; fi

wiring: ## write into dvc.yaml the code that each stage depends on
	@$(PYTHON) tests/wiring.py

bench: $(TOOLS) ## time this pipeline beside its peers in turn, in about two and a half hours
	@python benchmarks/against_plain.py
	@python benchmarks/least_squares.py
	@python benchmarks/which_model.py
	@python benchmarks/table_leaks.py
	@python benchmarks/interval_coverage.py
	@python benchmarks/sweep_difference.py
	@python benchmarks/training.py
	@python benchmarks/reading.py
	@python benchmarks/tables.py
	@python benchmarks/large_table.py
	@python benchmarks/workers.py
	@python benchmarks/mini_batches.py
	@python benchmarks/portable.py
	@python benchmarks/tracking.py
	@python benchmarks/clients.py

screenshots: $(TOOLS) ## take the pictures of mlflow ui again; needs Chromium
	@python docs/screenshots.py

clean: ## remove the environment and the tools' caches, nothing that is a result
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache abline.egg-info

$(SETUP): requirements.txt pyproject.toml $(MOVED)
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "error: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; `make PYTHON=python3.11` names another")'
	@echo "setting up .venv (a few minutes, once)"
	@$(PYTHON) -m venv .venv
	@python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

moved:
	@echo "this folder was renamed or copied, and .venv has its old paths: making .venv again"
	@rm -rf .venv

$(TOOLS): $(SETUP) requirements-dev.txt
	@python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@
