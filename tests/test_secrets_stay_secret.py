"""One of each secret, then a walk through everything that can be read: none of them is in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.signals import got_request_exception
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.views.debug import ExceptionReporter

from deliveries.models import BinRequest
from deliveries.publishing import publish
from deliveries.test_console.request_bin import open_bin
from subscriptions.accounts import create_token, publisher_tokens
from subscriptions.accounts.members import invite
from subscriptions.audit import Actor
from subscriptions.endpoints import signing_tokens as endpoint_tokens
from subscriptions.models import AuditEntry, Endpoint, Scope, User
from tests.api_clients import Api
from tests.deliveries.sending import dispatch
from tests.portal_clients import Portal, make_portal
from tests.receiver import Receiver, Reply
from tests.staff_clients import superuser

pytestmark = pytest.mark.django_db
PASSWORD = "s3ntinel-passw0rd"
FIRST, SECOND, THIRD = (f"s3ntinel-signing-token-{n}" for n in ("one", "two", "three"))
HEADER = "s3ntinel-header-value"
SEED = "S3NTINELSEEDS3NTINELSEED"
METRICS = "s3ntinel-metrics-token"
PROXY = "s3ntinel-proxy-passw0rd"


@dataclass
class Stage:
    portal: Portal
    endpoint: Endpoint
    things: dict[str, object]
    api: Api
    secrets: dict[str, str]

    def leaks(self, text: str) -> list[str]:
        return [name for name, secret in self.secrets.items() if secret in text]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.WEBHOOKS_METRICS_TOKEN = METRICS
    with Receiver() as started:
        yield started


@pytest.fixture
def stage(receiver: Receiver, settings: Any, caplog: pytest.LogCaptureFixture) -> Stage:
    """Made, used and sent while everything that is logged is kept."""
    caplog.set_level("DEBUG")
    portal = make_portal("cryptlex")
    for user in portal.users.values():
        user.set_password(PASSWORD)
        user.save()
    owner, viewer = sign_in("owner"), portal.users["viewer"]
    actor = Actor.of_user(portal.users["owner"])
    made = create_token(
        broadcaster=portal.live,
        name="Back end",
        scopes=Scope.values,
        actor=actor,
    )
    TOTP.activate(viewer, SEED)
    codes = RecoveryCodes.activate(viewer).generate_codes()
    link = invite(broadcaster=portal.live, email="new@example.com", role="viewer", actor=actor)
    url = receiver.on("/hook", Reply(500, "Broken", body=b"broken"))
    form = {
        "name": "Hook",
        "url": url,
        "topics": ["license.created"],
        "which": "chosen",
        "active": "on",
    }
    form |= {"token": FIRST, "headers": f"Authorization: Bearer {HEADER}"}
    owner.post(portal.url("endpoint-new"), form)
    endpoint = Endpoint.objects.get()
    at = (portal.live.pk, endpoint.public_id)
    rotate = reverse("subscriptions:endpoint-rotate-token", args=at)
    owner.post(rotate, {"overlap": "86400", "token": SECOND})
    owner.get(reverse("subscriptions:endpoint-token", args=at))
    event = publish(broadcaster=portal.live, topic="license.created", data={"key": "x"}).event
    dispatch()
    (request,) = receiver.requests
    assert request.header("authorization") == f"Bearer {HEADER}"
    found = open_bin(portal.live)
    Client().post(f"/bin/{found.public_id}/", b"{}", "application/json")
    kept = BinRequest.objects.first()
    return Stage(
        portal,
        endpoint,
        {
            "endpoint_id": endpoint.public_id,
            "event_id": event.event_id,
            "delivery_id": event.deliveries.get().public_id,
            "token_id": made.token.public_id,
            "member_id": portal.live.members.get(user=viewer).pk,
            "invitation_id": link.invitation.pk,
            "request_id": kept.pk if kept else 0,
            "name": "license.created",
            "topic": "license.created",
            "broadcaster_id": portal.live.pk,
        },
        Api(made.plaintext, base="/"),
        {
            "password": PASSWORD,
            "previous signing token": FIRST,
            "current signing token": SECOND,
            "next signing token": THIRD,
            "custom header": HEADER,
            "publisher token": made.plaintext,
            "its hash": made.token.digest,
            "invitation": link.token,
            "one-time code seed": SEED,
            "recovery code": codes[0],
            "metrics token": METRICS,
            "secret key": settings.SECRET_KEY,
            "key ring": settings.WEBHOOKS_SECRET_KEYS[0],
        },
    )


def sign_in(who: str) -> Client:
    client = Client()
    form = {"login": f"{who}@example.com", "password": PASSWORD}
    assert client.post(reverse("account_login"), form).status_code == 302
    return client


def addresses(things: dict[str, object]) -> Iterator[str]:
    """Each address of the portal, the accounts and the API that can be filled in."""

    def walk(patterns: Any, prefix: str) -> Iterator[str]:
        for pattern in patterns:
            address = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, address)
            elif isinstance(pattern, URLPattern):
                yield address

    for address in walk(get_resolver().url_patterns, "/"):
        names = re.findall(r"<(?:\w+:)?(\w+)>", address)
        if set(names) <= things.keys() and "^" not in address and "\\" not in address:
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(things[m[1]]), address)


def read(client: Client, path: str) -> str:
    response = client.get(path)
    body = b"".join(response) if response.streaming else response.content
    return body.decode("utf-8", "replace") + str(dict(response.headers))


def test_nothing_that_can_be_read_holds_a_secret(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    owner, found, walked = sign_in("owner"), {}, set()
    for path in addresses(stage.things):
        # Signing out would end the walk, and the theme's address takes posts alone.
        if path.startswith(("/accounts/logout", "/admin")):
            continue
        walked.add(path)
        found[path] = stage.leaks(read(owner, path))
        if path.startswith(("/api/", "/3.1/")):
            response = stage.api.get(path.removeprefix("/"))
            found[f"{path} (token)"] = stage.leaks(response.content.decode())
    for form in ("csv", "jsonl"):
        export = reverse("deliveries:delivery-export", args=[stage.portal.live.pk])
        found[form] = stage.leaks(read(owner, f"{export}?format={form}"))
    assert len(walked) > 60
    assert {place: names for place, names in found.items() if names} == {}
    assert stage.leaks(caplog.text) == []
    assert "Not Found" not in "".join(r.message for r in caplog.records if r.levelname == "ERROR")


def test_no_staff_page_holds_a_secret(stage: Stage) -> None:
    root, found, opened = superuser(), {}, 0
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found[name] = stage.leaks(read(root, reverse(f"{name}_changelist")))
        for row in model._default_manager.order_by("-pk")[:3]:
            try:
                path = reverse(f"{name}_change", args=[row.pk])
            except NoReverseMatch:
                continue
            opened += 1
            found[path] = stage.leaks(read(root, path))
    assert opened > 15
    assert {place: names for place, names in found.items() if names} == {}


def test_no_table_holds_a_secret_that_is_not_encrypted_or_hashed(stage: Stage) -> None:
    found: dict[str, list[str]] = {}
    for model in apps.get_models():
        text = str(list(model._default_manager.values()))
        found[model._meta.label] = stage.leaks(text)
    found["sessions"] = stage.leaks(str([s.get_decoded() for s in Session.objects.all()]))
    leaks = {place: names for place, names in found.items() if names}
    # An invitation's link works once; a custom header has to be sent as it is.
    assert leaks == {
        "subscriptions.Endpoint": ["custom header"],
        "subscriptions.PublisherToken": ["its hash"],
    }


def test_the_audit_log_has_all_of_it_and_no_secret(stage: Stage) -> None:
    entries = str(list(AuditEntry.objects.values()))
    for action in ("sign_in", "endpoint.create", "rotate_token", "token.create", "member.invite"):
        assert action in entries
    assert stage.leaks(entries) == []


# --- Errors --------------------------------------------------------------------------------------


class Reports:
    """What could be read of each exception that a view let out."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def keep(self, request: Any = None, **_: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        self.texts += [reporter.get_traceback_text(), reporter.get_traceback_html()]


