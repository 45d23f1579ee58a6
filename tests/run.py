"""Runs `make test`: the whole suite on SQLite, then the tests that use a database on PostgreSQL.

Arguments go to pytest. pytest's own closing line is the last thing printed.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.databases import NoPostgreSQL, postgresql_url
from tests.programs import CHROMIUM, NODE, install_program

NO_TESTS_COLLECTED = 5
# Many tests wait for processes and pages, so two workers halve the time. A file stays on one.
IN_PARALLEL = ("-n", "2", "--dist", "loadfile")


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of the first run that failed, else 0."""
    for program in (CHROMIUM, NODE):
        install_program(program)
    arguments = arguments or IN_PARALLEL
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "PORT")}
    on_sqlite = _pytest("SQLite", arguments, environment)
    if on_sqlite == 2:
        return on_sqlite
    try:
        with postgresql_url() as url:
            on_postgresql = _pytest(
                "PostgreSQL",
                ["--needing-database", *arguments],
                {**environment, "DATABASE_URL": url},
            )
    except NoPostgreSQL as problem:
        print(problem, file=sys.stderr)
        return 1
    # If the chosen tests use no database, the second run collects none.
    return on_sqlite or (0 if on_postgresql == NO_TESTS_COLLECTED else on_postgresql)


def _pytest(database: str, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    print(f"\nOn {database}:", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    try:
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode
    except KeyboardInterrupt:
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
