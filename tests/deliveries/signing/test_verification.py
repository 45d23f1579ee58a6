"""What a receiver would say of a request's signature."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from deliveries.signing.signature import signature_headers
from deliveries.signing.verification import KnownToken, Verified, verify
from subscriptions.endpoints.signing_token_format import TokenPair, generate_token
from subscriptions.platforms.files import PLATFORMS_DIR, read_platform_file
from subscriptions.platforms.rules import SignatureRules

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BODY = '{"type":"review.created","comment":"Größe 日本"}'.encode()
TOKEN = KnownToken("the token …cret of Shop", "test_secret")


def rules_of(platform: str) -> SignatureRules:
    return read_platform_file(Path(PLATFORMS_DIR) / f"{platform}.toml").rules.signature


def signed(
    platform: str, token: str, choice: str | None = None, previous: str | None = None
) -> list[tuple[str, str]]:
    return signature_headers(
        signature=rules_of(platform),
        choice=choice,
        tokens=TokenPair(token, previous),
        event_id="evt_1",
        body=BODY,
        sent_at=NOW,
    )


def check(
    platform: str,
    headers: list[tuple[str, str]],
    *tokens: KnownToken,
    body: bytes = BODY,
    now: datetime = NOW,
) -> Verified:
    return verify(signature=rules_of(platform), headers=headers, body=body, tokens=tokens, now=now)


@pytest.mark.parametrize(
    ("platform", "choice", "header"),
    [
        ("clawget", None, "X-Clawget-Signature"),
        ("cryptlex", None, "Webhook-Signature"),
        ("standard", None, "webhook-signature"),
        ("cleeng", "standard", "webhook-signature"),
        ("cleverpush", "standard", "webhook-signature"),
    ],
)
def test_what_we_sign_is_verified_and_says_by_what(
    platform: str, choice: str | None, header: str
) -> None:
    token = generate_token("whsec")
    headers = [("Content-Type", "application/json"), *signed(platform, token, choice)]
    found = check(platform, headers, TOKEN, KnownToken("the token …abcd of Shop", token))
    assert found.ok is True
    assert found.by == f"{header} with the token …abcd of Shop"


def test_what_the_specifications_own_library_signs_is_verified() -> None:
    token = generate_token("whsec")
    signature = Webhook(token).sign("msg_1", NOW, BODY.decode())
    headers = [
        ("Webhook-Id", "msg_1"),
        ("Webhook-Timestamp", str(int(NOW.timestamp()))),
        ("Webhook-Signature", signature),
    ]
    assert check("standard", headers, KnownToken("it", token)).ok is True


def test_cryptlexs_published_vector_is_verified() -> None:
    body = (
        b'{"event":"license.created","data":{"key":"D08B53-C564F8-463EA5-F16A15-E35D6E-D2559B"},'
        b'"triggeredAt":"2018-04-20T13:11:34.6926949Z"}'
    )
    headers = [("webhook-signature", "dc3pD1JBInyQn6WYqIdDKoGSKDKK+GIygrjsYQglS4w=")]
    assert check("cryptlex", headers, TOKEN, body=body).ok is True


def test_both_schemes_on_one_request_must_fit() -> None:
    headers = signed("clawget", "test_secret", "standard")
    found = check("clawget", headers, TOKEN)
    assert found.ok is True
    assert "X-Clawget-Signature" in found.by and "webhook-signature" in found.by
    spoiled = [(n, "v1,AAAA" if n == "webhook-signature" else v) for n, v in headers]
    assert check("clawget", spoiled, TOKEN).ok is False


def test_during_an_overlap_either_token_verifies() -> None:
    new, old = generate_token("whsec"), generate_token("whsec")
    headers = signed("standard", new, previous=old)
    assert check("standard", headers, KnownToken("old", old)).ok is True
    assert check("standard", headers, KnownToken("new", new)).ok is True


def test_a_body_written_anew_does_not_verify() -> None:
    headers = signed("clawget", "test_secret")
    found = check("clawget", headers, TOKEN, body=json.dumps(json.loads(BODY)).encode())
    assert found == Verified(
        False, "", "X-Clawget-Signature does not fit the raw body under any of the 1 tokens tried."
    )


def test_without_a_known_token_it_says_so() -> None:
    found = check("clawget", signed("clawget", "test_secret"))
    assert found.ok is False
    assert "no webhook with a signing token points here" in found.reason


@pytest.mark.parametrize("value", ["", "sha256=" + "a" * 64, "A" * 64, "é" * 64, "a" * 63])
def test_a_hex_signature_of_another_form_is_named(value: str) -> None:
    found = check("clawget", [("X-Clawget-Signature", value)], TOKEN)
    assert found.ok is False
    assert "64 lower-case hex" in found.reason


@pytest.mark.parametrize("value", ["!!", "QUJD", "é"])
def test_a_base64_signature_of_another_form_is_named(value: str) -> None:
    found = check("cryptlex", [("Webhook-Signature", value)], TOKEN)
    assert found.ok is False
    assert "base64 of 32 bytes" in found.reason


def test_a_missing_header_is_named() -> None:
    assert check("clawget", [], TOKEN).reason == "The header X-Clawget-Signature is missing."
    found = check("standard", [("webhook-id", "a"), ("webhook-signature", "v1,x")], TOKEN)
    assert found.reason == "The header webhook-timestamp is missing."


def test_a_platform_that_does_not_sign_is_neither_right_nor_wrong() -> None:
    assert check("cleeng", [], TOKEN).ok is None


@pytest.mark.parametrize(
    ("away", "words"), [(301, "301 seconds old"), (-301, "301 seconds ahead of this clock")]
)
def test_a_timestamp_out_of_tolerance_is_refused(away: int, words: str) -> None:
    token = generate_token("whsec")
    known = KnownToken("it", token)
    later = NOW + timedelta(seconds=away)
    found = check("standard", signed("standard", token), known, now=later)
    assert found.ok is False
    assert words in found.reason
    edge = NOW + timedelta(seconds=300)
    assert check("standard", signed("standard", token), known, now=edge).ok is True


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "9" * 20, "١٢٣"])
def test_a_timestamp_that_is_no_number_is_refused(value: str) -> None:
    headers = [
        ("webhook-id", "a"),
        ("webhook-timestamp", value),
        ("webhook-signature", "v1,AAAA"),
    ]
    assert "whole number" in check("standard", headers, TOKEN).reason


def test_a_twelve_digit_timestamp_is_far_ahead_and_no_error() -> None:
    headers = [
        ("webhook-id", "a"),
        ("webhook-timestamp", "9" * 12),
        ("webhook-signature", "v1,AAAA"),
    ]
    assert check("standard", headers, TOKEN).ok is False
