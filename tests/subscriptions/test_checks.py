"""System checks of secrets and keys: each fault has an id, words, and the way out."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import CheckMessage, run_checks
from django.db import DatabaseError

from subscriptions import checks
from tests.portal_clients import Portal


def our_messages(*, deploy: bool = False) -> dict[str, CheckMessage]:
    messages = run_checks(include_deployment_checks=deploy)
    return {m.id: m for m in messages if m.id and m.id.startswith("webhooks.")}


@pytest.mark.django_db
def test_the_key_that_tokens_were_encrypted_with_passes(portal: Portal) -> None:
    portal.add_endpoint()
    assert not our_messages(deploy=True)


@pytest.mark.django_db
def test_another_key_is_critical_when_deploying(portal: Portal, settings: Any) -> None:
    portal.add_endpoint()
    settings.WEBHOOKS_SECRET_KEYS = [Fernet.generate_key().decode()]
    assert not our_messages()
    message = our_messages(deploy=True)["webhooks.E002"]
    assert "WEBHOOKS_SECRET_KEYS" in message.msg and "rotate_keys" in (message.hint or "")


@pytest.mark.parametrize("ring", [["not-a-key"], []])
def test_a_text_that_is_not_a_key_is_named_without_showing_it(
    ring: list[str], settings: Any
) -> None:
    settings.WEBHOOKS_SECRET_KEYS = ring
    message = our_messages()["webhooks.E001"]
    assert "urandom(32)" in (message.hint or "") and "not-a-key" not in message.msg


def test_a_database_without_tables_yet_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_table() -> Any:
        raise DatabaseError("no such table")

    monkeypatch.setattr(checks, "_oldest_and_newest_tokens", no_table)
    assert checks.check_tokens_open() == []
