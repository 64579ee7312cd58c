SCENARIO ?= default
DLQLAB := .venv/bin/dlqlab
WORKERS ?= 5
PYTEST := PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest

.PHONY: run check test examples-test compose-test bench setup lint types unit-tests tests lab docs lock wheel clean help

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: .venv/complete ## a whole run, from the emulator's start to the verdict (SCENARIO=name)
	@$(DLQLAB) run $(SCENARIO)

check: lint ## style, types and unit tests, for the loop of daily work: about a minute
	@$(MAKE) --no-print-directory --jobs 2 unit-tests types

test: lint ## every check and every test but the examples' that need tools of others; most tests wait, so more of them than processors go on at once (WORKERS=5)
	@$(MAKE) --no-print-directory --jobs 2 tests types

unit-tests: .venv/complete
	$(PYTEST) tests/unit --quiet -p no:schemathesis --hypothesis-profile quick --numprocesses logical --dist loadfile

# The engine of the simulation is compiled once, beside mypy, and not by each worker. The longest files come first: those
# of the whole command, then those of an emulator, at the end the unit tests, which fill every gap.
tests: .venv/complete
	$(DLQLAB) what-if --duration 1s --seeds 1 --workers 0 >/dev/null
	$(PYTEST) -m "not tools" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

examples-test: .venv/complete ## the examples by SAM, CDK and Serverless, which it installs (some minutes)
	$(PYTEST) tests/e2e/test_examples.py -m tools --numprocesses 2 --dist load

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
