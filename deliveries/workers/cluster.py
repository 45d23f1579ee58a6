"""Runs the django-q2 cluster for the worker runner; if part of it dies, all of it ends."""

import gc
import logging
import os
import signal
import time
from multiprocessing.process import BaseProcess
from types import FrameType

import django_q.cluster

from deliveries.workers.stop_signal import StopSignal, end_own_group_if_orphaned

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
# A dispatcher creates and drops some hundred thousand small objects a second, and hardly any are in
# cycles: looking for cycles as often as Python does by default is wasted work.
_GC_THRESHOLDS = (50_000, 20, 50)
KILLED_EXIT_CODE = 70


class FragileSentinel(django_q.cluster.Sentinel):  # type: ignore[misc]  # untyped
    """django-q2's supervisor, except that it gives up if one of its processes was killed.

    A process that dies by a signal may hold the lock of the task queue; then every new worker waits
    for it for ever, and the cluster does not even react to SIGTERM. The runner starts a new cluster.
    """

    def reincarnate(self, process: BaseProcess) -> None:
        code = process.exitcode or 0
        if code < 0:
            logger.critical("Process %s was killed by signal %d", process.pid, -code)
            os._exit(KILLED_EXIT_CODE)
        super().reincarnate(process)


def run_cluster() -> int:
    """Run a cluster until SIGTERM; return the exit code, 0 only after a requested stop.

    If the runner dies, the whole process group is killed, this process included.
    """
    requests: list[int] = []

    def request_stop(signum: int, _frame: FrameType | None) -> None:
        requests.append(signum)

    # Cluster.start() looks the class up in its module; there is no other way to pass one in.
    django_q.cluster.Sentinel = FragileSentinel
    cluster = django_q.cluster.Cluster()
    # The cluster's own handlers join processes from within the handler.
    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Objects that exist by now stay for good, and are shared with the forked processes.
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    cluster.start()
    stop = StopSignal.from_environment()
    while cluster.sentinel.is_alive() and not requests:
        end_own_group_if_orphaned(stop)
        time.sleep(POLL_SECONDS)
    cluster.stop()
    return 0 if requests and cluster.sentinel.exitcode == 0 else 1
