# Everything that a developer types. It all runs in .venv, which needs nothing but Python 3.11 or later to be created.

PYTHON ?= $(shell sh config/pythons.sh | head -n 1)
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

CALLS ?= 1000000
JOBS ?= auto
PYTEST = $(BIN)/python -m pytest -n $(JOBS)

.PHONY: help run test test-fast coverage fuzz check format shell bench drill tour install lock

help:
	@echo "make run        start the product with demo data on http://127.0.0.1:$(PORT)  (PORT=…)"
	@echo "make test       run all tests, on SQLite and on a PostgreSQL that it starts itself  (JOBS=…)"
	@echo "make test-fast  run the quick tests on SQLite"
	@echo "make coverage   run all tests and print the share of branches that they reach"
	@echo "make fuzz       search longer for API faults, from a new seed  (FUZZ_EXAMPLES=…, FUZZ_SEED=…)"
	@echo "make bench      measure speed and cost, and write docs/benchmarks.md  (CALLS=…, BENCH=\"--only 1,2 …\")"
	@echo "make drill      practise backup, restore, failover and outages on throw-away servers, and print what it saw"
	@echo "make tour       take the screenshots of docs/tour.md from demo data, with Chromium"
	@echo "make check      check format, lint, types, import rules, migrations and the OpenAPI document"
	@echo "make format     format the code and apply the linter's fixes"
	@echo "make shell      open a Python shell with the models; DEBUG_TOOLBAR=true shows the SQL of pages"
	@echo "make install    create or update the environment in $(VENV)"
	@echo "make lock       renew the requirements from pyproject.toml"

install: $(BIN)/.dev

$(BIN)/.venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Two sets in one environment: the product's packages, then those of its developers.
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

# A failure on SQLite doesn't keep PostgreSQL from running, and still fails the target.
test: $(BIN)/.dev
	@$(PYTEST) --database=sqlite; sqlite=$$?; \
	$(PYTEST) --database=postgres -m database && exit $$sqlite

test-fast: $(BIN)/.dev
	@$(PYTEST) --database=sqlite -m "not slow"

# The goal is for both runs together, so that neither fails by its own figure.
coverage: $(BIN)/.dev
	@$(PYTEST) --database=sqlite --cov --cov-report= --cov-fail-under=0; sqlite=$$?; \
	$(PYTEST) --database=postgres -m database --cov --cov-append --cov-report= --cov-fail-under=0; postgres=$$?; \
	$(BIN)/coverage report --skip-covered && exit $$((sqlite + postgres))

fuzz: export FUZZ_EXAMPLES ?= 100
fuzz: export FUZZ_SEED ?= $(shell date +%s)
fuzz: $(BIN)/.dev
	$(BIN)/python -m pytest --database=postgres -s tests/fuzz

# Uses the PostgreSQL of DATABASE_URL if that is set. Otherwise it starts its own, as the tests do.
bench: $(BIN)/.dev
	$(BIN)/python -m benchmarks --calls $(CALLS) $(BENCH)

# Skips a part that isn't installed, such as PgBouncer, and says so.
drill: $(BIN)/.dev
	@$(BIN)/python -m drill

tour: $(BIN)/.dev
	@$(BIN)/python -m drill.tour

check: $(BIN)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py migrate_safely --check-files
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	@BIN=$(BIN) sh docs/examples/check.sh

format: $(BIN)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

shell: $(BIN)/.dev
	@$(BIN)/python manage.py shell

lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/dev.txt -o requirements/run.txt
	uv pip compile pyproject.toml --extra s3 --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/s3.txt
