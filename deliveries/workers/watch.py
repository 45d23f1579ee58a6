"""What the worker runner knows of the database and the pumps, asked in a thread of its own.

A query may hang as long as the database pleases; the runner must react to a signal meanwhile.
"""

import logging
import threading
import time
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor

from deliveries.models import Pump
from deliveries.tasks import ensure_pumps, ensure_schedules, start_pumps

logger = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
WAIT_LOG_SECONDS = 5.0
# So long without a heartbeat, and missing pumps are queued again: their tasks may be lost. Above
# the time that a pump waits for the slot of a killed one, for then nothing is missing.
QUIET_SECONDS = 16.0


class Watch:
    """Looks every CHECK_SECONDS; its attributes are read by the runner's thread.

    `ready` is set once the database answers, is migrated and has its schedules. `crash` holds an
    error that is not the database's: a defect, which ends the runner.
    """

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.crash: Exception | None = None
        # Monotonic seconds: the last answer, and the last sign that pumps work or cannot.
        self._answered_at = self._alive_at = time.monotonic()
        self._beat: tuple[int, datetime] | None = None
        self._complained_at = float("-inf")
        self._pumps_wanted = False
        self._ensured_at = 0.0
        self._ended = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runner-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def end(self) -> None:
        """Stop looking; a query that hangs is not waited for."""
        self._ended = True
        self._wake.set()
        self._thread.join(timeout=1)

    def cluster_started(self) -> None:
        """Queue its pumps, and count silence from now on."""
        self._alive_at = time.monotonic()
        self._pumps_wanted = True
        self._wake.set()

    def silent_seconds(self) -> float:
        """How long the database has answered without showing any pump's heartbeat."""
        return max(0.0, self._answered_at - self._alive_at)

    def _run(self) -> None:
        try:
            while not self._ended:
                self._look()
                self._wake.wait(CHECK_SECONDS)
                self._wake.clear()
        except Exception as error:
            logger.exception("The runner's watch failed")
            self.crash = error
        finally:
            connections.close_all()

    def _look(self) -> None:
        try:
            problem = self._ask()
        except Error as error:
            connections.close_all()
            words = str(error).strip() or type(error).__name__
            problem = f"the database does not answer: {words.splitlines()[0]}"
        if problem is None:
            self._answered_at = time.monotonic()
            return
        # Without a database no pump can work: what is silent for that reason is not wedged.
        self._alive_at = time.monotonic()
        if _since(self._complained_at) >= WAIT_LOG_SECONDS:
            self._complained_at = time.monotonic()
            logger.warning("Waiting: %s", problem)

    def _ask(self) -> str | None:
        """Return what is to be waited for, or None; raises django.db.Error."""
        if not self.ready.is_set():
            if unapplied := _unapplied_migrations():
                return f"{unapplied} migrations are not applied: run `manage.py migrate`"
            ensure_schedules()
            self.ready.set()
        if self._pumps_wanted:
            start_pumps()
            self._pumps_wanted = False
        beat = Pump.objects.order_by("-heartbeat_at").values_list("pk", "heartbeat_at").first()
        if beat is not None and beat != self._beat:
            # Compared with the last one seen, not with our clock: machines' clocks differ.
            self._beat, self._alive_at = beat, time.monotonic()
        elif min(_since(self._alive_at), _since(self._ensured_at)) > QUIET_SECONDS:
            self._ensured_at = time.monotonic()
            ensure_pumps()
        return None


def _since(moment: float) -> float:
    return time.monotonic() - moment


def _unapplied_migrations() -> int:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
