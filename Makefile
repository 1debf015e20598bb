# Everything a newcomer or CI runs. Each command does its own set-up; only Python >= 3.11 and make must be there.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
export PYTHON
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv: Airflow, the provider from this tree, the test tools

$(READY): requirements/dev.txt pyproject.toml scripts/make_venv.sh
	@scripts/make_venv.sh $(VENV) requirements/dev.txt --editable .
	@touch $@

postgres: ## Install PostgreSQL where it is missing (Debian: apt-get, as root or by sudo)
	@scripts/postgres.sh

demo: $(READY) ## Run the main job against the sandbox and print what happened
	$(BIN)/mlconnector demo

ui: $(READY) ## Run the demo and leave its Airflow open to click through
	$(BIN)/mlconnector demo --ui

test: $(READY) postgres ## Lint and all tests, in parts, each with its time
	@$(BIN)/python scripts/run_tests.py

test-unit test-dags test-scheduler test-postgres test-chaos test-project: test-%: $(READY) postgres
	@$(BIN)/python scripts/run_tests.py $*

test-matrix: $(READY) ## Install and run the provider on Airflow 3.1.8, 3.2.2 and 3.3.2
	@$(BIN)/python scripts/matrix.py

soak: $(READY) ## Compare the peak memory of 10,000 and 100,000 invoices
	$(BIN)/python benchmarks/soak.py

month: $(READY) ## Live through a seeded month of business, faults included (half an hour; MONTH="--pair cloudsuite")
	$(BIN)/python benchmarks/month.py $(MONTH)

chaos: $(READY) ## Live through seeds of faults, kills and zombies on simulated time (SEEDS=500)
	$(BIN)/python benchmarks/chaos.py --seeds $(or $(SEEDS),500) --first $(or $(FIRST),0) --jobs $(or $(JOBS),2)

chaos-airflow: $(READY) postgres ## Disturb running tasks of a real Airflow: kills, freezes, buttons, crowds (KILLS=30)
	$(BIN)/python benchmarks/chaos_airflow.py --kills $(or $(KILLS),30) --seed $(or $(SEED),1)

chaos-kill: $(READY) postgres ## Kill and stop real workers over HTTP, SQLite and PostgreSQL (KILLS=200, a quarter of an hour)
	$(BIN)/python benchmarks/chaos_kill.py --kills $(or $(KILLS),200)

limits: $(READY) postgres ## Measure pace and tokens of four workers on one CloudSuite tenant (a quarter of an hour)
	$(BIN)/python benchmarks/limiter.py
	$(BIN)/python benchmarks/tokens.py

audit-speed: $(READY) postgres ## Measure how fast 1, 4 and 8 writers add to one audit trail on PostgreSQL (two minutes)
	$(BIN)/python benchmarks/audit.py

lint: $(READY) ## Check style, types and the direction of imports
	@$(BIN)/python scripts/run_tests.py lint

format: $(READY) ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

requirements: $(READY) ## Compile requirements/*.txt anew
	@scripts/compile_requirements.sh

clean: ## Remove everything made here, the virtual environments included
	rm -rf .venv .venv-* .tools .airflow* .demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup postgres demo ui test test-unit test-dags test-scheduler test-postgres test-chaos test-project test-matrix soak month chaos chaos-kill limits \
	chaos-airflow audit-speed lint format requirements clean
