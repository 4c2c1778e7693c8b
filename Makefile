# The two that matter: `make run` and `make test`. Both do by themselves all that is missing.

SHELL := /bin/bash
PYTHON_IN_VENV := .venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-long check format messages documents audit bench lock clean reset

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing, make the embedded database, apply migrations
	@scripts/setup.sh

setup-dev:
	@scripts/setup.sh --dev

run: setup ## Run the product: http://127.0.0.1:8000/ (HOST, PORT)
	@exec $(PYTHON_IN_VENV) manage.py serve

test: setup-dev ## Run the tests (ARGS="-k issuing")
	@scripts/system-packages.sh --for-tests
	@$(PYTHON_IN_VENV) -m pytest -n auto $(ARGS) || { code=$$?; scripts/system-packages.sh --for-tests; exit $$code; }

test-long: setup-dev ## Run the tests, those that take long included
	@scripts/system-packages.sh --for-tests
	@exec $(PYTHON_IN_VENV) -m pytest -n auto -m "long or not long" $(ARGS)

check: setup-dev ## Check format, style, types, layers, templates, migrations and documents made from code
	@scripts/check.sh

format: setup-dev ## Put code and templates into the one format
	@$(PYTHON_IN_VENV) -m ruff format .
	@$(PYTHON_IN_VENV) -m ruff check --fix .
	@scripts/templates.sh

messages: setup-dev ## Collect the texts of the interface into locale/, and compile (needs gettext)
	@$(PYTHON_IN_VENV) scripts/messages.py

documents: setup-dev ## Write what docs/ has from the code: settings, events, API description, pictures
	@scripts/documents.sh

audit: setup-dev ## Look for known weaknesses in the locked packages (needs the network)
	@$(PYTHON_IN_VENV) -m pip_audit --require-hashes --disable-pip -r requirements.lock

bench: setup-dev ## Measure, print a table, keep it in benchmarks/history.csv (ARGS="run --quick")
	@exec $(PYTHON_IN_VENV) -m benchmarks $(ARGS)

lock: setup-dev ## Write the lock files anew from requirements*.in
	@scripts/lock.sh

clean: ## Remove packages and caches, keep the data
	@if [[ -x $(PYTHON_IN_VENV) ]]; then $(PYTHON_IN_VENV) manage.py stop_services || true; fi
	@rm -rf .venv .local/static .local/static.stamp .coverage htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

reset: ## Throw the embedded data away
	@if [[ -x $(PYTHON_IN_VENV) ]]; then $(PYTHON_IN_VENV) manage.py stop_services || true; fi
	@rm -rf .local
