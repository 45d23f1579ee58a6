"""Ways of getting a signature wrong, each made by real code, and each named by the debugger."""

from __future__ import annotations

import base64
import gzip
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliveries.body_changes import difference, made
from deliveries.canonical_json import canonical
from deliveries.signature_case import STANDARD, Case, LookedAt, Sent, Stored
from deliveries.signature_debugger import debug
from deliveries.signature_trials import TriedToken
from deliveries.signature_verdicts import VERDICTS
from deliveries.signing import signature_headers
from subscriptions.platform_files import PLATFORMS_DIR, read_platform_file
from subscriptions.signing_tokens import TokenPair
from tests.node import Node

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DATA = {
    "review_id": "rev_1",
    "comment": "Größe – 日本 a/b <c> é",
    "amount": 475.5,
    "total": 1000,
    "tags": {},
    "url": "https://example.com/a?b=1&c=2",
}
EVENT = {"type": "review.created", "id": "evt_abc123", "created": 1795262400, "data": DATA}
BODY = canonical(EVENT).encode()
TEXT_TOKEN = "kX9-fresh_token/of+the=shop7"
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
RULES = {
    name: read_platform_file(Path(PLATFORMS_DIR) / f"{name}.toml").rules.signature
    for name in ("clawget", "cryptlex", "standard", "cleeng", "cleverpush")
}
CLAWGET, CRYPTLEX = "X-Clawget-Signature", "Webhook-Signature"

NODE_SCRIPT = """
const crypto = require('crypto');
const wrong = {
  expressJson: (q) => JSON.stringify(JSON.parse(q.body), null, 2),
  bufferAsJson: (q) => JSON.stringify(Buffer.from(q.body)),
  objectAsText: (q) => String(JSON.parse(q.body)),
  replacedKeys: (q) => {
    const { type, data, ...rest } = JSON.parse(q.body);
    return JSON.stringify({ ...rest, data, type });
  },
  latin1: (q) => Buffer.from(q.body).toString('latin1'),
  asciiLost: (q) => Buffer.from(q.body).toString('ascii'),
  normalised: (q) => q.body.normalize('NFD'),
  formEncoded: (q) => new URLSearchParams({ payload: q.body }).toString(),
  stringTwice: (q) => JSON.stringify(q.body),
  hex: (q) => crypto.createHmac('sha256', q.secret).update(q.body).digest('hex'),
  base64: (q) => crypto.createHmac('sha256', q.secret).update(q.body).digest('base64'),
  base64url: (q) => crypto.createHmac('sha256', q.secret).update(q.body).digest('base64url'),
  latin1Digest: (q) =>
    crypto.createHmac('sha256', q.secret).update(q.body, 'latin1').digest('hex'),
  sha1: (q) => crypto.createHmac('sha1', q.secret).update(q.body).digest('hex'),
  sha512: (q) => crypto.createHmac('sha512', q.secret).update(q.body).digest('hex'),
  noHmac: (q) => crypto.createHash('sha256').update(q.secret + q.body).digest('hex'),
  swapped: (q) => crypto.createHmac('sha256', q.body).update(q.secret).digest('hex'),
  dataOnly: (q) => crypto.createHmac('sha256', q.secret)
    .update(JSON.stringify(JSON.parse(q.body).data)).digest('hex'),
  undefinedSecret: (q) =>
    crypto.createHmac('sha256', String(process.env.NO_SUCH_SECRET)).update(q.body).digest('hex'),
  right: (q) => crypto.createHmac('sha256', q.secret).update(q.body).digest('hex'),
};
function answer(q) { return wrong[q.way](q); }
"""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node(NODE_SCRIPT) as process:
        yield process


def token_of(platform: str) -> str:
    return WHSEC if platform in ("standard", "cleeng", "cleverpush") else TEXT_TOKEN


