import gc
import socket
import ssl
import time

import pytest

from deliveries import transfer as transfer_module
from deliveries.transport_result import MAX_BODY_KEPT_BYTES
from subscriptions.addresses import parse_networks
from tests import certificates
from tests.deliveries.doors import BODY, HEADERS, Names, open_door, request, results, send
from tests.receiver import Receiver, Reply, closed_port, full_backlog


@pytest.fixture
def door():
    with open_door() as transport:
        yield transport


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture
def sockets(monkeypatch):
    """The families of all sockets that the door opens: none means that no packet left."""
    opened = []
    real = transfer_module._open_socket

    def recorded(family, kind, protocol):
        opened.append(family)
        return real(family, kind, protocol)

    monkeypatch.setattr(transfer_module, "_open_socket", recorded)
    return opened


# --- what is sent -------------------------------------------------------------------------------


def test_the_request_is_sent_byte_for_byte_and_nothing_is_added(door, receiver):
    headers = (
        ("Content-Type", "application/json; charset=utf-8"),
        ("User-Agent", "Webhooks-Portal/9"),
        ("X-Clawget-Signature", "ab" * 32),
        ("X-empty", ""),
        ("x-Latin", "Größe"),
    )
    send(door, receiver.url("/hook?a=1&b=%20"), headers=headers)
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


