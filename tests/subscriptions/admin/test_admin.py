"""Staff pages about who gets what, and where."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from subscriptions.accounts import CreatedBroadcaster, authenticate, create_token
from subscriptions.accounts.members import invite
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import delete_endpoint
from subscriptions.models import (
    AuditEntry,
    Broadcaster,
    Endpoint,
    Member,
    PublisherToken,
    User,
)
from tests.deliveries.sending import broadcaster_on, endpoint_at
from tests.staff_clients import act, change_url, list_url, staff, superuser

pytestmark = pytest.mark.django_db
URL = "https://example.com/hook"
NEVER_DELETED = [
    "subscriptions.broadcaster",
    "subscriptions.endpoint",
    "subscriptions.auditentry",
    "subscriptions.publishertoken",
    "subscriptions.user",
    "deliveries.event",
    "deliveries.delivery",
    "deliveries.attempt",
    "deliveries.pump",
]


@pytest.fixture
def root() -> Client:
    return superuser()


@pytest.fixture
def account() -> CreatedBroadcaster:
    return broadcaster_on("clawget")


def registered_pages() -> list[Any]:
    """(model, page) of each page of the portal's own apps, and of second factors."""
    return [
        (model, page)
        for model, page in admin.site._registry.items()
        if model._meta.app_label in ("subscriptions", "deliveries", "mfa")
    ]


def test_every_model_has_a_page_that_opens(root: Client, account: CreatedBroadcaster) -> None:
    endpoint_at(URL, account.broadcaster)
    registered = {model._meta.model_name for model, _ in registered_pages()}
    assert {"platform", "endpoint", "delivery", "attempt", "pump", "replay"} <= registered
    for model, _ in registered_pages():
        url = list_url(f"{model._meta.app_label}_{model._meta.model_name}")
        assert root.get(url).status_code == 200, url


def test_no_page_of_another_package_writes_jobs_addresses_or_keys() -> None:
    others = {m._meta.label for m, _ in admin.site._registry.items()} - {
        m._meta.label for m, _ in registered_pages()
    }
    assert others == {"auth.Group"}


def test_not_even_a_superuser_can_write_secrets_or_the_log_by_a_form(
    root: Client, account: CreatedBroadcaster
) -> None:
    request = root.get(reverse("admin:index")).wsgi_request
    for label in ("AuditEntry", "Event", "Delivery", "Attempt", "PublisherToken", "Invitation"):
        page = next(page for model, page in registered_pages() if model.__name__ == label)
        assert not page.has_add_permission(request), label
        assert not page.has_change_permission(request), label
    endpoint = endpoint_at(URL, account.broadcaster)
    page = root.get(change_url("subscriptions_endpoint", endpoint.pk))
    fields = page.context["adminform"].form.fields
    assert "url" in fields and not [name for name in fields if "token" in name]


def test_permissions_are_given_by_superusers_alone() -> None:
    group = Group.objects.create(name="Support")
    client = staff("auth.view_group", "auth.change_group", "auth.add_group")
    url = change_url("auth_group", group.pk)
    permission = Permission.objects.get(codename="change_user")
    client.post(url, {"name": "Support", "permissions": [permission.pk]})
    assert not group.permissions.exists()
    superuser().post(url, {"name": "Support", "permissions": [permission.pk]})
    assert group.permissions.exists()


def test_nothing_of_what_happened_or_was_set_up_can_be_deleted(root: Client) -> None:
    request = root.get(reverse("admin:index")).wsgi_request
    for model, page in registered_pages():
        if model._meta.label_lower in NEVER_DELETED:
            assert not page.has_delete_permission(request), model
            assert "delete_selected" not in page.get_actions(request), model


def test_someone_who_is_not_staff_cannot_open_any_page() -> None:
    client = Client()
    client.force_login(User.objects.create_user("a@example.com", "x"))
    for model, _ in registered_pages():
        url = list_url(f"{model._meta.app_label}_{model._meta.model_name}")
        assert client.get(url, follow=True).status_code == 403


