# make run   the app on http://127.0.0.1:7860 (PORT= changes it)
# make test  every test
# make lint, make documents (renews what is generated in them), make clean
# make bench everything that docs/lab/benchmarks.md shows (MER_DATA= a folder with the data sets)
# make fuzz, make load, make audit-packages  what SECURITY.md shows: damaged files, ten minutes of
#            fifty visitors, known weaknesses of packages (WRITE=1 writes it there)
# PYTHON=    the interpreter that .venv is made with

PYTHON ?= python3
PORT ?= 7860
VENV := .venv
VENV_PYTHON := $(VENV)/bin/python

.PHONY: run test lint bench documents fuzz load audit-packages clean
.DEFAULT_GOAL := run

run: $(VENV)/app.stamp
	@$(VENV_PYTHON) -m mer app --port $(PORT)

test: $(VENV)/dev.stamp
	@$(VENV_PYTHON) -m pytest

lint: $(VENV)/dev.stamp
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m mypy
	@$(VENV)/bin/lint-imports

bench: $(VENV)/dev.stamp
	@$(VENV_PYTHON) -m benchmarks comparison $(if $(MER_DATA),--data '$(MER_DATA)/micro-expressions')

documents: $(VENV)/dev.stamp
	@$(VENV_PYTHON) -m tools.make_docs

fuzz: $(VENV)/dev.stamp
	@OMP_NUM_THREADS=1 $(VENV_PYTHON) -m tools.security.fuzz $(if $(WRITE),--write)

load: $(VENV)/dev.stamp
	@$(VENV_PYTHON) -m tools.security.load $(if $(WRITE),--write)

audit-packages: $(VENV)/dev.stamp
	@$(VENV_PYTHON) -m tools.security.packages $(if $(WRITE),--write)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache

# The stamps make a second run start at once; they lie in .venv and go with it.
$(VENV)/app.stamp: PACKAGES := .
$(VENV)/dev.stamp: PACKAGES := .[dev]
$(VENV)/app.stamp $(VENV)/dev.stamp: requirements.txt pyproject.toml $(VENV_PYTHON)
	@echo "Installing what mer needs into $(VENV); the first time takes some minutes."
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check --editable '$(PACKAGES)' || { \
	  echo "Not everything could be installed; the lines above say what is missing." \
	       "Check the network and the free disk space, then run the same command again." >&2; exit 1; }
	@touch $@

$(VENV_PYTHON):
	@command -v '$(PYTHON)' >/dev/null || { \
	  echo "There is no '$(PYTHON)' here: mer needs Python 3.11 or newer. Debian, Ubuntu:" \
	       "'apt-get install python3 python3-venv'; or name yours: 'make PYTHON=/path/to/python3'." >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "'$(PYTHON)' is $$('$(PYTHON)' --version 2>&1): mer needs Python 3.11 or newer." \
	       "Name one with 'make PYTHON=/path/to/python3.12'." >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' comes without its venv module. Debian, Ubuntu: 'apt-get install python3-venv'." >&2; exit 1; }
	@'$(PYTHON)' -m venv --clear $(VENV)
