# Every target first makes .venv, from setup.cfg, with the versions in constraints.txt.
# test-oldest makes .venv-oldest, with the versions in constraints-oldest.txt. Options:
#   PYTHON=python3.13  the interpreter of a new environment
#   WORKERS=0          run the tests in one process, not in one on each core
#   DATA=folder        data of the benchmarks: folders adbench and tables, and the files mnist.npz,
#                      lpc_sprites64.npz, dsprites_grid.npz, avatars64.npz
#   SITE=/skvae/       the path of docs/_build/versions on its server

PYTHON ?= python3
DATA ?=
SITE ?= /
WORKERS ?= logical
CHOSEN := not long
VENV := .venv
CONSTRAINTS := constraints.txt
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BENCHMARKS := $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py))

unexport OMP_NUM_THREADS
.DEFAULT_GOAL := help
.PHONY: help demo test test-oldest test-long suite lint format docs docs-version docs-check bench \
    bench-check fuzz audit dist

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

$(INSTALLED): setup.cfg pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("skvae needs Python 3.11 or newer. Got %d.%d instead. Set PYTHON=." % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing skvae and what its tests need in $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[test,plot,distributed]"
	@touch $@

demo: $(INSTALLED) ## a tour with digits: pipeline, grid search, anomaly scores, samples (minutes)
	@MPLBACKEND=Agg $(BIN)/python docs/examples/plot_digits.py

test: lint suite ## ruff, mypy, tests and doctests

test-oldest: ## tests and doctests with the oldest supported versions
	@$(MAKE) --no-print-directory suite VENV=.venv-oldest CONSTRAINTS=constraints-oldest.txt

test-long: export SKVAE_EXAMPLES = 500
test-long: ## the long tests, and property tests with 500 examples each (an hour)
	@$(MAKE) --no-print-directory suite CHOSEN="long or property"

suite: export SCIPY_ARRAY_API = 1
suite: export OMP_NUM_THREADS = 1
suite: $(INSTALLED)
	@$(BIN)/python -m pytest --quiet --numprocesses $(WORKERS) --dist worksteal \
	    --doctest-modules -m "$(CHOSEN)" tests skvae

fuzz: export OMP_NUM_THREADS = 1
fuzz: $(INSTALLED) ## load 5,000 randomly changed files of skvae.save (minutes)
	@$(BIN)/python tests/fuzz_saving.py

lint: $(INSTALLED) ## only ruff and mypy
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

format: $(INSTALLED) ## fix and format the code with ruff
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

$(VENV)/.docs: $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[docs]"
	@touch $@

docs: export OMP_NUM_THREADS = 1
docs: $(VENV)/.docs ## build the site in docs/_build/html, and run every example (minutes)
	@$(BIN)/python -m sphinx -q -W --keep-going -d docs/_build/doctrees docs docs/_build/html

docs-version: export OMP_NUM_THREADS = 1
docs-version: $(VENV)/.docs ## build the site of this version in docs/_build/versions, beside others
	@$(BIN)/python -m sphinx -q -W --keep-going -t versioned -d docs/_build/doctrees-version docs \
	    docs/_build/versions/$$($(BIN)/python -c 'import skvae; print(skvae.__version__)')
	@$(BIN)/python docs/site_versions.py docs/_build/versions --root $(SITE)

docs-check: docs ## open the site in Chromium, light and dark, and follow all local links
	@$(BIN)/python docs/check_site.py

bench: $(INSTALLED) ## run the benchmarks, and write JSON files in benchmarks/results
	@set -e; for script in $(BENCHMARKS); do \
	    case $$script in \
	        */anomaly.py) data="$(DATA)/adbench" ;; \
	        */beta_curve.py) data="$(DATA:%=%/mnist.npz)" ;; \
	        */defaults.py) data="$(DATA)/adbench" ;; \
	        */disentanglement.py) data="npz:$(DATA)/dsprites_grid.npz --quick" ;; \
	        */false_alarms.py) data="$(if $(DATA),$(DATA)/adbench)" ;; \
	        */features.py) data="$(DATA)" ;; \
	        */gpu.py) \
	            $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || \
	                { echo "== $$script is left out: it needs a GPU"; continue; }; \
	            data="$(if $(DATA),npz:$(DATA)/avatars64.npz)" ;; \
	        */generation.py) data="$(DATA)/mnist.npz" ;; \
	        */held_out.py) data="$(DATA)" ;; \
	        */image_frontier.py) data="npz:$(DATA)/avatars64.npz" ;; \
	        */images.py) data="$(DATA)/lpc_sprites64.npz" ;; \
	        */mixed_tables.py) data="$(if $(DATA),$(DATA)/tables)" ;; \
	        */paper.py) data="npz:$(DATA)/lpc_sprites64.npz --quick" ;; \
	        */selection.py) data="$(DATA)/mnist.npz" ;; \
	        */sprites.py) data="$(if $(DATA),$(DATA)/dsprites_grid.npz)" ;; \
	        */synthetic_tables.py) data="$(DATA)/tables" ;; \
	        */table_anomalies.py) data="$(DATA)/tables" ;; \
	        */table_features.py) data="$(DATA)/tables" ;; \
	        */tables.py) data="$(if $(DATA),$(DATA)/tables)" ;; \
	        */tc_batches.py) data="$(DATA)" ;; \
	        *) data= ;; \
	    esac; \
	    if [ -z "$$data" ]; then \
	        echo "== $$script"; $(BIN)/python $$script; \
	    elif [ -n "$(DATA)" ]; then \
	        echo "== $$script --data $$data"; $(BIN)/python $$script --data $$data; \
	    else \
	        echo "== $$script is left out: it needs DATA=folder"; \
	    fi; \
	done

bench-check: $(INSTALLED) ## compare the cheap ratios of benchmarks/speed.py with those kept (minutes)
	@$(BIN)/python benchmarks/speed.py --check

$(VENV)/.dist: $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dist]"
	@touch $@

audit: $(VENV)/.dist ## look up vulnerabilities of the versions in constraints.txt (needs internet)
	@$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

dist: $(VENV)/.dist ## build sdist and wheel in dist, and check both with old and new versions (minutes)
	@rm -rf dist
	@$(BIN)/python -m build --quiet
	@$(BIN)/twine check --strict dist/*
	@$(BIN)/python tests/check_dist.py
