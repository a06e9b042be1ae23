PYTHON ?= python3
BIN := .venv/bin

.PHONY: help venv tools check test demo lock clean
help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.venv/installed: tests/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

venv: .venv/installed ## make the virtual environment

tools: .venv/installed ## build etcd, kube-apiserver, kubectl and prometheus into a per-user cache
	$(BIN)/python -m demo.tools.build

check: .venv/installed ## lint, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: check tools ## all checks and all tests
	$(BIN)/pytest

demo: tools ## the whole story on this machine; KEEP=1 stays up
	$(BIN)/python -m demo $(if $(KEEP),--keep)

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: .venv/installed ## resolve the requirements anew
	$(BIN)/pip install --quiet uv
	$(COMPILE) --output-file deploy/requirements.txt pyproject.toml
	$(COMPILE) --group dev --constraint deploy/requirements.txt --output-file tests/requirements.txt pyproject.toml
	$(COMPILE) --group build --constraint tests/requirements.txt --output-file deploy/build-requirements.txt

clean: ## remove what was made here; the tools' cache stays
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
