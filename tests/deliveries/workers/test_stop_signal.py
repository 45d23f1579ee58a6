import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deliveries.workers.stop_signal import STOP_BYTE, STOP_FD, StopSignal

pytestmark = pytest.mark.waits


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    """Reading and writing end; a test that closes one takes it out of the list."""
    ends = list(os.pipe())
    yield ends
    for descriptor in ends:
        os.close(descriptor)


def test_it_is_not_set_while_the_runner_lives_and_is_silent(pipe: list[int]) -> None:
    stop = StopSignal(pipe[0])
    assert not stop
    assert not stop.runner_died


def test_a_byte_sets_it_for_good_and_for_every_reader(pipe: list[int]) -> None:
    first, second = StopSignal(pipe[0]), StopSignal(pipe[0])
    os.write(pipe[1], STOP_BYTE)
    assert first and second
    assert first.is_set()
    assert not first.runner_died


def test_a_runner_that_died_sets_it_and_is_known_to_be_dead(pipe: list[int]) -> None:
    stop = StopSignal(pipe[0])
    os.close(pipe.pop())
    assert stop
    assert stop.runner_died


def test_a_runner_that_died_after_asking_to_stop_is_known_to_be_dead(pipe: list[int]) -> None:
    stop = StopSignal(pipe[0])
    os.write(pipe[1], STOP_BYTE)
    os.close(pipe.pop())
    assert stop
    assert stop.runner_died


def test_waiting_ends_when_the_byte_comes(pipe: list[int]) -> None:
    stop = StopSignal(pipe[0])
    assert stop.wait(0.01) is False
    os.write(pipe[1], STOP_BYTE)
    assert stop.wait(60) is True


def test_without_a_runner_it_is_never_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STOP_FD, raising=False)
    stop = StopSignal.from_environment()
    assert not stop
    assert not stop.runner_died
    assert stop.wait(0.01) is False


def test_the_descriptor_comes_from_the_environment(
    pipe: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STOP_FD, str(pipe[0]))
    stop = StopSignal.from_environment()
    assert not stop
    os.write(pipe[1], STOP_BYTE)
    assert stop


ORPHAN = """
import os, sys, time
from deliveries.workers.stop_signal import StopSignal, end_own_group_if_orphaned
if not os.fork():
    time.sleep(60)
stop = StopSignal.from_environment()
print("up", flush=True)
while not stop:
    time.sleep(0.01)
end_own_group_if_orphaned(stop, settle_seconds=0.1)
print("still here", flush=True)
"""


@pytest.mark.parametrize(("asked", "left"), [(True, b"still here\n"), (False, b"")])
def test_only_an_orphan_kills_its_whole_group(pipe: list[int], asked: bool, left: bytes) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", ORPHAN],
        env={**os.environ, STOP_FD: str(pipe[0])},
        pass_fds=[pipe[0]],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout is not None
    with child.stdout as output:
        assert output.readline() == b"up\n"
        if asked:
            os.write(pipe[1], STOP_BYTE)
            assert child.wait(5) == 0
            assert output.readline() == left
            os.killpg(child.pid, 9)
        else:
            os.close(pipe.pop())
            assert child.wait(5) == -9
        # The end of the output: nobody who could write to it, the grandchild included, is alive.
        assert output.read() == b""
