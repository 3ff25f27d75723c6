# `make test` and `make demo` do all their set-up themselves; see README.md.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= demo-out

.PHONY: setup run demo test demo-minute lint types imports bench peers clean

setup:            ## the environment and system packages for tests and demo
	@$(PYTHON) bootstrap.py --dev

run:              ## only what the programs need
	@$(PYTHON) bootstrap.py

demo: setup       ## record a real game, label, train, play, and write demo-out/report.html (under 20 minutes)
	@PYTHONPATH=$(CURDIR)/tests:$(CURDIR) $(BIN)/python -P -m demo --out $(OUT)

demo-minute: setup
	@rm -rf build/demo-minute
	@PYTHONPATH=$(CURDIR)/tests:$(CURDIR) $(BIN)/python -P -m demo --minute --out build/demo-minute

test: setup lint  ## lint, types, import contracts, the suite, and a one-minute demo
	@$(MAKE) --no-print-directory demo-minute
	@$(BIN)/python -m pytest -q

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: setup      ## measurements, as ratios to a reference in the same call
	@PYTHONPATH=$(CURDIR)/tests:$(CURDIR) $(BIN)/python -P -m bench

peers: setup      ## tries other tools (LeRobot, OWA, WebDataset) on our exports, and us on theirs; installs them into build/peers
	@PYTHONPATH=$(CURDIR)/tests:$(CURDIR) $(BIN)/python -P -m peers

clean:            ## removes what building and testing made; never a library
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
