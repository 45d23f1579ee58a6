"""Real workers under their real runner, and what tests do to them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from django.utils import timezone

from deliveries.models import Pump

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
WORK = (sys.executable, str(MANAGE), "work")
PATIENCE_SECONDS = 40.0


def wait_until(fact: Callable[[], Any], *, within: float = PATIENCE_SECONDS) -> Any:
    """Return what `fact` returns as soon as it is true; fail when that takes too long."""
    deadline = time.monotonic() + within
    while not (value := fact()):
        assert time.monotonic() < deadline, f"not within {within:g} s"
        time.sleep(0.05)
    return value


class Workers:
    """A runner in a session of its own, with its log in a file. Use as a context manager."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, command: Sequence[str] = WORK
    ) -> None:
        self._command, self._environment, self._log = command, environment, log
        self._groups: set[int] = set()

    def __enter__(self) -> "Workers":
        with self._log.open("wb") as log:
            self.runner = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._note_groups()
        if self.runner.poll() is None:
            self.runner.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.runner.wait(20)
        for group in (*self._groups, self.runner.pid):
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self.runner.wait()

    def _note_groups(self) -> list[psutil.Process]:
        children: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.runner.pid).children()
        self._groups.update(child.pid for child in children)
        return children

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def group(self) -> int:
        """The process group of the cluster that runs now, 0 where none does."""
        children = self._note_groups()
        return children[0].pid if children else 0

    def wait_until_pumping(self) -> int:
        """Wait for a pump in the cluster that runs now; return the cluster's process group."""

        def pumping_group() -> int:
            live = Pump.objects.live(timezone.now()).filter(slot__isnull=False)
            for pid in live.values_list("pid", flat=True):
                with suppress(ProcessLookupError):
                    if os.getpgid(pid) == self.group():
                        return self.group()
            return 0

        try:
            return int(wait_until(pumping_group))
        except AssertionError:
            raise AssertionError(f"no pump; the log:\n{self.log()}") from None

    def members(self) -> list[psutil.Process]:
        """Of the cluster: its main process first, then what descends from it."""
        main = psutil.Process(self.group())
        return [main, *main.children(recursive=True)]

    def member(self, title: str) -> psutil.Process:
        """The member whose process title ends like that."""

        def found() -> psutil.Process | None:
            return next((m for m in self.members() if m.cmdline()[0].endswith(title)), None)

        process: psutil.Process = wait_until(found)
        return process


def is_gone(group: int) -> bool:
    """Whether nobody is left in a process group, zombies aside."""
    for process in psutil.process_iter(["pid", "status"]):
        with suppress(ProcessLookupError):
            dead = process.info["status"] == psutil.STATUS_ZOMBIE
            if not dead and os.getpgid(process.info["pid"]) == group:
                return False
    return True