def test_staff_sign_in_where_attempts_are_counted_and_second_factors_asked_for() -> None:
    staff_pages = reverse("admin:index")
    login = f"{reverse('account_login')}?next={staff_pages}"
    assertRedirects(Client().get(staff_pages, follow=True), login)
    User.objects.create_superuser("root@example.com", "right")
    form = {"username": "root@example.com", "password": "right"}
    response = Client().post(reverse("admin:login"), form)
    assert response.status_code == 302
    assert "sessionid" not in response.cookies


# --- Broadcasters ---------------------------------------------------------------------------------


def test_a_new_broadcaster_has_a_sandbox_and_its_tokens_are_shown_once(root: Client) -> None:
    User.objects.create_user("ann@example.com", "x")
    response = root.post(
        reverse("admin:subscriptions_broadcaster_add"),
        {"name": "Acme", "platform": "clawget", "owner": "ANN@example.com"},
        follow=True,
    )
    live = Broadcaster.objects.get(name="Acme", live=None)
    assert Member.objects.get(broadcaster=live).user.email == "ann@example.com"
    assert "no-store" in response["Cache-Control"]
    shown = [
        word
        for word in response.content.decode().replace("<", " ").replace(">", " ").split()
        if word.startswith("whp_")
    ]
    opened = [authenticate(token, address=None) for token in shown]
    assert [token and token.broadcaster_id for token in opened] == [live.pk, live.sandbox.pk]
    again = root.get(reverse("admin:subscriptions_broadcaster_tokens", args=[live.pk]))
    assert "whp_" not in again.content.decode()
    assert "shown already" in again.content.decode()
    assert AuditEntry.objects.filter(action="broadcaster.create", actor__email="root@example.com")


def test_an_owner_without_an_account_is_refused(root: Client) -> None:
    response = root.post(
        reverse("admin:subscriptions_broadcaster_add"),
        {"name": "Acme", "platform": "clawget", "owner": "nobody@example.com"},
    )
    assert "There is no user" in response.content.decode()
    assert not Broadcaster.objects.exists()


def test_limit_and_pause_are_set_and_audited(root: Client, account: CreatedBroadcaster) -> None:
    live = account.broadcaster
    url = change_url("subscriptions_broadcaster", live.pk)
    root.post(url, {"name": "Acme", "max_endpoints": "6", "paused": "on", "platform": "cleeng"})
    live.refresh_from_db()
    assert (live.endpoint_limit, live.paused, live.platform_id) == (6, True, "clawget")
    entry = AuditEntry.objects.get(action="broadcaster.update")
    assert entry.before == {"max_endpoints": None, "paused": False}
    assert entry.after == {"max_endpoints": 6, "paused": True}


# --- Endpoints ------------------------------------------------------------------------------------


def endpoint_form(endpoint: Endpoint, **changes: str) -> dict[str, str]:
    values = {
        "name": endpoint.name,
        "url": endpoint.url,
        "description": "",
        "topic_list": "*",
        "active": "on",
        "rate_limit": "",
        "timeout_seconds": "",
        "signature": "",
    }
    return {name: value for name, value in (values | changes).items() if value or name != "active"}


def test_an_endpoints_settings_are_changed_through_the_verb(
    root: Client, account: CreatedBroadcaster
) -> None:
    endpoint = endpoint_at(URL, account.broadcaster)
    ciphertext = endpoint.token_ciphertext
    url = change_url("subscriptions_endpoint", endpoint.pk)
    form = endpoint_form(
        endpoint,
        name="Renamed",
        topic_list="review.created\npurchase.completed",
        timeout_seconds="7",
        signature="standard",
    )
    response = root.post(url, form)
    assert response.status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.timeout_seconds, endpoint.signature) == (
        "Renamed",
        7,
        "standard",
    )
    assert {t.name for t in endpoint.topics.all()} == {"review.created", "purchase.completed"}
    assert endpoint.token_ciphertext == ciphertext
    entry = AuditEntry.objects.get(action="endpoint.update")
    assert entry.actor_label == "root@example.com"
    assert set(entry.after or {}) == {"name", "topics", "timeout_seconds", "signature"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "http://example.com/hook"}, "https"),
        ({"url": "https://10.0.0.5/"}, "private"),
        ({"topic_list": "review.create"}, "review.created"),
        ({"timeout_seconds": "31"}, "out of range"),
        ({"signature": "none"}, "does not allow"),
    ],
)
def test_what_the_verb_refuses_is_said_at_the_field_and_changes_nothing(
    root: Client, account: CreatedBroadcaster, change: dict[str, str], words: str
) -> None:
    endpoint = endpoint_at(URL, account.broadcaster)
    url = change_url("subscriptions_endpoint", endpoint.pk)
    response = root.post(url, endpoint_form(endpoint, **change))
    assert response.status_code == 200
    text = response.content.decode()
    assert "errorlist" in text and words in text
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.all_topics, endpoint.timeout_seconds) == (URL, True, None)
    assert not AuditEntry.objects.filter(action="endpoint.update").exists()


