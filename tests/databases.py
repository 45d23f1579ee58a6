"""Finds a PostgreSQL server for the tests, or starts a temporary one."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg

START_SECONDS = 30
_SERVER_OPTIONS = (
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "fsync=off",
    "-c",
    "full_page_writes=off",
)


class NoPostgreSQL(Exception):
    """No server was found, and none can be started. The message says what was tried."""


@contextlib.contextmanager
def postgresql_url() -> Iterator[str]:
    """Yield a DATABASE_URL whose user may create databases; its server runs while the block does.

    The database it names belongs to this run: none of that name exists before or after. Raises
    NoPostgreSQL.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    name = f"webhooks_{os.getpid()}"
    if given:
        if problem := _problem(given):
            raise NoPostgreSQL(f"TEST_DATABASE_URL: {problem}")
        yield given
    elif running := _running_server():
        with _dropped(running, name) as url:
            yield url
    else:
        with (
            tempfile.TemporaryDirectory(prefix="webhooks-pg-") as directory,
            _server(Path(directory)) as port,
        ):
            yield f"postgres://postgres@127.0.0.1:{port}/{name}"


def _running_server() -> str | None:
    """Return the URL, without a database, of a server on the usual port if it lets us in."""
    for user in dict.fromkeys(("postgres", getpass.getuser())):
        base = f"postgres://{quote(user)}@127.0.0.1:5432"
        if not _problem(f"{base}/postgres"):
            return base
    return None


def _problem(url: str) -> str | None:
    """Return why we cannot create databases there, or None if we can."""
    server = urlsplit(url)._replace(scheme="postgresql", path="/postgres").geturl()
    try:
        with psycopg.connect(server, connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as error:
        return str(error).strip()
    return None if row and row[0] else "its user may not create databases"


@contextlib.contextmanager
def _dropped(base: str, name: str) -> Iterator[str]:
    """Yield the URL of a database; at the end, drop what an interrupted run left of it."""
    try:
        yield f"{base}/{name}"
    finally:
        server = f"{base}/postgres".replace("postgres:", "postgresql:", 1)
        with psycopg.connect(server, autocommit=True) as connection:
            left = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"test_{name}"]
            ).fetchall()
            for (database,) in left:
                connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


@contextlib.contextmanager
def _server(directory: Path) -> Iterator[int]:
    """Run a server with its data in that directory; yield its port."""
    binaries = _binaries()
    user = _server_user()
    if user:
        shutil.chown(directory, user)
    data = directory / "data"
    initdb: list[str | Path] = [binaries / "initdb", "-D", data]
    initdb += ["-U", "postgres", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run([*initdb, "--no-sync"], user=user, cwd=directory, capture_output=True)
    if made.returncode:
        raise NoPostgreSQL(f"initdb failed: {made.stderr.decode(errors='replace').strip()}")
    port = _free_port()
    command: list[str | Path] = [
        binaries / "postgres",
        "-D",
        data,
        "-p",
        str(port),
        "-k",
        directory,
        *_SERVER_OPTIONS,
    ]
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(command, user=user, cwd=directory, stdout=log, stderr=log)
    try:
        _wait_until_up(process, port, directory / "log")
        yield port
    finally:
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
        process.send_signal(signal.SIGINT)
        process.wait(START_SECONDS)


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while problem := _problem(f"postgres://postgres@127.0.0.1:{port}/postgres"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NoPostgreSQL(f"The server did not start ({problem}): {log.read_text()[-2000:]}")
        time.sleep(0.1)


def _binaries() -> Path:
    """Return the directory of initdb and postgres; as a last resort, of the package pgserver."""
    found = [Path(path).parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for directory in found:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "pgserver"]
    if subprocess.run(pip).returncode:
        raise NoPostgreSQL(
            "No PostgreSQL lets us in on 127.0.0.1:5432, none is installed, and the package "
            "pgserver cannot be installed: name a server in TEST_DATABASE_URL."
        )
    packages = Path(sys.prefix) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return packages / "site-packages" / "pgserver" / "pginstall" / "bin"


def _server_user() -> str | None:
    """Return the user to run the server as, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    return "postgres" if "postgres" in known else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
