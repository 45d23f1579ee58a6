"""Scenario peers: two other Django packages send the same events, each set up as it recommends.

    python -m benchmarks.peers postgresql

django-webhook on Celery and Redis, a worker with two processes; django-outbound-webhooks with two
relays. Both with their delivery log on, on PostgreSQL, in environments of their own under
`var/bench-peers`, which are made once. As in `drain`, all is queued first, then sent.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from benchmarks.stage import ROOT, Stage, wait_until

ENDPOINTS = 10
SECONDS = 20.0
LEAST_DELIVERIES = 500
REDIS = "redis://127.0.0.1:6379/11"
# The first deliveries do not count: processes are still warming up.
WARM_UP = 50


@dataclass(frozen=True, slots=True)
class Peer:
    """How a package is started, and where it writes its log."""

    name: str
    events: int  # one delivery each to every endpoint
    migrate: tuple[str, ...]
    workers: tuple[tuple[str, ...], ...]
    logged: str  # SQL: how many deliveries its own log calls successful
    forget: tuple[str, ...] = ()

    @property
    def figure(self) -> str:
        return f"peer_{self.name}_rate"

    @property
    def project(self) -> Path:
        return ROOT / "benchmarks" / "peer_projects" / self.name

    @property
    def environment(self) -> Path:
        return ROOT / "var" / "bench-peers" / self.name.replace("_", "-")

    @property
    def python(self) -> str:
        return str(self.environment / "bin" / "python")


_RELAY = ("-m", "django", "deliver_events")
PEERS = (
    Peer(
        name="django_webhook",
        events=1_000,
        migrate=("migrate", "--run-syncdb"),
        workers=(("-m", "celery", "-A", "shop", "worker", "--concurrency", "2"),),
        logged="SELECT count(*) FROM django_webhook_webhookevent WHERE status = 'SUCCESS'",
        forget=("-m", "shop.forget"),
    ),
    Peer(
        name="django_outbound_webhooks",
        events=500,
        migrate=("migrate",),
        workers=(_RELAY, _RELAY),
        logged="SELECT count(*) FROM django_outbound_webhooks_deliveryattempt"
        " WHERE verdict = 'succeeded'",
    ),
)


class PeerStage(Stage):
    """Create a database without our tables; return the environment of a peer's processes."""

    def create(self) -> None:
        self._administer(f"CREATE DATABASE {self.name}")

    def set_up(self, peer: Peer) -> None:
        database = urlsplit(self.database_url)
        self.env |= {
            "PYTHONPATH": str(peer.project),
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "PEER_DB_HOST": database.hostname or "",
            "PEER_DB_PORT": str(database.port or 5432),
            "PEER_DB_USER": unquote(database.username or ""),
            "PEER_DB_PASSWORD": unquote(database.password or ""),
            "PEER_DB_NAME": self.name,
            "PEER_REDIS_URL": REDIS,
            "PEER_REDIS_PREFIX": f"{self.name}:",
        }

    def run_python(self, peer: Peer, *arguments: str) -> None:
        """Run a command. Raises RuntimeError with the end of its output."""
        done = subprocess.run(
            [peer.python, *arguments],
            cwd=self.directory,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=180,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()[-600:]}")

    def count(self, query: str) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def peer_stage(peer: Peer) -> Iterator[PeerStage]:
    made = PeerStage("postgresql")
    try:
        made.create()
        # The receiver is ours, so it starts before the environment becomes the peer's.
        made.start_receiver()
        made.set_up(peer)
        yield made
    finally:
        made.end()


def install(peer: Peer) -> None:
    """Create the peer's virtual environment, unless one with the pinned versions exists."""
    pinned = peer.project / "requirements.txt"
    stamp = peer.environment / "requirements.sha256"
    digest = hashlib.sha256(pinned.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(peer.environment)],
        [peer.python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(pinned)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(f"installing {peer.name}: {done.stderr.strip()[-600:]}")
    stamp.write_text(digest)


def run_peer(peer: Peer) -> float:
    """Return the peer's deliveries per second, once its processes are warm."""
    install(peer)
    with peer_stage(peer) as current:
        current.run_python(peer, "-m", "django", *peer.migrate, "-v", "0")
        try:
            current.run_python(
                peer,
                "-m",
                "shop.publish",
                str(peer.events),
                str(ENDPOINTS),
                str(current.receiver_port),
            )
            return _drain(current, peer)
        finally:
            for process in current.processes[1:]:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            if peer.forget:
                current.run_python(peer, *peer.forget)


def _drain(current: PeerStage, peer: Peer) -> float:
    total = peer.events * ENDPOINTS
    for command in peer.workers:
        current.start(peer.python, *command)
    wait_until(lambda: current.received() >= WARM_UP, seconds=60, what="first deliveries")
    begin, begin_count = time.monotonic(), current.received()

    def enough() -> bool:
        count = current.received()
        long = time.monotonic() - begin >= SECONDS and count - begin_count >= LEAST_DELIVERIES
        return count >= total or long

    wait_until(enough, seconds=90, what=peer.name)
    sent, seconds = current.received() - begin_count, time.monotonic() - begin
    wait_until(lambda: current.count(peer.logged) >= sent, seconds=30, what="its log")
    return sent / seconds


def run() -> dict[str, object]:
    """Return the rate of each peer; one that could not run is named under "error"."""
    figures: dict[str, object] = {}
    errors: dict[str, str] = {}
    for peer in PEERS:
        try:
            figures[peer.figure] = run_peer(peer)
        except (OSError, RuntimeError, TimeoutError, subprocess.SubprocessError) as failure:
            errors[peer.name] = str(failure)
    return figures | ({"error": errors} if errors else {})


def main() -> None:
    if sys.argv[1] != "postgresql":
        raise SystemExit("peers: PostgreSQL only; both are measured on it.")
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    # A SIGTERM must not keep it from ending the processes it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(json.dumps(run()))


if __name__ == "__main__":
    main()
