"""Custom headers that would change a request's frame, its signature, or the header after them."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from deliveries.models import Attempt
from deliveries.publishing import publish
from deliveries.transport import Transport
from deliveries.transport.request_headers import UnsendableHeader, header_lines
from subscriptions.endpoints.header_rules import MAX_HEADERS, check_headers
from subscriptions.errors import Refused
from subscriptions.models import Broadcaster, Endpoint
from tests.api_clients import Api, account, problem_of
from tests.attacks.verdicts import verdict_of
from tests.deliveries.sending import dispatch, endpoint_at
from tests.deliveries.transports import HEADERS, LOOPBACK, error_of, send
from tests.portal_clients import make_portal
from tests.receiver import Receiver

SIGNATURES = {"clawget": "X-Clawget-Signature", "cryptlex": "Webhook-Signature"}
# Framing, connections and proxies: the protocol's own.
PROTOCOL = [
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Expect",
    "TE",
    "Trailer",
    "Upgrade",
    "HTTP2-Settings",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Proxy-Authenticate",
    "Proxy-Anything",
]
OURS = [
    "Content-Type",
    "Content-Encoding",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "X-Clawget-Signature",
]
BAD_NAMES = [
    "",
    " ",
    "X A",
    " X-A",
    "X-A ",
    "X-A:",
    ":X-A",
    ":method",
    "X:A",
    "X\tA",
    "X\r\nHost",
    "X\nA",
    "X\0A",
    "Größe",
    "日本",
    "X\u2028A",
    "(X)",
    "X/A",
    "X@A",
    "X=A",
    "{X}",
    '"X"',
    "X,A",
    "X;A",
    "X\x7fA",
    "Host\u200b",
]
BAD_VALUES = [
    "a\r\nHost: inside.example",
    "a\nX: y",
    "a\rX: y",
    "a\r\n\r\nGET / HTTP/1.1",
    "a\0b",
    "\r\n",
    "\n",
    "\0",
    "日本",
    "a\u2028b",
    "\u202egnp",
    "a\x01b",
    "a\x1b[31m",
    "a\x7f",
    "a\x85b",
    "\ud800",
    "€",
]
PADDED_VALUES = [" a", "a ", "\ta", "a\t", " ", "\t", "a" * 2_001]


def cases(name: Any) -> set[str]:
    return {name, name.upper(), name.lower(), name.swapcase()}


def refused(*headers: Any, signature_header: str = "X-Own-Signature") -> str:
    with pytest.raises(Refused) as caught:
        check_headers(headers, signature_header=signature_header)
    assert (caught.value.code, caught.value.pointer) == ("header_not_allowed", "/headers")
    return caught.value.detail


def deliver_with(receiver: Receiver, broadcaster: Broadcaster, headers: Any) -> None:
    """Sends one event to an endpoint whose row was changed by hand."""
    endpoint = endpoint_at("https://example.com/", broadcaster)
    Endpoint.objects.filter(pk=endpoint.pk).update(url=receiver.url(), headers=headers)
    topic = broadcaster.platform.topics.earliest("pk")
    publish(broadcaster=broadcaster, topic=topic.name, data=json.loads(topic.sample))
    dispatch()


@pytest.mark.parametrize("name", [*PROTOCOL, *OURS, "X-Own-Signature"])
def test_a_header_of_the_protocol_s_or_ours_is_refused_in_any_case(name: Any) -> None:
    for spelled in cases(name):
        assert "set by the portal itself" in refused((spelled, "x"))


@pytest.mark.parametrize("name", BAD_NAMES)
def test_what_is_no_header_name_is_refused(name: Any) -> None:
    assert "is not a header name" in refused((name, "x"))


@pytest.mark.parametrize("value", [*BAD_VALUES, *PADDED_VALUES])
def test_a_value_that_no_header_can_carry_is_refused(value: Any) -> None:
    assert "X-A" in refused(("X-A", value))


def test_many_headers_and_the_same_header_twice_are_refused() -> None:
    assert "at most" in refused(*[(f"X-{number}", "x") for number in range(MAX_HEADERS + 1)])
    assert "at most" in refused(*[(f"X-{number}", "x") for number in range(50_000)])
    assert "twice" in refused(("X-A", "1"), ("x-a", "2"))
    assert "up to 100" in refused(("X" * 101, "1"))


def test_what_is_allowed_is_sent_as_it_was_given(transport: Transport, receiver: Receiver) -> None:
    allowed = [
        ("Authorization", "Bearer a.b~c"),
        ("Cookie", "a=b; c=d"),
        ("X-Latin", "Größe \xff"),
        ("!#$%&'*+.^_`|~-", ""),
    ]
    assert check_headers(allowed, signature_header="X") == allowed
    send(transport, receiver.url(), headers=tuple(allowed))
    got = receiver.requests[0].headers
    assert [pair for pair in got if pair in allowed] == allowed


@pytest.mark.parametrize(
    "header",
    [
        *[(name, "5") for name in PROTOCOL],
        *[(name, "x") for name in BAD_NAMES],
        *[("X-A", value) for value in BAD_VALUES if value != "a\x85b"],
    ],
    ids=repr,
)
def test_the_transport_itself_sends_no_header_that_would_change_the_frame(
    transport: Transport, receiver: Receiver, header: Any
) -> None:
    """Whatever came past the rules, by hand or by an older version, ends as a fault of ours."""
    result = send(transport, receiver.url(), headers=(*HEADERS, header))
    assert verdict_of(result).failure == "internal"
    assert error_of(result).evidence["own_fault"]
    assert header[1] in ("x", "5") or header[1] not in error_of(result).message
    assert receiver.connections == 0
    with pytest.raises(UnsendableHeader):
        header_lines((header,), "agent")


@pytest.mark.django_db
@pytest.mark.parametrize("platform", ["clawget", "cryptlex"])
def test_the_api_refuses_hostile_headers_at_their_place(platform: str) -> None:
    made = account(platform)
    api = Api(made.token)
    body = {"name": "A", "url": "https://example.com/", "topics": ["*"]}
    hostile: list[object] = [
        {name: "x"} for name in (*PROTOCOL, *OURS, SIGNATURES[platform].upper(), *BAD_NAMES)
    ]
    hostile += [{"X-A": value} for value in BAD_VALUES if value != "\ud800"]
    hostile += [{f"X-{number}": "x" for number in range(3_000)}, {"X-A": "1", "x-a": "2"}]
    hostile += [{"X-A": {"b": 1}}, {"X-A": ["b"]}, ["X-A"], "X-A: b", 7]
    for headers in hostile:
        problem = problem_of(api.post("endpoints", {**body, "headers": headers}), 422)
        assert all(fault["pointer"].startswith("/headers") for fault in problem["errors"]), headers
    assert not Endpoint.objects.exists()


@pytest.mark.django_db
def test_the_form_refuses_hostile_headers_and_keeps_what_was_typed(settings: Settings) -> None:
    portal = make_portal("clawget")
    client, page = portal.client("owner"), portal.url("endpoint-new")
    form = {"name": "A", "url": "https://example.com/", "which": "all"}
    lines = [f"{name}: x" for name in (*PROTOCOL, *OURS)]
    lines += [
        "X A: x",
        ": x",
        ":method: x",
        "no colon",
        "Größe: x",
        "X-A: 日本",
        "X-A: a\x01b",
        "X-A: \u202ea",
    ]
    lines += ["X-A: 1\nx-a: 2", "X-A: a\nHost: inside.example", "X-A: a\x85Host: inside.example"]
    lines += ["\n".join(f"X-{number}: x" for number in range(3_000))]
    for text in lines:
        response = client.post(page, {**form, "headers": text})
        assert response.status_code == 422, text
    assert not Endpoint.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("platform", ["clawget", "cryptlex"])
def test_a_reserved_header_that_was_stored_by_hand_stands_in_for_none_of_ours(
    settings: Settings, platform: str
) -> None:
    """As one that was stored before the platform's signature got its name."""
    settings.WEBHOOKS_ALLOWED_NETWORKS = LOOPBACK
    forged = [
        [name, "forged"]
        for name in (SIGNATURES[platform].upper(), *OURS, "Host", "EXPECT", "Proxy-X")
    ]
    made = account(platform)
    with Receiver() as receiver:
        deliver_with(receiver, made.broadcaster, [*forged, ["X-Own", "kept"]])
        (got,) = receiver.wait_for(1)
    assert got.header("X-Own") == "kept"
    assert "forged" not in str(got.headers)
    assert got.header("Host") == f"127.0.0.1:{receiver.port}"
    assert (
        len([name for name, _ in got.headers if name.lower() == SIGNATURES[platform].lower()]) == 1
    )
    assert "forged" not in str(Attempt.objects.get().request_headers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "header", [["X A", "x"], ["X-A", "a\r\nHost: inside.example"], ["X-A", "日本"]]
)
def test_a_broken_header_that_was_stored_by_hand_is_our_fault_and_is_not_sent(
    settings: Settings, header: Any
) -> None:
    settings.WEBHOOKS_ALLOWED_NETWORKS = LOOPBACK
    made = account("clawget")
    with Receiver() as receiver:
        deliver_with(receiver, made.broadcaster, [header])
        assert receiver.connections == 0
    assert Attempt.objects.get().failure == "internal"
