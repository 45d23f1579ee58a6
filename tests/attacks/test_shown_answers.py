"""What a hostile receiver answered, as the log's pages and the API show it: inert, and never a 500."""

import html
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from deliveries.diagnosis.explanations import clean_line
from deliveries.event_log.bodies import render_body, reveal_unseen
from deliveries.models import Attempt, Delivery
from deliveries.publishing import publish
from subscriptions.models import Endpoint
from tests import certificates
from tests.api_clients import Api, api_with
from tests.attacks.test_receivers import BROKEN, ODD
from tests.deliveries.sending import dispatch
from tests.deliveries.transports import LOOPBACK
from tests.portal_clients import Portal, make_portal
from tests.receiver import Receiver, Reply

HIDDEN = "\x00\x08\x1b\x7f\x85\xad\u034f\u061c\u115f\u17b5\u180e\u200b\u200f\u2028\u202e\u2066\u2800\u3164\ufeff\ufffe\U000e0041\U0001d173"
SCRIPT = b"<!doctype html><script>alert(1)</script><img src=x onerror=alert(1)>"
MARKUP = "</pre></dd><script>alert(1)</script>"
ANSWERS = {
    "a page of scripts": Reply(body=SCRIPT, headers=(("Content-Type", "text/html"),)),
    "markup in headers": Reply(
        500, MARKUP, ((MARKUP.replace("/", "-"), MARKUP), ("Content-Type", MARKUP)), b""
    ),
    "markup in a redirect": Reply(302, "X", (("Location", "javascript:alert(1)//" + MARKUP),)),
    "hidden characters": Reply(400, "X", (("X-A", "\x1b[31m\x85"),), f"a{HIDDEN}b".encode()),
    "bytes": Reply(418, "X", (), bytes(range(256)) * 8),
    "deep nesting": Reply(
        422, "X", (("Content-Type", "application/json"),), b"[" * 8_000 + b"]" * 8_000
    ),
    "wide nesting": Reply(422, "X", (), b"[" * 900 + b"1," * 6_000 + b"1" + b"]" * 900),
    "long numbers": Reply(422, "X", (), b'{"n": ' + b"9" * 10_000 + b', "f": 1e99999}'),
    "half a character": Reply(500, "X", (), b'{"a": "\xc3'),
    "lone surrogates": Reply(500, "X", (), rb'{"a": "\ud800", "b": "\u0000"}'),
    "odd encodings": Reply(
        500,
        "X",
        (("Content-Type", "text/html; charset=utf-7"), ("Content-Encoding", "gzip, br")),
        b"+ADw-script+AD4-",
    ),
    "odd Retry-After": Reply(429, "X", (("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"),), b""),
    "odder Retry-After": Reply(
        503, "X", (("Retry-After", "-1"), ("Retry-After", "²³"), ("Retry-After", "1e9")), b""
    ),
}
ON_THE_WIRE = {
    answer.name: Reply(raw=answer.raw, then="close")
    for answer in (*BROKEN, *ODD)
    if answer.name
    in (
        "a redirect to nonsense",
        "a Retry-After of 5,000 digits",
        "101",
        "NUL in the status line",
        "HTTP/0.9",
        "a strange status",
        "controls and bidi",
        "60 KB of headers",
        "an enormous length",
    )
}


@pytest.mark.django_db(transaction=True)
def test_no_answer_breaks_a_page_or_the_api_and_none_comes_alive(
    settings: Settings, tmp_path: Path
) -> None:
    settings.WEBHOOKS_ALLOWED_NETWORKS = LOOPBACK
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificates.authority().pem)
    settings.WEBHOOKS_EXTRA_CA_FILE = str(authority)
    forever = certificates.issue(
        issuer=certificates.authority(), expires=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    )
    portal = make_portal("standard")
    api = api_with(portal.live, "events:read")
    with Receiver() as receiver, Receiver(certificate=forever) as lasting:
        urls = {
            name: receiver.on(f"/{n}", reply)
            for n, (name, reply) in enumerate((ANSWERS | ON_THE_WIRE).items())
        }
        urls["a certificate for ever"] = lasting.url()
        for name, url in urls.items():
            endpoint = portal.add_endpoint(name=name)
            Endpoint.objects.filter(pk=endpoint.pk).update(url=url)
        publish(broadcaster=portal.live, topic="user.created", data={"n": 1})
        dispatch()
    deliveries = list(Delivery.objects.select_related("endpoint"))
    assert len(deliveries) == len(urls)
    assert Attempt.objects.exclude(failure="internal").count() == len(urls)
    for delivery in deliveries:
        check_page(portal, delivery)
        check_api(api, delivery)


def check_page(portal: Portal, delivery: Delivery) -> None:
    name = delivery.endpoint.name
    page = f"/b/{portal.live.pk}/deliveries/{delivery.public_id}/"
    response = portal.client("viewer").get(page)
    assert response.status_code == 200, name
    text = response.content.decode()
    assert len(text) < 1_000_000, name
    for alive in ("<script>alert", "<img src=x", 'href="javascript:', MARKUP):
        assert alive not in text, name
    assert not set(text) & set(HIDDEN), name
    if name == "hidden characters":
        assert "⟦U+202E⟧" in html.unescape(text)


def check_api(api: Api, delivery: Delivery) -> None:
    response = api.get(f"deliveries/{delivery.public_id}")
    assert response.status_code == 200, delivery.endpoint.name
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert json.loads(response.content)["attempts"]


@pytest.mark.parametrize("character", HIDDEN)
def test_every_character_that_does_not_show_is_named_or_left_out(character: Any) -> None:
    named = f"a⟦U+{ord(character):04X}⟧b"
    assert reveal_unseen(f"a{character}b") == named
    assert character not in clean_line(f"a{character}b")
    assert character not in html.unescape(render_body(f"a{character}b".encode()).markup)
