"""The worker runner, with real clusters: the cases in which django-q2's own cluster fails."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.utils import timezone

from deliveries.models import Pump
from deliveries.workers.watch import Watch
from tests.deliveries.workers.worker_processes import MANAGE, WORK, Workers, is_gone, wait_until

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
# Of processes and signals alone: the other database would show the same again.
one_database = pytest.mark.one_database


# `manage.py work`, but what is left of a failed cluster gets one second, not four.
IMPATIENT_WORK = """
import sys, django
django.setup()
from deliveries.workers.runner import Limits, Runner, cluster_command
sys.exit(Runner(command=cluster_command(), limits=Limits(settle_seconds=1)).run())
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_a_sigterm_to_the_whole_group_stops_everything_cleanly(
    process_environment: dict[str, str], log: Path
) -> None:
    with Workers(process_environment, log) as workers:
        group = workers.wait_until_pumping()
        started = time.monotonic()
        os.killpg(workers.runner.pid, signal.SIGTERM)
        assert workers.runner.wait(20) == 0, workers.log()
        assert time.monotonic() - started < 10
        assert is_gone(group)
    assert "killed" not in workers.log()
    assert not Pump.objects.live(timezone.now()).exists(), "the pumps gave their leases back"


def test_a_killed_runner_takes_its_cluster_with_it(
    process_environment: dict[str, str], log: Path
) -> None:
    with Workers(process_environment, log) as workers:
        group = workers.wait_until_pumping()
        workers.runner.kill()
        wait_until(lambda: is_gone(group), within=15)


@pytest.mark.parametrize(
    "victim",
    [
        "main",
        pytest.param("sentinel", marks=one_database),
        "idle",
        pytest.param("monitor", marks=one_database),
        pytest.param("pusher", marks=one_database),
    ],
)
def test_a_cluster_that_lost_a_process_is_started_anew(
    process_environment: dict[str, str], log: Path, victim: str
) -> None:
    command = [sys.executable, "-c", IMPATIENT_WORK]
    with Workers(process_environment, log, command) as workers:
        group = workers.wait_until_pumping()
        if victim in ("main", "sentinel"):
            workers.members()[victim == "sentinel"].kill()
        else:
            workers.member(f" {victim}").kill()
        wait_until(lambda: workers.group() not in (0, group))
        assert is_gone(group), "nobody of the old cluster works on beside the new one"
        workers.wait_until_pumping()
        workers.runner.terminate()
        assert workers.runner.wait(20) == 0, workers.log()


@one_database
def test_a_cluster_without_a_sign_of_life_is_started_anew(
    process_environment: dict[str, str], log: Path
) -> None:
    with Workers(process_environment, log, [*WORK, "--silence", "5"]) as workers:
        group = workers.wait_until_pumping()
        os.killpg(group, signal.SIGSTOP)
        wait_until(lambda: workers.group() not in (0, group))
        assert "no sign of life" in workers.log()
        assert is_gone(group)


@one_database
def test_the_runner_waits_for_the_migrations_and_then_starts(log: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    with Workers(environment, log) as workers:
        wait_until(lambda: "migrations are not applied" in workers.log())
        assert workers.group() == 0
        migrate = [sys.executable, str(MANAGE), "migrate", "-v", "0"]
        subprocess.run(migrate, env=environment, check=True)
        wait_until(workers.group)


@one_database
def test_a_runner_that_waits_for_its_database_can_be_stopped(log: Path) -> None:
    # Port 1 of loopback: nobody listens there.
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    with Workers(environment, log) as workers:
        wait_until(lambda: "the database does not answer" in workers.log())
        workers.runner.terminate()
        assert workers.runner.wait(5) == 0


RUNNER_OF = """
import sys, django
django.setup()
from deliveries.workers.runner import Limits, Runner
limits = Limits(grace_seconds=1, settle_seconds=0.2, max_rapid_failures=3, max_backoff_seconds=0.1)
sys.exit(Runner(command=[sys.executable, "-c", sys.argv[1]], limits=limits).run())
"""


@one_database
def test_a_cluster_that_fails_again_and_again_is_given_up(
    process_environment: dict[str, str], log: Path
) -> None:
    command = [sys.executable, "-c", RUNNER_OF, "raise SystemExit(3)"]
    with Workers(process_environment, log, command) as workers:
        assert workers.runner.wait(30) == 1
    assert workers.log().count("ended by themselves with exit code 3") == 3


@one_database
def test_a_cluster_that_ignores_sigterm_is_killed_after_the_grace_time(
    process_environment: dict[str, str], log: Path
) -> None:
    deaf = "import os, signal, time; signal.signal(15, signal.SIG_IGN); os.fork(); time.sleep(90)"
    command = [sys.executable, "-c", RUNNER_OF, deaf]
    with Workers(process_environment, log, command) as workers:
        group = wait_until(workers.group)
        time.sleep(0.5)
        workers.runner.terminate()
        assert workers.runner.wait(10) == 0
        assert is_gone(group)
    assert "Workers still there after 1 s: killed" in workers.log()


@one_database
def test_a_database_error_without_words_does_not_end_the_watch() -> None:
    watch = Watch()
    with patch.object(Watch, "_find_problem", side_effect=OperationalError):
        watch._check()
    assert watch.silent_seconds() == 0
