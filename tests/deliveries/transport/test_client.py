import gc
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deliveries.transport import USER_AGENT, Transport
from deliveries.transport.result import MAX_BODY_KEPT_BYTES
from tests import certificates
from tests.deliveries.transports import (
    BODY,
    Names,
    error_of,
    open_transport,
    request,
    results,
    send,
)
from tests.receiver import Receiver, Reply, closed_port


@pytest.fixture
def transport() -> Iterator[Transport]:
    with open_transport() as transport:
        yield transport


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


# --- what is sent -------------------------------------------------------------------------------


def test_the_request_is_sent_byte_for_byte_and_nothing_is_added(
    transport: Transport, receiver: Receiver
) -> None:
    headers = (
        ("Content-Type", "application/json; charset=utf-8"),
        ("User-Agent", "Webhooks-Portal/9"),
        ("X-Clawget-Signature", "ab" * 32),
        ("X-empty", ""),
        ("x-Latin", "Größe"),
    )
    send(transport, receiver.url("/hook?a=1&b=%20"), headers=headers)
    assert (
        receiver.requests[0].raw
        == (
            f"POST /hook?a=1&b=%20 HTTP/1.1\r\nHost: 127.0.0.1:{receiver.port}\r\n"
            "Content-Type: application/json; charset=utf-8\r\nUser-Agent: Webhooks-Portal/9\r\n"
            f"X-Clawget-Signature: {'ab' * 32}\r\nX-empty:\r\nx-Latin: Größe\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n"
        ).encode("latin-1")
        + BODY
    )