def test_a_user_agent_is_given_only_where_there_is_none(door, receiver):
    send(door, receiver.url(), headers=())
    head = receiver.requests[0]
    assert head.header("User-Agent") == transfer_module.USER_AGENT
    assert [name for name, _ in head.headers] == ["Host", "User-Agent", "Content-Length"]


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 16 * 1024 + 1, 3_000_000])
def test_a_body_of_any_size_goes_with_its_length_and_never_in_chunks(door, receiver, size):
    body = b"\x00\xff{" * (size // 3) + b"x" * (size % 3)
    result = send(door, receiver.url(), body=body)
    got = receiver.requests[0]
    assert result.status_code == 200
    assert got.body == body
    assert got.header("Content-Length") == str(size)
    assert got.header("Transfer-Encoding") is None
    assert got.header("Expect") is None


@pytest.mark.parametrize(
    "header",
    [
        ("X-A", "b\r\nX-Injected: c"),
        ("X-A", "b\nX-Injected: c"),
        ("X-A", "b\0"),
        ("X-A", "日本"),
        ("X-A: b\r\nX-Injected", "c"),
        ("", "c"),
        ("X A", "c"),
        ("Host", "inside.example"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Expect", "100-continue"),
    ],
)
def test_a_header_that_would_change_the_request_s_frame_is_not_sent(door, receiver, header):
    result = send(door, receiver.url(), headers=(*HEADERS, header))
    assert result.error is not None
    assert "own_fault" in result.error.evidence
    assert result.status_code is None
    assert receiver.requests == []


# --- what comes back ----------------------------------------------------------------------------


def test_the_result_tells_status_headers_body_times_and_address(door, receiver):
    headers = (("X-One", "1"), ("x-two", " spaced "), ("X-One", "again"))
    receiver.on("/a", Reply(201, "Created", headers, b"made", delay_seconds=0.05))
    result = send(door, receiver.url("/a"), key=("any", 1))
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
    assert 45 <= result.first_byte_ms <= result.duration_ms < 1000
    elapsed = (result.responded_at - result.sent_at).total_seconds() * 1000
    assert elapsed == pytest.approx(result.duration_ms, abs=0.01)


def test_a_connection_is_kept_and_used_again(door, receiver):
    first, second = send(door, receiver.url("/1")), send(door, receiver.url("/2"))
    assert receiver.connections == 1
    assert first.connect_ms is not None
    assert second.connect_ms is None


def test_a_redirect_is_not_followed(door, receiver):
    location = ("Location", receiver.url("/elsewhere"))
    receiver.on("/a", Reply(307, "Temporary Redirect", (location,)))
    result = send(door, receiver.url("/a"))
    assert result.status_code == 307
    assert location in result.headers
    assert [got.path for got in receiver.requests] == ["/a"]


def test_a_redirect_to_metadata_opens_no_socket(door, receiver, sockets):
    receiver.on("/a", Reply(302, "Found", (("Location", "http://169.254.169.254/latest/"),)))
    sockets.clear()
    assert send(door, receiver.url("/a")).status_code == 302
    assert len(sockets) == 1


def test_sixteen_kib_of_a_body_are_kept_and_the_rest_is_told_of(door, receiver):
    receiver.on("/fits", Reply(body=b"a" * MAX_BODY_KEPT_BYTES))
    receiver.on("/long", Reply(body=b"a" * 60_000))
    fits, long = send(door, receiver.url("/fits")), send(door, receiver.url("/long"))
    assert (len(fits.body), fits.truncated) == (MAX_BODY_KEPT_BYTES, False)
    assert (len(long.body), long.truncated, long.error) == (MAX_BODY_KEPT_BYTES, True, None)
    assert receiver.connections == 1


def test_an_endless_body_is_cut_after_64_kib_and_its_status_counts(door, receiver):
    receiver.on("/a", Reply(body=b"a" * 8192, endless=True))
    result = send(door, receiver.url("/a"))
    assert (result.status_code, result.truncated, result.error) == (200, True, None)
    assert len(result.body) == MAX_BODY_KEPT_BYTES
    assert result.duration_ms < 2000
    assert send(door, receiver.url("/b")).connect_ms is not None  # not on the cut connection


def test_a_compressed_body_is_kept_as_it_came(door, receiver):
    bomb = bytes.fromhex("1f8b0800000000000003") + b"\x00" * 100
    receiver.on("/a", Reply(headers=(("Content-Encoding", "gzip"),), body=bomb))
    assert send(door, receiver.url("/a")).body == bomb
    assert receiver.requests[0].header("Accept-Encoding") is None


def test_interim_responses_are_passed_over(door, receiver):
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3
    receiver.on("/a", Reply(raw=interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    result = send(door, receiver.url("/a"))
    assert (result.status_code, result.body) == (200, b"ok")
    assert result.headers == (("Content-Length", "2"),)


def test_trailers_are_no_headers(door, receiver):
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-After: 1\r\n\r\n"
    )
    receiver.on("/a", Reply(raw=chunked))
    result = send(door, receiver.url("/a"))
    assert (result.headers, result.body) == ((("Transfer-Encoding", "chunked"),), b"ok")


# --- deadlines and hostile receivers --------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "phase"),
    [
        (Reply(delay_seconds=30), "wait"),
        (Reply(drip=(4, 0.1)), "read"),
        (Reply(body=b"a" * 200, drip=(60, 0.4)), "read"),
        (Reply(headers=(("Content-Length", "100"),), body=b"half", then="hold"), "read"),
        (Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n", then="hold"), "read"),
    ],
    ids=["silence", "dripped headers", "dripped body", "stalled body", "only 100"],
)
def test_the_deadline_holds_for_the_whole_of_it(door, receiver, reply, phase):
    receiver.on("/a", reply)
    started = time.monotonic()
    result = send(door, receiver.url("/a"), timeout_seconds=0.6)
    assert time.monotonic() - started < 0.6 + 0.5
    assert result.error.code == 28
    assert result.error.phase == phase


def test_a_handshake_that_stalls_ends_at_the_deadline(door):
    with Receiver(certificate=certificates.good(), silent=True) as receiver:
        result = send(door, receiver.url(), timeout_seconds=0.4)
    assert (result.error.code, result.error.phase) == (28, "tls")
    assert result.connect_ms is not None


def test_a_connection_that_is_not_taken_ends_at_the_deadline(door):
    with full_backlog() as port:
        result = send(door, f"http://127.0.0.1:{port}/", timeout_seconds=0.4)
    assert (result.error.code, result.error.phase) == (28, "connect")


def test_a_receiver_that_stops_reading_ends_at_the_deadline(door):
    with Receiver(silent=True) as receiver:
        result = send(door, receiver.url(), body=b"x" * 50_000_000, timeout_seconds=1.5)
    assert result.error.code == 28
    assert result.error.phase in ("send", "wait")
    assert 1.0 < result.duration_ms / 1000 < 2.0


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 90_000 + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nX-A: bbbbbbbbbbbbbb\r\n\r\n" * 3000,
    ],
    ids=["many headers", "one long header", "a flood of 1xx"],
)
def test_headers_without_end_are_cut(door, receiver, raw):
    receiver.on("/a", Reply(raw=raw, then="hold"))
    result = send(door, receiver.url("/a"))
    assert result.error.code == 100 or result.error.evidence["cut"] == "headers"
    assert result.duration_ms < 2000


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok",
        b"",
    ],
)
def test_nonsense_gives_an_error_and_the_door_goes_on(door, receiver, raw):
    receiver.on("/a", Reply(raw=raw, then="close"))
    result = send(door, receiver.url("/a"))
    assert result.error is not None
    assert send(door, receiver.url("/b")).status_code == 200


