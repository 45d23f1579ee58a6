"""Watches the database and the pumps for the worker runner, in a thread of its own.

A query may hang for any time, and the runner must react to signals meanwhile.
"""

import logging
import threading
import time
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor

from deliveries.models import Pump
from deliveries.workers.schedules import ensure_schedules, start_pumps
from deliveries.workers.wake import queue_missing_pumps

logger = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
WAIT_LOG_SECONDS = 5.0
# After this long without a heartbeat, missing pumps are queued again: their tasks may be lost. It is
# longer than a pump waits for the slot of a killed one, since during that wait none is missing.
QUIET_SECONDS = 16.0


class Watch:
    """Checks every CHECK_SECONDS; the runner's thread reads its attributes.

    `ready` is set once the database answers, is migrated and has its schedules. `crash` holds an
    error that does not come from the database: a defect, which ends the runner.
    """

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.crash: Exception | None = None
        # Monotonic seconds: of the last answer, and of the last sign that pumps work or cannot work.
        self._answered_at = self._alive_at = time.monotonic()
        self._heartbeat: tuple[int, datetime] | None = None
        self._warned_at = float("-inf")
        self._must_start_pumps = False
        self._queued_at = 0.0
        self._has_ended = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runner-watch", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def end(self) -> None:
        """Stop watching, without waiting for a query that hangs."""
        self._has_ended = True
        self._wake.set()
        self._thread.join(timeout=1)

    def note_cluster_start(self) -> None:
        """Queue pumps for the cluster that was started, and measure silence from now on."""
        self._alive_at = time.monotonic()
        self._must_start_pumps = True
        self._wake.set()

    def silent_seconds(self) -> float:
        """How long the database has answered without showing any pump's heartbeat."""
        return max(0.0, self._answered_at - self._alive_at)

    def _run(self) -> None:
        try:
            while not self._has_ended:
                self._check()
                self._wake.wait(CHECK_SECONDS)
                self._wake.clear()
        except Exception as error:
            logger.exception("The runner's watch failed")
            self.crash = error
        finally:
            connections.close_all()

    def _check(self) -> None:
        try:
            problem = self._find_problem()
        except Error as error:
            connections.close_all()
            words = str(error).strip() or type(error).__name__
            problem = f"the database does not answer: {words.splitlines()[0]}"
        if problem is None:
            self._answered_at = time.monotonic()
            return
        # Without a database no pump can work: pumps that are silent for that reason are not wedged.
        self._alive_at = time.monotonic()
        if _seconds_since(self._warned_at) >= WAIT_LOG_SECONDS:
            self._warned_at = time.monotonic()
            logger.warning("Waiting: %s", problem)

    def _find_problem(self) -> str | None:
        """Return what has to be waited for, or None. Raises django.db.Error."""
        if not self.ready.is_set():
            if unapplied := _unapplied_migrations():
                return f"{unapplied} migrations are not applied: run `manage.py migrate`"
            ensure_schedules()
            self.ready.set()
        if self._must_start_pumps:
            start_pumps()
            self._must_start_pumps = False
        heartbeat = Pump.objects.order_by("-heartbeat_at").values_list("pk", "heartbeat_at").first()
        if heartbeat is not None and heartbeat != self._heartbeat:
            # It is compared with the last one seen, not with our clock: machines' clocks differ.
            self._heartbeat, self._alive_at = heartbeat, time.monotonic()
        elif min(_seconds_since(self._alive_at), _seconds_since(self._queued_at)) > QUIET_SECONDS:
            self._queued_at = time.monotonic()
            queue_missing_pumps()
        return None


def _seconds_since(moment: float) -> float:
    return time.monotonic() - moment


def _unapplied_migrations() -> int:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
