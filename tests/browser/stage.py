"""A broadcaster with some of everything, really sent: what tests of all pages show."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from deliveries.models import BinRequest, Delivery, DeliveryStatus
from deliveries.publishing import publish
from deliveries.recovery import resend
from deliveries.test_console import FAULTS, explain_unsuitable, send_fault_pack, send_test
from deliveries.test_console.request_bin import bin_url, open_bin
from subscriptions.accounts.members import find_invitation, invite
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.signing_tokens import rotate_token
from subscriptions.endpoints.status import set_endpoint_active
from subscriptions.models import Endpoint, PublisherToken
from tests.deliveries.sending import dispatch
from tests.portal_clients import PASSWORD, Portal
from tests.receiver import Receiver, Reply

LONG_NAME = "The customer relations system of the Scandinavian and Baltic subsidiaries"


@dataclass
class Stage:
    """Public ids of the things that pages are about, all in the live broadcaster."""

    portal: Portal
    bin: str
    failing: str
    suspended: str
    off: str
    accepted: str
    failed: str
    retried: str
    test: str
    run: str
    event: str
    bin_request: int
    publisher_token: str
    member: int
    invitation: str

    def arguments(self, names: tuple[str, ...]) -> list[object]:
        known = {field.name for field in fields(self)}
        return [getattr(self, name) if name in known else name for name in names]

    def session(self, who: str) -> str:
        """A session of someone who has just given their password; "" for nobody."""
        if who == "nobody":
            return ""
        client = self.portal.client(who)
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
        return client.cookies["sessionid"].value


def set_stage(portal: Portal, receiver: Receiver) -> Stage:
    bad = receiver.on("/bad", Reply(500, "Internal Server Error", body=b"<h1>Broken</h1>"))
    gone = receiver.on("/gone", Reply(410, "Gone", body=b""))
    endpoints = {
        "bin": portal.add_endpoint(
            name="Request bin", url=bin_url(open_bin(portal.live)), signature="standard"
        ),
        "failing": portal.add_endpoint(
            name=LONG_NAME,
            url=f"{bad}?tenant={'0123456789' * 12}",
            topics=[
                "passCreated",
                "passTerminated",
                "subscriptionReadyForPaymentAuthorisation",
                "paymentDetailsDeactivated",
            ],
            description="Asks for nothing, and breaks on everything.",
            headers=[("X-Tenant", "north"), ("Authorization", "Bearer secret")],
            rate_limit=20,
        ),
        "suspended": portal.add_endpoint(name="Old shop", url=gone),
        "off": portal.add_endpoint(name="Reports", url=receiver.url("/reports")),
    }
    rotate_token(endpoint=endpoints["bin"], actor=COMMAND_LINE)
    set_endpoint_active(endpoint=endpoints["off"], active=False, actor=COMMAND_LINE)
    failed = _fail_for_good(portal, endpoints["failing"])
    event = publish(
        broadcaster=portal.live,
        topic="passTerminated",
        data={"passId": "p-2", "note": "ü" * 300, "customer": {"email": "a@example.com"}},
    ).event
    test = send_test(endpoint=endpoints["failing"], actor=COMMAND_LINE, topic="passCreated")
    run = send_fault_pack(
        endpoint=endpoints["bin"],
        actor=COMMAND_LINE,
        kinds=[f.kind for f in FAULTS if not explain_unsuitable(f.kind, endpoints["bin"])],
    )
    dispatch()
    # The faulty requests are planned for a second later.
    Delivery.objects.filter(test=True, status="pending").update(next_attempt_at=timezone.now())
    resent = Delivery.objects.get(event=event, endpoint=endpoints["failing"])
    resend(delivery=resent, actor=COMMAND_LINE)
    dispatch()
    new = invite(
        broadcaster=portal.live, email="new@example.com", role="viewer", actor=COMMAND_LINE
    )
    assert find_invitation(new.token) is not None
    return Stage(
        portal=portal,
        **{name: endpoint.public_id for name, endpoint in endpoints.items()},
        accepted=Delivery.objects.get(event=event, endpoint=endpoints["bin"]).public_id,
        failed=failed.public_id,
        retried=resent.public_id,
        test=test.public_id,
        run=run,
        event=event.event_id,
        bin_request=BinRequest.objects.latest("pk").pk,
        publisher_token=PublisherToken.objects.filter(broadcaster=portal.live)[0].public_id,
        member=portal.live.members.get(user=portal.users["viewer"]).pk,
        invitation=new.token,
    )


def _fail_for_good(portal: Portal, endpoint: Endpoint) -> Delivery:
    """Make every attempt of the schedule fail; in the log they lie hours apart."""
    event = publish(broadcaster=portal.live, topic="passCreated", data={"passId": "p-1"}).event
    deliveries = Delivery.objects.filter(event=event, endpoint=endpoint)
    for _ in range(portal.live.rules.max_requests):
        deliveries.filter(status=DeliveryStatus.PENDING).update(next_attempt_at=timezone.now())
        dispatch()
        for attempt in deliveries.get().attempts.all():
            assert attempt.responded_at is not None
            attempt.sent_at = attempt.sent_at - timedelta(hours=2)
            attempt.responded_at = attempt.responded_at - timedelta(hours=2)
            attempt.save()
    return deliveries.get(status=DeliveryStatus.FAILED)