def test_a_reset_gives_an_error(door, receiver):
    receiver.on("/a", Reply(raw=b"", then="reset"))
    assert send(door, receiver.url("/a")).error.evidence["errno"] == 104


def test_a_response_sent_before_the_request_harms_nobody_else(door):
    early = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"
    with Receiver(greeting=early) as receiver:
        receiver.on("/b", Reply(body=b"right"))
        send(door, receiver.url("/a"))
        second = send(door, receiver.url("/b"))
        third = send(door, receiver.url("/b"))
    assert {second.status_code, third.status_code} <= {200, None}
    assert all(r.error is None or r.status_code is None for r in (second, third))


def test_nothing_listens(door):
    result = send(door, f"http://127.0.0.1:{closed_port()}/")
    assert (result.error.code, result.error.phase) == (7, "connect")
    assert result.error.evidence["errno"] == 111
    assert result.remote_address == "127.0.0.1"


def test_a_kept_connection_that_the_receiver_closed_costs_no_failure(door, receiver):
    receiver.on("/a", Reply(then="close"))
    outcomes = [send(door, receiver.url("/a")) for _ in range(4)]
    assert [result.status_code for result in outcomes] == [200] * 4
    assert len(receiver.requests) == 4
    assert not outcomes[0].sent_again
    assert not outcomes[-1].sent_again  # learned: new connections for this receiver now


def test_a_timeout_on_a_kept_connection_is_one_request(door, receiver):
    send(door, receiver.url("/quick"))
    receiver.on("/slow", Reply(delay_seconds=2.0))
    result = send(door, receiver.url("/slow"), timeout_seconds=0.3)
    assert result.connect_ms is None
    assert result.error.code == 28
    assert [got.path for got in receiver.requests] == ["/quick", "/slow"]


def test_a_kept_connection_that_is_closed_twice_over_is_a_failure(door, receiver):
    send(door, receiver.url("/quick"))
    receiver.on("/crash", Reply(raw=b"", then="close"))
    result = send(door, receiver.url("/crash"))
    assert result.sent_again
    assert result.error.code == 52
    assert [got.path for got in receiver.requests] == ["/quick", "/crash", "/crash"]


def test_a_crash_on_a_new_connection_is_one_request(door, receiver):
    receiver.on("/a", Reply(raw=b"", then="close"))
    result = send(door, receiver.url("/a"))
    assert result.error.code == 52
    assert len(receiver.requests) == 1
    assert not result.sent_again


# --- TLS ----------------------------------------------------------------------------------------


def test_https_is_verified_and_the_expiry_is_told_on_kept_connections_too(door):
    with Receiver(certificate=certificates.good()) as receiver:
        first, second = send(door, receiver.url()), send(door, receiver.url())
        named = send(door, receiver.url(host="localhost"))
    expected = certificates.good().certificate.not_valid_after_utc
    for result in (first, second, named):
        assert result.error is None
        assert result.certificate_expires_at == expected
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
def test_a_broken_certificate_gets_no_request_and_is_described(door, broken):
    certificate = broken()
    with Receiver(certificate=certificate) as receiver:
        result = send(door, receiver.url())
        assert receiver.requests == []
    facts = result.error.evidence["certificate"]
    assert result.error.code == 60
    assert result.error.phase == "tls"
    assert facts["expires_at"] == certificate.certificate.not_valid_after_utc.isoformat()
    assert facts["names"]


def test_old_tls_is_refused(door):
    with Receiver(certificate=certificates.good(), maximum_tls=ssl.TLSVersion.TLSv1_1) as receiver:
        assert send(door, receiver.url()).error.code == 35


def test_without_the_extra_authority_the_system_s_ones_alone_count():
    with open_door(ca_file=None) as door, Receiver(certificate=certificates.good()) as receiver:
        assert send(door, receiver.url()).error.code == 60


