# `make help` lists the targets. PYTHON names a Python 3.11 that is not found by itself.
SHELL := /bin/bash
.DELETE_ON_ERROR:

PY := .venv/bin/python
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps
CANDIDATES := $(PYTHON) python3.11 python3 python $(wildcard $(HOME)/.pyenv/versions/3.11*/bin/python)
FIND_PYTHON := for each in $(CANDIDATES); do \
		"$$each" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo "$$each" && exit; \
	done; \
	echo "error: Python 3.11 with its venv module is needed; looked for: $(strip $(CANDIDATES)). Install it," \
		"or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1

.PHONY: help setup demo test lint types lock clean

help: ## lists the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: .venv/project.stamp ## makes .venv with the locked packages and this project; does nothing when it is current

# Byte code is left out here, and written below for what a run imports: 8,000 of 25,000 files.
.venv/lock.stamp: requirements.lock
	@python="$$($(FIND_PYTHON))" && "$$python" -m venv .venv
	@echo "Installing the locked packages into .venv: two to three minutes, 3 GB"
	$(PIP_INSTALL) --require-hashes --no-compile -r requirements.lock
	@touch $@

.venv/project.stamp: .venv/lock.stamp setup.py pyproject.toml
	$(PIP_INSTALL) --no-build-isolation -e .
	@echo "Importing everything once, to check it and to write its byte code"
	@env -u PYTHONDONTWRITEBYTECODE TF_CPP_MIN_LOG_LEVEL=3 $(PY) -W ignore -c \
		'import pipeline.local_runner, sklearn.datasets, matplotlib.pyplot' 2>.venv/import.log \
		|| { cat .venv/import.log >&2; exit 1; }
	@touch $@

demo: setup ## real handwritten digits to a served conditional GAN, in minutes
	@.venv/bin/ganworks run digits-cgan || { code=$$?; [[ $$code != 3 ]] \
		|| echo "make calls it Error 3: the model was refused, and above stands what to try" >&2; exit $$code; }

test: setup ## the default tests; `make test MARKED=1` adds the slow, e2e and data tests
	$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile $(if $(MARKED),,-m "not slow and not e2e and not data")

lint: setup ## ruff: rules and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: setup ## mypy
	.venv/bin/mypy

UV := build/uv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

lock: ## regenerates requirements.lock from requirements.in and overrides.txt, and requirements-gpu.lock from that
	@python="$$($(FIND_PYTHON))" && "$$python" -m venv build/uv
	build/uv/bin/pip install --quiet --disable-pip-version-check uv
	$(UV) --override overrides.txt requirements.in -o requirements.lock
	echo 'tensorflow[and-cuda]' | $(UV) --constraint requirements.lock -o requirements-gpu.lock -

clean: ## removes what was built; runs/ and data/ stay
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
