"""Keeps the processes of a Procfile running until a signal, and ends them without orphans."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

LOOK_SECONDS = 0.2
# Above the workers' own grace of 15 s and granian's of 10 s.
GRACE_SECONDS = 20.0
MAX_FAILURES = 5
FAILURE_WINDOW_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


def read_procfile(path: Path) -> dict[str, str]:
    """The shell commands of a Procfile by name. Raises ValueError naming a line that is none."""
    commands = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            found = re.fullmatch(r"([A-Za-z0-9_-]+):\s*(\S.*)", line.rstrip())
            if not found:
                raise ValueError(f"{path.name}, line {number} is not `name: command`: {line}")
            commands[found[1]] = found[2]
    return commands


class ManagedProcess:
    """A command that is started again when it ends by itself."""

    def __init__(self, name: str, command: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._failures: deque[float] = deque(maxlen=MAX_FAILURES)
        self._start_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Start it where it is due; note where it has ended. Raises TooManyFailures."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_at:
                self._start()
        elif (code := self._process.poll()) is not None:
            self.kill_rest()
            self._process = None
            self._failures.append(now)
            if len(self._failures) == MAX_FAILURES and (
                now - self._failures[0] < FAILURE_WINDOW_SECONDS
            ):
                raise TooManyFailures(
                    f"{self.name} ended {MAX_FAILURES} times, at last with {code}"
                )
            say(f"{self.name} ended with exit code {code}: it is started again")
            self._start_at = now + 0.5 * len(self._failures)

    def _start(self) -> None:
        # A session of its own: a signal to our group, as a terminal sends it, reaches us alone,
        # and we stop each main process in its own way.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self._command}"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def terminate(self) -> None:
        """SIGTERM to the main process."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def is_running(self) -> bool:
        """Whether the main process is there."""
        return self._process is not None and self._process.poll() is None

    def kill_rest(self) -> None:
        """SIGKILL to whatever is left of its group."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class TooManyFailures(Exception):
    """A process does not stay up."""


class Supervisor:
    """Runs the processes, and one `then` once they are up, until a signal or a failure."""

    def __init__(self, processes: list[ManagedProcess]) -> None:
        self._processes = processes
        self.stopping = False
        self._parent = Parent()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note_signal)

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def run(self, *, is_up: Callable[[], bool], then: Callable[[], None]) -> int:
        """Return the exit code: 0 after a signal, 1 after a process that does not stay up."""
        code = 0
        waiting = True
        try:
            while not self.stopping and not self._parent.is_gone():
                for process in self._processes:
                    process.look()
                if waiting and is_up():
                    waiting = False
                    then()
                time.sleep(LOOK_SECONDS)
        except TooManyFailures as failure:
            say(f"{failure}: everything is stopped")
            code = 1
        finally:
            self._stop()
        return code

    def run_once(self, command: list[str], environment: Mapping[str, str]) -> int:
        """Run a command to its end, which a signal hastens; return its exit code."""
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        while process.poll() is None:
            if self.stopping or self._parent.is_gone():
                self.stopping = True
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE_SECONDS)
                process.kill()
                process.wait()
            time.sleep(0.02)
        return process.returncode

    def _stop(self) -> None:
        say("Stopping")
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while any(p.is_running() for p in self._processes) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in self._processes:
            process.kill_rest()
        say("Stopped")


class Parent:
    """The process that started us: `make`, as a rule. Without it we end as well."""

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._blocked_at_first = self._blocks_sigint()
        self._interrupted_looks = 0

    def is_gone(self) -> bool:
        """Whether it is dead, or waits for our end after a SIGINT that it did not pass on.

        GNU make hands SIGTERM on to its children, but SIGINT it only notes: it expects a terminal
        to have sent it to all. It then waits in its handler, where SIGINT is blocked.
        """
        if os.getppid() != self._pid:
            return True
        if self._blocked_at_first or not self._blocks_sigint():
            self._interrupted_looks = 0
        else:
            self._interrupted_looks += 1
        # Once may be make blocking signals for a moment while it starts something.
        return self._interrupted_looks > 2

    def _blocks_sigint(self) -> bool:
        with suppress(OSError):
            found = re.search(
                r"^SigBlk:\s*(\w+)", Path(f"/proc/{self._pid}/status").read_text(), re.M
            )
            return found is not None and bool(int(found[1], 16) >> (signal.SIGINT - 1) & 1)
        return False


def _end_with_parent() -> None:
    """Where Linux offers it: SIGTERM for this process when the one that started it dies."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def say(words: str) -> None:
    """One line for the person at the terminal."""
    print(words, file=sys.stderr, flush=True)