def test_a_user_agent_is_added_only_if_none_is_given(
    transport: Transport, receiver: Receiver
) -> None:
    send(transport, receiver.url(), headers=())
    head = receiver.requests[0]
    assert head.header("User-Agent") == USER_AGENT
    assert [name for name, _ in head.headers] == ["Host", "User-Agent", "Content-Length"]


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 16 * 1024 + 1, 3_000_000])
def test_a_body_of_any_size_goes_with_its_length_and_never_in_chunks(
    transport: Transport, receiver: Receiver, size: int
) -> None:
    body = b"\x00\xff{" * (size // 3) + b"x" * (size % 3)
    result = send(transport, receiver.url(), body=body)
    got = receiver.requests[0]
    assert result.status_code == 200
    assert got.body == body
    assert got.header("Content-Length") == str(size)
    assert got.header("Transfer-Encoding") is None
    assert got.header("Expect") is None


# --- what comes back ----------------------------------------------------------------------------


def test_the_result_tells_status_headers_body_times_and_address(
    transport: Transport, receiver: Receiver
) -> None:
    headers = (("X-One", "1"), ("x-two", " spaced "), ("X-One", "again"))
    receiver.on("/a", Reply(201, "Created", headers, b"made", delay_seconds=0.05))
    result = send(transport, receiver.url("/a"), key=("any", 1))
    assert result.key == ("any", 1)
    assert result.status_code == 201
    assert result.headers == (
        ("X-One", "1"),
        ("x-two", "spaced"),
        ("X-One", "again"),
        ("Content-Length", "4"),
    )
    assert (result.body, result.truncated, result.error) == (b"made", False, None)
    assert result.remote_address == "127.0.0.1"
    assert result.dns_ms is None
    assert result.tls_ms is None
    assert result.connect_ms is not None
    assert result.first_byte_ms is not None
    assert result.duration_ms is not None
    assert 45 <= result.first_byte_ms <= result.duration_ms < 1000
    assert result.responded_at is not None
    elapsed = (result.responded_at - result.sent_at).total_seconds() * 1000
    assert elapsed == pytest.approx(result.duration_ms, abs=0.01)


def test_a_connection_is_kept_and_used_again(transport: Transport, receiver: Receiver) -> None:
    first, second = send(transport, receiver.url("/1")), send(transport, receiver.url("/2"))
    assert receiver.connections == 1
    assert first.connect_ms is not None
    assert second.connect_ms is None


def test_sixteen_kib_of_a_body_are_kept_and_the_rest_is_told_of(
    transport: Transport, receiver: Receiver
) -> None:
    receiver.on("/fits", Reply(body=b"a" * MAX_BODY_KEPT_BYTES))
    receiver.on("/long", Reply(body=b"a" * 60_000))
    fits, long = send(transport, receiver.url("/fits")), send(transport, receiver.url("/long"))
    assert (len(fits.body), fits.truncated) == (MAX_BODY_KEPT_BYTES, False)
    assert (len(long.body), long.truncated, long.error) == (MAX_BODY_KEPT_BYTES, True, None)
    assert receiver.connections == 1


def test_interim_responses_are_passed_over(transport: Transport, receiver: Receiver) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3
    receiver.on("/a", Reply(raw=interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    result = send(transport, receiver.url("/a"))
    assert (result.status_code, result.body) == (200, b"ok")
    assert result.headers == (("Content-Length", "2"),)


def test_trailers_are_not_headers(transport: Transport, receiver: Receiver) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-After: 1\r\n\r\n"
    )
    receiver.on("/a", Reply(raw=chunked))
    result = send(transport, receiver.url("/a"))
    assert (result.headers, result.body) == ((("Transfer-Encoding", "chunked"),), b"ok")


# --- connections that come to nothing; what is hostile is in tests/attacks -------------------------


def test_a_refused_connection_is_an_error_of_the_connect_phase(transport: Transport) -> None:
    result = send(transport, f"http://127.0.0.1:{closed_port()}/")
    assert (error_of(result).code, error_of(result).phase) == (7, "connect")
    assert error_of(result).evidence["errno"] == 111
    assert result.remote_address == "127.0.0.1"


def test_a_kept_connection_that_the_receiver_closed_costs_no_failure(
    transport: Transport, receiver: Receiver
) -> None:
    receiver.on("/a", Reply(then="close"))
    outcomes = [send(transport, receiver.url("/a")) for _ in range(4)]
    assert [result.status_code for result in outcomes] == [200] * 4
    assert len(receiver.requests) == 4
    assert not outcomes[0].sent_again
    # Learned from the first time: new connections for this receiver from then on.
    assert sum(result.sent_again for result in outcomes) <= 1


def test_a_timeout_on_a_kept_connection_is_one_request(
    transport: Transport, receiver: Receiver
) -> None:
    send(transport, receiver.url("/quick"))
    receiver.on("/slow", Reply(delay_seconds=2.0))
    result = send(transport, receiver.url("/slow"), timeout_seconds=0.3)
    assert result.connect_ms is None
    assert error_of(result).code == 28
    assert [got.path for got in receiver.requests] == ["/quick", "/slow"]


def test_a_repeated_request_that_meets_a_closed_connection_too_is_a_failure(
    transport: Transport, receiver: Receiver
) -> None:
    send(transport, receiver.url("/quick"))
    receiver.on("/crash", Reply(raw=b"", then="close"))
    result = send(transport, receiver.url("/crash"))
    assert result.sent_again
    assert error_of(result).code == 52
    assert [got.path for got in receiver.requests] == ["/quick", "/crash", "/crash"]


def test_a_crash_on_a_new_connection_is_one_request(
    transport: Transport, receiver: Receiver
) -> None:
    receiver.on("/a", Reply(raw=b"", then="close"))
    result = send(transport, receiver.url("/a"))
    assert error_of(result).code == 52
    assert len(receiver.requests) == 1
    assert not result.sent_again


# --- TLS ----------------------------------------------------------------------------------------


def test_https_is_verified_and_the_expiry_is_known_on_kept_connections_too(
    transport: Transport,
) -> None:
    with Receiver(certificate=certificates.good()) as receiver:
        first, second = send(transport, receiver.url()), send(transport, receiver.url())
        named = send(transport, receiver.url(host="localhost"))
    expected = certificates.good().certificate.not_valid_after_utc
    for result in (first, second, named):
        assert result.error is None
        assert result.certificate_expires_at == expected
    assert first.tls_ms
    assert first.tls_ms > 0
    assert second.tls_ms is None


@pytest.mark.parametrize(
    "broken",
    [
        certificates.expired,
        certificates.not_yet_valid,
        certificates.wrong_name,
        certificates.self_signed,
        certificates.private_authority,
        certificates.incomplete_chain,
    ],
)
def test_a_broken_certificate_gets_no_request_and_is_described(
    transport: Transport, broken: Any
) -> None:
    certificate = broken()
    with Receiver(certificate=certificate) as receiver:
        result = send(transport, receiver.url())
        assert receiver.requests == []
    facts = error_of(result).evidence["certificate"]
    assert error_of(result).code == 60
    assert error_of(result).phase == "tls"
    assert facts["expires_at"] == certificate.certificate.not_valid_after_utc.isoformat()
    assert facts["names"]


def test_old_tls_is_refused(transport: Transport) -> None:
    with Receiver(certificate=certificates.good(), maximum_tls=ssl.TLSVersion.TLSv1_1) as receiver:
        assert error_of(send(transport, receiver.url())).code == 35


def test_without_an_extra_authority_only_the_systems_are_trusted() -> None:
    with (
        open_transport(ca_file=None) as transport,
        Receiver(certificate=certificates.good()) as receiver,
    ):
        assert error_of(send(transport, receiver.url())).code == 60


def test_an_extra_ca_file_without_a_certificate_is_an_error_at_the_start(tmp_path: Path) -> None:
    nonsense = tmp_path / "ca.pem"
    nonsense.write_text("nothing")
    with pytest.raises(ssl.SSLError), open_transport(ca_file=str(nonsense)):
        pass


# --- names --------------------------------------------------------------------------------------


def test_a_missing_name_is_told_apart_from_name_servers_that_do_not_answer() -> None:
    names = Names(broken_example=socket.gaierror(socket.EAI_AGAIN, "Temporary failure"))
    with open_transport(resolve=names) as transport:
        missing, broken = (
            send(transport, "http://missing.example/"),
            send(transport, "http://broken.example/"),
        )
    assert error_of(missing).evidence["dns"] == "not_found"
    assert error_of(broken).evidence["dns"] == "no_answer"
    assert error_of(missing).phase == error_of(broken).phase == "dns"


# --- many at once -------------------------------------------------------------------------------


def test_a_slow_receiver_does_not_hold_up_the_others(
    transport: Transport, receiver: Receiver
) -> None:
    receiver.on("/slow", Reply(delay_seconds=1.0))
    for number in range(20):
        transport.add(request(receiver.url("/slow"), key=f"slow {number}"))
    transport.add(request(receiver.url("/quick"), key="quick"))
    first = transport.poll(1.0)
    assert [result.key for result in first] == ["quick"]
    assert first[0].duration_ms < 500
    assert transport.in_flight == 20
    assert len(results(transport, 20)) == 20
    assert transport.in_flight == 0


def test_poll_returns_at_once_when_nothing_is_in_flight_and_in_time_when_nothing_comes(
    transport: Transport, receiver: Receiver
) -> None:
    started = time.monotonic()
    assert transport.poll(5.0) == []
    assert time.monotonic() - started < 0.2
    receiver.on("/slow", Reply(delay_seconds=2.0))
    transport.add(request(receiver.url("/slow")))
    started = time.monotonic()
    assert transport.poll(0.2) == []
    assert 0.15 < time.monotonic() - started < 0.5


def test_abort_ends_all_requests_in_flight(receiver: Receiver) -> None:
    receiver.on("/slow", Reply(delay_seconds=5.0))
    names = Names(stuck_example=0.5)
    with open_transport(resolve=names) as transport:
        for key in ("a", "b"):
            transport.add(request(receiver.url("/slow"), key=key))
        transport.add(request("http://stuck.example/", key="c"))
        transport.poll(0.1)
        transport.add(request(receiver.url("/slow"), key="d"))
        assert transport.in_flight == 4
        transport.abort_all()
        assert transport.in_flight == 0
        assert send(transport, receiver.url("/quick")).status_code == 200


def test_more_requests_are_in_flight_at_once_than_select_could_watch(
    transport: Transport, receiver: Receiver
) -> None:
    receiver.on("/slow", Reply(delay_seconds=1.0))
    for number in range(1100):
        transport.add(request(receiver.url("/slow"), key=number, timeout_seconds=15.0))
    assert sorted(result.key for result in results(transport, 1100)) == list(range(1100))
    assert receiver.connections == 1100


def test_nothing_is_left_open_when_the_transport_is_closed(receiver: Receiver) -> None:
    with open_transport() as transport:
        send(transport, receiver.url())
        with Receiver(certificate=certificates.good()) as secure:
            send(transport, secure.url())
    gc.collect()  # an unclosed socket would be a ResourceWarning, which is an error
