# What a person types. Everything runs in .venv, made on demand with nothing but Python 3.11.

PYTHON ?= python3.11
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

CALLS ?= 1000000

.PHONY: help run test fuzz check bench install lock

help:
	@echo "make run      the product with demo data on http://127.0.0.1:$(PORT)  (PORT=…)"
	@echo "make test     all tests, on SQLite and on a PostgreSQL of their own"
	@echo "make fuzz     a long hunt for ways in, from a new seed  (FUZZ_EXAMPLES=…, FUZZ_SEED=…)"
	@echo "make bench    what is fast and what it costs, into docs/benchmarks.md  (CALLS=…, BENCH=\"--only 1,2 …\")"
	@echo "make check    format, lint, types, import laws, missing and blocking migrations"
	@echo "make install  only the environment in $(VENV)"
	@echo "make lock     the requirements anew, from pyproject.toml"

install: $(BIN)/.dev

$(BIN)/.venv:
	@$(PYTHON) --version 2>/dev/null | grep -q ' 3\.11\.' || { echo "Python 3.11 is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Two sets in one environment: what the product runs on, and, over it, what its developers use.
$(BIN)/.run: requirements/run.txt | $(BIN)/.venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(BIN)/.dev: requirements/dev.txt | $(BIN)/.venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(BIN)/.run

run: $(BIN)/.run
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py seed_demo --if-empty
	@PORT=$(PORT) BIN=$(BIN) sh config/run.sh

test: $(BIN)/.dev
	$(BIN)/python -m pytest --database=sqlite
	$(BIN)/python -m pytest --database=postgres

fuzz: export FUZZ_EXAMPLES ?= 100
fuzz: export FUZZ_SEED ?= $(shell date +%s)
fuzz: $(BIN)/.dev
	$(BIN)/python -m pytest --database=postgres -s tests/fuzz

# On the PostgreSQL of DATABASE_URL, where that is set, else on one that it brings along, as the tests do.
bench: $(BIN)/.dev
	$(BIN)/python -m benchmarks --calls $(CALLS) $(BENCH)

check: $(BIN)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py migrate_safely --check-files
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/dev.txt -o requirements/run.txt
