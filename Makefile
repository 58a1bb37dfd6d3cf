# Every task of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Empty means unset, here too.
override PROFILE := $(or $(PROFILE),cpu)
override TOOLS := $(or $(TOOLS),tools)
# Another name is another instance beside the first, with images, volumes and containers of its own.
export override COMPOSE_PROJECT_NAME := $(or $(COMPOSE_PROJECT_NAME),ocr-server)
COMPOSE := docker compose --env-file deploy/versions.env $(if $(wildcard .env),--env-file .env) --profile $(PROFILE)
UV := .tools/bin/uv
PYTHON := .venv/bin/python
export UV_PROJECT_ENVIRONMENT := .venv
# What Python compiles is kept apart: none of it is left in the model repository, whose folders
# Triton reads, and no program compiles its libraries at each start.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode
unexport PYTHONDONTWRITEBYTECODE
# What compose labels the images with.
export OCR_VERSION := $(shell sed -n 's/^VERSION = "\(.*\)"$$/\1/p' ocr_base/version.py)
# Two processes run the tests: with more, more than two Tritons could be in memory. One that dies ends them.
IN_TWO := --numprocesses 2 --max-worker-restart 0 --dist loadgroup --no-loadscope-reorder
EXPORT := --frozen --quiet --no-emit-project --no-annotate --no-header
CODE := preprocess_service export releases embedded bench quality ocr_cli ocr_base model_repository deploy docs/generated.py tests

.PHONY: help setup models serve triton test test-containers lint docs hooks unit integration fuzz bench perf soak abuse up down release format audit lock clean

# Containers are healthy before the service has found Triton.
define WAIT_UNTIL_READY
import sys, time, urllib.error, urllib.request
for _ in range(60):
    try:
        sys.exit(urllib.request.urlopen("http://127.0.0.1:8000/ready", timeout=5).status != 200)
    except urllib.error.HTTPError as error:
        told = error.read().decode()
    time.sleep(1)
sys.exit(f"The service is not ready: {told}")
endef
export WAIT_UNTIL_READY

help: ## List the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(UV): deploy/uv.txt
	@command -v python3 >/dev/null || { echo 'python3 is missing: sudo apt-get install python3 python3-venv'; exit 1; }
	@python3 -m venv .tools || { echo 'Creating a virtual environment failed: sudo apt-get install python3-venv'; exit 1; }
	@.tools/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.venv/.synced: $(UV) pyproject.toml uv.lock ocr_base/version.py
	@echo 'Installing the locked packages into .venv …'
	@$(UV) sync --frozen --quiet --extra embedded --extra export
	@touch $@

setup: .venv/.synced ## Install everything that is needed, from the lock

models: setup ## Build the published models and make them a live release (idempotent)
	@$(PYTHON) -m releases install

serve: models ## Set up, serve and check: prints the URL when ready
	@$(PYTHON) -m embedded serve

triton: models ## Set up and run Triton alone
	@$(PYTHON) -m embedded triton

test: setup ## Set up and run all tests, those against the real Triton included
	@$(MAKE) --no-print-directory --jobs 2 lint models
	@$(PYTHON) -m pytest $(IN_TWO)

test-containers: setup ## Build, start and try the containers beside any that run (needs Docker)
	@docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 && docker info >/dev/null 2>&1 || { \
		echo 'make test-containers needs Docker with BuildKit and Compose v2, its daemon running and open to this user:'; \
		echo 'https://docs.docker.com/engine/install (Debian 13: sudo apt-get install docker.io docker-cli docker-buildx docker-compose).'; \
		exit 1; }
	@$(PYTHON) -m pytest tests/containers --exitfirst --capture=no --verbose --timeout 900

lint: setup ## Check format, style, types and import rules
	@.venv/bin/ruff format --check --quiet $(CODE)
	@.venv/bin/ruff check --quiet $(CODE)
	@.venv/bin/mypy
	@cd model_repository/page_reading/1 && ../../../.venv/bin/mypy --strict .
	@cd model_repository/image_decoding/1 && ../../../.venv/bin/mypy --strict .
	@.venv/bin/lint-imports

