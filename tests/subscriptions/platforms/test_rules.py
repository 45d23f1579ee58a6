"""The rules of a platform as values: read, refused, written back."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest

from subscriptions.platforms.rules import PlatformRules
from subscriptions.toml_table import TableError

CLAWGET: dict[str, Any] = {
    "name": "clawget",
    "title": "Clawget",
    "wire": {
        "content_type": "application/json",
        "body": {
            "type": "topic",
            "id": "event.id",
            "created": "occurred_at.unix_seconds",
            "data": "data",
        },
    },
    "signature": {
        "scheme": "hmac-sha256-hex",
        "header": "X-Clawget-Signature",
        "token": "generated",
        "token_format": "text",
        "optional": ["standard"],
    },
    "delivery": {
        "success_codes": [200],
        "timeout_seconds": 5,
        "retry_delays": [60, 300, 900, 3600, 21600],
        "max_requests": 6,
    },
    "endpoints": {"https_required": True},
}


def changed(path: str, value: object) -> dict[str, Any]:
    """CLAWGET with `value` at a dotted path; the value `...` takes the key away."""
    values = copy.deepcopy(CLAWGET)
    *tables, key = path.split(".")
    table = values
    for name in tables:
        table = table[name]
    if value is ...:
        del table[key]
    else:
        table[key] = value
    return values


def test_rules_hold_what_the_file_says() -> None:
    rules = PlatformRules.from_dict(CLAWGET)

    assert rules.body == (
        ("type", "topic"),
        ("id", "event.id"),
        ("created", "occurred_at.unix_seconds"),
        ("data", "data"),
    )
    assert rules.success_codes == frozenset({200})
    assert rules.retry_delays[-1] == timedelta(hours=6)
    assert rules.max_requests == 6
    assert rules.suspend_after_failures is None
    assert rules.max_endpoints is None
    assert rules.signature.optional == ("standard",)


@pytest.mark.parametrize(
    "values",
    [
        CLAWGET,
        changed("delivery.success_codes", "2xx"),
        changed("delivery.suspend_after_failures", 50),
        changed("endpoints.max_endpoints", 10),
        changed("delivery.retry_delays", [1, 1.5, 2, 3, 4]),
    ],
)
def test_rules_survive_json_even_if_the_database_reorders_keys(values: dict[str, Any]) -> None:
    rules = PlatformRules.from_dict(values)

    stored = json.dumps(rules.to_dict(), sort_keys=True)

    assert PlatformRules.from_dict(json.loads(stored)) == rules


def test_max_requests_can_be_fewer_than_the_delays_allow() -> None:
    assert PlatformRules.from_dict(changed("delivery.max_requests", 5)).max_requests == 5


def test_a_platform_can_have_no_retries() -> None:
    values = changed("delivery.retry_delays", [])
    values["delivery"]["max_requests"] = 1

    assert PlatformRules.from_dict(values).retry_delays == ()


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("name", ..., "name: is missing"),
        ("name", "Claw get", "name: 'Claw get' is not allowed"),
        ("title", " ", "title: ' ' is not allowed"),
        ("topics", [], "topics: unknown key"),
        ("wire", ..., "wire: is missing"),
        ("wire", [], "wire: [] is not a table"),
        ("wire.content_type", "text/plain", "wire.content_type: 'text/plain' is not allowed"),
        ("wire.charset", "utf-8", "wire.charset: unknown key"),
        ("wire.body", "data", "wire.body: 'data' is not a table"),
        ("wire.body", ["data"], "wire.body: 'data' is not a pair"),
        ("wire.body", [["data", 1]], "wire.body: 'data' = 1 is not a pair of strings"),
        ("wire.body", [["a", "data"], ["a", "topic"]], "wire.body: a field is there twice"),
        ("wire.body.id", "event.uuid", "wire.body.id: 'event.uuid' is not one of"),
        ("wire.body.data", "topic", 'wire.body: "topic" must be the source of exactly one'),
        ("wire.body.type", ..., 'wire.body: "topic" must be the source of exactly one'),
        ("wire.body.*", "event.id", 'wire.body.*: only "data" can be spread'),
        ("wire.body.7", "event.id", "wire.body.7: '7' cannot be a field of the body"),
        ("signature.scheme", "md5", "signature.scheme: 'md5' is not one of none, hmac"),
        ("signature.header", ..., "signature.header: is missing"),
        ("signature.header", "X Signature", "signature.header: 'X Signature' is not allowed"),
        ("signature.scheme", "standard", "signature.optional: 'standard' is the platform's"),
        ("signature.token", "none", "signature.token: scheme hmac-sha256-hex needs a token"),
        ("signature.token_format", "hex", "signature.token_format: 'hex' is not one of text"),
        ("signature.optional", ["hmac"], "signature.optional: 'hmac' is not one of none"),
        ("signature.optional", "standard", "signature.optional: 'standard' is not an array"),
        ("signature.optional", [1], "signature.optional: 1 is not a string"),
        ("signature.optional", ["none", "none"], "signature.optional: 'none' is there twice"),
        ("delivery.succes_codes", [200], "unknown key: did you mean success_codes?"),
        ("delivery.success_codes", [], 'delivery.success_codes: must be "2xx" or an array'),
        ("delivery.success_codes", [404], "delivery.success_codes: 404 is not between 200"),
        ("delivery.success_codes", "200", "delivery.success_codes: '200' is not an array"),
        ("delivery.timeout_seconds", "5", "delivery.timeout_seconds: '5' is not a number"),
        ("delivery.timeout_seconds", 0, "delivery.timeout_seconds: 0 is not between 0.1 and 60"),
        ("delivery.timeout_seconds", True, "delivery.timeout_seconds: True is not a number"),
        ("delivery.timeout_seconds", float("nan"), "delivery.timeout_seconds: nan is not between"),
        ("delivery.retry_delays", [60, "5m"], "delivery.retry_delays: '5m' is not a number"),
        ("delivery.retry_delays", [-1], "delivery.retry_delays: -1 is not between"),
        ("delivery.retry_delays", [1] * 51, "delivery.retry_delays: has 51 delays: at most 50"),
        ("delivery.retry_delays", [60], "delivery.max_requests: 6 requests need 5 retry_delays"),
        ("delivery.max_requests", 7, "7 requests need 6 retry_delays, and there are 5"),
        ("delivery.max_requests", 0, "delivery.max_requests: 0 is not between 1"),
        ("delivery.max_requests", 6.0, "delivery.max_requests: 6.0 is not a whole number"),
        ("delivery.suspend_after_failures", 0, "delivery.suspend_after_failures: 0 is not"),
        ("endpoints.https_required", ..., "endpoints.https_required: is missing"),
        ("endpoints.https_required", 1, "endpoints.https_required: 1 is not true or false"),
        ("endpoints.max_endpoints", False, "endpoints.max_endpoints: False is not a whole"),
    ],
)
def test_a_mistake_is_refused_by_its_key(path: str, value: object, fault: str) -> None:
    with pytest.raises(TableError) as caught:
        PlatformRules.from_dict(changed(path, value))

    assert fault in str(caught.value)


def test_an_unsigned_platform_names_no_header() -> None:
    values = changed("signature.scheme", "none")

    with pytest.raises(TableError, match=r"signature\.header: scheme none has no header"):
        PlatformRules.from_dict(values)