@pytest.fixture
def reports() -> Iterator[Reports]:
    kept = Reports()
    got_request_exception.connect(kept.keep)
    yield kept
    got_request_exception.disconnect(kept.keep)


def fail(**_: Any) -> None:
    raise RuntimeError("provoked")


def test_an_error_with_secrets_in_hand_shows_none_of_them(
    stage: Stage,
    reports: Reports,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.ADMINS = [("Operator", "operator@example.com")]
    settings.WEBHOOKS_EGRESS_PROXY = f"http://me:{PROXY}@proxy:3128"
    stage.secrets["proxy password"] = PROXY
    monkeypatch.setattr(endpoint_tokens, "record", fail)
    monkeypatch.setattr(publisher_tokens, "record", fail)
    owner = sign_in("owner")
    owner.raise_request_exception = False
    path = stage.portal.url("endpoint-rotate-token", stage.endpoint.public_id)
    page = owner.post(path, {"overlap": "0", "token": THIRD})
    stage.api._client.raise_request_exception = False
    body = {"name": "CI", "scopes": ["events:read"]}
    answer = stage.api.post("api/v1/tokens", body)

    assert (page.status_code, answer.status_code) == (500, 500)
    assert len(reports.texts) == 4 and "provoked" in reports.texts[0]
    assert THIRD not in Endpoint.objects.get().token_ciphertext
    assert mail.outbox and "provoked" in mail.outbox[-1].body
    shown = [page.content.decode(), answer.content.decode(), caplog.text, *reports.texts]
    shown += [str(message.message()) for message in mail.outbox]
    assert [stage.leaks(text) for text in shown] == [[] for _ in shown]


# --- Where one is shown --------------------------------------------------------------------------


def test_what_shows_a_secret_is_kept_by_no_cache(stage: Stage) -> None:
    owner, portal, at = sign_in("owner"), stage.portal, stage.endpoint.public_id
    form = {"overlap": "0", "token": THIRD}
    owner.post(portal.url("endpoint-rotate-token", at), form)
    refused = owner.post(portal.url("endpoint-rotate-token", at), {"token": "short"})
    invited = owner.post(portal.url("member-invite"), {"email": "b@example.com", "role": "viewer"})
    owner.post(portal.url("publisher-token-new"), {"name": "N", "scopes": ["events:read"]})
    owner.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    shown = {
        "token": (owner.get(portal.url("endpoint-token", at)), THIRD),
        "refused form": (refused, "short"),
        "publisher token": (owner.get(portal.url("publisher-token-list")), "whp_"),
        "invitation": (owner.get(invited["Location"]), "/invitations/"),
        "seed": (owner.get(reverse("mfa_activate_totp")), owner.session["mfa.totp.secret"]),
    }
    api = stage.api.post(f"api/v1/endpoints/{at}/rotate-token")
    shown["API"] = (api, "token")
    for name, (response, text) in shown.items():
        assert text in response.content.decode(), name
        assert "no-store" in response.headers.get("Cache-Control", ""), name


def test_recovery_codes_are_kept_by_no_cache(stage: Stage) -> None:
    viewer: User = stage.portal.users["viewer"]
    client = stage.portal.client("viewer")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_view_recovery_codes"))
    codes = RecoveryCodes(
        Authenticator.objects.get(user=viewer, type="recovery_codes")
    ).get_unused_codes()
    assert codes[0] in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
