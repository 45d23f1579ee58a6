"""`manage.py create_broadcaster`: what it prints, and for whom."""

from __future__ import annotations

import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

from subscriptions.accounts import authenticate
from subscriptions.models import Broadcaster, Member, Scope, User

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("create_broadcaster", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_json_output_has_exactly_the_documented_fields() -> None:
    out, _ = run("Größe & Co", "--platform", "clawget", "--json")
    shown = json.loads(out)
    live = Broadcaster.objects.get(live=None)
    assert shown == {
        "id": live.pk,
        "name": "Größe & Co",
        "platform": "clawget",
        "token": shown["token"],
        "sandbox": {"id": live.sandbox.pk, "token": shown["sandbox"]["token"]},
    }
    assert list(shown) == ["id", "name", "platform", "token", "sandbox"]


def test_each_token_belongs_to_its_broadcaster_and_has_all_scopes() -> None:
    shown = json.loads(run("Acme", "--platform", "standard", "--json")[0])
    for token, pk in (
        (shown["token"], shown["id"]),
        (shown["sandbox"]["token"], shown["sandbox"]["id"]),
    ):
        found = authenticate(token, address=None)
        assert found is not None and found.broadcaster_id == pk
        assert set(found.scopes) == set(Scope.values)


def test_without_json_the_output_is_for_people() -> None:
    out, _ = run("Acme", "--platform", "cleeng")
    assert out.startswith("Acme on Cleeng\n")
    assert out.count("whp_") == 2
    assert "not shown again" in out


def test_an_owner_without_an_account_gets_one_without_a_password() -> None:
    out, err = run("Acme", "--platform", "cleeng", "--owner", "Ann@Example.com", "--json")
    json.loads(out)
    user = User.objects.get(email="ann@example.com")
    assert not user.has_usable_password()
    assert "changepassword" in err
    assert Member.objects.get().user == user


def test_an_owner_who_has_an_account_keeps_it() -> None:
    user = User.objects.create_user("ann@example.com", "a password of hers")
    run("Acme", "--platform", "cleeng", "--owner", "ANN@example.com")
    assert Member.objects.get().user == user


def test_a_new_owners_password_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    run("Acme", "--platform", "cleeng", "--owner", "a@example.com", "--password-stdin")
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Acme", "--platform", "nope"], "use one of"),
        ([" ", "--platform", "cleeng"], "needs a name"),
        (["Acme", "--platform", "cleeng", "--owner", "nobody"], "not an email address"),
        (["Acme", "--platform", "cleeng", "--password-stdin"], "give --owner"),
        (
            ["Acme", "--platform", "cleeng", "--owner", "a@example.com", "--password-stdin"],
            "too short",
        ),
    ],
)
def test_a_refused_command_changes_nothing(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("x\n"))
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert not Broadcaster.objects.exists() and not User.objects.exists()
