"""Names whose owner answers as suits an attack: with a resolver of the tests' own."""

import socket
import time
from functools import partial
from typing import Any

import pytest

from deliveries.transport import TransportResult, name_lookup
from deliveries.transport.name_lookup import MAX_TRIED_ADDRESSES
from tests.attacks.verdicts import explain_to_tenant, verdict_of
from tests.deliveries.transports import Names, error_of, open_transport, request, results, send
from tests.receiver import Receiver, Reply

INSIDE = "10.0.0.5"


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request looks its name up anew."""
    monkeypatch.setattr(name_lookup, "KEEP_SECONDS", 0.0)


def blocked(result: TransportResult) -> tuple[str | None, str | None]:
    return (verdict_of(result).failure, error_of(result).blocked_address)


# --- rebinding ------------------------------------------------------------------------------------


def test_an_address_is_judged_again_where_the_socket_is_opened(
    connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the name had been pointed elsewhere after the look-up."""
    with (
        open_transport(resolve=Names(rebound_example=["127.0.0.1"])) as transport,
        Receiver() as receiver,
    ):
        judged = []

        def second_time_inside(address: Any) -> str | None:
            judged.append(address)
            return "a loopback address" if len(judged) > 1 else None

        monkeypatch.setattr(transport._lookup, "_judge", second_time_inside)
        object.__setattr__(transport._settings, "judge", second_time_inside)
        result = send(transport, receiver.url(host="rebound.example"))
        assert receiver.connections == 0
    assert blocked(result) == ("address_blocked", "127.0.0.1")
    assert result.remote_address == ""
    assert connected == []
    assert judged == ["127.0.0.1", "127.0.0.1"]


def test_an_answer_with_no_lifetime_at_all_is_asked_for_once_a_request(
    no_memory: None, connected: list[str]
) -> None:
    """The answer that was judged is the one that is called: nobody asks again in between."""
    answers = iter([["127.0.0.1"], [INSIDE], ["127.0.0.1"]])
    with open_transport(resolve=lambda name: next(answers)) as transport, Receiver() as receiver:
        url = receiver.url(host="flipping.example")
        outcomes = [send(transport, url) for _ in range(3)]
    assert [result.status_code for result in outcomes] == [200, None, 200]
    assert blocked(outcomes[1]) == ("address_blocked", INSIDE)
    assert set(connected) == {"127.0.0.1"}


def test_a_name_re_pointed_inside_is_refused_even_with_a_kept_connection(
    no_memory: None, connected: list[str]
) -> None:
    names = Names(moving_example=["127.0.0.1"])
    with open_transport(resolve=names) as transport, Receiver() as receiver:
        url = receiver.url(host="moving.example")
        assert send(transport, url).status_code == 200
        for inside in ([INSIDE], ["127.0.0.1", INSIDE], ["169.254.169.254"], ["::ffff:10.0.0.5"]):
            names.names["moving.example"] = inside
            assert verdict_of(send(transport, url)).failure == "address_blocked"
        names.names["moving.example"] = ["127.0.0.1"]
        assert send(transport, url).status_code == 200
        assert len(receiver.requests) == 2
    assert set(connected) == {"127.0.0.1"}


def test_a_retry_after_a_closed_connection_goes_where_the_first_was_judged_to(
    no_memory: None, connected: list[str]
) -> None:
    """The request is made again within the attempt; its name is not looked up again for that."""
    answers = iter([["127.0.0.1"], ["127.0.0.1"], [INSIDE]])
    with open_transport(resolve=lambda name: next(answers)) as transport, Receiver() as receiver:
        url = receiver.url("/crash", host="crashing.example")
        receiver.on("/crash", [Reply(), Reply(raw=b"", then="close"), Reply(body=b"again")])
        assert send(transport, url).status_code == 200
        again = send(transport, url)
    assert (again.sent_again, again.body) == (True, b"again")
    assert set(connected) == {"127.0.0.1"}


def test_a_re_pointed_name_is_found_at_its_new_place(no_memory: None) -> None:
    names = Names(moving_example=["127.0.0.1"])
    with open_transport(resolve=names) as transport, Receiver() as old:
        old.on("/", Reply(headers=(("Connection", "close"),), then="close"))
        send(transport, old.url(host="moving.example"))
        names.names["moving.example"] = ["127.0.0.2"]
        with Receiver(host="127.0.0.2", port=old.port) as new:
            result = send(transport, old.url(host="moving.example"))
            assert len(new.requests) == 1
    assert result.remote_address == "127.0.0.2"


# --- records --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "records",
    [
        ["127.0.0.1", INSIDE],
        [INSIDE, "127.0.0.1"],
        ["127.0.0.1", "fd00::1"],
        ["127.0.0.1", "::ffff:169.254.169.254"],
        [f"127.0.{n // 250}.{n % 250 + 1}" for n in range(600)] + [INSIDE],
        ["127.0.0.1", "127.0.0.1; DROP", "127.0.0.1"],
        ["127.0.0.1", "127.0.0.1,10.0.0.5"],
        ["127.0.0.1", "fe80::1%eth0"],
    ],
)
def test_one_bad_record_refuses_the_name(records: Any, connected: list[str]) -> None:
    with open_transport(resolve=Names(mixed_example=records)) as transport, Receiver() as receiver:
        result = send(transport, receiver.url(host="mixed.example"))
        assert receiver.connections == 0
    assert verdict_of(result).failure == "address_blocked"
    assert error_of(result).blocked_address not in ("", "127.0.0.1")
    assert connected == []


