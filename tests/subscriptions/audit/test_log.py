"""The audit log: only ever added to, and nothing about accounts is left out of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from subscriptions.audit import COMMAND_LINE, record
from subscriptions.audit.action_words import ACTION_WORDS
from subscriptions.endpoints.lifecycle import delete_endpoint
from subscriptions.models import AuditEntry, Broadcaster, User
from subscriptions.models.audit import AuditIsAppendOnly, removal_allowed
from subscriptions.views.audit import SUBJECTS
from tests.portal_clients import PASSWORD, Portal
from tests.staff_clients import change_url, superuser
from webhooks_portal.settings import BASE_DIR


@pytest.fixture
def entry(portal: Portal) -> AuditEntry:
    return record(broadcaster=portal.live, actor=COMMAND_LINE, action="endpoint.test")


# --- Only added to -------------------------------------------------------------------------------


def change(entry: AuditEntry) -> None:
    entry.action = "other"
    entry.save()


@pytest.mark.parametrize(
    "tamper",
    [
        change,
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(action="other"),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["action"]),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.all().delete(),
    ],
)
def test_an_entry_can_be_neither_changed_nor_deleted(
    tamper: Callable[[AuditEntry], object], entry: AuditEntry
) -> None:
    with pytest.raises(AuditIsAppendOnly), transaction.atomic():
        tamper(entry)
    assert AuditEntry.objects.get(pk=entry.pk).action == "endpoint.test"


def test_a_broadcaster_with_entries_can_only_be_deleted_where_removal_is_allowed(
    entry: AuditEntry, portal: Portal
) -> None:
    with pytest.raises(AuditIsAppendOnly), transaction.atomic():
        portal.live.delete()
    with removal_allowed():
        Broadcaster.objects.get(pk=portal.live.pk).delete()
    assert not AuditEntry.objects.filter(broadcaster=portal.live.pk).exists()


def test_removal_is_allowed_for_one_transaction_alone(entry: AuditEntry) -> None:
    with removal_allowed():
        AuditEntry.objects.filter(pk=entry.pk).delete()
    with pytest.raises(AuditIsAppendOnly):
        AuditEntry.objects.all().delete()


@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}"])
def test_postgresql_itself_refuses(statement: str, entry: AuditEntry) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only on PostgreSQL")
    statement = statement.format("subscriptions_auditentry")

    def execute() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    with pytest.raises(IntegrityError, match="only ever added"):
        execute()
    with removal_allowed():
        pass
    with pytest.raises(IntegrityError, match="only ever added"):
        execute()


# --- Accounts ------------------------------------------------------------------------------------


def account_entries(broadcaster: Broadcaster | None) -> list[tuple[str, str, str]]:
    """(action, who, whom) of the entries about accounts, oldest first."""
    found = AuditEntry.objects.filter(broadcaster=broadcaster, action__startswith="account.")
    return [(e.action.removeprefix("account."), e.actor_label, e.target) for e in found[::-1]]


def sign_in(client: Client, email: str, password: str) -> None:
    client.post(reverse("account_login"), {"login": email, "password": password})


def test_signing_in_and_out_is_in_the_log_of_each_broadcaster_of_the_user(portal: Portal) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    sign_in(client, "developer@example.com", PASSWORD)
    client.post(reverse("account_logout"))
    who = "developer@example.com"
    assert account_entries(portal.live) == [("sign_in", who, ""), ("sign_out", who, "")]
    assert account_entries(portal.foreign) == account_entries(portal.sandbox) == []
    addresses = AuditEntry.objects.filter(action__startswith="account.")
    assert {entry.address for entry in addresses} == {"192.0.2.7"}


def test_a_failed_sign_in_names_the_account_and_keeps_nothing_that_was_typed(
    portal: Portal,
) -> None:
    sign_in(Client(), "Developer@Example.com", "wr0ng-passw0rd")
    sign_in(Client(), "typed-my-passw0rd@here.example", "wr0ng-passw0rd")
    sign_in(Client(), "nul\0@example.com", "wr0ng-passw0rd")
    assert account_entries(portal.live) == [("fail_sign_in", "someone", "developer@example.com")]
    assert ("fail_sign_in", "someone", "") in account_entries(None)
    assert "passw0rd" not in str(list(AuditEntry.objects.values()))


def test_a_new_password_is_logged_without_it(portal: Portal) -> None:
    client = portal.client("owner")
    form = {"oldpassword": PASSWORD, "password1": "n3w-passw0rd!", "password2": "n3w-passw0rd!"}
    client.post(reverse("account_change_password"), form)
    assert ("change_password", "owner@example.com", "") in account_entries(portal.live)
    assert "passw0rd" not in str(list(AuditEntry.objects.values()))


def test_adding_failing_and_removing_a_second_factor_is_logged(portal: Portal, rf: Any) -> None:
    viewer = portal.users["viewer"]
    device = totp.TOTP.activate(viewer, totp.generate_totp_secret()).instance
    told = {"sender": Authenticator, "request": rf.get("/"), "user": viewer}
    for signal in (mfa.authenticator_added, mfa.authenticator_reset, mfa.authenticator_removed):
        signal.send(authenticator=device, **told)
    client = Client()
    sign_in(client, "viewer@example.com", PASSWORD)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})

    who = "viewer@example.com"
    assert account_entries(portal.live) == [
        ("add_second_factor", who, ""),
        ("renew_recovery_codes", who, ""),
        ("remove_second_factor", who, ""),
        ("fail_second_factor", "someone with the password", who),
    ]


def test_what_staff_do_to_an_account_is_in_its_broadcasters_logs(portal: Portal) -> None:
    viewer = portal.users["viewer"]
    device = totp.TOTP.activate(viewer, totp.generate_totp_secret()).instance
    root = superuser()
    root.post(
        change_url("mfa_authenticator", device.pk).replace("change", "delete"), {"post": "yes"}
    )
    form = {"password1": "s3t-by-staff", "password2": "s3t-by-staff", "usable_password": "true"}
    root.post(reverse("admin:auth_user_password_change", args=[viewer.pk]), form)
    assert account_entries(portal.live) == [
        ("remove_second_factor", "root@example.com", "viewer@example.com"),
        ("change_by_staff", "root@example.com", "viewer@example.com"),
    ]
    assert User.objects.get(pk=viewer.pk).check_password("s3t-by-staff")
    assert AuditEntry.objects.latest("id").after == {"fields": ["password"]}
    assert root.get(reverse("admin:password_change"))["Location"] == reverse(
        "account_change_password"
    )


# --- The page --------------------------------------------------------------------------------------


ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def actions_in_the_code() -> set[str]:
    """Each text given as `action` by its name, or as the third argument of sign_ins._record."""
    found: set[str] = set()
    for path in (*BASE_DIR.glob("subscriptions/**/*.py"), *BASE_DIR.glob("deliveries/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                given = [k.value for k in node.keywords if k.arg == "action"]
                if isinstance(node.func, ast.Name) and node.func.id == "_record":
                    given += node.args[2:3]
                inner = [part for value in given for part in ast.walk(value)]
                found |= {str(n.value) for n in inner if isinstance(n, ast.Constant)}
    return {text for text in found if ACTION.fullmatch(text)}


def test_the_filter_offers_exactly_the_subjects_of_the_actions() -> None:
    subjects = {action.partition(".")[0] for action in actions_in_the_code()}
    assert {"endpoint", "account", "delivery"} <= subjects
    assert {name for name, _ in SUBJECTS} == subjects


def test_the_actions_with_words_are_those_that_the_code_records() -> None:
    sources = (*BASE_DIR.glob("subscriptions/**/*.py"), *BASE_DIR.glob("deliveries/**/*.py"))
    code = "".join(path.read_text() for path in sources)
    assert actions_in_the_code() <= set(ACTION_WORDS)
    assert [action for action in ACTION_WORDS if f'"{action}"' not in code] == []


def test_an_entry_names_its_webhook_or_delivery_and_leads_there(portal: Portal) -> None:
    kept, gone = portal.add_endpoint(name="Kept"), portal.add_endpoint(name="Gone")
    delete_endpoint(endpoint=gone, actor=COMMAND_LINE)
    record(broadcaster=portal.live, actor=COMMAND_LINE, action="delivery.resend", target="dlv_1")
    page = portal.client("owner").get(portal.url("audit-log")).content.decode()
    assert f'href="{portal.url("endpoint-detail", kept.public_id)}">Kept</a>' in page
    assert portal.url("endpoint-detail", gone.public_id) not in page
    assert page.count("Gone</span>") == 2  # added and deleted
    assert f'href="/b/{portal.live.pk}/deliveries/dlv_1/">dlv_1</a>' in page


def test_the_owner_reads_who_signed_in(portal: Portal) -> None:
    sign_in(Client(REMOTE_ADDR="192.0.2.7"), "developer@example.com", PASSWORD)
    page = portal.client("owner").get(portal.url("audit-log") + "?subject=account")
    text = page.content.decode()
    assert "Signed in" in text and "developer@example.com" in text and "192.0.2.7" in text
