import socket
from pathlib import Path
from typing import Any

import pytest

from subscriptions.endpoints import system_resolver
from subscriptions.endpoints.system_resolver import resolve_by_system


def test_the_system_resolver_takes_a_name_as_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def record(host: Any, *arguments: Any, **named: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 0))]

    monkeypatch.setattr("subscriptions.endpoints.system_resolver.socket.getaddrinfo", record)
    assert resolve_by_system("shop.example") == ["8.8.8.8"]
    assert asked == ["shop.example."]


def test_the_hosts_file_comes_first(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "# a comment\n10.1.2.3  Receiver.internal other\nfd00::1 other # x\n\nbroken\n"
    )
    in_file = system_resolver._addresses_in_hosts_file
    assert in_file("receiver.internal", hosts) == ["10.1.2.3"]
    assert in_file("other", hosts) == ["10.1.2.3", "fd00::1"]
    assert in_file("x", hosts) == []
    assert in_file("receiver.internal", tmp_path / "missing") == []
