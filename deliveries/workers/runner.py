"""Keeps one django-q2 cluster working: starts it, watches it, ends it, and starts it again.

A django-q2 cluster can wedge, be orphaned or never recover (this module's tests have the cases). It
runs in a process group of its own, so that a signal to the runner's group does not reach it.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

from django.conf import settings

from deliveries.workers.stop_signal import STOP_BYTE, STOP_FD
from deliveries.workers.watch import Watch

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the runner waits for a cluster that is silent, fails or stops."""

    grace_seconds: float = 15.0  # from the request to stop to SIGKILL
    settle_seconds: float = 4.0  # for the pumps of a failed cluster to write their outcomes
    silence_seconds: float = 30.0  # without any pump's heartbeat while the database answers
    rapid_seconds: float = 60.0  # a cluster that fails sooner counts as failing rapidly
    max_rapid_failures: int = 5
    max_backoff_seconds: float = 30.0


def cluster_command() -> list[str]:
    """The command line of the cluster that `manage.py work` starts."""
    return [
        sys.executable,
        str(settings.BASE_DIR / "manage.py"),
        "work",
        "--cluster",
        "--skip-checks",
    ]


class ClusterProcess:
    """One run of the cluster: its main process, its process group, and the pipe that stops it."""

    def __init__(self, command: Sequence[str]) -> None:
        reading_end, self._stop_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, STOP_FD: str(reading_end)},
                pass_fds=[reading_end],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(reading_end)
        self._started_at = time.monotonic()

    @property
    def pid(self) -> int:
        """The id of the main process, and of its process group."""
        return self._process.pid

    @property
    def age_seconds(self) -> float:
        """The time since the start."""
        return time.monotonic() - self._started_at

    def exit_code(self) -> int | None:
        """The exit code of the main process, or None while it runs."""
        return self._process.poll()

    def has_processes(self) -> bool:
        """Whether the group has a process: pumps may outlive the main process."""
        self._process.poll()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, 0)
            return True
        return False

    def ask_to_stop(self) -> None:
        """Tell the pumps to end, and send SIGTERM to the main process alone: to the group, it wedges."""
        with contextlib.suppress(BrokenPipeError):  # no process is left to read it
            os.write(self._stop_end, STOP_BYTE)
        if self.exit_code() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until the group is empty, at most that long."""
        deadline = time.monotonic() + seconds
        while self.has_processes() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """Kill what is left of the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._stop_end)


class Runner:
    """Runs until SIGTERM or SIGINT, or until the cluster has failed too often."""

    def __init__(self, *, command: Sequence[str], limits: Limits) -> None:
        self._command = command
        self._limits = limits
        self._watch = Watch()
        self._stopping = False

    def run(self) -> int:
        """Return the exit code: 0 after a signal, 1 after giving up."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_signal)
        self._watch.start()
        try:
            return self._run_clusters()
        finally:
            self._watch.end()

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _run_clusters(self) -> int:
        rapid_failures = 0
        while self._wait_for_database():
            cluster = ClusterProcess(self._command)
            self._watch.note_cluster_start()
            logger.info("Workers started: process group %d", cluster.pid)
            trouble = self._supervise(cluster)
            if trouble is None:
                self._stop(cluster)
                return 0
            logger.error("Workers %s: ending process group %d", trouble, cluster.pid)
            rapid_failures = (
                rapid_failures + 1 if cluster.age_seconds < self._limits.rapid_seconds else 1
            )
            self._abandon(cluster)
            if rapid_failures >= self._limits.max_rapid_failures:
                logger.critical("Workers failed %d times in a row: giving up", rapid_failures)
                return 1
            self._sleep(min(2.0 ** (rapid_failures - 1), self._limits.max_backoff_seconds))
        return 0 if self._stopping else 1

    def _wait_for_database(self) -> bool:
        while not self._watch.ready.is_set():
            if self._stopping or self._watch.crash:
                return False
            time.sleep(POLL_SECONDS)
        return not self._stopping and not self._watch.crash

    def _supervise(self, cluster: ClusterProcess) -> str | None:
        """Wait until something is wrong, and return what; None if the runner was told to stop."""
        while not self._stopping:
            if (code := cluster.exit_code()) is not None:
                return f"ended by themselves with exit code {code}"
            if (silence := self._watch.silent_seconds()) > self._limits.silence_seconds:
                return f"gave no sign of life for {silence:.0f} s"
            if self._watch.crash:
                return f"cannot be watched ({self._watch.crash})"
            time.sleep(POLL_SECONDS)
        return None

    def _stop(self, cluster: ClusterProcess) -> None:
        logger.info("Workers stopping: process group %d", cluster.pid)
        cluster.ask_to_stop()
        cluster.wait(self._limits.grace_seconds)
        if cluster.has_processes():
            logger.warning("Workers still there after %g s: killed", self._limits.grace_seconds)
        cluster.kill()
        logger.info("Workers stopped")

    def _abandon(self, cluster: ClusterProcess) -> None:
        cluster.ask_to_stop()
        cluster.wait(self._limits.settle_seconds)
        cluster.kill()

    def _sleep(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
