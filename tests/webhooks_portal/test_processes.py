"""`make run`'s supervisor: real processes, and a real `make` above it."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from webhooks_portal.bootstrap.processes import read_procfile

pytestmark = pytest.mark.waits

ROOT = Path(__file__).resolve().parent.parent.parent
# A process with a child of its own, which must not be left behind either. It logs what it gets.
SERVER = """
import os, signal, sys, time
name, log = sys.argv[1:]
def note(word): print(name, word, os.getpid(), file=open(log, "a"), flush=True)
def end(*_): note("stopped"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, lambda *_: note("interrupted"))
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("child")
else:
    note("started")
time.sleep(60)
"""
SUPERVISE = """
import os, sys
from pathlib import Path
from webhooks_portal.bootstrap.processes import ManagedProcess, Supervisor, read_procfile
commands = read_procfile(Path(sys.argv[1]))
supervisor = Supervisor([ManagedProcess(n, c, dict(os.environ)) for n, c in commands.items()])
sys.exit(supervisor.run(is_up=lambda: True, then=lambda: print("up", flush=True)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "a folder's name"
    place.mkdir()
    (place / "server.py").write_text(SERVER)
    (place / "supervise.py").write_text(SUPERVISE)
    return place


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a Procfile under the supervisor, and that under `make` where asked."""
    started: list[subprocess.Popen[str]] = []

    def run(*lines: str, under_make: bool = False) -> "subprocess.Popen[str]":
        (folder / "Procfile").write_text("\n".join(lines))
        command = [sys.executable, str(folder / "supervise.py"), str(folder / "Procfile")]
        if under_make:
            (folder / "Makefile").write_text(f"run:\n\t@exec {shlex.join(command)}\n")
            command = ["make", "-C", str(folder), "run"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Ignored where the tests themselves were started in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    for _, _, pid in logged(folder):
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    for process in started:
        process.communicate()


def server(folder: Path, name: str) -> str:
    program = shlex.join([sys.executable, str(folder / "server.py"), name, str(folder / "log")])
    return f"{name}: {program}"


def logged(folder: Path) -> list[list[str]]:
    log = folder / "log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def wait_for(folder: Path, word: str, count: int) -> None:
    deadline = time.monotonic() + 15
    while sum(line[1] == word for line in logged(folder)) < count:
        assert time.monotonic() < deadline, logged(folder)
        time.sleep(0.02)


def assert_nobody_left(folder: Path) -> None:
    deadline = time.monotonic() + 10
    for _, _, pid in logged(folder):
        while (
            Path(f"/proc/{pid}").exists() and "Z (" not in Path(f"/proc/{pid}/status").read_text()
        ):
            assert time.monotonic() < deadline, f"{pid} is still there"
            time.sleep(0.02)


def stopped(folder: Path) -> list[str]:
    return sorted(name for name, word, _ in logged(folder) if word == "stopped")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("to_group", [True, False], ids=["group", "process"])
def test_a_signal_stops_each_process_once_and_leaves_nobody(
    start: Callable[..., "subprocess.Popen[str]"], folder: Path, number: int, to_group: bool
) -> None:
    process = start(server(folder, "web"), server(folder, "workers"))
    wait_for(folder, "started", 2)
    wait_for(folder, "child", 2)
    (os.killpg if to_group else os.kill)(process.pid, number)
    assert process.wait(30) == 0
    assert stopped(folder) == ["web", "workers"]
    assert not any(word == "interrupted" for _, word, _ in logged(folder))
    assert_nobody_left(folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_make_alone_stops_everything(
    start: Callable[..., "subprocess.Popen[str]"], folder: Path, number: int
) -> None:
    process = start(server(folder, "web"), under_make=True)
    wait_for(folder, "started", 1)
    wait_for(folder, "child", 1)
    process.send_signal(number)
    assert process.wait(30) == -number, "make ends by the signal itself"
    wait_for(folder, "stopped", 1)
    assert_nobody_left(folder)


def test_processes_of_a_killed_supervisor_stop_too(
    start: Callable[..., "subprocess.Popen[str]"], folder: Path
) -> None:
    process = start(server(folder, "web"))
    wait_for(folder, "started", 1)
    process.kill()
    wait_for(folder, "stopped", 1)


def test_a_process_that_dies_is_started_again_and_its_children_are_ended(
    start: Callable[..., "subprocess.Popen[str]"], folder: Path
) -> None:
    process = start(server(folder, "web"))
    wait_for(folder, "child", 1)
    wait_for(folder, "started", 1)
    first = next(int(pid) for _, word, pid in logged(folder) if word == "started")
    os.kill(first, signal.SIGKILL)
    wait_for(folder, "started", 2)
    process.terminate()
    assert process.wait(30) == 0
    assert_nobody_left(folder)


def test_a_process_that_does_not_stay_up_ends_everything_with_an_error(
    start: Callable[..., "subprocess.Popen[str]"], folder: Path
) -> None:
    process = start(server(folder, "web"), "workers: sh -c 'exit 7'")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "workers ended 5 times, at last with 7: everything is stopped" in output
    assert stopped(folder) == ["web"]


def test_a_procfile_names_its_commands(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("# ours\nweb: serve --port 1\n\nworkers:  python manage.py work\n")
    assert read_procfile(procfile) == {
        "web": "serve --port 1",
        "workers": "python manage.py work",
    }


def test_a_faulty_procfile_line_is_named(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("web: serve\nworkers\n")
    with pytest.raises(ValueError, match="Procfile, line 2 is not `name: command`: workers"):
        read_procfile(procfile)
