# Every task of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# UV_VERSION among them.
include deploy/versions.env
PROFILE ?= cpu
TOOLS ?= tools
COMPOSE := docker compose --project-name ocr-server --env-file deploy/versions.env $(if $(wildcard .env),--env-file .env) --profile $(PROFILE)
UV := .tools/bin/uv
PYTHON := .venv/bin/python
# Nothing compiled is left in the model repository, whose folders Triton reads.
export UV_PROJECT_ENVIRONMENT := .venv
export PYTHONDONTWRITEBYTECODE := 1
CODE := preprocess_service export embedded bench ocr_cli model_repository tests

.PHONY: help setup models serve triton test lint unit integration bench perf soak up down release format clean

help: ## List the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(UV):
	@command -v python3 >/dev/null || { echo 'python3 is missing: sudo apt-get install python3 python3-venv'; exit 1; }
	@python3 -m venv .tools || { echo 'Creating a virtual environment failed: sudo apt-get install python3-venv'; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.synced: $(UV) pyproject.toml uv.lock
	@echo 'Installing the locked packages into .venv …'
	@$(UV) sync --frozen --quiet --extra embedded --extra export
	@touch $@

setup: .venv/.synced ## Install everything that is needed, from the lock

models: setup ## Build the published models and make them a live release (idempotent)
	@$(PYTHON) -m export install

serve: models ## Set up, serve and check: prints the URL when ready
	@$(PYTHON) -m embedded serve

triton: models ## Set up and run Triton alone
	@$(PYTHON) -m embedded triton

test: lint models ## Set up and run all tests, those against the real Triton included
	@$(PYTHON) -m pytest

lint: setup ## Check format, style, types and import rules
	@.venv/bin/ruff format --check --quiet $(CODE)
	@.venv/bin/ruff check --quiet $(CODE)
	@.venv/bin/mypy
	@cd model_repository/page_reading/1 && ../../../.venv/bin/mypy --strict .
	@cd model_repository/image_decoding/1 && ../../../.venv/bin/mypy --strict .
	@.venv/bin/lint-imports

unit: setup ## Run the tests that need no Triton
	@$(PYTHON) -m pytest tests/unit tests/contract

integration: models ## Run the tests against the real Triton
	@$(PYTHON) -m pytest tests/integration

bench: models ## Compare accuracy and speed with peers on one machine (BENCH='--help' for options)
	@$(PYTHON) -m bench $(BENCH)

perf: setup ## Drive the running Triton with NVIDIA's perf_analyzer (PERF='-m ocr' for its options)
	@$(PYTHON) -m embedded perf $(PERF)

soak: models ## Send 500 requests to a fresh stack and watch the memory of its processes
	@$(PYTHON) -m bench soak $(SOAK)

up: ## Start everything in containers; PROFILE=gpu for a GPU host (docs/operations.md)
	@deploy/secrets.sh
	@DEVICE=$(PROFILE) $(COMPOSE) up --build --detach --wait
	@echo "Ready: http://localhost:$${PORT:-8000}, dashboards: http://localhost:$${GRAFANA_PORT:-3000} (admin, .secrets/grafana_password)"

down: ## Stop the containers; their volumes (releases, jobs, results) stay
	@$(COMPOSE) down

release: ## A release command in the containers' network: make release RELEASE='list'
	@$(COMPOSE) --profile tools run --build --rm $(TOOLS) release $(RELEASE)

format: setup ## Format the code
	@.venv/bin/ruff format $(CODE)
	@.venv/bin/ruff check --fix --quiet $(CODE)

clean: ## Remove what setup, export and serving wrote; keep .tools and the cache of downloads
	@rm -rf .venv .runtime .releases .bench .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find model_repository -name config.pbtxt -delete
	@rm -rf model_repository/*_r[0-9]*
