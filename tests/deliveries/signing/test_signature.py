from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from deliveries.payload.canonical_json import canonical, parse_json
from deliveries.signing.signature import SigningError, signature_headers
from subscriptions.endpoints.signing_token_format import TokenPair
from subscriptions.platforms.rules import SignatureRules
from tests.node import Node

UNSIGNED = SignatureRules("none", "", "generated", "whsec", ("standard",))
CRYPTLEX = SignatureRules(
    "hmac-sha256-base64", "Webhook-Signature", "typed", "text", ("none", "standard")
)
CLAWGET = SignatureRules(
    "hmac-sha256-hex", "X-Clawget-Signature", "generated", "text", ("standard",)
)
STANDARD = SignatureRules("standard", "", "generated", "whsec", ())

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SENT_AT = datetime.fromtimestamp(1614265330, UTC)

PAYOUT = (
    '{"type":"payout.completed","id":"evt_jkl012","created":1640000300,"data":{"payout_id":'
    '"pyt_abc123","amount":475.5,"currency":"USDT","wallet":'
    '"0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb","txid":"0xabcdef..."}}'
)
REVIEW = (
    '{"type":"review.created","id":"evt_def456","created":1640000100,"data":{"review_id":'
    '"rev_abc123","listing_id":"lst_abc123","rating":5,"comment":'
    '"Größe \u2013 日本 🎉 a/b <c> \u2028 \u007f \\u0001","reviewer":{"id":"usr_reviewer456",'
    '"name":"John D."}}}'
)

# The receiver of Clawget's webhook page: parse the body, then its verifySignature, word for word.
CLAWGET_RECEIVER = """
const crypto = require('crypto');
function verifySignature(payload, signature) {
const secret = process.env.CLAWGET_WEBHOOK_SECRET;
const expected = crypto
.createHmac('sha256', secret)
.update(JSON.stringify(payload))
.digest('hex');
return crypto.timingSafeEqual(
Buffer.from(signature),
Buffer.from(expected)
);
}
function answer({ body, signature, secret }) {
  process.env.CLAWGET_WEBHOOK_SECRET = secret;
  return verifySignature(JSON.parse(Buffer.from(body, 'base64').toString('utf8')), signature);
}
"""


@pytest.fixture(scope="module")
def clawget_receiver() -> Iterator[Node]:
    with Node(CLAWGET_RECEIVER) as process:
        yield process


def headers(
    rules: SignatureRules,
    body: str,
    *,
    token: str = "test_secret",
    previous: str | None = None,
    choice: str | None = None,
    event_id: str = "msg_p5jXN8AQM9LWM0D4loKWxJek",
    sent_at: datetime = SENT_AT,
) -> dict[str, str]:
    made = signature_headers(
        signature=rules,
        choice=choice,
        tokens=TokenPair(token, previous),
        event_id=event_id,
        body=body.encode(),
        sent_at=sent_at,
    )
    assert len(dict(made)) == len(made)
    return dict(made)


def test_cryptlex_signs_the_body_in_padded_base64_without_a_prefix() -> None:
    body = (
        '{"event":"license.created","data":{"key":"D08B53-C564F8-463EA5-F16A15-E35D6E-D2559B"},'
        '"triggeredAt":"2018-04-20T13:11:34.6926949Z"}'
    )
    assert headers(CRYPTLEX, body) == {
        "Webhook-Signature": "dc3pD1JBInyQn6WYqIdDKoGSKDKK+GIygrjsYQglS4w="
    }


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (PAYOUT, "f5df7f2536ace301c339647b466d1155b37a9a509db8758759f4670c6391d854"),
        (REVIEW, "0cac6eb2ab7582cba9a5da054c4cab9eba8422b2cc23828086215343ec3a836f"),
    ],
)
def test_clawget_signs_the_body_in_64_hex_digits(body: str, signature: str) -> None:
    assert canonical(parse_json(body)) == body
    assert headers(CLAWGET, body) == {"X-Clawget-Signature": signature}


def test_standard_webhooks_own_vector() -> None:
    assert headers(STANDARD, '{"test": 2432232314}', token=WHSEC) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", [WHSEC, OTHER_WHSEC])
def test_the_standardwebhooks_package_verifies_both_tokens_of_an_overlap(secret: str) -> None:
    now = datetime.now(UTC)
    made = headers(STANDARD, REVIEW, token=OTHER_WHSEC, previous=WHSEC, sent_at=now)
    assert Webhook(secret).verify(REVIEW, made) == json.loads(REVIEW)
    assert len(made["webhook-signature"].split(" ")) == 2
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(REVIEW + " ", made)


def test_the_newest_token_signs_first() -> None:
    made = headers(STANDARD, "{}", token=WHSEC, previous=OTHER_WHSEC)["webhook-signature"]
    newest, previous = made.split(" ")
    assert newest == headers(STANDARD, "{}", token=WHSEC)["webhook-signature"]
    assert previous == headers(STANDARD, "{}", token=OTHER_WHSEC)["webhook-signature"]


@pytest.mark.parametrize("rules", [CRYPTLEX, CLAWGET])
def test_where_one_signature_fits_the_previous_token_signs_while_it_lives(
    rules: SignatureRules,
) -> None:
    overlapping = headers(rules, PAYOUT, token="new_secret", previous="test_secret")
    assert overlapping == headers(rules, PAYOUT, token="test_secret")
    assert overlapping != headers(rules, PAYOUT, token="new_secret")


