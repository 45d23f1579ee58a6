"""Host names resolved as this machine resolves them: by its hosts file, then by DNS."""

from __future__ import annotations

import socket
from pathlib import Path

from subscriptions.endpoints.url_rules import is_localhost


def resolve_by_system(name: str) -> list[str]:
    """All addresses of a name. Raises socket.gaierror.

    The name is absolute: no search domain of this machine is appended to it.
    """
    if found_in_file := _addresses_in_hosts_file(name):
        return found_in_file
    if is_localhost(name):
        return ["127.0.0.1", "::1"]
    found = socket.getaddrinfo(name + ".", None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _addresses_in_hosts_file(name: str, path: Path = Path("/etc/hosts")) -> list[str]:
    # glibc looks up an absolute name in DNS only, but what an operator put into the file counts.
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    rows = (line.partition("#")[0].lower().split() for line in lines)
    return [row[0] for row in rows if name in row[1:]]
