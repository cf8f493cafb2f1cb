# `make run` and `make test` each work alone on a fresh machine with Python 3.11, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: run test check bench growth ranking soak freeze format screenshot texts clean

run: $(VENV)/.service  ## the service on the sample corpus, at http://127.0.0.1:8000
	$(BIN)/broadsheet index sample_corpus
	$(BIN)/broadsheet serve --port $(PORT)

test: $(VENV)/.tests  ## every test, the browser's too
	$(BIN)/python -m pytest

check: $(VENV)/.tests  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.tests  ## against tantivy, SQLite FTS5, stock Whoosh; single updates; switches; keys; BENCH_CORPUS=file.jsonl takes other articles
	$(BIN)/python tests/bench.py; first=$$?; $(BIN)/python tests/bench_updates.py; second=$$?; \
	$(BIN)/python tests/bench_switch.py; third=$$?; $(BIN)/python tests/bench_keys.py && exit $$((first + second + third))

growth: $(VENV)/.tests  ## how it grows up to a million articles; GROWTH_SIZES=10000,50000 takes other numbers
	$(BIN)/python tests/growth.py

ranking: $(VENV)/.tests  ## how well judged questions are answered (BENCH_IR=folder), and articles found again (BENCH_CORPUS=file.jsonl)
	$(BIN)/python tests/ranking.py; first=$$?; $(BIN)/python tests/known_items.py && exit $$first

soak: $(VENV)/.tests  ## the same tests of chance and of kills, twenty times as many; how long 200 takedowns take
	BROADSHEET_SOAK=20 $(BIN)/python -m pytest tests/test_oracle.py tests/test_engine_faults.py tests/test_kills.py tests/test_io_errors.py tests/test_history.py tests/test_switch.py tests/test_sources.py tests/test_sources_exports.py tests/test_sources_packed.py; \
	first=$$?; $(BIN)/python tests/takedowns.py && exit $$first

screenshot: $(VENV)/.tests  ## the pictures in the README
	$(BIN)/python tests/screenshot.py

freeze: $(VENV)/.service  ## keep the widget of a release, so that its pinned file is served on: VERSION=0.2.0
	$(BIN)/python -c 'from web import widgets; print(widgets.freeze("$(VERSION)"))'

texts: $(VENV)/.tests  ## the catalogues of the page's languages, after a text was added or changed
	$(BIN)/python tests/texts.py

format: $(VENV)/.tests
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) var

# Whoosh 2.7.4 warns when its modules are compiled for the first time, and pip compiles them: after the install it is silent.
$(VENV)/.service: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Broadsheet needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable .
	touch $@

$(VENV)/.tests: $(VENV)/.service
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	tests/install_browser.sh $(BIN)
	touch $@
