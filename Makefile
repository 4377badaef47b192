# Everything is set up in .venv; nothing else on the machine is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check figures soak clean

help: ## Show these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.base ## Denoise a simulated low-light camera: demo.mp4, demo.png and a summary.
	$(BIN)/dae-edge live --source demo --seconds 12 --output demo.mp4 --snapshot demo.png --force

test: $(VENV)/.dev ## Run the tests (minutes).
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-slow: $(VENV)/.dev ## Run the long tests too: training, real clips, every format.
	$(BIN)/python -m pytest

check: $(VENV)/.dev ## Lint, format and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	scripts/types $(BIN)/python

figures: $(VENV)/.dev ## Measure README.md's table and plot anew (20 minutes on a quiet machine).
	$(BIN)/python scripts/figures

soak: $(VENV)/.base ## Run 20 minutes on the demo camera and see that nothing grows.
	$(BIN)/python scripts/soak

clean: ## Remove the environment and everything made.
	rm -rf $(VENV) build *.egg-info demo.mp4 demo.png runs

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	scripts/install $(BIN)/python
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	scripts/install $(BIN)/python all,dev
	@touch $@
