"""Runs in a network namespace of its own, where every address there is leads to this process.

Prints, as JSON, what came of sending to all of them: so that a packet to a forbidden address is
not only not asked for, but seen not to leave. Started by test_packets.py.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deliveries.diagnosis import classify
from subscriptions.endpoints.addresses import parse_networks
from tests.attacks.spellings import LITERAL, NAMES, UNREADABLE
from tests.deliveries.transports import Names, open_transport, send

PORTS = (80, 443, 8080)
ROUTES = ("link set lo up", "route add local 0.0.0.0/0 dev lo", "-6 route add local ::/0 dev lo")
REDIRECT = b"HTTP/1.1 302 X\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Everywhere:
    """Listens on all addresses; `reached` are those that connections were made to."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        for family, place in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            for port in PORTS:
                listener = socket.create_server((place, port), family=family, backlog=128)
                threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                self.reached.append(connection.getsockname()[0])
                connection.recv(65536)
                connection.sendall(REDIRECT)

    def take(self) -> list[str]:
        taken, self.reached = self.reached, []
        return sorted(set(taken))


def packets_sent() -> int:
    line = next(row for row in Path("/proc/net/dev").read_text().splitlines() if "lo:" in row)
    return int(line.split(":")[1].split()[9])


def try_all(urls: Iterable[str], names: Names, **options: Any) -> list[str]:
    """The failures met."""
    with open_transport(resolve=names, **options) as transport:
        results = [send(transport, url, timeout_seconds=0.5) for url in urls]
    return sorted({classify(result, success_codes=None).failure or "" for result in results})


def main() -> None:
    for command in ROUTES:
        subprocess.run(["ip", *command.split()], check=True)
    everywhere, names = Everywhere(), Names(portal_example=["8.8.4.4"])
    names.names |= NAMES
    hosts = [*LITERAL, *UNREADABLE, *NAMES]
    forbidden = [f"http://{host}{port}/" for host in hosts for port in ("", ":443", ":8080", ":22")]
    own = frozenset({"portal.example"})
    before = packets_sent()
    report: dict[str, Any] = {
        "tried": len(forbidden),
        "failures": try_all(forbidden, names, allowed_networks=(), refused_hosts=own),
    }
    report |= {"packets": packets_sent() - before, "reached": everywhere.take()}

    # The same with everything allowed: these addresses do answer here.
    everything = parse_networks(["0.0.0.0/0", "::/0"])
    urls = [f"http://{host}:8080/" for host in (*LITERAL, *NAMES)]
    report["failures_if_allowed"] = try_all(urls, names, allowed_networks=everything)
    report |= {
        "packets_if_allowed": packets_sent() - before,
        "reached_if_allowed": everywhere.take(),
    }

    public = ["http://8.8.8.8/", "http://[2606:4700::1111]:8080/", "http://[::ffff:8.8.4.4]/"]
    try_all(public, names, allowed_networks=())
    report["reached_in_public"] = everywhere.take()

    named = parse_networks(["10.1.0.0/16", "fd12::/16"])
    inside = [
        "10.1.2.3",
        "10.1.255.255",
        "10.2.0.1",
        "10.0.255.255",
        "[fd12::5]",
        "[fd13::5]",
        "127.0.0.1",
        "169.254.169.254",
    ]
    try_all([f"http://{host}:8080/" for host in inside], names, allowed_networks=named)
    report["reached_if_named"] = everywhere.take()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
