"""Searches for the way in which a signature was made: its key, message, body and hash.

Each of the four has its right value and the known mistakes. Combinations with fewer mistakes are
tried first; a digest of 256 bits does not match by chance.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Literal, TypeVar
from urllib.parse import quote

from deliveries.signature_debugger.encodings import Codes
from deliveries.signing.verification import STANDARD_HEADERS, KnownToken
from subscriptions.endpoints.signing_token_format import WHSEC_PREFIX, decode_key

# The limit of one search: enough for all trials with an ordinary body, and a fraction of a second
# with the largest.
MAX_HASHED_BYTES = 60 * 1024 * 1024
# Each token can be misused in some twenty ways: these are tried for so many tokens only.
_MISUSED_TOKENS = 6
MAX_MISTAKES = 3
_SHA1_BYTES, _SHA256_BYTES = 20, 32

Kind = Literal["current", "previous", "ended", "other", "twin", "deleted", "given"]
_KIND_CODES: dict[str, str] = {
    "ended": "token-ended",
    "other": "token-of-another",
    "twin": "token-of-twin",
    "deleted": "token-of-deleted",
    "given": "secret-unknown",
}


@dataclass(frozen=True, slots=True)
class CandidateToken(KnownToken):
    """`kind`: of the webhook in question its current token, its previous one in the overlap or
    that had ended; of another webhook, of the sandbox's or live twin's, of a deleted one; or the
    secret that the user gave."""

    kind: Kind = "current"

    @property
    def is_live(self) -> bool:
        return self.kind in ("current", "previous")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that may have been used. code: "" for the right key of a live token."""

    code: str
    key: bytes = field(repr=False)
    token: CandidateToken | None
    words: str


@dataclass(frozen=True, slots=True)
class Message:
    """How the signed message is made of the body. code: "" for the right way."""

    code: str
    words: str
    make: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class CandidateBody:
    """A body that may have been signed. code: "" for the body as it came.

    is_origin: whether it came before the received body, and not out of it.
    """

    code: str
    words: str
    data: bytes
    is_origin: bool = True
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Hash:
    code: str
    words: str
    size: int
    digest: Callable[[bytes, bytes], bytes]


Way = TypeVar("Way", CandidateBody, Key, Message, Hash)


