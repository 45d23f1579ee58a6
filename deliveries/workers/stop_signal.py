"""How a pump learns that it should end: a pipe that the worker runner holds the other end of.

django-q2 has no way to tell a running task to stop. So the runner passes the reading end of a pipe
down to the workers and writes one byte to stop them. The byte is never read, which lets any number
of processes see it; and the kernel closes the writing end when the runner dies, however it dies.
"""

import os
import select
import signal
import time

STOP_FD = "WEBHOOKS_STOP_FD"
STOP_BYTE = b"s"
ORPHAN_SETTLE_SECONDS = 3.0


class StopSignal:
    """True once this process should end its work; asked as often as every few milliseconds.

    Without a runner (plain `qcluster`, tests, commands) it is never true.
    """

    __slots__ = ("_descriptor", "_poll")

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        if descriptor is not None:
            self._poll.register(descriptor, select.POLLIN)

    @classmethod
    def from_environment(cls) -> "StopSignal":
        """The signal of the runner that started this process, or one that is never set.

        Raises ValueError where the variable is set and is no number.
        """
        value = os.environ.get(STOP_FD, "")
        return cls(int(value) if value else None)

    def __bool__(self) -> bool:
        return self.is_set()

    def is_set(self) -> bool:
        """Whether to stop: the runner asks for it, or is dead."""
        return self.wait(0)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait at most that long for the signal; return whether it is set."""
        return bool(self._poll.poll(timeout_seconds * 1000))

    @property
    def runner_died(self) -> bool:
        """Whether no runner is left to supervise this process."""
        # POLLNVAL: the descriptor was closed, so no runner can be heard of any more.
        gone = select.POLLHUP | select.POLLERR | select.POLLNVAL
        return any(event & gone for _, event in self._poll.poll(0))


def end_own_group_if_orphaned(
    stop: StopSignal, settle_seconds: float = ORPHAN_SETTLE_SECONDS
) -> None:
    """Kill this process and all others of its cluster if their runner is dead.

    For the end of a pump, after it has settled its work: a cluster without a runner would go on
    unsupervised, beside the one that the next runner starts. Its other pumps get `settle_seconds`
    to settle theirs. Only a process that a runner started has a `stop` that can say so, and the
    runner gave its cluster a process group of its own.
    """
    if stop.runner_died:
        time.sleep(settle_seconds)
        os.killpg(os.getpgrp(), signal.SIGKILL)