def test_the_timestamp_is_the_attempts_whole_second() -> None:
    late = datetime(2024, 1, 1, 0, 0, 0, 999999, tzinfo=UTC)
    assert headers(STANDARD, "{}", token=WHSEC, sent_at=late)["webhook-timestamp"] == "1704067200"


def test_an_unsigned_platform_sends_no_signature_and_needs_no_token() -> None:
    made = signature_headers(
        signature=UNSIGNED, choice=None, tokens=None, event_id="e", body=b"{}", sent_at=SENT_AT
    )
    assert made == []


def test_signing_can_be_switched_on_where_the_platform_has_none() -> None:
    now = datetime.now(UTC)
    made = headers(UNSIGNED, PAYOUT, token=WHSEC, choice="standard", sent_at=now)
    assert list(made) == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    assert Webhook(WHSEC).verify(PAYOUT, made)


def test_standard_headers_come_besides_the_platforms_own() -> None:
    now = datetime.now(UTC)
    own = headers(CLAWGET, PAYOUT)
    made = headers(CLAWGET, PAYOUT, choice="standard", sent_at=now)
    assert list(made) == [
        "X-Clawget-Signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ]
    assert made["X-Clawget-Signature"] == own["X-Clawget-Signature"]
    assert Webhook(b"test_secret").verify(PAYOUT, made)


def test_a_platforms_own_scheme_takes_a_typed_token_literally() -> None:
    as_text = headers(CRYPTLEX, PAYOUT, token=WHSEC)["Webhook-Signature"]
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    decoded = headers(CRYPTLEX, PAYOUT, token=key.decode("latin-1"))["Webhook-Signature"]
    assert as_text != decoded


def test_the_signature_can_be_left_out_where_the_platform_allows_it() -> None:
    assert headers(CRYPTLEX, PAYOUT, choice="none") == {}


@pytest.mark.parametrize(
    ("rules", "choice"), [(CLAWGET, "none"), (STANDARD, "none"), (CRYPTLEX, "md5"), (CRYPTLEX, "")]
)
def test_a_choice_that_the_platform_does_not_allow_signs_nothing(
    rules: SignatureRules, choice: str
) -> None:
    with pytest.raises(SigningError, match="not one that this platform allows"):
        headers(rules, PAYOUT, choice=choice)


@pytest.mark.parametrize("tokens", [None, TokenPair(""), TokenPair("", "previous")])
@pytest.mark.parametrize(
    ("rules", "choice"),
    [(CLAWGET, None), (CRYPTLEX, None), (STANDARD, None), (UNSIGNED, "standard")],
)
def test_a_request_that_must_be_signed_never_leaves_without_a_token(
    rules: SignatureRules, choice: str | None, tokens: TokenPair | None
) -> None:
    with pytest.raises(SigningError, match="no signing token"):
        signature_headers(
            signature=rules,
            choice=choice,
            tokens=tokens,
            event_id="e",
            body=b"{}",
            sent_at=SENT_AT,
        )


def test_tokens_do_not_show_in_a_repr() -> None:
    assert "secret" not in repr(TokenPair("secret_one", "secret_two"))


def clawget_verifies(receiver: Node, data: object, secret: str) -> Any:
    body = canonical({"type": "purchase.completed", "id": "evt_1", "created": 1, "data": data})
    made = headers(CLAWGET, body, token=secret)
    return receiver.ask(
        {
            "body": base64.b64encode(body.encode()).decode(),
            "signature": made["X-Clawget-Signature"],
            "secret": secret,
        }
    )


@pytest.mark.node
@pytest.mark.parametrize(
    "data",
    [
        {"amount": 475.50},
        {"amount": 15.0, "tiny": 1e-7, "small": 0.00001, "large": 1e16, "huge": 1e21},
        {"zero": -0.0, "many": 123456789.12345678},
        {"name": "Jürgen Größe", "comment": "🎉 日本 \u2028 \u0001 \u007f </script>"},
        {"10": "ten", "9": "nine", "b": 1, "a": {"2": 2, "x": 0, "1": 1}},
        {"__proto__": {"x": 1}, "": [[], {}]},
    ],
)
def test_clawgets_own_receiver_verifies_what_is_sent(clawget_receiver: Node, data: object) -> None:
    assert clawget_verifies(clawget_receiver, data, "test_secret") is True


@pytest.mark.node
@settings(max_examples=150, deadline=None)
@given(
    data=st.recursive(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.booleans(),
        ),
        lambda inner: st.dictionaries(
            st.one_of(
                st.integers(0, 99).map(str), st.text(st.characters(exclude_categories=["Cs"]))
            ),
            inner,
            max_size=6,
        ),
        max_leaves=8,
    ),
    secret=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8),
)
def test_clawgets_own_receiver_verifies_any_data(
    clawget_receiver: Node, data: object, secret: str
) -> None:
    assert clawget_verifies(clawget_receiver, data, secret) is True


@pytest.mark.node
def test_clawgets_own_receiver_refuses_another_token(clawget_receiver: Node) -> None:
    made = headers(CLAWGET, PAYOUT, token="other_secret")
    question = {
        "body": base64.b64encode(PAYOUT.encode()).decode(),
        "signature": made["X-Clawget-Signature"],
        "secret": "test_secret",
    }
    assert clawget_receiver.ask(question) is False