def test_an_extra_authority_that_is_none_is_an_error_at_the_start(tmp_path):
    nonsense = tmp_path / "ca.pem"
    nonsense.write_text("nothing")
    with pytest.raises(ssl.SSLError), open_door(ca_file=str(nonsense)):
        pass


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "http://2130706433:8080/",
        "http://0x7f.1:8080/",
        "http://[::1]:8080/",
        "http://[::ffff:127.0.0.1]:8080/",
        "http://localhost:8080/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://0/",
        "http:/nowhere",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:pass@example.com/",
        "https://example.com:22/",
        "",
        "http://[::1",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
    ],
)
def test_a_url_that_breaks_the_rules_is_refused_without_a_socket(sockets, url):
    with open_door(allowed_networks=()) as door:
        result = send(door, url)
    assert result.error.blocked_reason
    assert result.status_code is None
    assert result.remote_address == ""
    assert sockets == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.5"],
        ["8.8.8.8", "10.0.0.5"],
        ["10.0.0.5", "8.8.8.8"],
        ["8.8.8.8", "fd00::1"],
        ["::ffff:169.254.169.254"],
        ["not an address"],
    ],
)
def test_one_record_that_may_not_be_called_refuses_the_name(sockets, addresses):
    with open_door(resolve=Names(mixed_example=addresses), allowed_networks=()) as door:
        result = send(door, "https://mixed.example/")
    assert result.error.blocked_reason
    assert sockets == []


def test_an_address_is_judged_again_where_the_socket_is_opened(monkeypatch, sockets):
    """As if the name had been re-pointed after the look-up."""
    names = Names(rebound_example=["127.0.0.1"])
    with open_door(resolve=names) as door, Receiver() as receiver:
        judged = []

        def second_time_inside(address):
            judged.append(address)
            return "a loopback address" if len(judged) > 1 else None

        monkeypatch.setattr(door._lookup, "_judge", second_time_inside)
        object.__setattr__(door._settings, "judge", second_time_inside)
        result = send(door, receiver.url(host="rebound.example"))
        assert receiver.connections == 0
    assert result.error.blocked_reason == "a loopback address"
    assert result.error.blocked_address == "127.0.0.1"
    assert sockets == []
    assert judged == ["127.0.0.1", "127.0.0.1"]


def test_a_name_re_pointed_to_the_inside_is_refused_even_with_a_kept_connection(monkeypatch):
    from deliveries import name_lookup

    monkeypatch.setattr(name_lookup, "KEEP_SECONDS", 0.0)
    names = Names(moving_example=["127.0.0.1"])
    with open_door(resolve=names) as door, Receiver() as receiver:
        assert send(door, receiver.url(host="moving.example")).status_code == 200
        names.names["moving.example"] = ["10.0.0.5"]
        assert send(door, receiver.url(host="moving.example")).error.blocked_address == "10.0.0.5"
        names.names["moving.example"] = ["127.0.0.1"]
        assert send(door, receiver.url(host="moving.example")).status_code == 200
        assert len(receiver.requests) == 2


def test_all_good_records_are_tried_until_one_answers(sockets):
    names = Names(several_example=["127.0.0.9", "127.0.0.1"])
    with open_door(resolve=names) as door, Receiver() as receiver:
        result = send(door, receiver.url(host="several.example"))
    assert result.status_code == 200
    assert result.remote_address == "127.0.0.1"
    assert result.dns_ms is not None
    assert receiver.requests[0].header("Host") == f"several.example:{receiver.port}"


def test_a_re_pointed_name_is_found_at_its_new_place(monkeypatch):
    from deliveries import name_lookup

    monkeypatch.setattr(name_lookup, "KEEP_SECONDS", 0.0)
    names = Names(moving_example=["127.0.0.1"])
    with open_door(resolve=names) as door, Receiver() as old:
        old.on("/", Reply(headers=(("Connection", "close"),), then="close"))
        send(door, old.url(host="moving.example"))
        names.names["moving.example"] = ["127.0.0.2"]
        with Receiver(host="127.0.0.2", port=old.port) as new:
            result = send(door, old.url(host="moving.example"))
            assert len(new.requests) == 1
    assert result.remote_address == "127.0.0.2"


def test_a_name_that_does_not_exist_is_told_from_one_that_nobody_knows():
    names = Names(broken_example=socket.gaierror(socket.EAI_AGAIN, "Temporary failure"))
    with open_door(resolve=names) as door:
        missing, broken = (
            send(door, "http://missing.example/"),
            send(door, "http://broken.example/"),
        )
    assert missing.error.evidence["dns"] == "not_found"
    assert broken.error.evidence["dns"] == "no_answer"
    assert missing.error.phase == broken.error.phase == "dns"


