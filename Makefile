# Every command makes its own .venv on first use. On a fresh machine: Python 3.11+, git, make.
PYTHON ?= python3
JOBS ?= 2
PORT ?= 8000
EXTRAS = book,lab,grade,cluster,test
BIN = .venv/bin
INSTALLED = .venv/.installed

.PHONY: help setup book serve lab test soak bench clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("This needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing what constraints.txt names; a few minutes"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

setup: $(INSTALLED)  ## make .venv, and nothing more

book: $(INSTALLED)  ## execute what changed and build the book (JOBS=2 notebooks at a time)
	@$(BIN)/python -m coursekit.book.build --jobs $(JOBS)

serve: book  ## show the book at http://127.0.0.1:8000 (PORT=8000)
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: $(INSTALLED)  ## open JupyterLab, with the sections as notebooks
	@JUPYTER_CONFIG_PATH="$(CURDIR)/coursekit/book/lab" $(BIN)/jupyter lab --LabApp.default_url=/lab/tree/book/start.md

test: book  ## check everything: lint, types, every notebook's outputs, units, ledger, book, browser, grading
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m coursekit.book.compare --jobs $(JOBS)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

soak: $(INSTALLED)  ## what takes hours: killed graders, fuzzed notebooks, a cluster (no part of make test)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m soak

bench: $(INSTALLED)  ## the performance figures, side by side with the peers
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:  ## remove what was built (the environment stays: remove .venv for that)
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache
