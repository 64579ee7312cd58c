SCENARIO ?= default
DLQLAB := .venv/bin/dlqlab
WORKERS ?= 4

.PHONY: run check test compose-test bench setup lint types lab docs lock wheel clean help

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: .venv/complete ## a whole run, from the emulator's start to the verdict (SCENARIO=name)
	@$(DLQLAB) run $(SCENARIO)

check: lint types ## style, types and unit tests, for the loop of daily work: about a minute
	PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest tests/unit --quiet -p no:schemathesis --numprocesses logical --dist loadfile

test: lint types ## every check and every test; most tests wait, so more of them than processors go on at once (WORKERS=4)
	.venv/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile

compose-test: .venv/complete ## docker compose from up to down, beside an ordinary run (some minutes; starts an engine where none runs)
	@docker/test.sh

bench: .venv/complete ## speed beside stock LocalStack and MiniStack, under 10 minutes (needs a quiet machine)
	.venv/bin/python -m benchmarks.pipeline

setup: .venv/complete ## the environment in .venv

.venv/complete: requirements.txt pyproject.toml .python-version scripts/setup
	@scripts/setup

lint: .venv/complete ## ruff
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .

types: .venv/complete ## mypy
	.venv/bin/mypy

lab: .venv/complete ## JupyterLab on the notebooks, at 127.0.0.1 (LAB="--no-browser --port 8890" for its options)
	.venv/bin/jupyter lab --ip 127.0.0.1 --notebook-dir . $(LAB)

docs: .venv/complete ## docs/configuration.md from the code
	.venv/bin/python -m dlqlab.reference

lock: .venv/complete ## compile requirements.txt anew from pyproject.toml
	.venv/bin/uv pip compile pyproject.toml --quiet --extra dev --generate-hashes --python-version 3.13 --no-header --output-file requirements.txt

wheel: .venv/complete ## the package, in dist/: it runs in any folder without this checkout
	.venv/bin/python -m hatchling build --target wheel

clean: ## remove the environment and the state of emulators; runs stay
	rm -rf .venv .dlqlab