def test_no_secret_is_on_an_endpoints_page(root: Client, account: CreatedBroadcaster) -> None:
    endpoint = endpoint_at(
        URL, account.broadcaster, headers=[("Authorization", "Bearer s3cret"), ("X-Shop", "7")]
    )
    text = root.get(change_url("subscriptions_endpoint", endpoint.pk)).content.decode()
    assert endpoint.token_hint in text and "X-Shop: 7" in text
    assert "s3cret" not in text and endpoint.token_ciphertext not in text


def test_a_deleted_endpoint_can_still_be_read(root: Client, account: CreatedBroadcaster) -> None:
    endpoint = endpoint_at(URL, account.broadcaster)
    delete_endpoint(endpoint=endpoint, actor=COMMAND_LINE)
    url = change_url("subscriptions_endpoint", endpoint.pk)
    text = root.get(url).content.decode()
    assert "Deleted" in text and 'name="url"' not in text
    assert root.post(url, endpoint_form(endpoint, name="x")).status_code == 403


def test_actions_on_endpoints_say_how_many_were_changed(
    root: Client, account: CreatedBroadcaster
) -> None:
    one, two = (endpoint_at(URL, account.broadcaster) for _ in range(2))
    model = "subscriptions_endpoint"
    assert act(root, model, "suspend", one.pk, two.pk) == ["2 suspended."]
    assert act(root, model, "resume", one.pk) == ["1 resumed."]
    assert act(root, model, "resume", one.pk, two.pk) == [
        "1 resumed.",
        f"1 refused: {one.name} is not suspended: there is nothing to resume.",
    ]
    assert act(root, model, "deactivate", one.pk) == ["1 switched off."]
    assert act(root, model, "deactivate", one.pk, two.pk) == [
        "1 switched off.",
        "1 needed no change.",
    ]
    assert act(root, model, "activate", one.pk, two.pk) == ["2 switched on."]
    one.refresh_from_db()
    assert one.status == "active"


@pytest.mark.parametrize("status", ["active", "inactive", "suspended", "deleted"])
def test_endpoints_are_found_by_status(
    root: Client, account: CreatedBroadcaster, status: str
) -> None:
    _, inactive, suspended, deleted = (
        endpoint_at(URL, account.broadcaster, name=f"it-is-{n}")
        for n in ("active", "inactive", "suspended", "deleted")
    )
    Endpoint.objects.filter(pk=inactive.pk).update(active=False)
    Endpoint.objects.filter(pk=suspended.pk).update(suspended_at=timezone.now())
    delete_endpoint(endpoint=deleted, actor=COMMAND_LINE)
    text = root.get(list_url("subscriptions_endpoint"), {"status": status}).content.decode()
    assert f">it-is-{status}</a>" in text
    assert text.count(">it-is-") == 1


# --- Publisher tokens, members, invitations ---------------------------------------------------------


def test_a_publisher_token_is_shown_by_its_hint_and_can_be_revoked(
    root: Client, account: CreatedBroadcaster
) -> None:
    token = create_token(
        broadcaster=account.broadcaster, name="CI", scopes=["events:write"], actor=COMMAND_LINE
    )
    url = change_url("subscriptions_publishertoken", token.token.pk)
    text = root.get(url).content.decode()
    assert token.token.hint in text
    assert token.token.digest not in text and token.plaintext not in text
    model = "subscriptions_publishertoken"
    assert act(root, model, "revoke", token.token.pk) == ["1 revoked."]
    assert act(root, model, "revoke", token.token.pk) == ["0 revoked.", "1 needed no change."]
    assert authenticate(token.plaintext, address=None) is None
    assert PublisherToken.objects.filter(pk=token.token.pk).exists()


