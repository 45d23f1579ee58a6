"""Tells pumps to end, through a pipe whose writing end the worker runner holds.

django-q2 cannot tell a running task to stop. So the workers inherit the reading end of a pipe, and
the runner writes one byte to stop them. The byte is never read, so that any number of processes see
it; and the kernel closes the writing end when the runner dies, however it dies.
"""

import os
import select
import signal
import time

STOP_FD = "WEBHOOKS_STOP_FD"
STOP_BYTE = b"s"
ORPHAN_SETTLE_SECONDS = 3.0


class StopSignal:
    """True once this process should end its work. It is asked every few milliseconds.

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

        Raises ValueError if the variable is set and is no number.
        """
        value = os.environ.get(STOP_FD, "")
        return cls(int(value) if value else None)

    def __bool__(self) -> bool:
        return self.is_set()

    def is_set(self) -> bool:
        """Whether to stop: the runner has asked for it, or is dead."""
        return self.wait(0)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait at most that long for the signal; return whether it is set."""
        return bool(self._poll.poll(timeout_seconds * 1000))

    @property
    def runner_died(self) -> bool:
        """Whether the runner that supervised this process is dead."""
        # POLLNVAL: the descriptor was closed, so that no runner can be heard any more.
        gone = select.POLLHUP | select.POLLERR | select.POLLNVAL
        return any(event & gone for _, event in self._poll.poll(0))


def end_own_group_if_orphaned(
    stop: StopSignal, settle_seconds: float = ORPHAN_SETTLE_SECONDS
) -> None:
    """If the runner is dead, kill this process and all others of its cluster.

    A pump calls this at its end, when its work is settled: a cluster without a runner would go on
    unsupervised, beside the one that the next runner starts. The other pumps get `settle_seconds`
    to settle their work. Only a process that a runner started has such a `stop`, and the runner gave
    its cluster a process group of its own.
    """
    if stop.runner_died:
        time.sleep(settle_seconds)
        os.killpg(os.getpgrp(), signal.SIGKILL)
