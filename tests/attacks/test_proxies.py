"""The operator's egress proxy takes everything; proxies of the environment take nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from deliveries.transport import Transport
from tests import certificates
from tests.attacks.proxy import Proxy
from tests.attacks.verdicts import explain_to_tenant, verdict_of
from tests.deliveries.transports import HEADERS, open_transport, send
from tests.receiver import Receiver, closed_port

SECRET = ("Authorization", "Bearer for-the-receiver-alone")
SIGNED = ("X-Clawget-Signature", "ab" * 32)
VARIABLES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def nobody(name: Any) -> NoReturn:
    raise AssertionError(f"{name} was looked up here, which is the proxy's to do")


@pytest.fixture
def behind(connected: list[str]) -> Callable[..., AbstractContextManager[Transport]]:
    """A transport that has a proxy, allows nothing inside, and looks no name up itself."""

    def make(proxy: Proxy, **options: Any) -> Any:
        defaults = {"proxy": proxy.url, "allowed_networks": (), "resolve": nobody}
        return open_transport(**defaults | options)

    return make


def test_https_goes_through_a_tunnel_and_is_verified_end_to_end(
    behind: Callable[..., AbstractContextManager[Transport]], connected: list[str]
) -> None:
    certificate = certificates.issue(("shop.example",), issuer=certificates.authority())
    with (
        Proxy() as proxy,
        Receiver(certificate=certificate) as receiver,
        behind(proxy) as transport,
    ):
        proxy.places = {"shop.example": receiver.port, "bank.example": receiver.port}
        results = [
            send(transport, "https://shop.example/hook", headers=(*HEADERS, SECRET, SIGNED))
            for _ in range(2)
        ]
        wrong = send(transport, "https://bank.example/")
    assert [result.status_code for result in results] == [200, 200]
    assert verdict_of(wrong).failure == "tls_hostname"
    assert [got.header("Host") for got in receiver.requests] == ["shop.example"] * 2
    assert len(receiver.requests) == 2
    assert set(connected) == {"127.0.0.1"}
    # The tunnel is asked for with a name and nothing of the request.
    assert [head.split(b"\r\n")[0] for head in proxy.heads] == [
        b"CONNECT shop.example:443 HTTP/1.1",
        b"CONNECT bank.example:443 HTTP/1.1",
    ]
    for head in proxy.heads:
        assert b"Bearer" not in head
        assert b"Signature" not in head
    assert "X-Proxy" not in dict(results[0].headers)


def test_http_goes_through_it_in_absolute_form(
    behind: Callable[..., AbstractContextManager[Transport]],
) -> None:
    with Proxy() as proxy, Receiver() as receiver, behind(proxy) as transport:
        proxy.places = {"shop.example": receiver.port}
        result = send(transport, "http://shop.example:8080/hook?a=1")
    assert result.status_code == 200
    assert proxy.heads[0].startswith(b"POST http://shop.example:8080/hook?a=1 HTTP/1.1\r\n")
    assert receiver.requests[0].target == "/hook?a=1"


def test_its_password_goes_to_it_alone(
    behind: Callable[..., AbstractContextManager[Transport]],
) -> None:
    with (
        Proxy(credentials="op:s3cret") as proxy,
        Receiver() as receiver,
        behind(proxy) as transport,
    ):
        proxy.places = {"shop.example": receiver.port}
        assert send(transport, "http://shop.example/").status_code == 200
        forged = send(
            transport, "http://shop.example/", headers=(("Proxy-Authorization", "Basic x"),)
        )
    assert b"Proxy-Authorization: Basic" in proxy.heads[0]
    assert verdict_of(forged).failure == "internal"
    assert len(proxy.heads) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "https://169.254.169.254/latest/",
        "https://[::1]/",
        "http://0x7f.1/",
        "http://localhost/",
        "http://metadata.google.internal/",
        "http://shop.example:22/",
        "http://u:p@shop.example/",
        "https://portal.example/",
    ],
)
def test_the_rules_for_urls_hold_before_a_proxy_too(
    behind: Callable[..., AbstractContextManager[Transport]], connected: list[str], url: Any
) -> None:
    with Proxy() as proxy, behind(proxy, refused_hosts=frozenset({"portal.example"})) as transport:
        assert verdict_of(send(transport, url)).failure == "address_blocked"
    assert connected == []
    assert proxy.heads == []


def test_what_a_proxy_refuses_is_refused_and_says_nothing_about_the_proxy(
    behind: Callable[..., AbstractContextManager[Transport]],
) -> None:
    with Proxy(refuses=b"HTTP/1.1 403 Not to 10.0.0.5") as proxy, behind(proxy) as transport:
        result = send(transport, "https://inside.example/")
    text = explain_to_tenant(result, "https://inside.example/").text
    assert verdict_of(result).failure == "address_blocked"
    for detail in ("127.0.0.1", "10.0.0.5", proxy.url):
        assert detail not in text + str(verdict_of(result).evidence)
    assert result.remote_address == ""


def test_where_the_proxy_is_is_told_to_nobody(
    behind: Callable[..., AbstractContextManager[Transport]],
) -> None:
    with Proxy() as proxy, Receiver() as receiver, behind(proxy) as transport:
        proxy.places = {"shop.example": receiver.port}
        good = send(transport, "http://shop.example/")
    assert (good.status_code, good.remote_address) == (200, "")


def test_a_proxy_that_is_down_or_stalls_is_a_fault_of_ours_and_ends_in_time(
    behind: Callable[..., AbstractContextManager[Transport]],
) -> None:
    with open_transport(proxy=f"http://127.0.0.1:{closed_port()}", resolve=nobody) as transport:
        assert verdict_of(send(transport, "https://shop.example/")).failure == "internal"
    with Proxy(silent=True) as proxy, behind(proxy) as transport:
        stalled = send(transport, "https://shop.example/", timeout_seconds=0.4)
    assert verdict_of(stalled).failure == "connect_timeout"
    assert stalled.duration_ms < 900
    assert "127.0.0.1" not in explain_to_tenant(stalled, "https://shop.example/").text


def test_no_proxy_of_the_environment_keeps_anything_from_the_operator_s(
    behind: Callable[..., AbstractContextManager[Transport]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    for name in VARIABLES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    with Proxy() as proxy, Receiver() as receiver, behind(proxy) as transport:
        proxy.places = {"shop.example": receiver.port}
        assert send(transport, "http://shop.example/").status_code == 200
    assert len(proxy.heads) == 1


def test_proxies_passwords_and_settings_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Proxy() as proxy, Receiver() as receiver:
        for name in VARIABLES:
            monkeypatch.setenv(name, proxy.url)
        lines = "machine 127.0.0.1 login me password pass\nmachine localhost login me password pass\ndefault login me password pass\n"
        for name in (".netrc", "_netrc"):
            (tmp_path / name).write_text(lines)
        (tmp_path / ".curlrc").write_text("header = X-Curlrc: 1\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("CURL_HOME", str(tmp_path))
        with open_transport() as transport:
            assert send(transport, receiver.url()).status_code == 200
            assert send(transport, receiver.url(host="localhost")).status_code == 200
    assert proxy.heads == []
    assert len(receiver.requests) == 2
    for got in receiver.requests:
        assert {name for name, _ in got.headers} == {
            "Host",
            "Content-Type",
            "User-Agent",
            "Content-Length",
        }


def test_cookies_are_neither_kept_nor_sent(transport: Transport, receiver: Receiver) -> None:
    from tests.receiver import Reply

    receiver.on("/", Reply(headers=(("Set-Cookie", "a=b; Path=/"),)))
    for _ in range(2):
        assert send(transport, receiver.url()).status_code == 200
    assert [got.header("Cookie") for got in receiver.requests] == [None, None]
