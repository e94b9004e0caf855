# Needs git, make and a python3 (3.11 or newer) with venv; everything else comes with `make venv`.
PYTHON ?= python3
VENV := .venv
PYTEST := $(VENV)/bin/python -m pytest
DEMO ?= demo

.PHONY: help venv browser demo test check bench bench-start bench-looking bench-sealing bench-promotion bench-ways man lock deb lintian
.DELETE_ON_ERROR:

help:
	@echo 'make venv    .venv/bin/reconcile and all it needs'
	@echo 'make demo    a fleet of its own in $(DEMO)/, and its story told by the real commands'
	@echo 'make test    every test and check'
	@echo 'make check   style, types and imports alone'
	@echo 'make deb     dist/canon-reconcile_….deb for this release of Debian (needs debhelper, python3-venv)'
	@echo 'make lintian  what Debian'"'"'s checker says of dist/*.deb, or of DEB=FILE (needs lintian)'
	@echo 'make bench   how fast upstreams are asked, beside other ways (needs lighttpd-mod-openssl)'
	@echo 'make bench-start  how quickly commands start'
	@echo 'make bench-looking  what drift and explain cost beside a dry run (needs lighttpd)'
	@echo 'make bench-sealing  how quickly data is sealed and unpacked, beside tar and zstd (needs zstd)'
	@echo 'make bench-promotion  a promotion on Swarm beside the same work by hand (needs an engine)'
	@echo 'make bench-ways RECIPES="gitea"  ways of real applications, and what they cost (needs an engine)'
	@echo 'make man     the man pages of all commands, in build/man/'
	@echo 'make browser  what the tests of the page need to drive chromium'
	@echo 'make lock    requirements.lock anew from pyproject.toml (needs uv)'

venv: $(VENV)/.locked $(VENV)/.installed

# Debian and Ubuntu keep ensurepip, without which venv makes nothing, in a package of its own.
$(VENV)/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'make: $(PYTHON) is older than Python 3.11; name a newer one: make venv PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null || \
	  { echo 'make: $(PYTHON) cannot make a venv; install what is missing: apt-get install python3-venv' >&2; exit 1; }
	$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements.lock
	touch $@

# The build backend comes from the lock too, so nothing unpinned is fetched for the project itself.
$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps --editable .
	touch $@

# What tests of the page need beside chromium; apart from `venv`, since it is large.
browser: venv $(VENV)/.browser

$(VENV)/.browser: tests/browser.lock
	$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r tests/browser.lock
	touch $@

# An earlier demo, known by its README, makes room for the new one; any other folder of that name is left alone.
demo: venv
	@if grep -qs '^This folder was made by .reconcile demo.' $(DEMO)/README; then \
	  echo 'removing the earlier $(DEMO)/'; rm -rf -- $(DEMO); fi
	$(VENV)/bin/reconcile demo --tell $(DEMO)

# Many tests run real programs and wait for them, so there is one more than there are cores.
test: venv
	$(PYTEST) --numprocesses=$$(($$(nproc) + 1)) --dist=loadscope --cov --cov-report=term

check: venv
	$(PYTEST) tests/test_checks.py

# For the Debian that this runs on, with its own Python. REVISION=2 for a second package of the same version.
deb:
	@for tool in dh_builddeb:debhelper dh_installsysusers:debhelper; do \
	  command -v $${tool%:*} >/dev/null || { echo "make: install what is missing: apt-get install $${tool#*:}" >&2; exit 1; }; done
	@/usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'make: install what is missing: apt-get install python3-venv' >&2; exit 1; }
	debian/rules binary

# All that is found and not mended has its reason in debian/canon-reconcile.lintian-overrides. Takes a minute or two.
lintian:
	lintian --no-cfg --allow-root --fail-on error,warning $(if $(DEB),$(DEB),dist/canon-reconcile_*.deb)

bench: venv
	$(VENV)/bin/python -m benchmarks.asking_upstreams 21 --tls
	$(VENV)/bin/python -m benchmarks.asking_upstreams 300 --tls

bench-start: venv
	$(VENV)/bin/python -m benchmarks.starting

bench-looking: venv
	$(VENV)/bin/python -m benchmarks.looking

bench-sealing: venv
	$(VENV)/bin/python -m benchmarks.sealing

bench-promotion: venv
	$(VENV)/bin/python -m benchmarks.promotion

bench-ways: venv
	$(VENV)/bin/python -m benchmarks.ways_of_applications $(RECIPES)

man: venv
	$(VENV)/bin/python -m reconciler.cli.man_pages build/man

# Universal: one lock for every Python and machine that we support; it names no index.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command 'make lock' --upgrade --quiet --output-file requirements.lock
	uv pip compile --group browser --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --custom-compile-command 'make lock' --upgrade --quiet --output-file tests/browser.lock
