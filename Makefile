# Polku's commands. Each sets up what it needs: a Python 3.11-3.13 and a C compiler are enough to begin with.
#   make test ARGS="-k journal"           hands words on to the command
#   make run ARGS="--port 8001"           so does this
#   make test POLKU_PYTHON=python3.13     with this Python
#   make test VENV=.venv-3.13             in this environment, next to the usual one
#   make test POLKU_SPARK=no              without Spark, where there is a Java 17 or newer for it

VENV := .venv
BIN := $(VENV)/bin
ARGS :=

.DEFAULT_GOAL := help
.PHONY: help run test check format bench soak environment clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

run: environment ## start the demo: the service with invented clients and users, until Ctrl-C
	@$(BIN)/polku serve --demo $(ARGS)

test: environment-spark ## run every test
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -n 2 $(ARGS)

check: environment ## format, lint, types, import direction, rule lint, migration drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/polku rules lint
	@folder=$$(mktemp -d) && export POLKU_REGION=check POLKU_DATABASE_URL="sqlite:///$$folder/polku.db" && \
		$(BIN)/polku database upgrade && $(BIN)/polku database check; done=$$?; rm -rf "$$folder"; exit $$done

format: environment ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: environment-bench ## measure the speeds
	$(BIN)/python -m benchmarks $(ARGS)

soak: environment-spark ## the long runs (hours), a fresh clone brought to life, the operator's page followed
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -m soak -s -o faulthandler_timeout=28800 $(ARGS)
	$(BIN)/python scripts/fresh_clone.py
	$(BIN)/python scripts/operator_trial.py

environment: ## make or refresh the Python environment
	@POLKU_PYTHON='$(POLKU_PYTHON)' sh scripts/environment.sh '$(VENV)'

environment-%: # with the extra packages of that name
	@POLKU_PYTHON='$(POLKU_PYTHON)' sh scripts/environment.sh '$(VENV)' $*

clean: ## remove the environment and every cache
	rm -rf '$(VENV)' .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis build dist *.egg-info
