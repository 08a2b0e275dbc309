# Each target sets up what it needs; a second run finds it there.
.PHONY: demo test lint style fmt servers bench pin clean
SHELL := /bin/bash
# Where this is set, each of the many processes of a demo or a test compiles all it imports anew.
unexport PYTHONDONTWRITEBYTECODE
ours := requirements/boot.txt pyproject.toml sdk/pyproject.toml scripts/install-python.sh

demo: .venv/run.stamp
	@exec .venv/bin/stalewatch demo $(ARGS)

# Many a test waits for a server, a timer or a page: more of them at a time than a machine has cores.
test: servers style
	@echo "mypy (beside the tests; what it says comes after them)"
	@mkdir -p .mypy_cache; .venv/bin/mypy >.mypy_cache/said 2>&1 & types=$$!; \
	.venv/bin/pytest -n 4 --dist worksteal -m "not serial" $(ARGS); tests=$$?; \
	wait $$types; typed=$$?; cat .mypy_cache/said; exit $$((tests || typed))
	.venv/bin/pytest -n 2 --dist worksteal -m serial tests/e2e $(ARGS)

lint: style
	.venv/bin/mypy

style: .venv/dev.stamp
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports --no-logo

fmt: .venv/dev.stamp
	.venv/bin/ruff check --fix --exit-zero
	.venv/bin/ruff format

servers:
	@scripts/install-test-servers.sh

bench: .venv/dev.stamp
	.venv/bin/python -m bench $(ARGS)

pin: .venv/dev.stamp
	scripts/pin.sh

.venv/run.stamp: requirements/run.txt $(ours)
	@echo "Installing Stalewatch into .venv"
	@scripts/install-python.sh run
	@touch $@

# All that run.txt pins is in dev.txt too.
.venv/dev.stamp: requirements/dev.txt $(ours)
	@echo "Installing Stalewatch and its tests into .venv"
	@scripts/install-python.sh dev
	@touch $@ .venv/run.stamp

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
