import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deliveries.transport import name_lookup
from deliveries.transport.name_lookup import NameLookup, Resolution
from subscriptions.endpoints.addresses import find_address_fault
from tests.deliveries.transports import LOOPBACK, Names


def strict(address: Any) -> str | None:
    return find_address_fault(address, ())


@pytest.fixture
def lookups() -> Iterator[Callable[..., NameLookup]]:
    lookups: list[NameLookup] = []

    def make(resolve: Any, rule: Any = strict) -> Any:
        lookups.append(NameLookup(judge=rule, resolve=resolve))
        return lookups[-1]

    yield make
    for lookup in lookups:
        lookup.close()


def resolution_of(lookup: NameLookup, name: Any, within_seconds: float = 3.0) -> Resolution:
    if (known := lookup.ask(name)) is not None:
        return known
    end = time.monotonic() + within_seconds
    while time.monotonic() < end:
        select.select([lookup.wakeup], [], [], 0.5)
        for found, resolution in lookup.collect():
            if found == name:
                return resolution
    raise AssertionError(f"no resolution of {name}")


def test_a_resolution_is_kept_and_a_name_being_resolved_is_not_asked_again(
    lookups: Callable[..., NameLookup],
) -> None:
    names = Names(shop_example=["8.8.8.8", "8.8.4.4", "8.8.8.8"])
    lookup = lookups(names)
    assert lookup.ask("shop.example") is None
    assert lookup.ask("shop.example") is None
    assert resolution_of(lookup, "shop.example").addresses == ("8.8.8.8", "8.8.4.4")
    known = lookup.ask("shop.example")
    assert known is not None
    assert known.blocked is None
    assert names.asked == ["shop.example"]


def test_a_resolution_is_valid_for_a_limited_time(
    lookups: Callable[..., NameLookup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_lookup, "KEEP_SECONDS", 0.0)
    names = Names(shop_example=["8.8.8.8"])
    lookup = lookups(names)
    resolution_of(lookup, "shop.example")
    names.names["shop.example"] = ["1.1.1.1"]
    assert resolution_of(lookup, "shop.example").addresses == ("1.1.1.1",)


def test_one_bad_record_blocks_the_whole_name(lookups: Callable[..., NameLookup]) -> None:
    lookup = lookups(Names(mixed_example=["8.8.8.8", "192.168.0.1"]))
    assert resolution_of(lookup, "mixed.example").blocked == ("192.168.0.1", "a private address")


def test_localhost_resolves_to_the_loopback_addresses_that_are_allowed(
    lookups: Callable[..., NameLookup],
) -> None:
    lookup = lookups(
        lambda name: ["::1", "127.0.0.1"], lambda a: find_address_fault(a, LOOPBACK[:1])
    )
    assert resolution_of(lookup, "localhost").addresses == ("127.0.0.1",)
    closed = lookups(lambda name: ["::1", "127.0.0.1"])
    assert resolution_of(closed, "localhost").blocked is not None


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "not_found"),
        (socket.gaierror(socket.EAI_NODATA, "No address"), "not_found"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "no_answer"),
        (socket.gaierror(socket.EAI_FAIL, "Failure"), "no_answer"),
        (OSError(24, "Too many open files"), "no_answer"),
        (UnicodeError("label too long"), "no_answer"),
    ],
)
def test_a_failure_says_whether_the_name_is_missing_or_no_server_answered(
    lookups: Callable[..., NameLookup], error: Any, failure: Any
) -> None:
    assert resolution_of(lookups(Names(x_example=error)), "x.example").failure == failure


def test_a_name_without_records_is_missing(lookups: Callable[..., NameLookup]) -> None:
    assert resolution_of(lookups(Names(x_example=[])), "x.example").failure == "not_found"


def test_names_that_were_slow_leave_threads_for_the_others(
    lookups: Callable[..., NameLookup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_lookup, "MAX_THREADS", 4)
    monkeypatch.setattr(name_lookup, "MAX_THREADS_FOR_SLOW_NAMES", 2)
    release = threading.Event()

    def resolve(name: Any) -> Any:
        if name.startswith("slow"):
            release.wait(5)
        return ["8.8.8.8"]

    lookup = lookups(resolve)
    lookup._slow.update(f"slow{number}.example" for number in range(10))
    for number in range(10):
        lookup.ask(f"slow{number}.example")
    try:
        started = time.monotonic()
        for number in range(20):
            assert resolution_of(lookup, f"quick{number}.example").addresses
        assert time.monotonic() - started < 1.0
    finally:
        release.set()
