# The words of the house: demo test test-full torture check fmt bench lock. `make` alone lists them.
# Everything lands in .venv; a stamp file there says what is installed, so a warm run installs nothing.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv
INSTALL := $(UV) pip install --quiet --compile-bytecode --constraints constraints.txt --build-constraints constraints.txt
# Hard links are not possible everywhere; copying is quick enough and says nothing.
export UV_LINK_MODE ?= copy
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Every test starts programs: compiled once, they start in half the time.
unexport PYTHONDONTWRITEBYTECODE

# One more than the cores of a small machine: tests wait for clocks and for tools that wait.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help demo test test-full torture check fmt bench lock clean

help:
	@echo "make demo       the main job on a repository of its own, with real tools: plan, apply, drift, repair"
	@echo "make test       set everything up and run the test suite"
	@echo "make test-full  the same with the long tests, against LocalStack, and on Python 3.13 where there is one"
	@echo "make torture    four workers on PostgreSQL, 400 stacks, and all that can befall them; see tests/torture/torture.py"
	@echo "make check      ruff, mypy --strict, import contracts"
	@echo "make fmt        format and mend what ruff can mend"
	@echo "make bench      measure against the tools by hand; results go into README.md; LONG=1 adds what takes minutes"
	@echo "make lock       resolve the dependencies anew into constraints.txt"

$(STAMPS)/venv: constraints.txt scripts/make-venv
	@scripts/make-venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: $(STAMPS)/venv constraints.txt pyproject.toml
	@echo "installing holdfast into $(VENV)"
	@$(INSTALL) --editable '.[demo]'
	@touch $@

$(STAMPS)/dev: $(STAMPS)/venv constraints.txt pyproject.toml
	@echo "installing holdfast and what its tests need into $(VENV)"
	@$(INSTALL) --editable '.[ansible,aws,cloudformation,demo,notify,postgresql,service,tracing,vault]' --group dev
	@touch $@ $(STAMPS)/demo

demo: $(STAMPS)/demo
	@scripts/with-tools $(BIN)/holdfast demo --dir holdfast-demo --run --force

test: $(STAMPS)/dev
	@scripts/system-needs
	@scripts/with-tools $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not full"

test-full: $(STAMPS)/dev
	@scripts/system-needs full
	@scripts/with-tools $(BIN)/python -m pytest -n 2 --dist worksteal -m "not localstack"
	@scripts/with-localstack $(BIN)/python -m pytest -m localstack tests/adapters/cloudformation
	@scripts/test-on 3.13

torture: $(STAMPS)/dev
	@scripts/system-needs
	@scripts/with-tools $(BIN)/python tests/torture/torture.py

check: $(STAMPS)/dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports

fmt: $(STAMPS)/dev
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

bench: $(STAMPS)/dev
	@$(INSTALL) --group bench
	@scripts/with-tools $(BIN)/python -m bench $(ONLY)

lock: $(STAMPS)/venv
	@scripts/lock $(UV_LOCK_FLAGS)

clean:
	rm -rf $(VENV) .tools holdfast-demo .mypy_cache .ruff_cache .import_linter_cache .hypothesis
