# Everything here needs python3 (3.10 or newer) with pip and make, nothing else: the environments are made on first use.
#   make demo      onboards, rotates and offboards numbers in a real Airflow, against the sandbox
#   make check     what to run while you work
#   make test      what has to pass before a change goes in
#   make test-all  what continuous integration runs: the same, whole deployments, and the other Airflows (Python 3.11 or newer)
# `make help` lists the rest, with what each proves and how long it takes. AIRFLOW=3.0 runs a target on the oldest supported Airflow.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
AIRFLOW ?= 3.3
VENV ?= .venv/airflow-$(AIRFLOW)
UV_VERSION := 0.13.8
UV := .venv/uv-$(UV_VERSION)/bin/uv
CONSTRAINTS := constraints/airflow-$(AIRFLOW).txt
READY := $(VENV)/.ready
PYTEST := $(VENV)/bin/python -m pytest
PYTEST_ARGS ?=
COVERAGE := $(VENV)/bin/coverage

# uv must use the interpreter it is given, and never fetch one of its own.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# A link across file systems only makes uv print a warning before it copies.
export UV_LINK_MODE := copy

say = @printf '\033[1m==> %s\033[0m\n'

.PHONY: help
help: ## : Show the targets, and how long each takes on two cores once its environment is there
	@sed -nE 's/^([a-z-]+):.*## ([^:]*): (.*)/  make \1|\2|\3/p' $(MAKEFILE_LIST) | column -t -s '|'

# --- environments ---------------------------------------------------------------------------------------------------

$(UV):
	$(say) 'uv $(UV_VERSION)'
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v >= (3, 10) else \
	    f"$(PYTHON) is {v[0]}.{v[1]}; set PYTHON= to Python 3.10 or newer")'
	@rm -rf $(dir $(@D))
	@$(PYTHON) -m venv $(dir $(@D))
	@$(dir $(@D))bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.PHONY: .uv
.uv: | $(UV)

# `.building` stays behind when an installation is interrupted: the next one then starts from an empty folder, because a
# half-copied package looks installed. Bytecode is compiled here since every Airflow process starts in less than half
# the time with it.
$(READY): $(CONSTRAINTS) pyproject.toml airflow_provider_phonelink/__init__.py | $(UV)
	$(say) 'environment $(VENV): $(notdir $(basename $(CONSTRAINTS)))'
	@if [ -e $(VENV)/.building ] || [ ! -x $(VENV)/bin/python ]; then \
	    $(UV) venv --quiet --clear --no-managed-python --python "$$(command -v $(PYTHON))" $(VENV); \
	fi
	@rm -f $@ && touch $(VENV)/.building
	@$(UV) pip install --quiet --exact --compile-bytecode --python $(VENV)/bin/python \
	    --editable '.[sandbox]' --group test --constraint $(CONSTRAINTS)
	@rm -f $(VENV)/.building && touch $@

.PHONY: env
env: $(READY) ## 30 s: Make the environment of AIRFLOW (3.3 by default)

# The newest Airflow with everything that the system tests and the documentation need beside it, on Python 3.11 or newer.
FULL := .venv/full

$(FULL)/.ready: constraints/full.txt pyproject.toml | $(UV)
	$(say) 'environment $(FULL): airflow-3.3, Celery, a browser driver and Sphinx'
	@rm -f $@ && $(UV) venv --quiet --clear --no-managed-python --python "$$(command -v $(PYTHON))" $(FULL)
	@$(UV) pip install --quiet --compile-bytecode --python $(FULL)/bin/python \
	    --editable '.[sandbox]' --group test --group system --group docs --constraint constraints/full.txt
	@touch $@

# Names and versions only: no addresses, no hashes, no paths. The oldest set takes every direct dependency at its lower
# bound, and what those need as of shortly after Airflow 3.0.6 was released: later releases of cadwyn, FastAPI and the
# standard provider are not what that Airflow ran with. The minors between take all that was current shortly after their
# last release. The full set needs Python 3.11: what builds the documentation and Airflow agree on no version for 3.10.
COMPILE := pip compile pyproject.toml --quiet --extra sandbox --group test --universal --python-version 3.10 \
    --no-header --no-annotate --upgrade
OLDEST := --resolution lowest-direct --exclude-newer 2025-10-15
BETWEEN := 3.1=2026-03-25 3.2=2026-06-15

