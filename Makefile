# Two commands: `make demo` to try it, `make test` to check it. Both install what they need into .venv.
# `make prove` plays the long form of every suite, hours of it; it may be stopped and goes on. SHARE=0.05 plays a part.
# `make postgres` adds PostgreSQL's driver; `make test-postgres` runs the tests on a temporary server of it, and three
# processes that are killed and stopped on one.
# `python -m tests.mutants MODULE TEST…` plants small mistakes into a module and prints those that its tests do not notice.
# `make bench` prints what things cost beside plain peers, as ratios of one run; it checks nothing. SHARE=0.05 makes the
# long ones short (a part proves nothing).
PYTHON ?= python3
VENV := .venv
SHARE ?= 1
BIN := $(VENV)/bin
# The tests start many processes: Python keeps what it has compiled, whatever the machine would have.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo install postgres test quick test-postgres lint bench prove check-python clean

demo: install
	@$(BIN)/congdoan demo

install: $(VENV)/.installed

postgres: $(VENV)/.installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-postgres.lock

# Three parts and the lint side by side: two cores stay busy while real processes and browsers wait. What the
# other three said is printed at the end.
STILL := tests/bot tests/scheduler tests/test_disk.py
ALIVE := tests/browser tests/simulation tests/test_kill.py tests/test_postgres.py tests/power tests/transcripts \
  tests/bot/test_hook.py

test: $(VENV)/.tested
	@$(BIN)/pytest $(STILL) $(ALIVE:%=--ignore=%) -p no:cacheprovider > $(VENV)/still.log 2>&1 & still=$$!; \
	$(BIN)/pytest $(ALIVE) -p no:cacheprovider > $(VENV)/alive.log 2>&1 & alive=$$!; \
	$(MAKE) --silent lint > $(VENV)/lint.log 2>&1 & lint=$$!; \
	$(BIN)/pytest $(STILL:%=--ignore=%) $(ALIVE:%=--ignore=%) -p no:cacheprovider; others=$$?; \
	wait $$lint; lint=$$?; wait $$still; still=$$?; wait $$alive; alive=$$?; \
	cat $(VENV)/lint.log $(VENV)/still.log $(VENV)/alive.log; \
	exit $$((others | lint | still | alive))

# For every day: what a change of words, of a dialogue or of a table can break, in a minute and a half of two cores. No
# real processes, no browsers, nothing at random.
LONG := handlers/test_walks.py handlers/test_data_rights.py handlers/test_simultaneous.py content/test_hostile_files.py \
  db/test_migrate.py db/test_audit_chain.py scheduler/test_great_announcement.py scheduler/test_broadcasts.py
QUICK := -p no:cacheprovider $(LONG:%=--ignore=tests/%)

quick: $(VENV)/.tested
	@$(BIN)/pytest tests/handlers $(QUICK) > $(VENV)/handlers.log 2>&1 & handlers=$$!; \
	$(BIN)/pytest tests/test_house.py tests/test_asvs.py tests/test_safety.py tests/content tests/db tests/scheduler \
	  tests/transcripts tests/test_people.py $(QUICK); others=$$?; \
	wait $$handlers; handlers=$$?; cat $(VENV)/handlers.log; exit $$((handlers | others))

prove: $(VENV)/.tested
	@$(BIN)/python -m tests.prove --share $(SHARE)

test-postgres: $(VENV)/.tested
	@$(BIN)/pytest --database postgresql $(STILL) tests/db tests/handlers tests/transcripts tests/test_people.py -p no:cacheprovider
	@$(BIN)/pytest -m prove tests/test_processes.py -s -p no:cacheprovider

lint: $(VENV)/.tested
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.tested
	@$(BIN)/python -m tests.bench

check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	  || { echo "The package python3-venv is missing. On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }

$(VENV)/bin/python: | check-python
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing (once; about a minute)…"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.tested: requirements-test.lock $(VENV)/.installed
	@echo "Installing what the tests need (once)…"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
