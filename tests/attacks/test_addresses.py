"""Forbidden addresses, however they are spelled: refused when saved, in words, and when sent."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from deliveries.diagnosis import failure_name
from deliveries.models import Attempt, Delivery
from deliveries.transport import MAX_CONNECT_SECONDS, TransportResult
from subscriptions.endpoints.addresses import parse_networks
from subscriptions.endpoints.url_rules import MAX_URL_LENGTH, check_url
from subscriptions.errors import Refused
from subscriptions.models import Endpoint
from tests.api_clients import Api, account, problem_of
from tests.attacks.spellings import LITERAL, NAMES, UNREADABLE
from tests.attacks.verdicts import explain_to_tenant, verdict_of
from tests.deliveries.sending import dispatch, endpoint_at
from tests.deliveries.transports import Names, error_of, open_transport, send
from tests.portal_clients import make_portal
from tests.receiver import Receiver, closed_port

OWN = frozenset({"portal.example"})
ALLOWED_PORTS = (80, 443, 1024, 8080, 65535)
FORBIDDEN_PORTS = (0, 1, 21, 22, 23, 25, 53, 81, 110, 143, 444, 465, 587, 853, 1023, 65536, 99999)


def refusal(url: Any, **rules: Any) -> str:
    with pytest.raises(Refused) as refused:
        check_url(url, https_required=False, **{"own_hosts": OWN} | rules)
    assert (refused.value.code, refused.value.pointer) == ("url_not_allowed", "/url")
    return refused.value.detail


def sent(url: Any, **options: Any) -> TransportResult:
    with open_transport(
        **{"allowed_networks": (), "refused_hosts": OWN, "resolve": Names()} | options
    ) as transport:
        return send(transport, url)


def test_there_are_many_spellings() -> None:
    assert len(LITERAL) + len(NAMES) >= 60
    assert len(UNREADABLE) >= 40


@pytest.mark.parametrize("host", LITERAL)
def test_a_forbidden_address_is_refused_when_saved_and_when_sent(
    host: Any, opened: list[str]
) -> None:
    for url in (f"https://{host}/", f"http://{host}:8080/latest/meta-data/"):
        detail = refusal(url)
        assert LITERAL[host] in detail
        result = sent(url)
        assert verdict_of(result).failure == "address_blocked"
        # What was typed is what is spoken of: it tells nothing that its author did not know.
        assert detail in explain_to_tenant(result, url).text
    assert opened == []


@pytest.mark.parametrize("host", UNREADABLE)
def test_what_could_be_read_in_two_ways_is_not_read_at_all(host: Any, opened: list[str]) -> None:
    url = f"http://{host}/"
    assert refusal(url)
    result = sent(url)
    assert verdict_of(result).failure == "address_blocked"
    assert (result.status_code, result.remote_address) == (None, "")
    assert opened == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_inside_is_saved_and_refused_when_sent(
    name: Any, opened: list[str]
) -> None:
    url = f"https://{name}/hook"
    names = Names()
    names.names = NAMES
    assert check_url(url, https_required=True, own_hosts=OWN) == url
    result = sent(url, resolve=names)
    assert verdict_of(result).failure == "address_blocked"
    assert names.asked == [name]
    assert opened == []


@pytest.mark.parametrize("host", ["example.com", "8.8.8.8", "[2606:4700::1111]"])
def test_ports_are_the_web_s_own_and_those_that_no_service_of_the_system_has(
    host: Any, opened: list[str]
) -> None:
    names = Names(example_com=["8.8.8.8"])
    for port in FORBIDDEN_PORTS:
        url = f"http://{host}:{port}/"
        assert "ort" in refusal(url)
        assert verdict_of(sent(url, resolve=names)).failure == "address_blocked"
    assert opened == []
    for port in ALLOWED_PORTS:
        url = f"http://{host}:{port}/"
        assert check_url(url, https_required=False, own_hosts=OWN)
        sent(url, resolve=names)
    assert len(opened) == len(ALLOWED_PORTS)
    assert set(opened) <= {"8.8.8.8", "2606:4700::1111"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com:70/_",
        "dict://example.com/",
        "ldap://example.com/",
        "ws://example.com/",
        "javascript://example.com/",
        "data:text/plain,x",
        "http:/example.com",
        "http:example.com",
        "//example.com/",
        "/hook",
        "example.com",
        "",
        "https://example.com/#part",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://example.com/\x00",
        "https://example.com/\x7f",
        "https://example.com/\ud800",
        "https://example.com\\path",
        f"https://example.com/{'a' * MAX_URL_LENGTH}",
        f"https://example.com/{'ü' * 1000}",
        "https://exa\u202emple.com/",
        "HTTP://[::1]:80\\@example.com/",
    ],
)
def test_a_url_that_is_not_plain_http_is_refused_when_saved_and_when_sent(
    url: Any, opened: list[str]
) -> None:
    assert refusal(url)
    assert verdict_of(sent(url)).failure == "address_blocked"
    assert opened == []


def test_a_url_of_2048_characters_is_the_longest() -> None:
    url = "https://example.com/"
    longest = url + "a" * (MAX_URL_LENGTH - len(url))
    assert check_url(longest, https_required=True, own_hosts=OWN) == longest
    assert "2049" in refusal(longest + "a")


# --- networks that the operator allows ------------------------------------------------------------


def test_an_allowed_network_is_let_through_in_every_spelling_and_weakens_nothing_else(
    opened: list[str],
) -> None:
    allowed = parse_networks(["10.1.0.0/16", "fd12::/16"])
    names = Names(inside_example=["10.1.2.3"], mixed_example=["10.1.2.3", "10.2.0.1"])
    let_through = [
        "10.1.2.3",
        "0x0a010203",
        "[::ffff:10.1.2.3]",
        "[64:ff9b::a01:203]",
        "[fd12::5]",
        "inside.example",
    ]
    for host in let_through:
        url = f"http://{host}:8080/"
        assert check_url(url, https_required=False, own_hosts=OWN, allowed_networks=allowed)
        sent(url, allowed_networks=allowed, resolve=names)
    assert set(opened) == {"10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::5"}
    opened.clear()
    for url in (
        "http://10.2.0.1/",
        "http://10.0.255.255/",
        "http://[fd13::1]/",
        "http://127.0.0.1/",
        "http://169.254.169.254/",
        "http://10.1.2.3:22/",
        "http://u:p@10.1.2.3/",
        "http://10.1.2.3/#x",
        "http://portal.example/",
        "http://localhost/",
        "http://[2002:a01:203::1]/",
        "http://[fd13::5efe:10.1.2.3]/",
        "http://[fd12::5efe:10.2.0.1]/",
        "http://mixed.example/",
    ):
        result = sent(url, allowed_networks=allowed, resolve=names)
        assert verdict_of(result).failure == "address_blocked", url
    assert opened == []


def test_all_networks_allowed_is_still_no_leave_for_ports_users_and_our_own_host(
    opened: list[str],
) -> None:
    everything = parse_networks(["0.0.0.0/0", "::/0"])
    for url in (
        "http://10.0.0.1:25/",
        "http://u@10.0.0.1/",
        "http://portal.example/",
        "ftp://10.0.0.1/",
    ):
        assert refusal(url, allowed_networks=everything)
        assert verdict_of(sent(url, allowed_networks=everything)).failure == "address_blocked"
    assert opened == []


# --- our own host ---------------------------------------------------------------------------------


def test_our_own_host_is_refused_but_for_the_urls_that_are_excepted() -> None:
    with Receiver() as receiver:
        own = frozenset({"portal.example", f"127.0.0.1:{receiver.port}"})
        bin_url = receiver.url("/bin/1")
        options = {"refused_hosts": own, "own_url_allowed": lambda url: url.startswith(bin_url)}
        with open_transport(**options) as transport:
            assert error_of(send(transport, "https://portal.example/x")).blocked_reason
            assert error_of(send(transport, receiver.url("/api"))).blocked_reason
            assert error_of(send(transport, bin_url + "/../../api")).blocked_reason
            assert send(transport, bin_url).status_code == 200


@pytest.mark.parametrize("spelled", ["https://Bücher.example", "https://xn--bcher-kva.example."])
def test_our_own_host_is_known_in_whatever_spelling_the_operator_gave_it(
    settings: Settings, spelled: Any
) -> None:
    from subscriptions.endpoints.own_hosts import own_hosts

    settings.WEBHOOKS_PUBLIC_URL = spelled
    assert own_hosts() == {"xn--bcher-kva.example"}
    assert "portal itself" in refusal("https://BÜCHER.example./x", own_hosts=own_hosts())


@pytest.mark.parametrize(
    "rest",
    [
        "../api/v1/events",
        "b1/../../api",
        "b1/%2e%2e/api",
        "b1/%2f..%2fapi",
        "b1/..%5capi",
        "b1\\..\\api",
        "b1/\r\nX: y",
        "b1/ x",
        "b1/#x",
        "b1?a=/..",
        "",
        "/api",
        ".",
        "b1/\u202e",
        "a" * MAX_URL_LENGTH,
    ],
)
def test_the_request_bin_is_no_way_to_the_rest_of_the_portal(
    settings: Settings, rest: Any, opened: list[str]
) -> None:
    from subscriptions.endpoints.own_hosts import is_request_bin, own_hosts

    settings.WEBHOOKS_REQUEST_BIN = True
    settings.WEBHOOKS_PUBLIC_URL = "https://portal.example"
    assert is_request_bin("https://portal.example/bin/bin_b1/status/500/")
    url = f"https://portal.example/bin/{rest}"
    assert not is_request_bin(url)
    result = sent(url, refused_hosts=own_hosts(), own_url_allowed=is_request_bin)
    assert verdict_of(result).failure == "address_blocked"
    assert opened == []


# --- through the product --------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_api_and_the_form_refuse_every_spelling_in_words(settings: Settings) -> None:
    settings.WEBHOOKS_ALLOWED_NETWORKS = []
    settings.WEBHOOKS_PUBLIC_URL = "https://portal.example"
    made = account()
    api, portal = Api(made.token), make_portal("clawget")
    client, page = portal.client("owner"), portal.url("endpoint-new")
    for host in (*LITERAL, *UNREADABLE):
        url = f"https://{host}/hook"
        problem = problem_of(api.post("endpoints", {"name": "A", "url": url, "topics": ["*"]}), 422)
        assert {fault["pointer"] for fault in problem["errors"]} == {"/url"}, host
    for host in (
        "127.1",
        "[64:ff9b::a00:5]",
        "metadata",
        "①②⑦.⓪.⓪.①",
        "PORTAL.example.",
        "127.0.0.1..",
    ):
        form = {"name": "A", "url": f"https://{host}/hook", "which": "all"}
        response = client.post(page, form)
        assert response.status_code == 422
        assert LITERAL.get(host, "is not a host name") in response.content.decode()
    assert not Endpoint.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_stored_by_hand_is_refused_when_sent_and_only_the_operator_s_log_says_why(
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    opened: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from deliveries.publishing import publish
    from deliveries.transport import name_lookup

    settings.WEBHOOKS_ALLOWED_NETWORKS = []
    names = Names()
    names.names = NAMES
    monkeypatch.setattr(name_lookup, "resolve_by_system", names)
    made = account("standard")
    inside = [
        name for name in NAMES if name.startswith(("inside", "metadata", "azure", "localtest"))
    ]
    for host in (*inside, "2130706433", "[::ffff:169.254.169.254]"):
        endpoint = endpoint_at("https://example.com/", made.broadcaster, name=host)
        Endpoint.objects.filter(pk=endpoint.pk).update(url=f"https://{host}:8443/")
    publish(broadcaster=made.broadcaster, topic="user.created", data={"n": 1})
    dispatch()
    attempts = Attempt.objects.all()
    assert len(attempts) == len(inside) + 2
    assert {attempt.failure for attempt in attempts} == {"address_blocked"}
    assert {attempt.remote_address for attempt in attempts} == {""}
    assert opened == []
    lines = [
        record.getMessage() for record in caplog.records if "was not sent to" in record.getMessage()
    ]
    assert len(lines) == len(attempts)
    for detail in (
        "10.0.0.5: a private address",
        "169.254.169.254: a link-local",
        "168.63.129.16: Azure",
    ):
        assert any(detail in line for line in lines), detail
    api = Api(made.token)
    for delivery in Delivery.objects.filter(endpoint__name__in=inside):
        response = api.get(f"deliveries/{delivery.public_id}")
        assert response.status_code == 200
        answer = response.content.decode()
        assert "may not be called" in answer
        for secret in ("10.0.0.5", "169.254.169.254", "168.63.129.16", "metadata service", "Azure"):
            assert secret not in answer, answer
        assert failure_name(delivery.failure) == "Address not allowed"


# --- no oracle ------------------------------------------------------------------------------------


def test_inside_addresses_look_alike_whether_open_closed_filtered_or_absent(
    connected: list[str],
) -> None:
    """The same words, the same evidence, no address, no timing of a connection: none was tried."""
    names = Names()
    seen = set()
    with Receiver() as listening, open_transport(allowed_networks=(), resolve=names) as transport:
        for place in (
            ["127.0.0.1"],
            ["::1"],
            ["10.0.0.5"],
            ["10.0.0.6", "8.8.8.8"],
            ["169.254.169.254"],
        ):
            for port in (listening.port, closed_port(), 443):
                names.names["shop.example"] = place
                transport._lookup._known.clear()
                url = f"https://shop.example:{port}/"
                result = send(transport, url)
                verdict, explanation = verdict_of(result), explain_to_tenant(result, url)
                public = {k: v for k, v in verdict.evidence.items() if k != "operator_only"}
                timings = (result.connect_ms, result.tls_ms, result.first_byte_ms)
                seen.add(
                    (
                        explanation.text,
                        str(explanation.evidence),
                        json.dumps(public),
                        timings,
                        result.remote_address,
                    )
                )
                assert result.duration_ms < MAX_CONNECT_SECONDS * 100
                assert verdict.evidence["operator_only"]["address"] in place
        assert listening.connections == 0
    assert len(seen) == 1
    assert connected == []


@pytest.mark.django_db
def test_the_form_s_look_at_a_url_names_no_address_inside(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else it would tell what names mean in the operator's own network, one by one."""
    from subscriptions.endpoints import url_preview

    settings.WEBHOOKS_ALLOWED_NETWORKS = []
    names = Names()
    names.names = NAMES
    monkeypatch.setattr(url_preview, "resolve_by_system", names)
    portal = make_portal("clawget")
    client, page = portal.client("developer"), portal.url("endpoint-check-url")
    for name, addresses in NAMES.items():
        response = client.get(page, {"url": f"https://{name}/"}, headers={"HX-Request": "true"})
        text = response.content.decode().replace(name, "")
        assert "leads to an address that is not public" in text
        assert not [address for address in addresses if len(address) > 3 and address in text]
    assert "10.0.0.5, a private address" in caplog.text