docs: setup ## Write what is generated: .env.example, docs/openapi.json, model_repository/README.md
	@$(PYTHON) docs/generated.py

hooks: ## Have git run `make lint` before each commit and `make test` before each push of this checkout
	@git config core.hooksPath .githooks

unit: setup ## Run the tests that need no Triton
	@$(PYTHON) -m pytest $(IN_TWO) tests/unit tests/contract tests/fuzz

integration: models ## Run the tests against the real Triton
	@$(PYTHON) -m pytest tests/integration

fuzz: setup ## Send drawn bytes to what reads strangers' bytes: make fuzz RUNS=10000 (inputs a test, 2000 by default)
	@FUZZ_RUNS=$(or $(RUNS),2000) $(PYTHON) -m pytest tests/fuzz --timeout 0

bench: models ## Compare accuracy and speed with peers on one machine (BENCH='--help' for options)
	@$(PYTHON) -m bench $(BENCH)

perf: setup ## Drive the running Triton with NVIDIA's perf_analyzer (PERF='-m ocr' for its options)
	@$(PYTHON) -m embedded perf $(PERF)

soak: models ## Send 500 requests to a fresh stack and watch the memory of its processes
	@$(PYTHON) -m bench soak $(SOAK)

abuse: models ## Attempts on a fresh stack and what a stranger notices; MINUTES=20 mixes them with honest callers as well
	@TIMES=1 MINUTES=$(MINUTES) $(PYTHON) -m pytest tests/integration/abuse -m '' --timeout 3600

up: ## Start everything in containers; PROFILE=gpu for a GPU host (docs/operations.md)
	@deploy/secrets.sh
	@DEVICE=$(PROFILE) $(COMPOSE) up --build --detach --wait
	@$(COMPOSE) exec -T service python -c "$$WAIT_UNTIL_READY"
	@port() { $(COMPOSE) port "$$@" | sed 's/.*://'; }; \
	echo "Ready: http://localhost:$$(port service 8000), dashboards: http://localhost:$$(port grafana 3000) (admin, .secrets/grafana_password)"; \
	case "$$($(COMPOSE) port service 8000)" in \
	127.*) echo 'Open to this machine alone: HOST=0.0.0.0 make up lets others in.' ;; \
	*) [[ -s .secrets/api_keys ]] || echo 'WARNING: whoever reaches this machine may use it: write keys into .secrets/api_keys, then make down and make up.' ;; \
	esac

down: ## Stop the containers; their volumes (releases, jobs, results) stay
	@$(COMPOSE) --profile cpu --profile gpu --profile tools down

release: ## A release command in containers: make release RELEASE='list'; FILES=FOLDER is seen as /files
	@$(COMPOSE) --profile tools run --build --rm $(if $(MINISIGN_PASSWORD),--env MINISIGN_PASSWORD) \
		$(if $(FILES),--volume "$(abspath $(FILES)):/files:ro") \
		$(TOOLS) $(if $(MODELS),--models $(MODELS)) $(RELEASE)

format: setup ## Format the code
	@.venv/bin/ruff format $(CODE)
	@.venv/bin/ruff check --fix --quiet $(CODE)

audit: setup ## Compare the locked packages with the vulnerabilities that PyPI knows of (left out where it cannot be asked)
	@deploy/audit.sh

lock: $(UV) ## Lock what pyproject.toml names, and write what images install with pip, with hashes
	@$(UV) lock
	@$(UV) export $(EXPORT) --only-group uv --output-file deploy/uv.txt >/dev/null
	@$(UV) export $(EXPORT) --only-group triton-steps --output-file deploy/triton-steps.txt >/dev/null

clean: ## Remove what setup, export and serving wrote; keep .tools and the cache of downloads
	@rm -rf .venv .runtime .releases .bench .cache/bytecode .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find model_repository -name config.pbtxt -delete
	@rm -rf model_repository/*_r[0-9]*
