"""`make run`: prepares the database, then runs the Procfile and the demo in the foreground."""

import hashlib
import os
import socket
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from webhooks_portal.bootstrap.processes import ManagedProcess, Supervisor, read_procfile, say

ROOT = Path(__file__).resolve().parent.parent.parent
# What a portal on one's own machine may deliver to: receivers on that machine.
LOOPBACK = "127.0.0.0/8,::1/128"


def main() -> int:
    """Return the exit code: 0 after SIGINT or SIGTERM."""
    os.chdir(ROOT)
    environment = _environment(os.environ)
    host, port = environment["HOST"], environment["PORT"]
    if problem := _port_problem(host, port):
        say(problem)
        return 1
    supervisor = Supervisor(
        [
            ManagedProcess(name, command, environment)
            for name, command in read_procfile(ROOT / "Procfile").items()
        ]
    )
    if not _prepare(supervisor, environment):
        return 0 if supervisor.stopping else 1

    def is_up() -> bool:
        return _answers(host, int(port))

    def show_demo() -> None:
        if supervisor.run_once(_manage("demo"), environment) and not supervisor.stopping:
            say(f"The demo could not be made; the portal runs at http://{_reachable(host)}:{port}/")

    return supervisor.run(is_up=is_up, then=show_demo)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    defaults = {"HOST": "127.0.0.1", "PORT": "8000", "WEBHOOKS_ALLOWED_NETWORKS": LOOPBACK}
    environment = {**defaults, **given}
    # The Procfile says `python`; here that is the virtual environment's.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", "")])
    return environment


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def _prepare(supervisor: Supervisor, environment: Mapping[str, str]) -> bool:
    steps = [
        ("Preparing the database", ["migrate", "--no-input", "-v", "0"]),
        ("Loading the platforms", ["load_platforms", "-v", "0"]),
    ]
    data_dir = Path(environment.get("WEBHOOKS_DATA_DIR", "var"))
    stamp = data_dir / "static" / ".fingerprint"
    fingerprint = _static_fingerprint()
    if not stamp.exists() or stamp.read_text() != fingerprint:
        steps.append(("Collecting static files", ["collectstatic", "--no-input", "-v", "0"]))
    for title, arguments in steps:
        say(title)
        if supervisor.run_once(_manage(*arguments), environment):
            if not supervisor.stopping:
                say(f"{title} failed: what went wrong stands above.")
            return False
    stamp.write_text(fingerprint)
    return True


def _static_fingerprint() -> str:
    """Changes with the project's own static files, and with the packages that bring others."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        status = path.stat()
        digest.update(f"{path.relative_to(ROOT)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _port_problem(host: str, port: str) -> str | None:
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return f"PORT is {port!r}: give a number from 1 to 65535, as in `make run PORT=8080`."
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return (
            f"Cannot listen on {host}, port {port} ({error.strerror}): "
            "choose another port, as in `make run PORT=8080`."
        )
    return None


def _reachable(host: str) -> str:
    """The host for a URL: a server that listens on every address is reached on loopback."""
    try:
        address = ip_address(host)
    except ValueError:
        return host  # a name
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "[::1]"


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((_reachable(host).strip("[]"), port), timeout=1):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