def test_the_last_owner_cannot_be_removed(root: Client, account: CreatedBroadcaster) -> None:
    owner, other = (
        Member.objects.create(
            broadcaster=account.broadcaster,
            user=User.objects.create_user(f"{name}@example.com", "x"),
            role=role,
        )
        for name, role in (("o", "owner"), ("d", "developer"))
    )
    model = "subscriptions_member"
    refused = act(root, model, "remove", owner.pk)
    assert refused[0] == "0 removed." and "only owner" in refused[1]
    assert act(root, model, "make_owner", other.pk) == ["1 made owner."]
    assert act(root, model, "remove", owner.pk) == ["1 removed."]


def test_an_invitation_is_withdrawn_and_its_link_not_shown(
    root: Client, account: CreatedBroadcaster
) -> None:
    invited = invite(
        broadcaster=account.broadcaster, email="a@example.com", role="viewer", actor=COMMAND_LINE
    )
    url = change_url("subscriptions_invitation", invited.invitation.pk)
    assert invited.invitation.digest not in root.get(url).content.decode()
    said = act(root, "subscriptions_invitation", "withdraw", invited.invitation.pk)
    assert said == ["1 withdrawn."]
    invited.invitation.refresh_from_db()
    assert invited.invitation.expires_at <= timezone.now() + timedelta(seconds=1)


def test_the_seed_of_a_second_factor_is_not_shown(root: Client) -> None:
    user = User.objects.create_user("a@example.com", "x")
    factor = Authenticator.objects.create(user=user, type="totp", data={"secret": "S33D"})
    assert "S33D" not in root.get(change_url("mfa_authenticator", factor.pk)).content.decode()


# --- Users ------------------------------------------------------------------------------------------


def test_a_user_is_created_by_email_address(root: Client) -> None:
    url = reverse("admin:subscriptions_user_add")
    form = {
        "email": "New@Example.com",
        "usable_password": "true",
        "password1": "correct horse b",
        "password2": "correct horse b",
    }
    assert root.post(url, form).status_code == 302
    assert User.objects.get(email="new@example.com").check_password("correct horse b")
    assert "has an account already" in root.post(url, form).content.decode()


def test_staff_who_may_edit_users_cannot_give_themselves_more_permissions() -> None:
    client = staff("subscriptions.view_user", "subscriptions.change_user")
    me = User.objects.get(email="staff@example.com")
    root = User.objects.create_superuser("root@example.com", "x")
    form = {"email": me.email, "name": "Me", "is_superuser": "on", "is_active": "on"}
    client.post(change_url("subscriptions_user", me.pk), form)
    me.refresh_from_db()
    assert (me.name, me.is_superuser) == ("Me", False)
    form = {"email": root.email, "name": "Taken"}
    assert client.post(change_url("subscriptions_user", root.pk), form).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.post(password, {"password1": "x", "password2": "x"}).status_code == 403


# --- Audit log --------------------------------------------------------------------------------------


def test_the_audit_log_is_read_only_and_narrowed_by_broadcaster_and_action(
    root: Client, account: CreatedBroadcaster
) -> None:
    endpoint = endpoint_at(URL, account.broadcaster)
    endpoint_at(URL, account.sandbox)
    page = list_url("subscriptions_auditentry")
    narrowed: dict[str, Any] = {"broadcaster": account.broadcaster.pk, "action": "endpoint.create"}
    text = root.get(page, narrowed).content.decode()
    assert endpoint.public_id in text
    assert "1 result" in text
    assert "0 results" in root.get(page, {"broadcaster": "abc"}).content.decode()
    entry = AuditEntry.objects.all()[0]
    assert root.post(change_url("subscriptions_auditentry", entry.pk), {}).status_code == 403