.PHONY: constraints
constraints: | $(UV) ## 1 min: Choose the pinned versions anew, from the bounds in pyproject.toml
	$(say) 'constraints/airflow-3.3.txt (newest)'
	@$(UV) $(COMPILE) --output-file constraints/airflow-3.3.txt >/dev/null
	$(say) 'constraints/airflow-3.0.txt (oldest)'
	@$(UV) $(COMPILE) $(OLDEST) --output-file constraints/airflow-3.0.txt >/dev/null
	@set -- $(BETWEEN); for minor; do \
	    printf '\033[1m==> %s\033[0m\n' "constraints/airflow-$${minor%=*}.txt ($${minor#*=})"; \
	    $(UV) $(COMPILE) --exclude-newer "$${minor#*=}" --constraint <(echo "apache-airflow==$${minor%=*}.*") \
	        --output-file "constraints/airflow-$${minor%=*}.txt" >/dev/null; \
	done
	$(say) 'constraints/full.txt (newest, with the system tests and the documentation)'
	@$(UV) $(COMPILE:3.10=3.11) --group system --group docs --constraint constraints/airflow-3.3.txt \
	    --output-file constraints/full.txt >/dev/null
	@! grep -nvE '^[a-z0-9.-]+==[^ /]+( ; [^/]+)?$$' constraints/*.txt

# --- checks ---------------------------------------------------------------------------------------------------------

.PHONY: lint
lint: $(READY) ## 1 s: Style and formatting (ruff)
	$(say) 'lint'
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

.PHONY: types
types: $(READY) ## 30 s, then 5 s: Types: the source strictly, tests and tools inside their functions (mypy)
	$(say) 'types'
	@$(VENV)/bin/mypy

.PHONY: unit
unit: $(READY) ## 3 min: Units, one by one: what each decides, sends, reads and says
	$(say) 'unit tests, Airflow $(AIRFLOW)'
	@$(PYTEST) tests/unit $(PYTEST_ARGS)

# Two lanes, one for each core of a small machine: what fails in one does not keep the other from ending. The output of
# the second comes at the end.
SIDE = build/$(@:.%=%)-on-the-side.txt
define in_two_lanes
@mkdir -p $(dir $(SIDE))
@printf '\033[1m==> on the side, progress in $(SIDE): $(2)\033[0m\n'
@$(MAKE) --keep-going $(2) >$(SIDE) 2>&1 & side=$$!; \
trap 'kill $$side 2>/dev/null; exit 130' INT TERM; \
failed=; \
$(MAKE) --keep-going $(1) || failed="$$failed main lane"; \
wait $$side || failed="$$failed side lane"; \
cat $(SIDE); \
[ -z "$$failed" ] || { echo "==> failed:$$failed"; exit 1; }
endef

# Most of what the first half has needs no Airflow, and so none is imported there.
FIRST_HALF := $(addprefix tests/unit/,api decisions promises)
SECOND_HALF := $(filter-out $(FIRST_HALF),$(wildcard tests/unit/*))
QUICKLY := --quiet --hypothesis-profile=quick

.PHONY: .first-half .second-half
.first-half: $(READY)
	@$(PYTEST) $(QUICKLY) $(FIRST_HALF) $(PYTEST_ARGS)
.second-half: $(READY)
	@$(PYTEST) $(QUICKLY) $(SECOND_HALF) $(PYTEST_ARGS)

.PHONY: check
check: $(READY) ## 90 s: What to run while you work: lint, types and unit tests, side by side
	$(say) 'unit tests in two processes, Airflow $(AIRFLOW)'
	$(call in_two_lanes,lint types .first-half,.second-half)

.PHONY: integration
integration: $(READY) ## 15 min: Operators, sensors, triggers and commands over real sockets, against the sandbox
	$(say) 'integration tests, Airflow $(AIRFLOW)'
	@$(PYTEST) tests/integration -m 'not breadth' $(PYTEST_ARGS)

# The simulation has the breadth; here each point of it meets real sockets, and Airflow.
.PHONY: matrix-tests
matrix-tests: $(READY) ## minutes: Every fault at every request over real sockets, and every answer that no vendor documents
	$(say) 'whole fault matrix, Airflow $(AIRFLOW)'
	@$(PYTEST) tests/integration -m 'matrix or breadth' $(PYTEST_ARGS)

MINUTES ?= 10
SIMULATE_ARGS ?=

.PHONY: simulate
simulate: $(READY) ## MINUTES, 10: What tasks meet between and within their tries, history after history
	$(say) 'simulation, $(MINUTES) minutes'
	@PYTHONPATH=tests $(VENV)/bin/python -m simulation --minutes $(MINUTES) $(SIMULATE_ARGS)

# Servers and a browser come from Debian's packages; elsewhere, have them on the PATH.
POSTGRESQL := postgresql:postgres
PACKAGES := $(POSTGRESQL) redis-server:redis-server chromium:chromium
install = @PYTHONPATH=tests $(PYTHON) tools/debian_packages.py

.PHONY: system
system: $(FULL)/.ready ## minutes: A real scheduler, triggerer and API server, killed and restarted
	$(install) $(POSTGRESQL)
	$(say) 'system tests'
	@$(FULL)/bin/python -m pytest tests/system $(PYTEST_ARGS)

.PHONY: test-system
test-system: $(FULL)/.ready ## minutes: Production-like: PostgreSQL, Redis, Celery, a browser
	$(install) $(PACKAGES)
	$(say) 'production-like deployment and browser'
	@$(FULL)/bin/python -m pytest tests/production tests/browser $(PYTEST_ARGS)

.PHONY: pictures
pictures: $(FULL)/.ready ## minutes: Make the documentation's pictures of Airflow anew, by the tests that drive a browser
	$(install) $(POSTGRESQL) chromium:chromium
	@$(FULL)/bin/python -m pytest tests/browser --pictures docs/pictures $(PYTEST_ARGS)

.PHONY: docs
docs: $(FULL)/.ready ## 1 min: That the documentation builds without a warning, into build/docs
	$(say) 'documentation'
	@$(FULL)/bin/python -m sphinx -W --keep-going -n -q -b html docs build/docs

.PHONY: coverage
coverage: $(READY) ## minutes: That unit and integration tests cover 95 % of the branches
	@$(COVERAGE) erase
	@$(MAKE) .covered-units .covered-integration .covered

.PHONY: .covered
.covered:
	@$(COVERAGE) combine --quiet
	@$(COVERAGE) report

.PHONY: test-oldest
test-oldest: ## minutes: The same promises on the oldest Airflow, with the lowest versions of all dependencies
	@$(MAKE) .what-airflow-decides AIRFLOW=3.0

# Decisions, promises and sandbox are the same wherever they run; what reads and sends uses the dependencies. The matrix
# is a product of what is here tried once.
WITHOUT_AIRFLOW := $(addprefix tests/unit/,decisions doctor promises sandbox)
# What faults, deaths, races and the vendors' unknowns do to a promise has nothing to do with an Airflow, either.
WHATEVER_AIRFLOW := $(patsubst %,tests/integration/test_%.py,deaths docs_claims doctor openapi races scale \
    unknowns vendors_own_client)
DEPENDS_ON_AIRFLOW := $(filter-out $(WITHOUT_AIRFLOW),$(wildcard tests/unit/*)) \
    $(filter-out $(WHATEVER_AIRFLOW),$(wildcard tests/integration/test_*.py))

.PHONY: .what-airflow-decides
.what-airflow-decides: $(READY)
	$(say) 'unit and integration tests that depend on Airflow and what it brings, Airflow $(AIRFLOW)'
	@$(PYTEST) $(DEPENDS_ON_AIRFLOW) -m 'not matrix and not breadth' $(PYTEST_ARGS)

.PHONY: .covered-units
.covered-units: $(READY)
	$(say) 'unit tests with coverage, Airflow $(AIRFLOW)'
	@$(COVERAGE) run -m pytest tests/unit $(PYTEST_ARGS)

# Of the integration tests, what starts Airflow's own commands one after the other is with the deployments, and so is not
# measured. The matrices are products of what is tried once, and cover nothing else.
.PHONY: .covered-integration
.covered-integration: $(READY)
	$(say) 'integration tests with coverage, Airflow $(AIRFLOW)'
	@$(COVERAGE) run -m pytest tests/integration -m 'not matrix and not breadth and not commands' $(PYTEST_ARGS)

.PHONY: .simulated
.simulated: $(READY)
	$(say) 'simulation, Airflow $(AIRFLOW)'
	@$(PYTEST) tests/simulation $(PYTEST_ARGS)

.PHONY: .representatives
.representatives: $(READY)
	$(say) 'representatives of the fault matrix and the like, Airflow $(AIRFLOW)'
	@$(PYTEST) tests/integration -m 'matrix and not breadth' $(PYTEST_ARGS)

.PHONY: .commands
.commands: $(READY)
	$(say) 'what users copy from the pages, by the commands of Airflow $(AIRFLOW)'
	@$(PYTEST) tests/integration -m commands $(PYTEST_ARGS)

# One deployment on each minor version, two at a time: one after the other takes longer than one core is busy with them.
MINORS := 3.0 3.1 3.2 3.3

.PHONY: minors
minors: ## minutes: One short deployment on each minor version of Airflow: scheduler, triggerer, API server, PostgreSQL
	@for minor in $(MINORS); do $(MAKE) env AIRFLOW=$$minor; done
	$(install) $(POSTGRESQL)
	@$(MAKE) --keep-going --jobs 2 --output-sync=target $(MINORS:%=.minor-%)

.minor-%:
	@$(MAKE) .minor AIRFLOW=$*

.PHONY: .minor
.minor: $(READY)
	$(say) 'one short deployment, Airflow $(AIRFLOW)'
	@$(PYTEST) tests/minors $(PYTEST_ARGS)

# The next Airflow, before it is released: what fails here is known in time, and stops nobody.
NEXT := .venv/airflow-next

$(NEXT)/.ready: constraints/airflow-next.txt pyproject.toml | $(UV)
	$(say) 'environment $(NEXT): $(shell grep ^apache-airflow== constraints/airflow-next.txt)'
	@rm -f $@ && $(UV) venv --quiet --clear --no-managed-python --python "$$(command -v $(PYTHON))" $(NEXT)
	@$(UV) pip install --quiet --compile-bytecode --prerelease allow --python $(NEXT)/bin/python \
	    --editable '.[sandbox]' --group test --constraint constraints/airflow-next.txt
	@touch $@

.PHONY: next
next: ## minutes: Unit tests that need Airflow and one short deployment on the next Airflow, a beta version
	@$(MAKE) $(NEXT)/.ready
	$(install) $(POSTGRESQL)
	$(say) 'unit tests and one short deployment, $(shell grep ^apache-airflow== constraints/airflow-next.txt)'
	@$(NEXT)/bin/python -m pytest $(filter-out $(WITHOUT_AIRFLOW) tests/unit/api,$(wildcard tests/unit/*)) tests/minors $(PYTEST_ARGS)

.PHONY: .next-if-it-works
.next-if-it-works:
	-@timeout 15m $(MAKE) next || echo '==> the next Airflow: failed, which stops nobody'

.PHONY: test
test: $(READY) ## 23 min: What has to pass before a change goes in: lint, types, tests with coverage, all of the simulation
	@$(MAKE) lint types
	@$(COVERAGE) erase
	$(call in_two_lanes,.covered-integration .covered-units,.simulated .representatives)
	@$(MAKE) .covered

.PHONY: test-all
test-all: ## 60 min: What continuous integration runs: the same, whole deployments, the other Airflows, docs and wheel
	@$(MAKE) --keep-going test .deployments

# What the lanes need is there before they start. Deployments are least disturbed by other tests at the end.
.PHONY: .deployments
.deployments: $(FULL)/.ready
	@for minor in $(MINORS); do $(MAKE) env AIRFLOW=$$minor; done
	$(install) $(PACKAGES)
	$(call in_two_lanes,.commands docs dist test-system $(MINORS:%=.minor-%) .next-if-it-works,test-oldest system)

# --- the rest -------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(READY) ## 1 min: Onboard, rotate and offboard numbers in a real Airflow, against the sandbox
	@PYTHONPATH=tests $(VENV)/bin/python tools/demo.py

.PHONY: demo-ui
demo-ui: $(READY) ## 1 min, then until Ctrl+C: The same, and then Airflow's page of phone numbers with numbers that change
	@PYTHONPATH=tests $(VENV)/bin/python tools/demo.py --ui

# The peer lives in an environment of its own, so that no test can lean on it.
BENCH := .venv/bench
BENCH_ARGS ?=

$(BENCH)/.ready: constraints/airflow-3.3.txt pyproject.toml | $(UV)
	$(say) 'environment $(BENCH): airflow-3.3 and the HTTP provider'
	@rm -f $@ && $(UV) venv --quiet --clear --no-managed-python --python "$$(command -v $(PYTHON))" $(BENCH)
	@$(UV) pip install --quiet --compile-bytecode --python $(BENCH)/bin/python \
	    --editable . --group bench --constraint constraints/airflow-3.3.txt
	@touch $@

.PHONY: bench
bench: $(BENCH)/.ready ## 35 min: Measure against the HTTP provider and bare httpx, and write docs/benchmarks.md
	$(install) $(POSTGRESQL)
	@$(BENCH)/bin/python -m benchmarks $(BENCH_ARGS)

# From the wheel, not from the checkout: in an environment that is made anew each time, and has nothing of the latter.
DIST := .venv/dist

.PHONY: dist
dist: | $(UV) ## 1 min: That wheel and sdist are complete, and the README runs from the installed wheel
	$(say) 'wheel and sdist'
	@rm -rf dist && $(UV) build --quiet --python "$$(command -v $(PYTHON))" --out-dir dist
	$(say) 'environment $(DIST): the wheel, Airflow and pytest'
	@$(UV) venv --quiet --clear --no-managed-python --python "$$(command -v $(PYTHON))" $(DIST)
	@$(UV) pip install --quiet --python $(DIST)/bin/python --constraint constraints/airflow-3.3.txt \
	    "$$(echo dist/*.whl)[sandbox]" pytest
	@PYTHONPATH=tests $(DIST)/bin/python tools/check_dist.py dist

MATRIX_ARGS ?=

.PHONY: matrix
matrix: ## hours: Unit and integration tests on every minor version of Airflow and the Pythons of this machine
	@$(PYTHON) tools/matrix.py $(MATRIX_ARGS)

.PHONY: clean
clean: ## 1 s: Remove the environments, the demo's folder and every cache
	@rm -rf .venv .demo .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
