# A thin front for nox: every target makes sure that .venv matches requirements/dev.txt, says what it
# does, and runs one session of noxfile.py in it. Needed on the machine: Python 3.11 with venv, gcc, make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)

# Address of PyTorch's CPU wheel index, as printed by the "Get Started" page of PyTorch for
# Linux, Pip, Python, CPU (the address in its pip command). Empty: use what pip is set up with.
TORCH_CPU_INDEX ?=

VENV := .venv
LOCK := requirements/dev.txt
STAMP := $(VENV)/lock-$(shell sha256sum $(LOCK) | cut -c1-16)
NOX = $(VENV)/bin/nox -s
PIP = $(if $(TORCH_CPU_INDEX),PIP_EXTRA_INDEX_URL="$${PIP_EXTRA_INDEX_URL:+$$PIP_EXTRA_INDEX_URL }$(TORCH_CPU_INDEX)") \
	$(VENV)/bin/python -m pip --disable-pip-version-check

# Succeeds if there are bundles, or anything else that a run has left beside them.
REPORTS_HELD = test -n "$$(find reports -mindepth 1 ! -name README.md -print -quit 2>/dev/null)"

.PHONY: help venv parity test golden lint image parity-image clean clean-reports

help:
	@echo 'make parity   prove that the PyTorch simulator and the C reference agree (evidence in reports/)'
	@echo 'make test     the tests, with branch coverage'
	@echo 'make golden   the specification program and the simulator against the golden suite'
	@echo 'make lint     style, format and type checks'
	@echo 'make image    build and load the container image nbparity:cpu (needs Docker and mmdebstrap)'
	@echo 'make parity-image   make parity in a container of that image'
	@echo 'make clean    remove the environment, builds and caches; asks about the bundles in reports/'
	@echo 'make clean-reports   remove the bundles, and whatever else is in reports/ but its README'
	@echo 'All targets first bring .venv up to date. More: .venv/bin/nox -l'

parity: venv
	@echo '== make parity: build the C programs, run all programs, write a bundle below reports/'
	@$(NOX) parity_n1

test: venv
	@echo '== make test: the tests that need neither a GPU nor minutes'
	@$(NOX) tests

golden: venv
	@echo '== make golden: the cases of golden_suite_generator/golden, byte by byte'
	@$(NOX) golden

lint: venv
	@echo '== make lint: ruff, mypy, workflows'
	@$(NOX) lint typecheck

image: venv
	@echo '== make image: build nbparity:cpu from locked packages, load it into Docker'
	@$(NOX) image -- cpu

parity-image: venv
	@echo '== make parity-image: run all programs in a container of nbparity:cpu, write a bundle below reports/'
	@$(NOX) parity_n1 -- --image cpu

venv: $(STAMP)

$(STAMP):
	@echo '== $(VENV): installing what $(LOCK) pins (once; every file is checked against its hash)'
	@test -n "$(PYTHON)" || { echo 'make: no python3 found: install Python 3.11 or set PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo 'make: the lock is for CPython 3.11, which $(PYTHON) is not: set PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { echo 'make: $(PYTHON) cannot make a virtual environment: install its venv module (Debian: python3-venv)' >&2; exit 1; }
	@$(PIP) install --progress-bar off --quiet --require-hashes -r $(LOCK) 2>$(VENV)/install.err || { \
		cat $(VENV)/install.err >&2; \
		if grep -q 'torch==.*+cpu' $(VENV)/install.err; then \
			echo 'make: the CPU build of PyTorch was not found: take the address from the pip command on the "Get Started" page of PyTorch (Linux, Pip, Python, CPU) and run: make TORCH_CPU_INDEX=<address> (or put the wheel into a folder and set PIP_FIND_LINKS=<folder>)' >&2; \
		else \
			echo 'make: the environment could not be installed, pip says why above' >&2; \
		fi; exit 1; }
	@PYTHONWARNINGS=ignore $(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
	@echo '== $(VENV): ready'

clean:
	@echo '== make clean: removing $(VENV), .nox, builds and caches'
	@rm -rf $(VENV) .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build *.egg-info
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	@if test -f golden_suite_generator/Makefile; then $(MAKE) -s -C golden_suite_generator clean; fi
	@$(REPORTS_HELD) || exit 0; \
		if test -t 0 && test -t 1; then \
			printf 'make: remove the bundles as well, %s in reports/? [y/N] ' "$$(du -sh reports | cut -f1)"; \
			read -r answer; \
			case "$$answer" in [yY]|[yY]es) exec $(MAKE) -s clean-reports;; esac; \
		fi; \
		echo "== make clean: reports/ stays, $$(du -sh reports | cut -f1): make clean-reports removes the bundles"

clean-reports:
	@echo '== make clean-reports: removing everything in reports/ but README.md'
	@if test -d reports; then find reports -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +; fi
