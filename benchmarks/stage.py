"""The stage of a benchmark: a throw-away database, and the processes that work on it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import psycopg

from webhooks_portal.bootstrap.processes import read_procfile

WSGI = "webhooks_portal.wsgi:application"
ROOT = Path(__file__).resolve().parent.parent
POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Any, *, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


@dataclass
class Stage:
    """The environment, database and processes of one run; all end together."""

    database: str  # "postgresql" or "sqlite"
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    receiver_port: int = 0

    def __post_init__(self) -> None:
        self.name = f"bench_{os.getpid()}_{int(time.time() * 1000) % 100_000}"
        self.env = os.environ | {
            "WEBHOOKS_DATA_DIR": str(self.directory),
            "WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "webhooks_portal.settings",
            "LOG_LEVEL": "WARNING",
            "DEBUG": "",
            "PYTHONPATH": str(ROOT),
        }

    @property
    def database_url(self) -> str:
        if self.database == "sqlite":
            return f"sqlite:///{self.directory / 'bench.sqlite3'}"
        return POSTGRESQL.rsplit("/", 1)[0] + f"/{self.name}"

    def create(self) -> None:
        if self.database == "postgresql":
            self._administer(f"CREATE DATABASE {self.name}")
        for command in (["migrate"], ["load_platforms"]):
            subprocess.run(
                [sys.executable, "manage.py", *command, "-v", "0"],
                cwd=ROOT,
                env=self.env,
                check=True,
                stdout=subprocess.DEVNULL,
            )

    def _administer(self, statement: str) -> None:
        with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
            connection.execute(statement)

    def start(self, *command: str, **env: str) -> subprocess.Popen[bytes]:
        with open(self.directory / "stderr.log", "ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env | env,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start_receiver(self) -> None:
        self.receiver_port = free_port()
        self.receiver_log = self.directory / "arrivals.log"
        self.start(
            sys.executable,
            "-m",
            "benchmarks.receiver",
            str(self.receiver_port),
            str(self.receiver_log),
        )
        wait_until(lambda: self.received() == 0, seconds=10, what="receiver")

    def start_workers(self) -> subprocess.Popen[bytes]:
        """Start the real workers: the runner, django-q2's cluster, its pumps."""
        return self.start(sys.executable, "manage.py", "work")

    def start_web(self, *, bare: bool = False, **env: str) -> int:
        """Start the web server as the Procfile does; `bare`: with only the bare view."""
        port = free_port()
        command = read_procfile(ROOT / "Procfile")["web"]
        if bare:
            command = command.replace(WSGI, "--factory benchmarks.bare_server:make_application")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.start("/bin/sh", "-c", f"exec {command}", PORT=str(port), PATH=path, **env)

        def answers() -> bool:
            try:
                with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as response:
                    return bool(response.status == 200)
            except OSError:
                return False

        wait_until(answers, seconds=30, what="web server")
        return port

    def received(self) -> int:
        return self._ask("count")

    def waiting(self) -> int:
        """Return how many requests below /slow have no response yet."""
        return self._ask("waiting")

    def _ask(self, what: str) -> int:
        try:
            with urlopen(f"http://127.0.0.1:{self.receiver_port}/{what}", timeout=5) as response:
                return int(response.read())
        except OSError:
            return -1

    def arrivals(self) -> list[tuple[int, str, str]]:
        """Return what has arrived since the last call: (Unix nanoseconds, path, marker)."""
        with urlopen(f"http://127.0.0.1:{self.receiver_port}/log", timeout=30) as response:
            response.read()
        lines = self.receiver_log.read_text().splitlines()
        parts = (line.split(" ") for line in lines)
        return [(int(at), path, marker) for at, path, marker in parts]

    def arrival_rate(self, *, skip: int = 200) -> float:
        """Return the arrivals per second since the last call, without the first ones.

        Counting from here would be wrong by as much as we wait for a core.
        """
        times = sorted(at for at, _, _ in self.arrivals())
        return (len(times) - 1 - skip) / ((times[-1] - times[skip]) / 1e9)

    def said(self) -> str:
        """Return the end of what the processes wrote to stderr."""
        log = self.directory / "stderr.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is not None:
                continue  # its number may be another's by now
            tree = _tree(process.pid)
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            for member in tree:
                if member.is_running():
                    member.kill()
        if self.database == "postgresql":
            self._administer(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        shutil.rmtree(self.directory, ignore_errors=True)


@contextmanager
def stage(database: str) -> Iterator[Stage]:
    # A SIGTERM must not keep the stage from cleaning up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = Stage(database)
    try:
        made.create()
        yield made
    except Exception:
        sys.stderr.write(made.said())
        raise
    finally:
        made.end()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return the user and system time of the processes that still run."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def worker_processes(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return _tree(process.pid)


def database_processes(current: Stage) -> list[psutil.Process]:
    """Return the sessions of the stage's database, and the writers that serve the whole server."""
    if current.database != "postgresql":
        return []
    with psycopg.connect(POSTGRESQL) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s OR backend_type IN "
            "('walwriter', 'checkpointer', 'background writer')",
            [current.name],
        ).fetchall()
    return [psutil.Process(pid) for (pid,) in found]


def peak_memory_mb(processes: list[psutil.Process]) -> float:
    """Return the largest peak resident set of the processes, from /proc/PID/status (VmHWM)."""
    peak = 0.0
    for process in processes:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        line = next((x for x in status.splitlines() if x.startswith("VmHWM:")), "VmHWM: 0 kB")
        peak = max(peak, int(line.split()[1]) / 1024)
    return peak
