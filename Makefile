PYTHON ?= python3
BIN := .venv/bin

.PHONY: help venv tools builder check test demo bench bench-git bench-hanging fuzz lock clean
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

builder: .venv/installed ## as root on Debian: install buildah and debootstrap, make the base that the image is tested on
	$(BIN)/python -m tests.image.builder

check: .venv/installed ## lint, types, layers, declared dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry operator

test: check tools builder ## all checks and all tests
	$(BIN)/pytest

demo: tools ## the whole story on this machine; KEEP=1 stays up
	$(BIN)/python -m demo $(if $(KEEP),--keep)

bench: .venv/installed ## how long evaluator and lint take, beside their baselines
	$(BIN)/python -m benchmarks.evaluator
	$(BIN)/python -m benchmarks.lint

bench-git: .venv/installed ## Git beside the shell script, the git CLI and pygit2
	$(BIN)/python -m benchmarks.git

bench-hanging: tools ## how much later tenants are served while the servers of another one hang
	$(BIN)/python -m benchmarks.hanging

PARSERS ?= shipyard slo sli locust_conf job_config resource
SECONDS ?= 600
fuzz: .venv/installed ## fuzz each parser for SECONDS
	$(BIN)/pip install --quiet --disable-pip-version-check atheris==3.0.0
	for parser in $(PARSERS); do $(BIN)/python -m tests.fuzz.fuzz $$parser $(SECONDS) || exit 1; done

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: .venv/installed ## resolve the requirements anew
	$(BIN)/pip install --quiet uv
	$(COMPILE) --output-file deploy/requirements.txt pyproject.toml
	$(COMPILE) --group dev --constraint deploy/requirements.txt --output-file tests/requirements.txt pyproject.toml
	$(COMPILE) --group build --constraint tests/requirements.txt --output-file deploy/build-requirements.txt

clean: ## remove what was made here; the tools' cache stays
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