def headers_of(
    platform: str,
    *,
    token: str = "",
    choice: str | None = None,
    previous: str | None = None,
    body: bytes = BODY,
    age: timedelta = timedelta(0),
) -> dict[str, str]:
    """As deliveries.signing signs a delivery."""
    signed = signature_headers(
        signature=RULES[platform],
        choice=choice,
        tokens=TokenPair(token or token_of(platform), previous),
        event_id="evt_abc123",
        body=body,
        sent_at=NOW - age,
    )
    return {"Content-Type": "application/json", **dict(signed)}


def case(
    platform: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = BODY,
    tokens: tuple[TriedToken, ...] | None = None,
    **fields: Any,
) -> Case:
    if tokens is None:
        tokens = (TriedToken("the token …shop of Shop", token_of(platform)),)
    given = headers_of(platform) if headers is None else headers
    return Case(
        **{
            "signature": RULES[platform],
            "choice": None,
            "headers": tuple(given.items()),
            "body": body,
            "tokens": tokens,
            "now": NOW,
        }
        | fields
    )


def changed(platform: str, body: bytes, **fields: Any) -> Case:
    """The receiver pastes what its code made of the body."""
    return case(platform, body=body, **fields)


def computed(platform: str, text: str, **fields: Any) -> Case:
    """The receiver pastes the right request, and what its code computed."""
    return case(platform, computed=text, **fields)


def python_hmac(key: bytes, message: bytes, name: str = "sha256") -> bytes:
    return hmac.new(key, message, name).digest()


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def standard_signed(key: bytes = b"", *, message: bytes = b"", stamp: str = "") -> str:
    headers = headers_of("standard")
    prefix = f"{headers['webhook-id']}.{stamp or headers['webhook-timestamp']}."
    key = key or base64.b64decode(WHSEC.removeprefix("whsec_"))
    return "v1," + b64(python_hmac(key, message or prefix.encode() + BODY))


Ask = Callable[..., str]


class Way(NamedTuple):
    """`by` says what made the mistake; `make` gets something to ask Node with."""

    name: str
    by: str
    make: Callable[[Ask], Case]
    code: str


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in headers.items() if each != name}


def renamed(platform: str, old: str, new: str) -> dict[str, str]:
    headers = headers_of(platform)
    return {new if each == old else each: value for each, value in headers.items()}


def php_json_encode(value: Any) -> bytes:
    """What PHP 8 prints for json_encode(json_decode($body, true)): no PHP is needed to say so."""
    text = json.dumps(value, separators=(",", ":")).replace("/", "\\/")
    return text.replace("{}", "[]").encode()


OTHER = TriedToken("the token …xyz1 of Billing", "another-token-of-billing", "other")
ENDED = TriedToken("the ended token …old9 of Shop", "an-older-token-of-shop", "ended")
TWIN = TriedToken("the token …box1 of Shop (sandbox)", "the-token-of-the-sandbox", "twin")
LIVE = TriedToken("the token …hop7 of Shop", TEXT_TOKEN)
SECOND = headers_of("clawget")[CLAWGET]

