# One command each: setup, demo, test, check, bench, clean. Needs make and Python 3.11 or newer, nothing else.
#
# PyTorch comes as its CPU build (Linux: about 200 MB from TORCH_INDEX), never by chance as the CUDA one of several GB:
# the version "+cpu" exists only there, or where pip is set up to look for a copy. To choose otherwise:
#   make setup TORCH_INDEX=https://a.mirror/whl/cpu      another place for the same build
#   make setup TORCH='torch>=2.6,<3'                     whatever pip's own index has (Linux: CUDA)

PYTHON ?= python3
TORCH_VERSION := 2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH ?= torch==$(TORCH_VERSION)$(if $(filter Linux,$(shell uname -s)),+cpu)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# One thread per process: tests run in parallel processes, and short FFTs gain nothing from more.
TEST_ENV := OMP_NUM_THREADS=1
PYTEST := $(TEST_ENV) $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4

# The benchmarks: those that take no time, those that write JSON too, and options of theirs.
QUICK := schedules subgroups preset_cost
MEASURED := limit steps trial search growth convergence fit_tricks importance
BENCH_OUT ?= bench-results
bench_steps := --waterfall --large 100/20
bench_trial := --tricks
bench_search := --seconds 12 --fine-tune-steps 20 --budgets 5 10 20
bench_importance := --probe 3

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check bench clean

help:
	@echo "make setup      environment in $(VENV), once"
	@echo "make demo       search the graph of a six-second song and show it"
	@echo "make test       the tests (minutes)"
	@echo "make test-all   the slow tests, the comparisons with GRAFX, and renders by Ardour where it is installed"
	@echo "make check      ruff, pyright, import-linter"
	@echo "make bench      the benchmarks, in order; tables, and JSON in $(BENCH_OUT)"
	@echo "make clean      remove caches and the environment"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mixgraph needs Python 3.11 or newer, and '$(PYTHON)' is none; name one: make setup PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' failed; install it (Debian, Ubuntu: apt install python3-venv) and run make again" >&2; exit 1; }
	@$(PIP) install --no-deps --retries 2 --timeout 15 --extra-index-url $(TORCH_INDEX) '$(TORCH)' || { \
	  echo "no '$(TORCH)' at $(TORCH_INDEX) or pip's own index; see the head of the Makefile for other places" >&2; exit 1; }
	$(PIP) install --quiet --editable '.[test,dev]'
	@touch $@

# GRAFX and what it needs, only for those who compare with it.
$(VENV)/.peer: $(VENV)/.ready
	$(PIP) install --quiet --editable '.[peer]'
	@touch $@

demo: $(VENV)/.ready
	$(BIN)/mixgraph demo --overwrite

test: $(VENV)/.ready
	$(PYTEST)

test-all: $(VENV)/.peer
	$(PYTEST) -m "slow or peer or ardour"

check: $(VENV)/.ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports

# In order, about 25 minutes; nothing else may run. results.py is left out: it wants a folder of songs, and hours.
# Options of each stand at the head of this file; `python benchmarks/NAME.py --help` has all.
bench: $(VENV)/.peer
	@$(foreach name,$(QUICK),echo "== $(name)" && $(BIN)/python benchmarks/$(name).py &&) true
	@$(foreach name,$(MEASURED),echo "== $(name)" && \
	  $(BIN)/python benchmarks/$(name).py $(bench_$(name)) --json $(BENCH_OUT)/$(name).json &&) true

clean:
	rm -rf $(VENV) dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -exec rm -rf {} +
