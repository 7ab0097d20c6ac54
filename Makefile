# Two commands on a fresh machine: `make demo` and `make test`. Each makes .venv, installs, and does its job
# with no GPU and no internet beyond the package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
OUT ?=
# A file of versions that pip keeps to, such as constraints.txt, with which continuous integration installs.
CONSTRAINTS ?=

.PHONY: demo test docs format wheel clean

demo: $(INSTALLED)
	$(BIN)/gansynth demo $(if $(OUT),--out $(OUT))

# mypy works beside the tests, and what it has found is shown after them; either of them fails the whole.
test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@types=$$(mktemp); echo "$(BIN)/mypy gansynth, beside:"; echo "$(PYTEST)"; \
	$(BIN)/mypy gansynth >$$types 2>&1 & beside=$$!; \
	$(PYTEST); tests=$$?; \
	wait $$beside; mypy=$$?; \
	echo "$(BIN)/mypy gansynth"; cat $$types; rm -f $$types; \
	test $$tests -eq 0 && test $$mypy -eq 0

# The documentation site, from the pages here and from the docstrings; open build/site/index.html.
docs: $(INSTALLED)
	$(BIN)/python -m pip install -e '.[docs]'
	$(BIN)/python docs/build.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(INSTALLED)
	$(BIN)/python -m build

# The stamp is younger than setup.cfg while the installed dependencies are the ones it names.
$(INSTALLED): setup.cfg pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "gansynth needs Python 3.10 or later; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[dev]'
	touch $@

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
