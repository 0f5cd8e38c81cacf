# make demo    set up .venv, restore the bundled examples, print where the results are
# make test    set up .venv-test, then make check in it
# make check   format, lint, types, import layers, tests (in the environment that is active)
#
# A second run of demo or test reuses the environment; it is made anew where pyproject.toml
# has changed.

PYTHON ?= python3
VENV := .venv
TEST_VENV := .venv-test

.DELETE_ON_ERROR:
.PHONY: demo test check clean

demo: $(VENV)/.installed
	$(VENV)/bin/seethrough restore examples -o demo --compare --overwrite
	@echo "Before | after pictures:"
	@ls "$(CURDIR)"/demo/*.compare.png

test: $(TEST_VENV)/.installed
	PATH="$(CURDIR)/$(TEST_VENV)/bin:$$PATH" $(MAKE) check

check:
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	python -m pytest

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

$(TEST_VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv --clear $(TEST_VENV)
	$(TEST_VENV)/bin/python -m pip install --quiet --editable ".[bench,test,train]"
	touch $@

clean:
	rm -rf $(VENV) $(TEST_VENV) demo build dist