WAYS = [
    # the body, as the receiver has it
    Way("JSON written by json.dumps", "Python",
        lambda ask: changed("clawget", json.dumps(json.loads(BODY)).encode()), "python-json"),
    Way("… with ensure_ascii=False", "Python",
        lambda ask: changed("clawget", json.dumps(json.loads(BODY), ensure_ascii=False).encode()),
        "python-json"),
    Way("… compact, escapes left", "Python",
        lambda ask: changed(
            "cryptlex", json.dumps(json.loads(BODY), separators=(",", ":")).encode()),
        "escaped-unicode"),
    Way("… sorted keys, event known", "Python",
        lambda ask: changed(
            "clawget", json.dumps(json.loads(BODY), sort_keys=True).encode(),
            sent=Sent("evt_abc123", BODY)),
        "sorted-keys"),
    Way("… sorted keys, event found", "Python",
        lambda ask: changed(
            "cryptlex", json.dumps(json.loads(BODY), sort_keys=True).encode(),
            recent=lambda: [Stored("evt_zzz", b"{}"), Stored("evt_abc123", BODY)]),
        "sorted-keys"),
    Way("json_encode escapes slashes", "PHP 8's output",
        lambda ask: changed("clawget", BODY_WITHOUT_TAGS_PHP, headers=headers_of(
            "clawget", body=BODY_WITHOUT_TAGS)), "escaped-slashes"),
    Way("json_decode(…, true): {} to []", "PHP 8's output",
        lambda ask: changed("clawget", php_json_encode(EVENT), sent=Sent("evt_abc123", BODY)),
        "php-empty-object"),
    Way("JSON.stringify(…, null, 2)", "Node",
        lambda ask: changed("clawget", ask("expressJson").encode()), "indented-json"),
    Way("another order of fields", "Node",
        lambda ask: changed("standard", ask("replacedKeys").encode(),
                            sent=Sent("evt_abc123", BODY)), "reordered-keys"),
    Way("475.50 for 475.5", "Python, Decimal",
        lambda ask: changed("clawget", BODY.replace(b"475.5", b"475.50")), "number-format"),
    Way("1E3 for 1000", "text",
        lambda ask: changed("clawget", BODY.replace(b"1000", b"1E3")), "number-format"),
    Way("JSON.stringify of a Buffer", "Node",
        lambda ask: changed("clawget", ask("bufferAsJson").encode()), "node-buffer"),
    Way("String(req.body)", "Node",
        lambda ask: changed("clawget", ask("objectAsText").encode()), "object-object"),
    Way("str(request.data)", "Python",
        lambda ask: changed("clawget", str(BODY).encode()), "python-bytes-repr"),
    Way("str(request.json)", "Python",
        lambda ask: changed("clawget", str(json.loads(BODY)).encode()), "python-repr"),
    Way("stream read before", "Node",
        lambda ask: changed("standard", b""), "empty-body"),
    Way("trailing newline (echo)", "Python",
        lambda ask: changed("standard", BODY + b"\n"), "trailing-newline"),
    Way("CR LF at the end", "Python",
        lambda ask: changed("cryptlex", BODY + b"\r\n"), "trailing-newline"),
    Way("LF became CR LF", "Python, text mode",
        lambda ask: changed(
            "clawget", json.dumps(EVENT, indent=1).replace("\n", "\r\n").encode(),
            headers=headers_of("clawget", body=json.dumps(EVENT, indent=1).encode())),
        "line-endings"),
    Way("byte order mark", "Python utf-8-sig",
        lambda ask: changed("clawget", BODY.decode().encode("utf-8-sig")), "byte-order-mark"),
    Way("a space before it", "Python",
        lambda ask: changed("clawget", b" " + BODY), "surrounding-space"),
    Way("a zero byte after it", "C buffer",
        lambda ask: changed("clawget", BODY + b"\0"), "trailing-nul"),
    Way("Unicode normalised to NFD", "Node",
        lambda ask: changed("clawget", ask("normalised").encode()), "unicode-normalised"),
    Way("UTF-8 read as Latin-1", "Node",
        lambda ask: changed("clawget", ask("latin1").encode()), "mojibake"),
    Way("written as Latin-1", "Python",
        lambda ask: changed(
            "clawget", LATIN_BODY.decode().encode("latin-1"),
            headers=headers_of("clawget", body=LATIN_BODY)), "latin-1"),
    Way("letters lost to ASCII", "Python",
        lambda ask: changed("clawget", BODY.decode().encode("ascii", "replace"),
                            sent=Sent("evt_abc123", BODY)), "lost-characters"),
    Way("UTF-16", "Python",
        lambda ask: changed("clawget", BODY.decode().encode("utf-16")), "utf-16"),
    Way("sent on as a form", "Node",
        lambda ask: changed("clawget", ask("formEncoded").encode()), "form-encoded"),
    Way("JSON in JSON", "Node",
        lambda ask: changed("clawget", ask("stringTwice").encode()), "double-encoded"),
    Way("base64 of API Gateway", "Python",
        lambda ask: changed("clawget", base64.b64encode(BODY)), "base64-body"),
    Way("the whole Lambda event", "Python",
        lambda ask: changed("clawget", json.dumps(
            {"body": BODY.decode(), "isBase64Encoded": False}).encode()), "lambda-event"),
    Way("gzip on the way", "Python",
        lambda ask: changed("clawget", gzip.compress(BODY)), "compressed"),
    Way("cut off, event known", "Python",
        lambda ask: changed("clawget", BODY[:100], sent=Sent("evt_abc123", BODY)),
        "truncated-body"),
    Way("cut off, Content-Length there", "Python",
        lambda ask: changed("clawget", BODY[:100], headers=headers_of("clawget")
                            | {"Content-Length": str(len(BODY))}), "truncated-body"),
    Way("a field lost in a model", "Python",
        lambda ask: changed("clawget", canonical(
            {key: EVENT[key] for key in ("type", "id", "data")}).encode(),
            sent=Sent("evt_abc123", BODY)), "fields-lost"),
    Way("a value changed", "Python",
        lambda ask: changed("clawget", BODY.replace(b"rev_1", b"rev_2"),
                            sent=Sent("evt_abc123", BODY)), "values-changed"),
    Way("headers of another event", "Python",
        lambda ask: changed("cryptlex", BODY, headers=headers_of("cryptlex", body=b'{"n":2}'),
                            recent=lambda: [Stored("evt_2", b'{"n":2}')]), "other-event"),
    # tokens
    Way("signed for another webhook", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget", token=OTHER.token),
                         tokens=(LIVE, OTHER)), "token-of-another"),
    Way("token that has ended", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget", token=ENDED.token),
                         tokens=(LIVE, ENDED)), "token-ended"),
    Way("token of the sandbox", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget", token=TWIN.token),
                         tokens=(LIVE, TWIN)), "token-of-twin"),
    Way("token gone since, by the log", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget", token="gone-and-erased"),
                         sent=Sent("evt_abc123", BODY, (tuple(
                             headers_of("clawget", token="gone-and-erased").items()),))),
        "signed-then-unknown"),
    Way("from somewhere else", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget", token="unknown-token")),
        "unexplained"),
    Way("… and its event unknown", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget", token="unknown-token"),
                         unknown_id="evt_abc123"), "unknown-event"),
    # headers
    Way("header missing", "Python",
        lambda ask: case("clawget", headers=without(headers_of("clawget"), CLAWGET)),
        "missing-header"),
    Way("timestamp header missing", "Python",
        lambda ask: case("standard", headers=without(headers_of("standard"),
                                                     "webhook-timestamp")), "missing-header"),
    Way("underscores by a proxy", "Python",
        lambda ask: case("clawget", headers=renamed("clawget", CLAWGET, "X_Clawget_Signature")),
        "header-renamed"),
    Way("under another name", "Python",
        lambda ask: case("clawget", headers=renamed("clawget", CLAWGET, "X-Hub-Value")),
        "wrong-header"),
    Way("masked by a log", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget") | {CLAWGET: "••••"}),
        "masked-header"),
    Way("cut off by a column", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget") | {CLAWGET: SECOND[:50]}),
        "signature-cut"),
    Way("twice, joined by a proxy", "Python",
        lambda ask: case("clawget",
                         headers=headers_of("clawget") | {CLAWGET: f"{SECOND}, {SECOND}"}),
        "form-repeated"),
    Way("capital hex in the header", "Python",
        lambda ask: case("clawget", headers=headers_of("clawget") | {CLAWGET: SECOND.upper()}),
        "form-upper"),
    Way("sha256= put before it", "Python",
        lambda ask: case("clawget",
                         headers=headers_of("clawget") | {CLAWGET: f"sha256={SECOND}"}),
        "form-prefix"),
    Way("v1, lost from the header", "Python",
        lambda ask: case("standard", headers=headers_of("standard") | {
            "webhook-signature": headers_of("standard")["webhook-signature"][3:]}),
        "form-prefix-missing"),
    Way("timestamp made milliseconds", "Python",
        lambda ask: case("standard", headers=headers_of("standard") | {
            "webhook-timestamp": headers_of("standard")["webhook-timestamp"] + "000"}),
        "timestamp-form"),
    # the clock
    Way("clock an hour fast", "Python",
        lambda ask: case("standard", received_at=NOW + timedelta(hours=1)), "timestamp-old"),
    Way("clock an hour slow", "Python",
        lambda ask: case("standard", received_at=NOW - timedelta(hours=1)), "timestamp-ahead"),
    # the receiver's code
    Way("hex for base64", "Node",
        lambda ask: computed("cryptlex", ask("hex")), "form-hex"),
    Way("base64 for hex", "Node",
        lambda ask: computed("clawget", ask("base64")), "form-base64"),
    Way("base64url for base64", "Node",
        lambda ask: computed("cryptlex", ask("base64url")), "form-base64url"),
    Way("padding cut off", "Node",
        lambda ask: computed("cryptlex", ask("base64").rstrip("=")), "form-unpadded"),
    Way("base64 of the hex text", "Python",
        lambda ask: computed("cryptlex", b64(python_hmac(
            TEXT_TOKEN.encode(), BODY).hex().encode())), "form-twice"),
    Way("hexdigest().upper()", "Python",
        lambda ask: computed("clawget", python_hmac(TEXT_TOKEN.encode(), BODY).hex().upper()),
        "form-upper"),
    Way("sha256= before it", "Node",
        lambda ask: computed("clawget", "sha256=" + ask("hex")), "form-prefix"),
    Way("SHA-1", "Node", lambda ask: computed("clawget", ask("sha1")), "hash-sha1"),
    Way("SHA-512", "Node", lambda ask: computed("clawget", ask("sha512")), "hash-sha512"),
    Way("no HMAC", "Node", lambda ask: computed("clawget", ask("noHmac")), "no-hmac"),
    Way("arguments swapped", "Node",
        lambda ask: computed("clawget", ask("swapped")), "swapped-arguments"),
    Way("only data signed", "Node",
        lambda ask: computed("clawget", ask("dataOnly")), "part-of-body"),
    Way("json.dumps signed", "Python",
        lambda ask: computed("clawget", python_hmac(
            TEXT_TOKEN.encode(), json.dumps(json.loads(BODY)).encode()).hex()), "python-json"),
    Way("process.env unset", "Node",
        lambda ask: computed("clawget", ask("undefinedSecret")), "secret-missing"),
    Way("secret with a line end", "Python",
        lambda ask: computed("clawget", python_hmac(
            f"{TEXT_TOKEN}\n".encode(), BODY).hex()), "secret-whitespace"),
    Way("secret in quotes", "Python",
        lambda ask: computed("clawget", python_hmac(
            f'"{TEXT_TOKEN}"'.encode(), BODY).hex()), "secret-quotes"),
    Way("whsec_ not decoded", "Python",
        lambda ask: computed("standard", standard_signed(WHSEC.encode())), "secret-with-prefix"),
    Way("whsec_ off, not decoded", "Python",
        lambda ask: computed("standard", standard_signed(WHSEC[6:].encode())),
        "secret-not-decoded"),
    Way("text token decoded", "Python",
        lambda ask: computed("cryptlex", b64(python_hmac(
            base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), BODY)),
            headers=headers_of("cryptlex", token="MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            tokens=(TriedToken("the token …LaSw of Shop", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)),
        "secret-decoded"),
    Way("id and timestamp left out", "Python",
        lambda ask: computed("standard", standard_signed(message=BODY)),
        "without-id-and-timestamp"),
    Way("only the id left out", "Python",
        lambda ask: computed("standard", standard_signed(
            message=f"{int(NOW.timestamp())}.".encode() + BODY)), "without-id"),
    Way("timestamp left out", "Python",
        lambda ask: computed("standard", standard_signed(message=b"evt_abc123." + BODY)),
        "without-timestamp"),
    Way("milliseconds signed", "Python",
        lambda ask: computed("standard", standard_signed(
            stamp=f"{int(NOW.timestamp())}000")), "timestamp-changed"),
    Way("id of another header", "Python",
        lambda ask: computed("standard", standard_signed(
            message=f"req-77.{int(NOW.timestamp())}.".encode() + BODY),
            headers=headers_of("standard") | {"X-Request-Id": "req-77"}), "other-id"),
    Way("right, compared wrongly", "Node",
        lambda ask: computed("clawget", ask("right")), "comparison"),
    Way("another webhook's secret", "Python",
        lambda ask: case("clawget", secret=OTHER.token, tokens=(LIVE, OTHER)),
        "secret-wrong-token"),
    Way("a publisher token as secret", "Python",
        lambda ask: case("clawget", secret="whp_" + "a" * 46), "secret-is-publisher-token"),
    Way("secret cut off", "Python",
        lambda ask: case("clawget", secret=TEXT_TOKEN[:22]), "secret-cut"),
]  # fmt: skip

