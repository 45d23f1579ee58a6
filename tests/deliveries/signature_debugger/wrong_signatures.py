"""The ways of getting a signature wrong, each made by real code."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta
from typing import Any

from deliveries.payload.canonical_json import canonical
from deliveries.signature_debugger.case import SentEvent, StoredEvent
from deliveries.signature_debugger.search import CandidateToken
from tests.deliveries.signature_debugger.signature_cases import (
    BODY,
    CLAWGET,
    EVENT,
    NOW,
    TEXT_TOKEN,
    WHSEC,
    Way,
    b64,
    case,
    changed,
    computed,
    headers_of,
    python_hmac,
    renamed,
    standard_signed,
    without,
)

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


def php_json_encode(value: Any) -> bytes:
    """What PHP 8 prints for json_encode(json_decode($body, true)): no PHP is needed to say so."""
    text = json.dumps(value, separators=(",", ":")).replace("/", "\\/")
    return text.replace("{}", "[]").encode()


OTHER = CandidateToken("the token …xyz1 of Billing", "another-token-of-billing", "other")
ENDED = CandidateToken("the ended token …old9 of Shop", "an-older-token-of-shop", "ended")
TWIN = CandidateToken("the token …box1 of Shop (sandbox)", "the-token-of-the-sandbox", "twin")
LIVE = CandidateToken("the token …hop7 of Shop", TEXT_TOKEN)
SECOND = headers_of("clawget")[CLAWGET]

LATIN_BODY = '{"type":"review.created","comment":"Größe"}'.encode()
WITHOUT_TAGS = {"type": "review.created", "url": "https://example.com/ä"}
BODY_WITHOUT_TAGS = canonical(WITHOUT_TAGS).encode()
BODY_WITHOUT_TAGS_PHP = php_json_encode(WITHOUT_TAGS)


WAYS = [
    # the body, as the receiver has it
    Way(
        "JSON written by json.dumps",
        "Python",
        lambda ask: changed("clawget", json.dumps(json.loads(BODY)).encode()),
        "python-json",
    ),
    Way(
        "… with ensure_ascii=False",
        "Python",
        lambda ask: changed("clawget", json.dumps(json.loads(BODY), ensure_ascii=False).encode()),
        "python-json",
    ),
    Way(
        "… compact, escapes left",
        "Python",
        lambda ask: changed(
            "cryptlex", json.dumps(json.loads(BODY), separators=(",", ":")).encode()
        ),
        "escaped-unicode",
    ),
    Way(
        "… sorted keys, event known",
        "Python",
        lambda ask: changed(
            "clawget",
            json.dumps(json.loads(BODY), sort_keys=True).encode(),
            sent=SentEvent("evt_abc123", BODY),
        ),
        "sorted-keys",
    ),
    Way(
        "… sorted keys, event found",
        "Python",
        lambda ask: changed(
            "cryptlex",
            json.dumps(json.loads(BODY), sort_keys=True).encode(),
            recent=lambda: [StoredEvent("evt_zzz", b"{}"), StoredEvent("evt_abc123", BODY)],
        ),
        "sorted-keys",
    ),
    Way(
        "json_encode escapes slashes",
        "PHP 8's output",
        lambda ask: changed(
            "clawget", BODY_WITHOUT_TAGS_PHP, headers=headers_of("clawget", body=BODY_WITHOUT_TAGS)
        ),
        "escaped-slashes",
    ),
    Way(
        "json_decode(…, true): {} to []",
        "PHP 8's output",
        lambda ask: changed("clawget", php_json_encode(EVENT), sent=SentEvent("evt_abc123", BODY)),
        "php-empty-object",
    ),
    Way(
        "JSON.stringify(…, null, 2)",
        "Node",
        lambda ask: changed("clawget", ask("expressJson").encode()),
        "indented-json",
    ),
    Way(
        "another order of fields",
        "Node",
        lambda ask: changed(
            "standard", ask("replacedKeys").encode(), sent=SentEvent("evt_abc123", BODY)
        ),
        "reordered-keys",
    ),
    Way(
        "475.50 for 475.5",
        "Python, Decimal",
        lambda ask: changed("clawget", BODY.replace(b"475.5", b"475.50")),
        "number-format",
    ),
    Way(
        "1E3 for 1000",
        "text",
        lambda ask: changed("clawget", BODY.replace(b"1000", b"1E3")),
        "number-format",
    ),
    Way(
        "JSON.stringify of a Buffer",
        "Node",
        lambda ask: changed("clawget", ask("bufferAsJson").encode()),
        "node-buffer",
    ),
    Way(
        "String(req.body)",
        "Node",
        lambda ask: changed("clawget", ask("objectAsText").encode()),
        "object-object",
    ),
    Way(
        "str(request.data)",
        "Python",
        lambda ask: changed("clawget", str(BODY).encode()),
        "python-bytes-repr",
    ),
    Way(
        "str(request.json)",
        "Python",
        lambda ask: changed("clawget", str(json.loads(BODY)).encode()),
        "python-repr",
    ),
    Way("stream read before", "Node", lambda ask: changed("standard", b""), "empty-body"),
    Way(
        "trailing newline (echo)",
        "Python",
        lambda ask: changed("standard", BODY + b"\n"),
        "trailing-newline",
    ),
    Way(
        "CR LF at the end",
        "Python",
        lambda ask: changed("cryptlex", BODY + b"\r\n"),
        "trailing-newline",
    ),
    Way(
        "LF became CR LF",
        "Python, text mode",
        lambda ask: changed(
            "clawget",
            json.dumps(EVENT, indent=1).replace("\n", "\r\n").encode(),
            headers=headers_of("clawget", body=json.dumps(EVENT, indent=1).encode()),
        ),
        "line-endings",
    ),
    Way(
        "byte order mark",
        "Python utf-8-sig",
        lambda ask: changed("clawget", BODY.decode().encode("utf-8-sig")),
        "byte-order-mark",
    ),
    Way(
        "a space before it",
        "Python",
        lambda ask: changed("clawget", b" " + BODY),
        "surrounding-space",
    ),
    Way(
        "a zero byte after it",
        "C buffer",
        lambda ask: changed("clawget", BODY + b"\0"),
        "trailing-nul",
    ),
    Way(
        "Unicode normalised to NFD",
        "Node",
        lambda ask: changed("clawget", ask("normalised").encode()),
        "unicode-normalised",
    ),
    Way(
        "UTF-8 read as Latin-1",
        "Node",
        lambda ask: changed("clawget", ask("latin1").encode()),
        "mojibake",
    ),
    Way(
        "written as Latin-1",
        "Python",
        lambda ask: changed(
            "clawget",
            LATIN_BODY.decode().encode("latin-1"),
            headers=headers_of("clawget", body=LATIN_BODY),
        ),
        "latin-1",
    ),
    Way(
        "letters lost to ASCII",
        "Python",
        lambda ask: changed(
            "clawget", BODY.decode().encode("ascii", "replace"), sent=SentEvent("evt_abc123", BODY)
        ),
        "lost-characters",
    ),
    Way(
        "UTF-16", "Python", lambda ask: changed("clawget", BODY.decode().encode("utf-16")), "utf-16"
    ),
    Way(
        "sent on as a form",
        "Node",
        lambda ask: changed("clawget", ask("formEncoded").encode()),
        "form-encoded",
    ),
    Way(
        "JSON in JSON",
        "Node",
        lambda ask: changed("clawget", ask("stringTwice").encode()),
        "double-encoded",
    ),
    Way(
        "base64 of API Gateway",
        "Python",
        lambda ask: changed("clawget", base64.b64encode(BODY)),
        "base64-body",
    ),
    Way(
        "the whole Lambda event",
        "Python",
        lambda ask: changed(
            "clawget", json.dumps({"body": BODY.decode(), "isBase64Encoded": False}).encode()
        ),
        "lambda-event",
    ),
    Way(
        "gzip on the way",
        "Python",
        lambda ask: changed("clawget", gzip.compress(BODY)),
        "compressed",
    ),
    Way(
        "cut off, event known",
        "Python",
        lambda ask: changed("clawget", BODY[:100], sent=SentEvent("evt_abc123", BODY)),
        "truncated-body",
    ),
    Way(
        "cut off, Content-Length there",
        "Python",
        lambda ask: changed(
            "clawget",
            BODY[:100],
            headers=headers_of("clawget") | {"Content-Length": str(len(BODY))},
        ),
        "truncated-body",
    ),
    Way(
        "a field lost in a model",
        "Python",
        lambda ask: changed(
            "clawget",
            canonical({key: EVENT[key] for key in ("type", "id", "data")}).encode(),
            sent=SentEvent("evt_abc123", BODY),
        ),
        "fields-lost",
    ),
    Way(
        "a value changed",
        "Python",
        lambda ask: changed(
            "clawget", BODY.replace(b"rev_1", b"rev_2"), sent=SentEvent("evt_abc123", BODY)
        ),
        "values-changed",
    ),
    Way(
        "headers of another event",
        "Python",
        lambda ask: changed(
            "cryptlex",
            BODY,
            headers=headers_of("cryptlex", body=b'{"n":2}'),
            recent=lambda: [StoredEvent("evt_2", b'{"n":2}')],
        ),
        "other-event",
    ),
    # tokens
    Way(
        "signed for another webhook",
        "Python",
        lambda ask: case(
            "clawget", headers=headers_of("clawget", token=OTHER.token), tokens=(LIVE, OTHER)
        ),
        "token-of-another",
    ),
    Way(
        "token that has ended",
        "Python",
        lambda ask: case(
            "clawget", headers=headers_of("clawget", token=ENDED.token), tokens=(LIVE, ENDED)
        ),
        "token-ended",
    ),
    Way(
        "token of the sandbox",
        "Python",
        lambda ask: case(
            "clawget", headers=headers_of("clawget", token=TWIN.token), tokens=(LIVE, TWIN)
        ),
        "token-of-twin",
    ),
    Way(
        "token gone since, by the log",
        "Python",
        lambda ask: case(
            "clawget",
            headers=headers_of("clawget", token="gone-and-erased"),
            sent=SentEvent(
                "evt_abc123", BODY, (tuple(headers_of("clawget", token="gone-and-erased").items()),)
            ),
        ),
        "signed-then-unknown",
    ),
    Way(
        "from somewhere else",
        "Python",
        lambda ask: case("clawget", headers=headers_of("clawget", token="unknown-token")),
        "unexplained",
    ),
    Way(
        "… and its event unknown",
        "Python",
        lambda ask: case(
            "clawget", headers=headers_of("clawget", token="unknown-token"), unknown_id="evt_abc123"
        ),
        "unknown-event",
    ),
    # headers
    Way(
        "header missing",
        "Python",
        lambda ask: case("clawget", headers=without(headers_of("clawget"), CLAWGET)),
        "missing-header",
    ),
    Way(
        "timestamp header missing",
        "Python",
        lambda ask: case("standard", headers=without(headers_of("standard"), "webhook-timestamp")),
        "missing-header",
    ),
    Way(
        "underscores by a proxy",
        "Python",
        lambda ask: case("clawget", headers=renamed("clawget", CLAWGET, "X_Clawget_Signature")),
        "header-renamed",
    ),
    Way(
        "under another name",
        "Python",
        lambda ask: case("clawget", headers=renamed("clawget", CLAWGET, "X-Hub-Value")),
        "wrong-header",
    ),
    Way(
        "masked by a log",
        "Python",
        lambda ask: case("clawget", headers=headers_of("clawget") | {CLAWGET: "••••"}),
        "masked-header",
    ),
    Way(
        "cut off by a column",
        "Python",
        lambda ask: case("clawget", headers=headers_of("clawget") | {CLAWGET: SECOND[:50]}),
        "signature-cut",
    ),
    Way(
        "twice, joined by a proxy",
        "Python",
        lambda ask: case(
            "clawget", headers=headers_of("clawget") | {CLAWGET: f"{SECOND}, {SECOND}"}
        ),
        "form-repeated",
    ),
    Way(
        "capital hex in the header",
        "Python",
        lambda ask: case("clawget", headers=headers_of("clawget") | {CLAWGET: SECOND.upper()}),
        "form-upper",
    ),
    Way(
        "sha256= put before it",
        "Python",
        lambda ask: case("clawget", headers=headers_of("clawget") | {CLAWGET: f"sha256={SECOND}"}),
        "form-prefix",
    ),
    Way(
        "v1, lost from the header",
        "Python",
        lambda ask: case(
            "standard",
            headers=headers_of("standard")
            | {"webhook-signature": headers_of("standard")["webhook-signature"][3:]},
        ),
        "form-prefix-missing",
    ),
    Way(
        "timestamp made milliseconds",
        "Python",
        lambda ask: case(
            "standard",
            headers=headers_of("standard")
            | {"webhook-timestamp": headers_of("standard")["webhook-timestamp"] + "000"},
        ),
        "timestamp-form",
    ),
    # the clock
    Way(
        "clock an hour fast",
        "Python",
        lambda ask: case("standard", received_at=NOW + timedelta(hours=1)),
        "timestamp-old",
    ),
    Way(
        "clock an hour slow",
        "Python",
        lambda ask: case("standard", received_at=NOW - timedelta(hours=1)),
        "timestamp-ahead",
    ),
    # the receiver's code
    Way("hex for base64", "Node", lambda ask: computed("cryptlex", ask("hex")), "form-hex"),
    Way("base64 for hex", "Node", lambda ask: computed("clawget", ask("base64")), "form-base64"),
    Way(
        "base64url for base64",
        "Node",
        lambda ask: computed("cryptlex", ask("base64url")),
        "form-base64url",
    ),
    Way(
        "padding cut off",
        "Node",
        lambda ask: computed("cryptlex", ask("base64").rstrip("=")),
        "form-unpadded",
    ),
    Way(
        "base64 of the hex text",
        "Python",
        lambda ask: computed(
            "cryptlex", b64(python_hmac(TEXT_TOKEN.encode(), BODY).hex().encode())
        ),
        "form-twice",
    ),
    Way(
        "hexdigest().upper()",
        "Python",
        lambda ask: computed("clawget", python_hmac(TEXT_TOKEN.encode(), BODY).hex().upper()),
        "form-upper",
    ),
    Way(
        "sha256= before it",
        "Node",
        lambda ask: computed("clawget", "sha256=" + ask("hex")),
        "form-prefix",
    ),
    Way("SHA-1", "Node", lambda ask: computed("clawget", ask("sha1")), "hash-sha1"),
    Way("SHA-512", "Node", lambda ask: computed("clawget", ask("sha512")), "hash-sha512"),
    Way("no HMAC", "Node", lambda ask: computed("clawget", ask("noHmac")), "no-hmac"),
    Way(
        "arguments swapped",
        "Node",
        lambda ask: computed("clawget", ask("swapped")),
        "swapped-arguments",
    ),
    Way(
        "only data signed", "Node", lambda ask: computed("clawget", ask("dataOnly")), "part-of-body"
    ),
    Way(
        "json.dumps signed",
        "Python",
        lambda ask: computed(
            "clawget", python_hmac(TEXT_TOKEN.encode(), json.dumps(json.loads(BODY)).encode()).hex()
        ),
        "python-json",
    ),
    Way(
        "process.env unset",
        "Node",
        lambda ask: computed("clawget", ask("undefinedSecret")),
        "secret-missing",
    ),
    Way(
        "secret with a line end",
        "Python",
        lambda ask: computed("clawget", python_hmac(f"{TEXT_TOKEN}\n".encode(), BODY).hex()),
        "secret-whitespace",
    ),
    Way(
        "secret in quotes",
        "Python",
        lambda ask: computed("clawget", python_hmac(f'"{TEXT_TOKEN}"'.encode(), BODY).hex()),
        "secret-quotes",
    ),
    Way(
        "whsec_ not decoded",
        "Python",
        lambda ask: computed("standard", standard_signed(WHSEC.encode())),
        "secret-with-prefix",
    ),
    Way(
        "whsec_ off, not decoded",
        "Python",
        lambda ask: computed("standard", standard_signed(WHSEC[6:].encode())),
        "secret-not-decoded",
    ),
    Way(
        "text token decoded",
        "Python",
        lambda ask: computed(
            "cryptlex",
            b64(python_hmac(base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), BODY)),
            headers=headers_of("cryptlex", token="MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            tokens=(CandidateToken("the token …LaSw of Shop", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),),
        ),
        "secret-decoded",
    ),
    Way(
        "id and timestamp left out",
        "Python",
        lambda ask: computed("standard", standard_signed(message=BODY)),
        "without-id-and-timestamp",
    ),
    Way(
        "only the id left out",
        "Python",
        lambda ask: computed(
            "standard", standard_signed(message=f"{int(NOW.timestamp())}.".encode() + BODY)
        ),
        "without-id",
    ),
    Way(
        "timestamp left out",
        "Python",
        lambda ask: computed("standard", standard_signed(message=b"evt_abc123." + BODY)),
        "without-timestamp",
    ),
    Way(
        "milliseconds signed",
        "Python",
        lambda ask: computed("standard", standard_signed(stamp=f"{int(NOW.timestamp())}000")),
        "timestamp-changed",
    ),
    Way(
        "id of another header",
        "Python",
        lambda ask: computed(
            "standard",
            standard_signed(message=f"req-77.{int(NOW.timestamp())}.".encode() + BODY),
            headers=headers_of("standard") | {"X-Request-Id": "req-77"},
        ),
        "other-id",
    ),
    Way(
        "right, compared wrongly",
        "Node",
        lambda ask: computed("clawget", ask("right")),
        "comparison",
    ),
    Way(
        "another webhook's secret",
        "Python",
        lambda ask: case("clawget", secret=OTHER.token, tokens=(LIVE, OTHER)),
        "secret-wrong-token",
    ),
    Way(
        "a publisher token as secret",
        "Python",
        lambda ask: case("clawget", secret="whp_" + "a" * 46),
        "secret-is-publisher-token",
    ),
    Way(
        "secret cut off",
        "Python",
        lambda ask: case("clawget", secret=TEXT_TOKEN[:22]),
        "secret-cut",
    ),
]
