# make run    the portal, its workers and a demo, in the foreground
# make test   the whole suite on SQLite and on PostgreSQL; ONLY=tests/browser runs a part
# make test-unit  what needs no process, browser, receiver or sleep, on SQLite, in under a minute
# make bench  how fast it is, in at most 25 minutes; DB=sqlite, ONLY=drain,latency
# make check  style, types, migrations, settings, API description: what CI runs before the tests
#
# run heeds PORT (8000), HOST (127.0.0.1), DATABASE_URL, WEBHOOKS_DATA_DIR (var/) and
# WEBHOOKS_ALLOWED_NETWORKS (loopback); test and bench heed TEST_DATABASE_URL.

.DEFAULT_GOAL := help
.PHONY: help run test test-unit bench check environment environment-dev

# The first Python that will do; `make run PYTHON=/path/to/python3` names another.
PYTHON ?= $(shell for name in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	{ echo "$$name"; break; }; done)

DB ?= postgresql

help:
	@sed -n '/^$$/q;s/^# \{0,1\}//p' Makefile

run: environment
	@exec .venv/bin/python -m webhooks_portal.bootstrap.run

test: environment-dev
	@exec .venv/bin/python -m tests.run $(ONLY)

test-unit: environment-dev
	@exec .venv/bin/python -m pytest -q --unit -n 2 --dist loadfile $(ONLY)

bench: environment-dev
	@exec .venv/bin/python -m benchmarks --db "$(DB)" --only "$(ONLY)"

check: environment-dev
	@exec .venv/bin/python .ci/check.py

environment environment-dev:
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or later with venv and pip was found." >&2; \
		echo "On Debian: apt install python3 python3-venv. Another place: PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@exec "$(PYTHON)" webhooks_portal/bootstrap/environment.py $(@:environment%=requirements%.txt)
