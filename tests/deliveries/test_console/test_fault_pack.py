"""The fault pack and the rehearsal of a new token: really sent, graded by what came back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deliveries.models import Attempt, Delivery, EndpointHealth, EndpointHour, Variant
from deliveries.publishing import MAX_BODY_BYTES
from deliveries.statistics.first_steps import read_first_steps
from deliveries.test_console.fault_pack import FAULTS, explain_unsuitable, load_run, send_fault_pack
from deliveries.test_console.test_requests import rehearse_token
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.signing_tokens import decrypt_tokens, end_previous_token, rotate_token
from subscriptions.errors import Conflict, Refused
from subscriptions.models import AuditEntry, Endpoint
from tests.deliveries.sending import dispatch
from tests.deliveries.views.pages import url
from tests.portal_clients import HTMX, Portal, make_portal
from tests.receiver import Received, Receiver, Reply

pytestmark = pytest.mark.django_db
ALL = [fault.kind for fault in FAULTS]
OK, BAD = Reply(), Reply(401, "Unauthorized", body=b"bad signature")


@pytest.fixture
def portal(db: None) -> Portal:
    return make_portal("standard")


@pytest.fixture
def receiver(transactional_db: None, receiver: Receiver) -> Receiver:
    return receiver


def current_token(endpoint: Endpoint) -> str:
    pair = decrypt_tokens(endpoint, timezone.now())
    assert pair is not None
    return pair.current


def checking(token: Callable[[], str]) -> Callable[[Received], Reply]:
    """A receiver that verifies by the book, with the token it knows when a request comes."""

    def answer(request: Received) -> Reply:
        headers = {name.lower(): value for name, value in request.headers}
        try:
            Webhook(token()).verify(request.body, headers)
        except WebhookVerificationError:
            return BAD
        return OK

    return answer


def send_all(endpoint: Endpoint, kinds: list[str] = ALL) -> str:
    """The run, with every answer in."""
    run = send_fault_pack(endpoint=endpoint, actor=COMMAND_LINE, kinds=kinds)
    dispatch()  # the usual one
    Delivery.objects.filter(status="pending").update(next_attempt_at=timezone.now())
    dispatch()
    return run


def grades(portal: Portal, run: str) -> dict[str, str]:
    sent = load_run(portal.live, run)
    return {one.fault.kind: one.grade.state for one in sent if one.fault and one.grade}


def test_a_receiver_by_the_book_handles_every_fault(portal: Portal, receiver: Receiver) -> None:
    endpoint = portal.add_endpoint(url=receiver.url("/in"))
    receiver.on("/in", checking(lambda: current_token(endpoint)))
    assert grades(portal, send_all(endpoint)) == dict.fromkeys(ALL, "right")


def test_a_refused_forgery_ticks_the_step_of_the_verified_signature(
    portal: Portal, receiver: Receiver
) -> None:
    careless = portal.add_endpoint(url=receiver.url("/careless"))
    send_all(careless, ["bad_signature"])
    assert not read_first_steps(portal.live).signature_verified
    by_the_book = portal.add_endpoint(name="B", url=receiver.url("/in"))
    receiver.on("/in", checking(lambda: current_token(by_the_book)))
    send_all(by_the_book, ["bad_signature"])
    assert read_first_steps(portal.live).signature_verified
    assert not read_first_steps(portal.sandbox).signature_verified


def test_a_careless_receiver_is_told_what_it_let_through(
    portal: Portal, receiver: Receiver
) -> None:
    endpoint = portal.add_endpoint(url=receiver.url("/in"))
    run = send_all(endpoint)
    found = grades(portal, run)
    assert {kind for kind, state in found.items() if state == "wrong"} == {
        "bad_signature",
        "old_timestamp",
    }
    text = portal.client("viewer").get(url(portal, "test-faults-result", run)).content.decode()
    assert "your receiver does not check signatures" in text
    assert "3 of 5 handled rightly" in text
    assert "hx-trigger" not in text


def test_every_fault_is_what_it_says_on_the_wire(portal: Portal, receiver: Receiver) -> None:
    endpoint = portal.add_endpoint(url=receiver.url("/in"))
    run = send_all(endpoint)
    ids = {a.delivery.variant.kind: a for a in Attempt.objects.select_related("delivery__variant")}
    headers = {kind: dict(a.request_headers) for kind, a in ids.items()}
    usual, again = headers["usual"], headers["duplicate"]
    assert again["webhook-id"] == usual["webhook-id"]
    bodies = [request.body for request in receiver.requests]
    same = [r.body for r in receiver.requests if r.header("webhook-id") == usual["webhook-id"]]
    assert same == [bodies[0]] * 2
    age = int(usual["webhook-timestamp"]) - int(headers["old_timestamp"]["webhook-timestamp"])
    assert 3500 < age < 3700
    events = {v.kind: v.delivery.event for v in Variant.objects.select_related("delivery__event")}
    assert events["usual"].occurred_at - events["out_of_order"].occurred_at > timedelta(minutes=59)
    assert len(events["large_body"].body.encode()) == MAX_BODY_BYTES
    assert max(map(len, bodies)) == MAX_BODY_BYTES
    assert {v.run for v in Variant.objects.all()} == {run}


def test_a_run_is_not_retried_and_counted_nowhere(portal: Portal, receiver: Receiver) -> None:
    endpoint = portal.add_endpoint(url=receiver.on("/in", Reply(500, "Broken")))
    run = send_all(endpoint)
    assert {d.status for d in Delivery.objects.all()} == {"failed"}
    assert all(d.test and d.attempt_count == 1 for d in Delivery.objects.all())
    assert not EndpointHour.objects.exists()
    assert not EndpointHealth.objects.filter(consecutive_failures__gt=0).exists()
    assert set(grades(portal, run).values()) == {"open"}, "the usual one failed as well"


def test_another_broadcasters_run_is_not_found(portal: Portal, receiver: Receiver) -> None:
    run = send_all(portal.add_endpoint(url=receiver.url("/in")), ["duplicate"])
    foreign = url(portal, "test-faults-result", run, of=portal.foreign)
    assert portal.client("stranger").get(foreign).status_code == 404
    assert portal.client("stranger").get(url(portal, "test-faults-result", run)).status_code == 404


@pytest.mark.parametrize(
    ("platform", "settings", "hidden"),
    [
        ("standard", {}, set()),
        ("clawget", {}, {"old_timestamp"}),
        ("clawget", {"signature": "standard"}, set()),
        ("cryptlex", {}, {"old_timestamp"}),
        ("cleeng", {}, {"bad_signature", "old_timestamp", "out_of_order"}),
        ("cleeng", {"signature": "standard"}, {"out_of_order"}),
    ],
)
def test_a_fault_that_shows_nothing_with_a_scheme_is_explained_and_not_sent(
    platform: str, settings: dict[str, Any], hidden: set[str]
) -> None:
    portal = make_portal(platform)
    endpoint = portal.add_endpoint(**settings)
    reasons = {kind: explain_unsuitable(kind, endpoint) for kind in ALL}
    assert {kind for kind, reason in reasons.items() if reason} == hidden
    console = portal.client("developer").get(url(portal, "test-console")).content.decode()
    for kind in hidden:
        assert reasons[kind].split(":")[0] in console
        with pytest.raises(Refused):
            send_fault_pack(endpoint=endpoint, actor=COMMAND_LINE, kinds=[kind])
    assert not Delivery.objects.exists()


def test_the_console_shows_the_results_as_they_come_in(portal: Portal, receiver: Receiver) -> None:
    endpoint = portal.add_endpoint(url=receiver.url("/in"))
    client = portal.client("developer")
    form = {"endpoint": endpoint.public_id, "faults": ["bad_signature", "duplicate"]}
    queued = client.post(url(portal, "test-faults"), form, headers=HTMX)
    assert "3 of 3 on the way" in queued.content.decode()
    result = url(portal, "test-faults-result", Variant.objects.all()[0].run)
    tagged = {**HTMX, "If-None-Match": queued["ETag"]}
    assert client.get(result, headers=tagged).status_code == 304
    dispatch()
    changed = client.get(result, headers=tagged)
    assert changed.status_code == 200
    assert "2 of 3 on the way" in changed.content.decode()
    assert client.post(url(portal, "test-faults"), form)["Location"].startswith(
        url(portal, "test-faults") + "run_"
    )


def test_no_fault_chosen_is_refused_in_words(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    refused = portal.client("developer").post(
        url(portal, "test-faults"), {"endpoint": endpoint.public_id}, headers=HTMX
    )
    assert refused.status_code == 422
    assert "Choose at least one fault to send." in refused.content.decode()


@pytest.mark.parametrize("platform", ["standard", "cryptlex"])
def test_a_rehearsal_tells_whether_the_receiver_knows_the_new_token(
    receiver: Receiver, platform: str
) -> None:
    portal = make_portal(platform)
    endpoint = portal.add_endpoint(url=receiver.url("/in"))
    before = current_token(endpoint)
    rotate_token(endpoint=endpoint, actor=COMMAND_LINE)
    endpoint.refresh_from_db()
    header = "webhook-signature" if platform == "standard" else "Webhook-Signature"
    client = portal.client("developer")
    rehearse = url(portal, "endpoint-rehearse-token", endpoint.public_id)
    page = client.get(portal.url("endpoint-token", endpoint.public_id)).content.decode()
    assert f'action="{rehearse}"' in page

    def answer(request: Received) -> Reply:
        return OK if request.header(header) == alone else BAD

    receiver.on("/in", answer)
    alone = "nothing"
    client.post(rehearse, headers=HTMX)
    dispatch()
    sent = receiver.requests[-1]
    assert len((sent.header(header) or "").split()) == 1, "one signature, not two"
    if platform == "standard":
        known = dict(sent.headers)
        Webhook(current_token(endpoint)).verify(sent.body, known)
        with pytest.raises(WebhookVerificationError):
            Webhook(before).verify(sent.body, known)
    delivery = Delivery.objects.get()
    result = url(portal, "test-result", delivery.public_id)
    refused = client.get(result, headers=HTMX).content.decode()
    assert "does not know the new token yet" in refused
    receiver.on("/in", OK)
    client.post(rehearse)
    dispatch()
    last = Delivery.objects.latest("pk")
    told = f"signed with …{endpoint.token_hint} alone was accepted"
    assert (
        told
        in client.get(url(portal, "test-result", last.public_id), headers=HTMX).content.decode()
    )
    assert told in client.get(url(portal, "delivery-detail", last.public_id)).content.decode()
    entry = AuditEntry.objects.filter(action="endpoint.test").latest("pk")
    assert entry.after is not None
    assert entry.after["variant"] == "new_token"


def test_without_an_overlap_there_is_nothing_to_rehearse(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    rotate_token(endpoint=endpoint, actor=COMMAND_LINE)
    endpoint.refresh_from_db()
    end_previous_token(endpoint=endpoint, actor=COMMAND_LINE)
    with pytest.raises(Conflict, match="has one token only"):
        rehearse_token(endpoint=endpoint, actor=COMMAND_LINE)
    page = portal.client("developer").get(portal.url("endpoint-token", endpoint.public_id))
    assert "rehearse-token" not in page.content.decode()


def test_a_viewer_reads_who_rotates_and_is_offered_no_rehearsal(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    rotate_token(endpoint=endpoint, actor=COMMAND_LINE)
    address = portal.url("endpoint-token", endpoint.public_id)
    text = portal.client("viewer").get(address).content.decode()
    assert "when a developer or an owner rotates it" in text
    assert "rehearse" not in text
    assert "End now" not in text