@dataclass(frozen=True, slots=True)
class Match:
    """How the signature was made. `codes` are the mistakes, the gravest first; none is right."""

    key: Key
    message: Message
    body: CandidateBody
    hash: Hash
    form: Codes

    @property
    def codes(self) -> Codes:
        axes = (self.body.code, self.key.code, self.message.code, self.hash.code)
        return (*filter(None, axes), *self.form)


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing tried, in words; `fits` where it came out."""

    words: str
    fits: bool


@dataclass(slots=True)
class TrialLog:
    """What was tried: by name where it was one thing, else counted."""

    trials: list[Trial] = field(default_factory=list)
    combined: int = 0
    hashed_bytes: int = 0


def _hmac(name: str) -> Callable[[bytes, bytes], bytes]:
    return lambda key, message: hmac.digest(key, message, name)


def _plain_hash(name: str, *, parts: str) -> Callable[[bytes, bytes], bytes]:
    def digest(key: bytes, message: bytes) -> bytes:
        text = {"m": message, "km": key + message, "mk": message + key}[parts]
        return hashlib.new(name, text, usedforsecurity=False).digest()

    return digest


HASHES = (
    Hash("", "HMAC-SHA256", _SHA256_BYTES, _hmac("sha256")),
    Hash("hash-sha1", "HMAC-SHA1", _SHA1_BYTES, _hmac("sha1")),
    Hash("hash-sha512", "HMAC-SHA512", 64, _hmac("sha512")),
    Hash("hash-sha384", "HMAC-SHA384", 48, _hmac("sha384")),
    Hash("hash-md5", "HMAC-MD5", 16, _hmac("md5")),
    Hash("no-hmac", "SHA-256 of the body alone", _SHA256_BYTES, _plain_hash("sha256", parts="m")),
    Hash("no-hmac", "SHA-256 of secret and body", _SHA256_BYTES, _plain_hash("sha256", parts="km")),
    Hash("no-hmac", "SHA-256 of body and secret", _SHA256_BYTES, _plain_hash("sha256", parts="mk")),
    Hash(
        "swapped-arguments",
        "HMAC-SHA256 with body and secret in each other's place",
        _SHA256_BYTES,
        lambda key, message: hmac.digest(message, key, "sha256"),
    ),
)


def search(
    wanted: Mapping[bytes, Codes],
    *,
    keys: Sequence[Key],
    messages: Sequence[Message],
    bodies: Sequence[CandidateBody],
    log: TrialLog,
) -> Match | None:
    """Return the way with the fewest mistakes that gives one of the wanted digests, or None."""
    if not wanted:
        return None
    log.hashed_bytes = 0
    sizes = {len(digest) for digest in wanted}
    hashes = [each for each in HASHES if each.size in sizes]
    for count in range(MAX_MISTAKES + 1):
        for wrong in combinations("bkmh", count):
            ways = product(
                _choices(bodies, wrong="b" in wrong),
                _choices(keys, wrong="k" in wrong),
                _choices(messages, wrong="m" in wrong),
                _choices(hashes, wrong="h" in wrong),
            )
            if match := _first_match(wanted, ways, count, log):
                return match
    return None


def _choices(axis: Sequence[Way], *, wrong: bool) -> list[Way]:
    """The mistakes among them, or what is right."""
    return [each for each in axis if bool(each.code) == wrong]


def _first_match(
    wanted: Mapping[bytes, Codes],
    ways: Iterable[tuple[CandidateBody, Key, Message, Hash]],
    count: int,
    log: TrialLog,
) -> Match | None:
    for body, key, message, hash_ in ways:
        text = message.make(body.data)
        log.hashed_bytes += len(text) + 200  # the rest of a trial costs like 200 bytes
        if log.hashed_bytes > MAX_HASHED_BYTES:
            return None
        form = wanted.get(hash_.digest(key.key, text))
        if count <= 1:
            words = "; ".join((key.words, message.words, body.words, hash_.words))
            log.trials.append(Trial(words, form is not None))
        else:
            log.combined += 1
        if form is not None:
            return Match(key, message, body, hash_, form)
    return None


# Keys


def candidate_keys(tokens: Iterable[CandidateToken], *, standard: bool) -> list[Key]:
    """Each token's key; for live and given tokens also the keys that wrong code makes of them."""
    keys: list[Key] = []
    for number, token in enumerate(tokens):
        right = decode_key(token.token) if standard else token.token.encode()
        keys.append(Key(_KIND_CODES.get(token.kind, ""), right, token, token.label))
        if (token.is_live and number < _MISUSED_TOKENS) or token.kind == "given":
            keys += [
                Key(code, key, token, f"{token.label}, {how}")
                for code, key, how in misused_keys(token.token, standard=standard)
            ]
    return [*keys, *_KEYS_WITHOUT_TOKEN]


_KEYS_WITHOUT_TOKEN = [
    Key("secret-missing", word.encode(), None, f"{word or 'nothing'} instead of a secret")
    for word in ("", "undefined", "null", "None", "nil", "[object Object]")
] + [Key("secret-placeholder", b"YOUR_SIGNING_TOKEN", None, "the placeholder of the sample code")]


def misused_keys(token: str, *, standard: bool) -> Iterator[tuple[str, bytes, str]]:
    """Yield the keys that wrong code makes of a token: the finding's code, the key, how it is made."""
    seen = {decode_key(token) if standard else token.encode()}
    bare = token.removeprefix(WHSEC_PREFIX)
    for code, key, how in (
        ("secret-with-prefix", token.encode(), f"as text with {WHSEC_PREFIX}"),
        ("secret-not-decoded", bare.encode(), f"as text without {WHSEC_PREFIX}"),
        *_decoded_keys(bare, standard=standard),
        *_altered_keys(token),
    ):
        if key not in seen:
            seen.add(key)
            yield code, key, how


