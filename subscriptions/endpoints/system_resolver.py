"""Names to addresses, as this machine knows them."""

from __future__ import annotations

import socket
from pathlib import Path

from subscriptions.endpoints.url_rules import is_localhost


def resolve_by_system(name: str) -> list[str]:
    """All addresses of a name, by the hosts file, then DNS; raises socket.gaierror.

    The name is absolute: no search domain of this machine is tried after it.
    """
    if own := _addresses_in_hosts_file(name):
        return own
    if is_localhost(name):
        return ["127.0.0.1", "::1"]
    found = socket.getaddrinfo(name + ".", None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _addresses_in_hosts_file(name: str, path: Path = Path("/etc/hosts")) -> list[str]:
    # glibc looks an absolute name up in DNS only, but an operator's hosts file should count.
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    rows = (line.partition("#")[0].lower().split() for line in lines)
    return [row[0] for row in rows if name in row[1:]]
