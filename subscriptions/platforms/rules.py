"""A platform's rules: how its webhooks are written, signed, retried and limited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from subscriptions.toml_table import Table

BODY_SOURCES = (
    "broadcaster.id",
    "topic",
    "data",
    "event.id",
    "occurred_at.iso_ms",
    "occurred_at.iso_ticks",
    "occurred_at.unix_seconds",
)
# In place of a field of the body: all fields of the event's data.
SPREAD = "*"
SIGNATURE_SCHEMES = ("none", "hmac-sha256-hex", "hmac-sha256-base64", "standard")
TYPED = "typed"
TOKEN_KINDS = ("none", "generated", TYPED)
TOKEN_FORMATS = ("text", "whsec")
SIGNATURE_CHOICES = ("none", "standard")

NAME = r"[a-z][a-z0-9_-]{0,31}"
HEADER_NAME = r"[A-Za-z0-9][A-Za-z0-9-]{0,63}"
JSON_CONTENT_TYPE = r"application/(?:[\w.+-]+\+)?json(?:; ?charset=utf-8)?"

MAX_PLATFORM_TIMEOUT_SECONDS = 60
MAX_RETRIES = 50
MAX_DELAY_SECONDS = 30 * 24 * 3600
MAX_COUNT = 1_000_000


@dataclass(frozen=True, slots=True)
class SignatureRules:
    """How requests are signed.

    `header` is empty if the scheme names its own headers or has none. `token` says where a signing
    token comes from (TOKEN_KINDS), `token_format` what a generated one looks like (TOKEN_FORMATS).
    `optional` holds the schemes that an endpoint may choose instead of the platform's own.
    """

    scheme: str
    header: str
    token: str
    token_format: str
    optional: tuple[str, ...]

    @property
    def takes_typed_token(self) -> bool:
        """Whether customers may type a signing token of their own."""
        return self.token == TYPED

    @classmethod
    def from_table(cls, table: Table) -> SignatureRules:
        table.allow("scheme", "header", "token", "token_format", "optional")
        scheme = table.choice("scheme", SIGNATURE_SCHEMES)
        kind = table.choice("token", TOKEN_KINDS)
        if scheme != "none" and kind == "none":
            raise table.error("token", f"scheme {scheme} needs a token: generated or typed")
        optional = table.texts("optional", default=())
        for choice in optional:
            if choice not in SIGNATURE_CHOICES:
                raise table.error("optional", f"{choice!r} is not one of none, standard")
            if choice == scheme:
                raise table.error("optional", f"{choice!r} is the platform's scheme already")
        token_format = table.choice("token_format", TOKEN_FORMATS)
        return cls(scheme, _read_header(table, scheme), kind, token_format, optional)

    def to_dict(self) -> dict[str, object]:
        header = {"header": self.header} if self.header else {}
        return {
            "scheme": self.scheme,
            **header,
            "token": self.token,
            "token_format": self.token_format,
            "optional": list(self.optional),
        }


@dataclass(frozen=True, slots=True)
class PlatformRules:
    """What a platform's file says, apart from its topics.

    `body` pairs each field of the request's body, in order, with its source; the field `*` stands
    for all fields of the event's data. `success_codes` of None means any 2xx. `retry_delays` count
    from the end of the attempt before; `max_requests` counts the first attempt too.
    """

    name: str
    title: str
    body: tuple[tuple[str, str], ...]
    content_type: str
    signature: SignatureRules
    success_codes: frozenset[int] | None
    timeout_seconds: float
    retry_delays: tuple[timedelta, ...]
    max_requests: int
    suspend_after_failures: int | None
    max_endpoints: int | None
    https_required: bool

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> PlatformRules:
        """Read the form that `to_dict` writes, or a platform file's.

        Raises TableError naming the key.
        """
        top = Table(values)
        top.allow("name", "title", "wire", "signature", "delivery", "endpoints")
        wire, delivery, endpoints = (top.table(key) for key in ("wire", "delivery", "endpoints"))
        wire.allow("content_type", "body")
        delivery.allow(
            "success_codes",
            "timeout_seconds",
            "retry_delays",
            "max_requests",
            "suspend_after_failures",
        )
        endpoints.allow("https_required", "max_endpoints")
        retry_delays = _read_retry_delays(delivery)
        return cls(
            name=top.text("name", NAME),
            title=top.text("title"),
            body=_read_body(wire),
            content_type=wire.text("content_type", JSON_CONTENT_TYPE),
            signature=SignatureRules.from_table(top.table("signature")),
            success_codes=_read_success_codes(delivery),
            timeout_seconds=delivery.number("timeout_seconds", 0.1, MAX_PLATFORM_TIMEOUT_SECONDS),
            retry_delays=retry_delays,
            max_requests=_read_max_requests(delivery, retry_delays),
            suspend_after_failures=delivery.optional_integer(
                "suspend_after_failures", 1, MAX_COUNT
            ),
            max_endpoints=endpoints.optional_integer("max_endpoints", 1, MAX_COUNT),
            https_required=endpoints.flag("https_required"),
        )

    def to_dict(self) -> dict[str, object]:
        """A JSON value from which `from_dict` reads equal rules."""
        codes = "2xx" if self.success_codes is None else sorted(self.success_codes)
        delivery: dict[str, object] = {
            "success_codes": codes,
            "timeout_seconds": self.timeout_seconds,
            "retry_delays": [delay.total_seconds() for delay in self.retry_delays],
            "max_requests": self.max_requests,
        }
        if self.suspend_after_failures is not None:
            delivery["suspend_after_failures"] = self.suspend_after_failures
        endpoints: dict[str, object] = {"https_required": self.https_required}
        if self.max_endpoints is not None:
            endpoints["max_endpoints"] = self.max_endpoints
        return {
            "name": self.name,
            "title": self.title,
            # Pairs, not an object: PostgreSQL's jsonb does not keep the order of keys.
            "wire": {
                "content_type": self.content_type,
                "body": [[field, source] for field, source in self.body],
            },
            "signature": self.signature.to_dict(),
            "delivery": delivery,
            "endpoints": endpoints,
        }


def _read_header(table: Table, scheme: str) -> str:
    if scheme.startswith("hmac-"):
        return table.text("header", HEADER_NAME)
    if table.has("header") and table.raw("header") != "":
        raise table.error("header", f"scheme {scheme} has no header of its own to name")
    return ""


def _read_body(wire: Table) -> tuple[tuple[str, str], ...]:
    pairs = _read_body_pairs(wire)
    body = Table(dict(pairs), (*wire.path, "body"))
    for field, source in pairs:
        if source not in BODY_SOURCES:
            raise body.error(field, f"{source!r} is not one of {', '.join(BODY_SOURCES)}")
        if (field == SPREAD) and source != "data":
            raise body.error(field, 'only "data" can be spread')
        # JSON.stringify moves keys that look like integers to the front: the order would break.
        if not field or re.fullmatch(r"[0-9]+", field):
            raise body.error(field, f"{field!r} cannot be a field of the body")
    sources = [source for _, source in pairs]
    for needed in ("topic", "data"):
        if sources.count(needed) != 1:
            raise wire.error("body", f'"{needed}" must be the source of exactly one field')
    return pairs


def _read_body_pairs(wire: Table) -> tuple[tuple[str, str], ...]:
    value = wire.raw("body")
    items = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise wire.error("body", f"{value!r} is not a table")
    pairs: list[tuple[str, str]] = []
    for item in items:
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise wire.error("body", f"{item!r} is not a pair of field and source")
        field, source = item
        if not isinstance(field, str) or not isinstance(source, str):
            raise wire.error("body", f"{field!r} = {source!r} is not a pair of strings")
        pairs.append((field, source))
    if len(dict(pairs)) != len(pairs):
        raise wire.error("body", "a field is there twice")
    return tuple(pairs)


def _read_success_codes(delivery: Table) -> frozenset[int] | None:
    if delivery.raw("success_codes") == "2xx":
        return None
    codes = delivery.numbers("success_codes", 200, 299)
    if not codes or any(code != int(code) for code in codes):
        raise delivery.error("success_codes", 'must be "2xx" or an array of codes like [200]')
    return frozenset(int(code) for code in codes)


def _read_retry_delays(delivery: Table) -> tuple[timedelta, ...]:
    delays = delivery.numbers("retry_delays", 1, MAX_DELAY_SECONDS)
    if len(delays) > MAX_RETRIES:
        raise delivery.error("retry_delays", f"has {len(delays)} delays: at most {MAX_RETRIES}")
    return tuple(timedelta(seconds=delay) for delay in delays)


def _read_max_requests(delivery: Table, retry_delays: tuple[timedelta, ...]) -> int:
    max_requests = delivery.integer("max_requests", 1, MAX_COUNT)
    needed = max_requests - 1
    if needed > len(retry_delays):
        fault = (
            f"{max_requests} requests need {needed} retry_delays, and there are {len(retry_delays)}"
        )
        raise delivery.error("max_requests", fault)
    return max_requests
