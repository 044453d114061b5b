# How to run, test and check Gatehouse. A new machine needs Python 3.11 or newer and make, nothing else.
#
#   VENV     where the virtual environment goes (default .venv)
#   PYTHON   what makes it (default python3)
#   HOST, PORT, DATA_DIR and every other variable of docs/reference/environment.md reach `make run`

VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --quiet --disable-pip-version-check --require-hashes
# Several times as quick, where it finds the packages: it does not read the configuration of pip
UV := $(VENV)/bin/uv pip install --quiet --python $(PY) --link-mode copy --require-hashes
# One process more than processors: many tests wait for a server
PYTEST := $(PY) -m pytest --numprocesses $(shell expr $$(nproc) + 1) --maxprocesses 4 --dist loadgroup

# What one process has compiled, the next one reads: a suite starts hundreds, and pytest rewrites every test module
unexport PYTHONDONTWRITEBYTECODE

# Where the suite on services finds them; it makes and drops databases of its own
TEST_DATABASE_URL ?= postgresql://127.0.0.1:5432/postgres
TEST_REDIS_URL ?= redis://127.0.0.1:6379/15

# What the clients from npm leave when they are installed
NPM := tests/clients/node/node_modules/.package-lock.json

# A production environment, with keys nobody will use, for what reads the settings
key = $$(head -c 32 /dev/urandom | base64 | tr +/ -_)
production = PUBLIC_BASE_URL=https://gateway.example.com DATA_DIR=build/check SECRET_KEY=$(key)$(key) ENCRYPTION_KEYS=$(key)

.DEFAULT_GOAL := help
.PHONY: help coverage run demo-mcp demo-gpt test test-services check check-types check-rest format bench conformance lock

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.base ## serve the gateway with demo data and two demo backends
	@exec $(PY) manage.py demo --serve

demo-mcp: $(VENV)/.base ## walk the way of an MCP client through the demo, from a 401 to the revoked token
	@exec $(PY) manage.py demo_mcp

demo-gpt: $(VENV)/.base ## walk the way of a custom GPT through the demo, from the document to the revoked token
	@exec $(PY) manage.py demo_gpt

test: $(VENV)/.dev $(NPM) ## the whole suite on the embedded defaults
	@env -u TEST_DATABASE_URL -u TEST_REDIS_URL $(PYTEST)

coverage: $(VENV)/.dev $(NPM) ## make test, and how much of the code it runs; fails below what pyproject.toml asks
	@env -u TEST_DATABASE_URL -u TEST_REDIS_URL $(PYTEST) --cov

test-services: $(VENV)/.dev $(NPM) ## what of the suite has a store, and the races, on PostgreSQL and Redis
	@TEST_DATABASE_URL='$(TEST_DATABASE_URL)' TEST_REDIS_URL='$(TEST_REDIS_URL)' $(PYTEST)

check: $(VENV)/.dev ## formatter, linters, types, import contracts, Django's own checks
	@mkdir -p build/check
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-types check-rest

# Types take longer than all the rest, on one processor
check-types: $(VENV)/.dev
	@echo mypy; $(production) $(VENV)/bin/mypy .

check-rest: $(VENV)/.dev
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	@echo lint-imports; $(VENV)/bin/lint-imports --no-logo
	@echo manage.py check --deploy; $(production) $(PY) manage.py check --deploy --fail-level WARNING
	@echo manage.py makemigrations --check; $(production) $(PY) manage.py makemigrations --check --dry-run
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(VENV)/bin/shellcheck .ci/run

format: $(VENV)/.dev ## write the code the way the formatter and the linter want it
	$(VENV)/bin/ruff check --fix-only --quiet .
	$(VENV)/bin/ruff format .

bench: $(VENV)/.dev ## ratios of the gateway to direct calls, nginx and two Node gateways
	@$(PY) -m bench

conformance: $(VENV)/.dev $(NPM) ## what the MCP project's own suite says of the gateway, written to docs/reference
	@$(PY) -m tests.conformance.report

lock: $(VENV)/.dev ## pin what requirements/*.in ask for, with hashes
	for name in base dev; do \
		$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
			requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done

# A stamp is newer than its lock file exactly when the environment holds what the lock file says
$(VENV)/.base: requirements/base.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Gatehouse needs Python 3.11 or newer: make PYTHON=…")'
	@echo 'Installing what Gatehouse runs on into $(VENV) …'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements/base.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo 'Installing what the tests and checks need …'
	@sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt >$(VENV)/uv.txt
	@$(PIP) -r $(VENV)/uv.txt
	@$(UV) -r requirements/dev.txt || $(PIP) -r requirements/dev.txt
	@touch $@

# Only tests need it: without npm they say what they leave out
$(NPM): tests/clients/node/package-lock.json
	@if command -v npm >/dev/null; then \
		echo 'Installing the clients from npm …'; npm --prefix tests/clients/node ci --silent && touch $@; fi
