"""The signature debugger as a page: what may be pasted, what it finds, and what it never tells."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.utils import timezone

from deliveries.models import Delivery
from deliveries.signing.signature import signature_headers
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.signing_tokens import decrypt_tokens, rotate_token
from subscriptions.models import Endpoint
from tests.deliveries.views.pages import add_attempt, create_delivery, publish_event, url
from tests.portal_clients import HTMX, Portal, make_portal

TOKEN = "a-typed-token-of-acme"


@pytest.fixture
def portal(db: None) -> Portal:
    return make_portal()


def endpoint_of(portal: Portal, **settings: Any) -> Endpoint:
    endpoint = portal.add_endpoint(**settings)
    if endpoint.broadcaster.rules.signature.token == "typed":
        rotate_token(endpoint=endpoint, actor=COMMAND_LINE, token=TOKEN, overlap=timedelta(0))
        endpoint.refresh_from_db()
    return endpoint


def signed(endpoint: Endpoint, body: bytes, event_id: str = "evt_1") -> dict[str, str]:
    tokens = decrypt_tokens(endpoint, timezone.now())
    return dict(
        signature_headers(
            signature=endpoint.broadcaster.rules.signature,
            choice=endpoint.signature,
            tokens=tokens,
            event_id=event_id,
            body=body,
            sent_at=timezone.now(),
        )
    )


def lines(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def ask(portal: Portal, who: str = "developer", **form: Any) -> HttpResponse:
    response = portal.client(who).post(url(portal, "signature-debugger"), form)
    assert isinstance(response, HttpResponse)
    return response


def verdict(response: Any) -> str:
    assert response.status_code == 200, response.context["form"].errors
    return str(response.context["diagnosis"].finding.code)


def test_a_request_that_verifies_is_told_so_with_the_webhook_that_signed_it(
    portal: Portal,
) -> None:
    endpoint = endpoint_of(portal, name="Billing")
    portal.add_endpoint(name="Mails", url="https://example.com/mails")
    body = '{"a":"Größe"}'
    response = ask(portal, headers=lines(signed(endpoint, body.encode())), body=body)
    assert verdict(response) == "right"
    text = response.content.decode()
    assert "This request verifies" in text
    assert f"of {endpoint.name}" in text
    assert response["Cache-Control"] == "no-store"


def test_a_rewritten_body_is_named_with_its_first_byte_and_the_line_to_change(
    portal: Portal,
) -> None:
    endpoint = endpoint_of(portal)
    body = b'{"event":"license.created","data":{"key":"x"}}'
    response = ask(
        portal,
        headers=lines(signed(endpoint, body)),
        body=json.dumps(json.loads(body)),
        framework="flask",
    )
    assert verdict(response) == "python-json"
    text = response.content.decode()
    assert "The first byte that differs is number 10" in text
    assert "request.get_data()" in text


def test_the_body_of_the_delivery_is_compared_where_its_id_is_given(portal: Portal) -> None:
    endpoint = endpoint_of(portal)
    delivery = create_delivery(portal.live, key="x")
    headers = lines(signed(endpoint, delivery.event.body.encode()))
    cut = delivery.event.body[:20]
    for named in (delivery.public_id, delivery.event.event_id):
        assert verdict(ask(portal, headers=headers, body=cut, event=named)) == "truncated-body"


def test_without_an_id_a_recent_event_is_found_by_the_signature_itself(portal: Portal) -> None:
    endpoint = endpoint_of(portal)
    event = publish_event(portal.live, key="x")
    publish_event(portal.live, key="y")
    headers = lines(signed(endpoint, event.body.encode()))
    response = ask(portal, headers=headers, body=event.body[:20])
    assert verdict(response) == "truncated-body"
    assert event.event_id in response.content.decode()


def test_the_event_of_another_broadcaster_is_unknown_here(portal: Portal) -> None:
    endpoint_of(portal)
    foreign = endpoint_of(portal, broadcaster=portal.foreign)
    others = "a-token-that-others-have"
    rotate_token(endpoint=foreign, actor=COMMAND_LINE, token=others, overlap=timedelta(0))
    foreign.refresh_from_db()
    event = publish_event(portal.foreign, key="secret-thing")
    headers = lines(signed(foreign, event.body.encode()))
    response = ask(portal, headers=headers, body="{}", event=event.event_id)
    assert verdict(response) == "empty-body"
    text = response.content.decode()
    assert "not one of this broadcaster" in text
    assert "secret-thing" not in text
    delivery = Delivery.objects.get(event=event)
    response = ask(portal, headers=headers, body='{"a":1}', event=delivery.public_id)
    assert verdict(response) == "unknown-event"


def test_tokens_of_the_sandbox_ended_and_other_ones_are_told_apart(portal: Portal) -> None:
    endpoint = endpoint_of(portal, name="Shop")
    other = portal.add_endpoint(name="Billing", url="https://example.com/billing")
    twin = portal.add_endpoint(portal.sandbox, name="Trial")
    body = b'{"n":1}'
    asked = {"body": body.decode(), "endpoint": endpoint.public_id}
    for signer, code in ((other, "token-of-another"), (twin, "token-of-twin")):
        assert verdict(ask(portal, headers=lines(signed(signer, body)), **asked)) == code
    old = lines(signed(endpoint, body))
    rotate_token(endpoint=endpoint, actor=COMMAND_LINE, token="the-token-after-it")
    assert verdict(ask(portal, headers=old, **asked)) == "right"
    Endpoint.objects.filter(pk=endpoint.pk).update(previous_expires_at=timezone.now())
    assert verdict(ask(portal, headers=old, **asked)) == "token-ended"


def test_the_secret_is_compared_and_never_comes_back(portal: Portal) -> None:
    endpoint = endpoint_of(portal)
    body = b'{"n":1}'
    asked = {"headers": lines(signed(endpoint, body)), "body": body.decode()}
    for secret, code in (
        (TOKEN, "right"),
        (f" {TOKEN}", "secret-whitespace"),
        (f'"{TOKEN}"', "secret-quotes"),
        ("quite-another-secret", "secret-unknown"),
    ):
        response = ask(portal, **asked, secret=secret)
        assert verdict(response) == code
        assert secret not in response.content.decode()
        assert TOKEN not in response.content.decode()


def test_no_answer_tells_a_token_or_the_signature_that_would_be_right(portal: Portal) -> None:
    """A viewer who could have any body signed could forge requests."""
    endpoint = endpoint_of(portal)
    body = b'{"forged":true}'
    right = signed(endpoint, body)["Webhook-Signature"]
    for headers in (
        "Webhook-Signature: " + "A" * 43 + "=",
        f"Webhook-Signature: {right[:12]}",
        "X: y",
    ):
        text = ask(portal, "viewer", headers=headers, body=body.decode()).content.decode()
        assert right not in text
        assert TOKEN not in text


@pytest.mark.parametrize(
    "form", ["json", "cgi", "wsgi", "php", "rack", "go", "curl", "lambda", "node", "copied"]
)
def test_headers_may_be_pasted_as_each_tool_prints_them(portal: Portal, form: str) -> None:
    endpoint = endpoint_of(portal)
    body = b'{"n":1}'
    value = signed(endpoint, body)["Webhook-Signature"]
    pasted = {
        "json": json.dumps({"host": "x", "webhook-signature": value}),
        "cgi": f"HTTP_HOST=x\nHTTP_WEBHOOK_SIGNATURE={value}",
        "wsgi": f"{{'wsgi.input': <_io.BytesIO object>, 'HTTP_WEBHOOK_SIGNATURE': '{value}'}}",
        "php": f"Array\n(\n    [HTTP_HOST] => x\n    [HTTP_WEBHOOK_SIGNATURE] => {value}\n)",
        "rack": f'{{"rack.version"=>[1, 6], "HTTP_WEBHOOK_SIGNATURE"=>"{value}"}}',
        "go": f"map[Host:[x] Webhook-Signature:[{value}]]",
        "curl": f"> POST /in HTTP/1.1\n> Host: x\n> webhook-signature: {value}\n>\n* done",
        "lambda": json.dumps(
            {
                "headers": {"Webhook-Signature": value},
                "body": base64.b64encode(body).decode(),
                "isBase64Encoded": True,
            }
        ),
        "node": json.dumps(["Host", "x", "Webhook-Signature", value]),
        "copied": f"webhook-signature:\n{value}\nhost:\nx",
    }[form]
    given = {} if form == "lambda" else {"body": body.decode()}
    response = ask(portal, headers=pasted, **given)
    assert verdict(response) == "right"


def test_the_body_may_be_pasted_encoded_or_uploaded(portal: Portal) -> None:
    endpoint = endpoint_of(portal)
    body = '{"n":"ö"}\r\n'.encode()
    headers = lines(signed(endpoint, body))
    for form, text in (("hex", body.hex()), ("base64", base64.b64encode(body).decode())):
        assert verdict(ask(portal, headers=headers, body=text, body_form=form)) == "right"
    uploaded = SimpleUploadedFile("body.json", body)
    assert verdict(ask(portal, headers=headers, upload=uploaded)) == "right"
    # A form turns line ends into CR LF, so that a text's are not what it had.
    pasted = ask(portal, headers=headers, body=body.decode())
    assert verdict(pasted) in ("trailing-newline", "line-endings")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"headers": ""}, "Headers is missing."),
        ({"headers": "nothing of the kind"}, "No headers were found"),
        ({"headers": "A: b", "body": "zz", "body_form": "hex"}, "The body is not hex"),
        ({"headers": "A: b", "received_at": "noon"}, "is no time"),
        ({"headers": "A: b", "endpoint": "ep_foreign"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(
    portal: Portal, form: dict[str, str], words: str
) -> None:
    for headers in ({}, HTMX):
        client = portal.client("viewer")
        response = client.post(url(portal, "signature-debugger"), form, headers=headers)
        assert response.status_code == 422
        assert words in response.content.decode()


def test_an_upload_that_is_too_large_is_refused_and_not_written_to_disk(
    portal: Portal, settings: Any
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000
    response = ask(portal, headers="A: b", upload=SimpleUploadedFile("body", b"x" * 2_000))
    assert response.status_code == 422
    assert "too large" in response.content.decode()
    assert not any("Temporary" in handler for handler in settings.FILE_UPLOAD_HANDLERS)


def test_a_delivery_fills_the_form_with_what_was_sent(portal: Portal) -> None:
    endpoint = endpoint_of(portal)
    delivery = create_delivery(portal.live, key="x")
    headers = signed(endpoint, delivery.event.body.encode())
    add_attempt(delivery, request_headers=[["X-Old", "1"]])
    add_attempt(delivery, request_headers=[list(pair) for pair in headers.items()])
    client = portal.client("viewer")
    address = url(portal, "signature-debugger")
    page = client.get(f"{address}?delivery={delivery.public_id}")
    initial = page.context["form"].initial
    assert initial == {
        "endpoint": endpoint.public_id,
        "headers": lines(headers),
        "body": delivery.event.body,
        "event": delivery.public_id,
    }
    response = client.post(address, initial)
    assert verdict(response) == "right"
    first = client.get(f"{address}?delivery={delivery.public_id}&attempt=1")
    assert first.context["form"].initial["headers"] == "X-Old: 1"
    detail = client.get(url(portal, "delivery-detail", delivery.public_id)).content.decode()
    assert f"{address}?delivery={delivery.public_id}&amp;attempt=2" in detail


def test_another_broadcasters_delivery_is_not_filled_in(portal: Portal) -> None:
    endpoint_of(portal, broadcaster=portal.foreign)
    delivery = create_delivery(portal.foreign, key="x")
    address = f"{url(portal, 'signature-debugger')}?delivery={delivery.public_id}"
    assert portal.client("owner").get(address).status_code == 404


def test_the_token_page_leads_here(portal: Portal) -> None:
    endpoint = endpoint_of(portal)
    page = portal.client("viewer").get(portal.url("endpoint-token", endpoint.public_id))
    address = f"{url(portal, 'signature-debugger')}?endpoint={endpoint.public_id}"
    assert address in page.content.decode()
    form = portal.client("viewer").get(address).context["form"]
    assert form["endpoint"].value() == endpoint.public_id


def test_the_time_of_arrival_is_taken_as_iso_or_unix(db: None) -> None:
    portal = make_portal("standard")
    endpoint = endpoint_of(portal)
    headers = lines(signed(endpoint, b"{}"))
    late = int(datetime.now(UTC).timestamp()) + 3_600
    for text in (str(late), datetime.fromtimestamp(late, UTC).strftime("%Y-%m-%d %H:%M:%S")):
        response = ask(portal, headers=headers, body="{}", received_at=text)
        assert verdict(response) == "timestamp-old"


def test_a_platform_that_does_not_sign_says_so(db: None) -> None:
    portal = make_portal("cleverpush")
    response = ask(portal, headers="Content-Type: application/json", body="{}")
    assert verdict(response) == "unsigned"


def test_it_takes_twelve_queries_at_most_and_writes_nothing(
    portal: Portal, django_assert_max_num_queries: Any
) -> None:
    endpoint = endpoint_of(portal)
    for number in range(5):
        publish_event(portal.live, n=number)
    client = portal.client("developer")
    address = url(portal, "signature-debugger")
    client.get(address)
    form = {"headers": lines(signed(endpoint, b"{}")), "body": "[1]", "event": "evt_none"}
    with django_assert_max_num_queries(12) as queries:
        client.post(address, form)
    written = ("INSERT", "UPDATE", "DELETE")
    assert not [q for q in queries.captured_queries if q["sql"].startswith(written)]