LATIN_BODY = '{"type":"review.created","comment":"Größe"}'.encode()
WITHOUT_TAGS = {"type": "review.created", "url": "https://example.com/ä"}
BODY_WITHOUT_TAGS = canonical(WITHOUT_TAGS).encode()
BODY_WITHOUT_TAGS_PHP = php_json_encode(WITHOUT_TAGS)


@pytest.mark.node
def test_each_way_of_getting_a_signature_wrong_is_named(node: Node) -> None:
    """With -s it prints the table."""

    def ask(way: str) -> str:
        return str(node.ask({"way": way, "body": BODY.decode(), "secret": TEXT_TOKEN}))

    wrong = []
    print(f"\n{'way':34} {'made by':18} {'verdict':26} in words")
    for way in WAYS:
        found = debug(way.make(ask))
        print(f"{way.name:34} {way.by:18} {found.code:26} {VERDICTS[found.code].title}")
        if found.codes[0] != way.code or len(found.codes) != 1:
            wrong.append((way.name, found.codes, way.code))
        assert not VERDICTS[found.code].title.endswith(".")
    assert wrong == []
    assert len({way.code for way in WAYS}) > 60


# A right signature is never called wrong, and nothing else is called right

SCHEMES = [
    ("clawget", None),
    ("clawget", "standard"),
    ("cryptlex", None),
    ("standard", None),
    ("cleeng", "standard"),
    ("cleverpush", "standard"),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(
    scheme=st.sampled_from(SCHEMES),
    data=st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    token=st.binary(min_size=24, max_size=64),
    has_previous=st.booleans(),
    age_seconds=st.integers(-300, 300),
    shout=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_a_right_signature_is_never_called_wrong(
    scheme: tuple[str, str | None],
    data: dict[str, Any],
    token: bytes,
    has_previous: bool,
    age_seconds: int,
    shout: bool,
) -> None:
    platform, choice = scheme
    body = canonical(data).encode()
    current = "whsec_" + base64.b64encode(token).decode()
    previous = OLD if has_previous else None
    headers = headers_of(
        platform,
        token=current,
        choice=choice,
        previous=previous,
        body=body,
        age=timedelta(seconds=age_seconds),
    )
    known = [TriedToken("the token", current)]
    known += [TriedToken("the previous token", OLD, "previous")] if previous else []
    given_headers = {name.upper() if shout else name: value for name, value in headers.items()}
    found = debug(
        case(platform, headers=given_headers, body=body, tokens=(OTHER, *known), choice=choice)
    )
    assert (found.code, found.ok) == ("right", True)


def one_bit_off(value: bytes) -> Iterator[bytes]:
    for at in range(len(value) * 8):
        spoiled = bytearray(value)
        spoiled[at // 8] ^= 1 << at % 8
        yield bytes(spoiled)


@pytest.mark.parametrize(("platform", "choice"), SCHEMES)
def test_no_single_bit_can_change_and_be_called_right(platform: str, choice: str | None) -> None:
    """Nothing is right but what the first step, the signer, takes: it is asked for every bit."""
    headers = headers_of(platform, choice=choice)
    whole = case(platform, headers=headers, choice=choice)
    assert debug(whole).code == "right"
    for rules in [RULES[platform]] if choice is None else [STANDARD]:
        looked_at = LookedAt(whole, rules)
        assert looked_at.signer(looked_at.given, BODY) is not None
        for body in one_bit_off(BODY):
            assert looked_at.signer(looked_at.given, body) is None
        for name in (name for name in headers if "-" in name and name != "Content-Type"):
            if rules is STANDARD and name == CLAWGET:
                continue
            for spoiled in one_bit_off(headers[name].encode()):
                value = spoiled.decode("latin-1").strip()
                given_headers = looked_at.given | {name.lower(): value}
                assert looked_at.signer(given_headers, BODY) is None, (name, spoiled)


@given(scheme=st.sampled_from(SCHEMES), bit=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_changed_bit_gets_some_verdict_and_never_right(
    scheme: tuple[str, str | None], bit: int
) -> None:
    platform, choice = scheme
    body = bytearray(BODY)
    body[bit // 8 % len(body)] ^= 1 << bit % 8
    headers = headers_of(platform, choice=choice)
    found = debug(case(platform, headers=headers, body=bytes(body), choice=choice))
    assert found.ok is False
    known = debug(
        case(
            platform,
            headers=headers,
            body=bytes(body),
            choice=choice,
            sent=Sent("evt_abc123", BODY, (tuple(headers.items()),)),
        )
    )
    assert known.difference is not None
    assert known.difference.offset == bit // 8 % len(BODY)


def test_each_change_that_is_made_of_a_body_is_named_as_itself() -> None:
    for change in made(BODY):
        found = debug(changed("clawget", change.body, sent=Sent("evt_abc123", BODY)))
        assert VERDICTS[found.code]
        same = {each.code for each in made(BODY) if each.body == change.body}
        assert found.code in same


@pytest.mark.parametrize("platform", ["cleeng", "cleverpush"])
def test_a_platform_without_a_signature_is_neither_right_nor_wrong(platform: str) -> None:
    found = debug(case(platform, headers={"Content-Type": "application/json"}))
    assert (found.code, found.ok) == ("unsigned", None)


def test_a_webhook_with_its_signature_switched_off_has_none_to_miss() -> None:
    assert debug(case("clawget", headers={}, choice="none")).code == "unsigned"


def test_during_an_overlap_one_signature_that_is_spoiled_is_told() -> None:
    tokens = (TriedToken("new", WHSEC), TriedToken("old", OLD, "previous"))
    headers = headers_of("standard", previous=OLD)
    assert debug(case("standard", headers=headers, tokens=tokens)).code == "right"
    found = debug(case("standard", headers=headers, tokens=tokens[:1]))
    assert (found.code, found.ok) == ("right-one-of-several", True)


def test_two_mistakes_are_both_named() -> None:
    text = python_hmac(f"{TEXT_TOKEN}\n".encode(), json.dumps(EVENT).encode()).hex().upper()
    found = debug(computed("clawget", text))
    assert found.codes == ("python-json", "secret-whitespace", "form-upper")
    found = debug(
        case(
            "clawget",
            headers=headers_of("clawget", token=ENDED.token),
            body=BODY + b"\n",
            tokens=(LIVE, ENDED),
        )
    )
    assert found.codes == ("trailing-newline", "token-ended")


def test_the_difference_is_shown_at_its_first_byte_with_what_is_around_it() -> None:
    found = difference(b'{"a": 1,"b":2}', b'{"a":1,"b":2}')
    assert found is not None
    assert (found.offset, found.before) == (5, '{"a":')
    assert (found.received, found.original) == (' 1,"b":2}', '1,"b":2}')
    end = difference(b"{}", b"{}\n")
    assert end is not None
    assert (end.offset, end.received, end.original) == (2, "(end)", "␊")
    assert difference(b"{}", b"{}") is None


def test_no_finding_repeats_a_token_or_the_secret() -> None:
    for way in WAYS:
        for given_case in (way.make(lambda _: "x" * 64),):
            said = repr(debug(given_case)) + repr(given_case)
            for secret in (TEXT_TOKEN, WHSEC, OTHER.token, ENDED.token, TWIN.token):
                assert secret not in said.replace(given_case.computed or "\0", "")


@pytest.mark.parametrize("length", range(1, 17))
def test_a_short_beginning_of_a_signature_is_not_confirmed(length: int) -> None:
    """Told of each character that it is right, one could forge a signature step by step."""
    spoiled = headers_of("clawget") | {CLAWGET: SECOND[:length]}
    assert debug(case("clawget", headers=spoiled)).code == "not-a-signature"


def test_a_short_part_of_a_token_is_not_confirmed() -> None:
    for length in range(1, 20):
        found = debug(case("clawget", secret=TEXT_TOKEN[:length]))
        assert found.code == "secret-unknown"


def test_the_largest_body_is_judged_in_a_moment() -> None:
    body = canonical({"list": [{"n": n, "text": "Größe"} for n in range(3_000)]}).encode()
    assert len(body) > 75_000
    started = time.process_time()
    found = debug(case("clawget", headers=headers_of("clawget", token="gone"), body=body))
    assert found.code == "unexplained"
    assert time.process_time() - started < 5


VALUES = st.text(max_size=80) | st.sampled_from(
    ["v1," + "A" * 43 + "=", SECOND, "t=1,v1=" + SECOND, "%2B" * 20, "9" * 11, "9" * 12]
)


@given(
    platform=st.sampled_from(sorted(RULES)),
    choice=st.sampled_from([None, "standard"]),
    body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
    values=st.tuples(VALUES, VALUES, VALUES, VALUES),
    secret=VALUES,
    computed=VALUES,
    is_known=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_pasted_gets_a_verdict(
    platform: str,
    choice: str | None,
    body: bytes,
    values: tuple[str, str, str, str],
    secret: str,
    computed: str,
    is_known: bool,
) -> None:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature", CLAWGET)
    found = debug(
        case(
            platform,
            headers=dict(zip(names, values, strict=True)),
            body=body,
            choice=choice,
            secret=secret,
            computed=computed,
            sent=Sent("evt_abc123", BODY) if is_known else None,
        )
    )
    assert found.code in VERDICTS
    assert found.ok is not True


@pytest.mark.parametrize("body", [b"[" * 5_000, b"[" * 900 + b"]" * 900, b"9" * 5_000, b"1e999"])
def test_json_at_the_limits_gets_a_verdict(body: bytes) -> None:
    for sent in (None, Sent("evt_abc123", BODY), Sent("evt_abc123", body + b" ")):
        headers = headers_of("clawget", token="gone")
        assert debug(case("clawget", headers=headers, body=body, sent=sent)).ok is False
        headers = headers_of("clawget", body=body)
        assert debug(case("clawget", headers=headers, body=body, computed="0" * 64)).ok is True
