# The verbs of this project. Everything they need they make themselves: Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help demo test lint format mutants faults bench simulate-report boards lock clean

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

demo: $(VENV)/.ready ## the whole product on this machine; Ctrl-C ends it
	$(BIN)/inowatch demo $(ARGS)

# Two at a time, since most of them wait for servers; files in order, so that the long ones come first.
test: $(VENV)/.ready ## every test, on real servers; prints the slowest
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.ready ## formatting, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.ready ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

mutants: $(VENV)/.ready ## how many small faults in rules and core the tests notice (20 min)
	$(BIN)/python -m tests.mutants $(ARGS)

faults: $(VENV)/.ready ## every fault alone, what must be noticed, then mixed (--minutes 10) (30 min)
	$(BIN)/python -m tests.faults $(ARGS)

bench: $(VENV)/.ready ## speed and memory beside the peers', in one run (15 min)
	$(BIN)/python -m tests.bench $(ARGS)

simulate-report: $(VENV)/.ready ## 1000 bed-days of correct care and every hazard, judged; figures at the end
	$(BIN)/python -m tests.simulation

boards: $(VENV)/.ready ## Grafana's golden files and the runbooks' frames, written anew
	$(BIN)/python -m streams.grafana.golden

lock: $(VENV)/.ready ## resolve the dependencies anew
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade -q \
	  -o requirements.lock
	$(BIN)/uv pip compile tests/bench/peers.in --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade -q \
	  -o tests/bench/peers.lock

clean: ## remove what was made here; caches elsewhere stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build dist *.egg-info

# Half an environment is never taken for a whole one: the mark is made last.
$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
