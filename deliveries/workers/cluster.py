"""The django-q2 cluster as the worker runner starts it: dead or orphaned, it ends as a whole."""

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

LOOK_SECONDS = 0.2
# A dispatcher makes and drops some hundred thousand small objects a second, hardly any of them in
# cycles: to look for cycles as often as Python does by default is work for nothing.
_GC_THRESHOLDS = (50_000, 20, 50)
KILLED_EXIT_CODE = 70


class FragileSentinel(django_q.cluster.Sentinel):  # type: ignore[misc]
    """django-q2's supervisor, but it gives up where one of its processes was killed.

    Whoever dies by a signal may hold the lock of the task queue; then every new worker waits for
    it for ever, and the cluster does not even answer SIGTERM. The runner starts a new cluster.
    """

    def reincarnate(self, process: BaseProcess) -> None:
        code = process.exitcode or 0
        if code < 0:
            logger.critical("Process %s was killed by signal %d", process.pid, -code)
            os._exit(KILLED_EXIT_CODE)
        super().reincarnate(process)


def run_cluster() -> int:
    """Run a cluster until SIGTERM; return the exit code: 0 only after a stop that was asked for.

    Where the runner dies, the whole process group is killed, this process included.
    """
    asked: list[int] = []

    def ask(signum: int, _frame: FrameType | None) -> None:
        asked.append(signum)

    # Cluster.start() takes the name from its module: there is no other place to pass a class in.
    django_q.cluster.Sentinel = FragileSentinel
    cluster = django_q.cluster.Cluster()
    # The cluster's own handlers join processes from within the handler.
    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is loaded by now stays for good, and is shared by the processes that are forked.
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    cluster.start()
    stop = StopSignal.from_environment()
    while cluster.sentinel.is_alive() and not asked:
        end_own_group_if_orphaned(stop)
        time.sleep(LOOK_SECONDS)
    cluster.stop()
    return 0 if asked and cluster.sentinel.exitcode == 0 else 1