def test_a_name_server_that_does_not_answer_ends_at_the_deadline_and_holds_up_nobody():
    names = Names(slow_example=1.5, quick_example=["127.0.0.1"])
    with open_door(resolve=names) as door, Receiver() as receiver:
        started = time.monotonic()
        for number in range(50):
            door.add(request("http://slow.example/", key=number, timeout_seconds=0.5))
        door.add(request(receiver.url(host="quick.example"), key="quick"))
        first, *rest = results(door, 51)
        assert first.key == "quick"
        assert {result.error.evidence["dns"] for result in rest} == {"no_answer"}
        assert time.monotonic() - started < 0.5 + 0.5
    assert names.asked.count("slow.example") == 1


def test_our_own_host_is_refused_but_for_the_urls_that_are_excepted(receiver):
    own = frozenset({"portal.example", f"127.0.0.1:{receiver.port}"})
    bin_url = receiver.url("/bin/1")
    with open_door(refused_hosts=own, own_url_allowed=lambda url: url.startswith(bin_url)) as door:
        assert send(door, "https://portal.example/x").error.blocked_reason
        assert send(door, receiver.url("/api")).error.blocked_reason
        assert send(door, bin_url + "/../../api").error.blocked_reason
        assert send(door, bin_url).status_code == 200


def test_environment_proxies_are_not_used(door, receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert send(door, receiver.url()).status_code == 200


def test_everything_goes_through_the_egress_proxy_where_there_is_one(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with Receiver() as proxy, open_door(proxy=proxy.url(), allowed_networks=()) as door:
        result = send(door, "http://shop.example/hook")
        refused = send(door, "http://10.0.0.1/hook")
    assert result.status_code == 200
    assert proxy.requests[0].target == "http://shop.example/hook"
    assert refused.error.blocked_reason
    assert len(proxy.requests) == 1


# --- many at once -------------------------------------------------------------------------------


def test_a_slow_receiver_does_not_hold_up_the_others(door, receiver):
    receiver.on("/slow", Reply(delay_seconds=1.0))
    for number in range(20):
        door.add(request(receiver.url("/slow"), key=f"slow {number}"))
    door.add(request(receiver.url("/quick"), key="quick"))
    first = door.poll(1.0)
    assert [result.key for result in first] == ["quick"]
    assert first[0].duration_ms < 500
    assert door.in_flight == 20
    assert len(results(door, 20)) == 20
    assert door.in_flight == 0


def test_poll_returns_at_once_when_nothing_is_in_flight_and_in_time_when_nothing_comes(
    door, receiver
):
    started = time.monotonic()
    assert door.poll(5.0) == []
    assert time.monotonic() - started < 0.2
    receiver.on("/slow", Reply(delay_seconds=2.0))
    door.add(request(receiver.url("/slow")))
    started = time.monotonic()
    assert door.poll(0.2) == []
    assert 0.15 < time.monotonic() - started < 0.5


def test_abort_tells_which_requests_were_under_way(receiver):
    receiver.on("/slow", Reply(delay_seconds=5.0))
    names = Names(stuck_example=0.5)
    with open_door(resolve=names) as door:
        for key in ("a", "b"):
            door.add(request(receiver.url("/slow"), key=key))
        door.add(request("http://stuck.example/", key="c"))
        door.poll(0.1)
        door.add(request(receiver.url("/slow"), key="d"))
        assert sorted(door.abort_all()) == ["a", "b", "c", "d"]
        assert door.in_flight == 0
        assert send(door, receiver.url("/quick")).status_code == 200


def test_more_requests_are_in_flight_at_once_than_select_could_watch(door, receiver):
    receiver.on("/slow", Reply(delay_seconds=1.0))
    for number in range(1100):
        door.add(request(receiver.url("/slow"), key=number, timeout_seconds=15.0))
    assert sorted(result.key for result in results(door, 1100)) == list(range(1100))
    assert receiver.connections == 1100


def test_nothing_is_left_open_when_the_door_is_closed(receiver):
    with open_door() as door:
        send(door, receiver.url())
        with Receiver(certificate=certificates.good()) as secure:
            send(door, secure.url())
    gc.collect()  # an unclosed socket would be a ResourceWarning, which is an error


def test_networks_are_allowed_one_by_one():
    with Receiver() as receiver, open_door(allowed_networks=parse_networks(["10.0.0.0/8"])) as door:
        assert send(door, receiver.url()).error.blocked_reason