def test_after_a_dead_first_record_the_second_is_tried(connected: list[str]) -> None:
    names = Names(several_example=["127.0.0.9", "127.0.0.1"])
    with open_transport(resolve=names) as transport, Receiver() as receiver:
        result = send(transport, receiver.url(host="several.example"))
    assert (result.status_code, result.remote_address) == (200, "127.0.0.1")
    assert receiver.requests[0].header("Host") == f"several.example:{receiver.port}"
    assert connected == ["127.0.0.9", "127.0.0.1"]


def test_a_dead_ipv6_record_does_not_keep_the_ipv4_one_from_being_tried(
    connected: list[str],
) -> None:
    names = Names(both_example=["::1", "127.0.0.1"])
    with open_transport(resolve=names) as transport, Receiver() as receiver:
        assert send(transport, receiver.url(host="both.example")).status_code == 200
    assert connected[-1] == "127.0.0.1"


def test_of_hundreds_of_good_records_a_few_are_tried(connected: list[str]) -> None:
    """All are judged; but one request does not try hundreds of addresses."""
    many = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(600)]
    with open_transport(resolve=Names(many_example=many)) as transport:
        result = send(transport, "http://many.example:9/".replace(":9/", ":9999/"))
    assert verdict_of(result).failure == "connection_refused"
    assert connected == many[:MAX_TRIED_ADDRESSES]


@pytest.mark.parametrize("records", [[], socket.gaierror(socket.EAI_NONAME, "NXDOMAIN")])
def test_an_empty_answer_is_a_name_without_an_address(records: Any, opened: list[str]) -> None:
    with open_transport(resolve=Names(empty_example=records)) as transport:
        result = send(transport, "http://empty.example/")
    assert verdict_of(result).failure == "dns_failed"
    assert "does not exist" in explain_to_tenant(result, "http://empty.example/").text
    assert opened == []


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
        socket.gaierror(socket.EAI_FAIL, "SERVFAIL"),
        OSError(24, "Too many open files"),
        UnicodeError("label too long"),
        ValueError("nonsense in the answer"),
    ],
)
def test_a_name_server_that_breaks_is_one_that_did_not_answer(
    error: Any, opened: list[str]
) -> None:
    with open_transport(resolve=Names(broken_example=error)) as transport:
        result = send(transport, "http://broken.example/")
    assert verdict_of(result).failure == "dns_failed"
    assert "DNS did not answer" in explain_to_tenant(result, "http://broken.example/").text
    assert opened == []


def test_a_cname_to_the_inside_is_refused_by_what_it_leads_to(
    monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    """The system's resolver follows it: the name is public, its records are another's."""

    def getaddrinfo(host: Any, *_arguments: Any, **_named: Any) -> Any:
        assert host == "alias.example."
        kind = partial(tuple, (socket.AF_INET, socket.SOCK_STREAM, 6, "db.corp.internal"))
        return [(*kind(), (INSIDE, 0))]

    monkeypatch.setattr("subscriptions.endpoints.system_resolver.socket.getaddrinfo", getaddrinfo)
    with open_transport(allowed_networks=()) as transport:
        result = send(transport, "https://alias.example/")
    assert blocked(result) == ("address_blocked", INSIDE)
    assert "db.corp" not in explain_to_tenant(result, "https://alias.example/").text
    assert opened == []


def test_no_search_domain_of_this_machine_is_tried(
    monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    asked = []

    def getaddrinfo(host: Any, *_arguments: Any, **_named: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("subscriptions.endpoints.system_resolver.socket.getaddrinfo", getaddrinfo)
    with open_transport() as transport:
        for name in ("db.corp", "metadata", "shop.example", "shop.example."):
            assert verdict_of(send(transport, f"http://{name}/")).failure == "dns_failed"
    assert asked == ["db.corp.", "metadata.", "shop.example."]
    assert opened == []


# --- slow name servers ----------------------------------------------------------------------------


def test_a_name_server_that_does_not_answer_ends_at_the_deadline_and_holds_up_nobody() -> None:
    names = Names(slow_example=1.5, quick_example=["127.0.0.1"])
    with open_transport(resolve=names) as transport, Receiver() as receiver:
        started = time.monotonic()
        for number in range(50):
            transport.add(request("http://slow.example/", key=number, timeout_seconds=0.5))
        transport.add(request(receiver.url(host="quick.example"), key="quick"))
        first, *rest = results(transport, 51)
        assert first.key == "quick"
        assert {verdict_of(result).failure for result in rest} == {"dns_failed"}
        assert time.monotonic() - started < 0.5 + 0.5
    assert names.asked.count("slow.example") == 1


def test_a_slow_look_up_leaves_the_receiver_only_what_is_left_of_the_deadline() -> None:
    def resolve(name: Any) -> Any:
        time.sleep(0.4)
        return ["127.0.0.1"]

    with open_transport(resolve=resolve) as transport, Receiver() as receiver:
        receiver.on("/slow", Reply(delay_seconds=5))
        started = time.monotonic()
        result = send(transport, receiver.url("/slow", host="slow.example"), timeout_seconds=0.7)
        assert 0.6 < time.monotonic() - started < 0.7 + 0.5
    assert verdict_of(result).failure == "timeout"
    assert result.dns_ms is not None
    assert result.dns_ms >= 400