def _decoded_keys(bare: str, *, standard: bool) -> Iterator[tuple[str, bytes, str]]:
    padded = bare + "=" * (-len(bare) % 4)
    for name, text in (("base64", padded), ("base64url", padded)):
        table = str.maketrans("-_", "+/") if name == "base64url" else {}
        with contextlib.suppress(binascii.Error, ValueError):
            key = base64.b64decode(text.translate(table), validate=True)
            yield "secret-decoded", key, f"decoded from {name}"
    with contextlib.suppress(ValueError):
        yield "secret-decoded", bytes.fromhex(bare), "decoded from hexadecimal"
    if standard:
        twice = base64.b64encode(WHSEC_PREFIX.encode() + bare.encode())
        yield "secret-encoded", twice, "encoded in base64 once more"


def _altered_keys(token: str) -> Iterator[tuple[str, bytes, str]]:
    for end, word in (("\n", "a line end"), ("\r\n", "CR LF"), (" ", "a space"), ("\r", "CR")):
        yield "secret-whitespace", f"{token}{end}".encode(), f"with {word} after it"
    yield "secret-whitespace", f" {token}".encode(), "with a space before it"
    for mark in ('"', "'", "`"):
        yield "secret-quotes", f"{mark}{token}{mark}".encode(), "with its quotes"
    yield "secret-encoded", base64.b64encode(token.encode()), "encoded in base64"
    yield "secret-encoded", token.encode().hex().encode(), "encoded in hexadecimal"
    yield "secret-encoded", quote(token, safe="").encode(), "percent-encoded"
    yield "secret-hashed", hashlib.sha256(token.encode()).digest(), "hashed"
    yield "secret-hashed", hashlib.sha256(token.encode()).hexdigest().encode(), "hashed"
    yield "secret-case", token.upper().encode(), "in capitals"
    yield "secret-case", token.lower().encode(), "in small letters"


# Messages


def candidate_messages(
    headers: Mapping[str, str],
    *,
    standard: bool,
    ids: Iterable[str] = (),
    timestamps: Iterable[str] = (),
) -> list[Message]:
    """What is signed, and what wrong code signs instead. headers: by lower-case name.

    ids and timestamps: others with which the signature may have been made.
    """
    id_, stamp = (headers.get(name, "") for name in STANDARD_HEADERS[:2])
    if not standard:
        own = [Message("", "the body alone", lambda body: body), *_standard_messages(id_, stamp)]
        return [*own, _HASHED_BODY] if id_ or stamp else [own[0], _HASHED_BODY]
    right = Message("", "id.timestamp.body", _prefixed(f"{id_}.{stamp}."))
    alone = Message("without-id-and-timestamp", "the body alone", lambda body: body)
    found = [right, alone, _HASHED_BODY]
    for code, words, prefix in (
        ("without-id", "timestamp.body", f"{stamp}."),
        ("without-timestamp", "id.body", f"{id_}."),
        ("without-dots", "id, timestamp and body without dots", f"{id_}{stamp}"),
        ("id-and-timestamp-swapped", "timestamp.id.body", f"{stamp}.{id_}."),
        ("timestamp-changed", "the timestamp in milliseconds", f"{id_}.{stamp}000."),
        ("timestamp-changed", "the timestamp in seconds", f"{id_}.{stamp[:-3]}."),
    ):
        found.append(Message(code, words, _prefixed(prefix)))
    for other in ids:
        if other and other != id_:
            found.append(Message("other-id", f"the id {other}", _prefixed(f"{other}.{stamp}.")))
    for other in timestamps:
        if other and other != stamp:
            words = f"the timestamp {other}"
            found.append(Message("timestamp-changed", words, _prefixed(f"{id_}.{other}.")))
    return found


def _standard_messages(id_: str, stamp: str) -> list[Message]:
    """Messages with the parts of Standard Webhooks, which the platform's own signature leaves out."""
    return [
        Message("signed-as-standard", "id.timestamp.body", _prefixed(f"{id_}.{stamp}.")),
        Message("with-timestamp", "timestamp.body", _prefixed(f"{stamp}.")),
        Message("with-timestamp", "id.body", _prefixed(f"{id_}.")),
    ]


def _prefixed(prefix: str) -> Callable[[bytes], bytes]:
    start = prefix.encode("utf-8", "surrogatepass")
    return lambda body: start + body


_HASHED_BODY = Message(
    "hash-of-body", "the body's SHA-256", lambda body: hashlib.sha256(body).hexdigest().encode()
)
