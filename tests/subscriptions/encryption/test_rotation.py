"""rotate_keys: everything under the first key, once, beside others, loud about what is lost."""

from __future__ import annotations

import io
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from subscriptions.audit import COMMAND_LINE
from subscriptions.encryption import decrypt, encrypt, rotation
from subscriptions.endpoints.signing_token_format import TokenPair
from subscriptions.endpoints.signing_tokens import decrypt_tokens, rotate_token
from subscriptions.models import Endpoint
from tests.portal_clients import PASSWORD, Portal

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def run() -> str:
    output = io.StringIO()
    call_command("rotate_keys", stdout=output, stderr=output, no_color=True)
    return output.getvalue()


def tokens(endpoint: Endpoint) -> TokenPair | None:
    return decrypt_tokens(Endpoint.objects.get(pk=endpoint.pk), timezone.now())


@pytest.fixture
def endpoints(portal: Portal, settings: Any) -> list[Endpoint]:
    """Five under the old key, the first of them in an overlap; the new key is in front by now."""
    settings.WEBHOOKS_SECRET_KEYS = [OLD]
    made = [portal.add_endpoint(url=f"https://example.com/{n}") for n in range(5)]
    rotate_token(endpoint=made[0], actor=COMMAND_LINE)
    settings.WEBHOOKS_SECRET_KEYS = [NEW, OLD]
    return made


def test_after_a_rotation_the_new_key_alone_opens_current_and_previous_tokens(
    endpoints: list[Endpoint], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH_ROWS", 2)
    before = [tokens(endpoint) for endpoint in endpoints]
    assert before[0] is not None and before[0].previous

    assert "6 re-encrypted, 0 were under the first key, 0 cannot be read" in run()

    settings.WEBHOOKS_SECRET_KEYS = [NEW]
    assert [tokens(endpoint) for endpoint in endpoints] == before
    assert "0 re-encrypted, 6 were under the first key" in run()


def test_an_interrupted_rotation_continues_when_it_is_run_again(
    endpoints: list[Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH_ROWS", 2)
    next(rotation.rotate_in_batches())
    assert "4 re-encrypted, 2 were under the first key" in run()


def test_a_token_that_a_customer_changes_during_a_rotation_keeps_the_change(
    endpoints: list[Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = rotation._read_batch

    def read_then_change(column: str, last: int) -> list[tuple[int, str, str]]:
        batch = read(column, last)
        Endpoint.objects.filter(pk=endpoints[1].pk).update(token_ciphertext=encrypt("the newest"))
        return batch

    monkeypatch.setattr(rotation, "_read_batch", read_then_change)
    run()
    pair = tokens(endpoints[1])
    assert pair is not None and pair.current == "the newest"


def test_a_secret_that_no_key_opens_is_named_and_left_as_it_is(
    endpoints: list[Endpoint], settings: Any
) -> None:
    lost = Fernet(LOST).encrypt(b"token").decode()
    Endpoint.objects.filter(pk=endpoints[2].pk).update(token_ciphertext=lost)
    output = io.StringIO()

    with pytest.raises(CommandError, match="1 secrets open with no key") as caught:
        call_command("rotate_keys", stdout=output, stderr=output, no_color=True)

    assert caught.value.returncode == 1
    assert f"signing token of webhook {endpoints[2].public_id}" in output.getvalue()
    assert "5 re-encrypted" in output.getvalue()
    assert Endpoint.objects.get(pk=endpoints[2].pk).token_ciphertext == lost
    settings.WEBHOOKS_SECRET_KEYS = [NEW, LOST]
    assert "1 re-encrypted" in run()


def test_a_ring_with_an_invalid_key_changes_nothing_and_shows_no_key(
    endpoints: list[Endpoint], settings: Any
) -> None:
    settings.WEBHOOKS_SECRET_KEYS = [NEW, "not-a-key"]
    with pytest.raises(CommandError, match="Key 2 of WEBHOOKS_SECRET_KEYS") as caught:
        run()
    assert "not-a-key" not in str(caught.value)
    settings.WEBHOOKS_SECRET_KEYS = [OLD]
    assert tokens(endpoints[0]) is not None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_in_a_file(
    endpoints: list[Endpoint], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("subscriptions.management.commands.rotate_keys._LINE_EVERY_SECONDS", 0.0)
    assert "5 of 6" in run()
    call_command("rotate_keys", stdout=Terminal())
    assert "6/6" in capsys.readouterr().out


def test_second_factors_are_stored_encrypted_and_move_to_the_new_key(
    portal: Portal, settings: Any
) -> None:
    settings.WEBHOOKS_SECRET_KEYS = [OLD]
    user, seed = portal.users["owner"], "JBSWY3DPEHPK3PXP"
    TOTP.activate(user, seed)
    codes = RecoveryCodes.activate(user).generate_codes()
    assert seed not in str(list(Authenticator.objects.values_list("data", flat=True)))
    settings.WEBHOOKS_SECRET_KEYS = [NEW, OLD]

    assert "2 re-encrypted" in run()

    settings.WEBHOOKS_SECRET_KEYS = [NEW]
    totp, recovery = Authenticator.objects.filter(user=user).order_by("pk")
    assert decrypt(totp.data["secret"]) == seed
    assert RecoveryCodes(recovery).generate_codes() == codes
    assert "2 were under the first key" in run()


def test_a_second_factor_that_no_key_opens_is_named_and_refused_in_words(
    portal: Portal, settings: Any
) -> None:
    TOTP.activate(portal.users["owner"], "JBSWY3DPEHPK3PXP")
    settings.WEBHOOKS_SECRET_KEYS = [NEW]
    with pytest.raises(CommandError, match="1 secrets open with no key"):
        run()
    client = Client()
    form = {"login": "owner@example.com", "password": PASSWORD}
    client.post(reverse("account_login"), form)
    page = client.post(reverse("mfa_authenticate"), {"code": "123456"})
    assert "restore a secret key" in page.content.decode()


def test_second_factors_from_before_they_were_encrypted_work_and_are_encrypted(
    portal: Portal,
) -> None:
    device = TOTP.activate(portal.users["owner"], "JBSWY3DPEHPK3PXP").instance
    Authenticator.objects.filter(pk=device.pk).update(data={"secret": "JBSWY3DPEHPK3PXP"})
    device.refresh_from_db()
    assert not TOTP(device).validate_code("no")
    assert "1 re-encrypted" in run()
    device.refresh_from_db()
    assert device.data["secret"].startswith("gAAAA")
