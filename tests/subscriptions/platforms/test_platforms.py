"""The five platforms that come with the portal, against the documents they were made from."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from subscriptions.platforms.files import (
    PLATFORMS_DIR,
    PlatformFile,
    TopicEntry,
    platform_paths,
    read_platform_file,
)

NAMES = ("clawget", "cleeng", "cleverpush", "cryptlex", "standard")
STANDARD_DELAYS = ["5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"]

CLEENG_USE_CASES = """
Custom Notifications | - transactionCreated - customerRegistered - customerConsentUpdated - paymentDetailsDeactivated - paymentRefundAccepted - paymentRejected - subscriptionCreated - subscriptionReadyForTermination - subscriptionReactivated - subscriptionRenewed - subscriptionStopped - subscriptionTerminated |
Caching of entitlements | - paymentRefundAccepted - paymentRejected - subscriptionCreated - subscriptionReadyForTermination - subscriptionReactivated - subscriptionRenewed - subscriptionStopped - subscriptionTerminated |
Win-back campaigns | - paymentRefundAccepted - subscriptionReadyForTermination - subscriptionStopped - subscriptionTerminated |
Payment handling | - paymentDetailsDeactivated - paymentRejected - subscriptionReadyForPaymentAuthorisation - subscriptionReadyForPaymentCapture - subscriptionReadyForTermination -capturePayment |
"""

# The bodies of CleverPush's page, less the trailing comma that makes its last one no JSON.
CLEVERPUSH_BODIES = r"""
{"type": "optIn", "subscription": {"_id": "SUBSCRIPTION_ID", "createdAt": "2024-03-04T09:50:51.375Z", "syncedAt": "2024-03-04T09:50:51.375Z", "channel": "CHANNEL_ID", "browserType": "SDK", "platformName": "iOS", "language": "en", "country": "DE", "timezone": "Europe/Berlin"}, "channel": {"_id": "CHANNEL_ID"}}
{"type": "optOut", "subscription": {"_id": "SUBSCRIPTION_ID", "createdAt": "2024-03-04T09:50:51.375Z", "syncedAt": "2024-03-04T09:50:51.375Z", "browserType": "SDK", "platformName": "iOS", "topics": []}, "channel": {"_id": "CHANNEL_ID"}}
{"type": "delivery", "date": "2024-03-04T10:09:40.124Z", "subscription": {"_id": "SUBSCRIPTION_ID"}, "notification": {"_id": "NOTIFICATION_ID", "feedGuid": ["https://www.cnn.com/123456"]}, "channel": {"_id": "CHANNEL_ID"}}
{"type": "click", "date": "2024-03-04T10:10:40.136Z", "subscription": {"_id": "SUBSCRIPTION_ID"}, "notification": {"_id": "NOTIFICATION_ID", "feedGuid": ["https://www.cnn.com/123456"]}, "channel": {"_id": "CHANNEL_ID"}}
{"type": "updateTopics", "subscription": {"_id": "SUBSCRIPTION_ID", "createdAt": "2024-03-04T10:15:14.778Z", "syncedAt": "2024-03-04T10:15:14.778Z", "browserType": "SDK", "platformName": "iOS", "language": "en", "country": "DE", "timezone": "Europe/Berlin", "topics": ["TOPIC_ID_1"]}, "channel": {"_id": "CHANNEL_ID"}}
{"type": "topicAdded", "subscription": {"_id": "SUBSCRIPTION_ID", "createdAt": "2024-03-04T10:15:14.778Z", "syncedAt": "2024-03-04T10:19:27.824Z", "browserType": "SDK", "platformName": "iOS", "language": "en", "country": "DE", "timezone": "Europe/Berlin", "topics": ["TOPIC_ID_1"]}, "channel": {"_id": "CHANNEL_ID"}, "newTopicsIds": ["TOPIC_ID_2"]}
{"type": "attributeUpdate", "subscription": {"_id": "SUBSCRIPTION_ID", "createdAt": "2024-03-04T10:15:14.778Z", "syncedAt": "2024-03-04T10:19:27.824Z", "browserType": "Chrome", "platformName": "Mac OS", "language": "en", "country": "DE", "timezone": "Europe/Berlin", "topics": ["TOPIC_ID_1"], "customAttributes": {"user_id": "test123"}}, "channel": {"_id": "CHANNEL_ID"}}
"""

# The bodies of Clawget's page; 475.50 is written as there.
CLAWGET_BODIES = r"""
{"type": "purchase.completed", "id": "evt_abc123", "created": 1640000000, "data": {"purchase_id": "pur_xyz789", "listing_id": "lst_abc123", "buyer": {"id": "usr_buyer123", "email": "buyer@example.com"}, "amount": 15, "currency": "USD", "license_key": "CLW-XXXX-XXXX-XXXX"}}
{"type": "review.created", "id": "evt_def456", "created": 1640000100, "data": {"review_id": "rev_abc123", "listing_id": "lst_abc123", "rating": 5, "comment": "Amazing skill! Works perfectly.", "reviewer": {"id": "usr_reviewer456", "name": "John D."}}}
{"type": "subscription.cancelled", "id": "evt_ghi789", "created": 1640000200, "data": {"subscription_id": "sub_abc123", "listing_id": "lst_abc123", "buyer": {"id": "usr_buyer123"}, "reason": "user_requested", "ends_at": 1640086400}}
{"type": "payout.completed", "id": "evt_jkl012", "created": 1640000300, "data": {"payout_id": "pyt_abc123", "amount": 475.50, "currency": "USDT", "wallet": "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb", "txid": "0xabcdef..."}}
"""


@cache
def platform(name: str) -> PlatformFile:
    return read_platform_file(PLATFORMS_DIR / f"{name}.toml")


def topic(platform_name: str, name: str) -> TopicEntry:
    return next(topic for topic in platform(platform_name).topics if topic.name == name)


def delays(*words: str) -> tuple[timedelta, ...]:
    units = {"s": "seconds", "m": "minutes", "h": "hours"}
    return tuple(timedelta(**{units[word[-1]]: int(word[:-1])}) for word in words)


def pairs(text: str) -> list[Any]:
    """JSON with the order of its fields, which equality of dicts does not see."""
    decoded: list[Any] = json.loads(text, object_pairs_hook=list)
    return decoded


def test_there_are_five_platforms() -> None:
    assert tuple(path.stem for path in platform_paths()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_topic_says_what_it_is(name: str) -> None:
    for entry in platform(name).topics:
        assert len(entry.description) > 20
        assert entry.schema["$schema"].endswith("2020-12/schema")
        fields = entry.schema["properties"]
        assert set(json.loads(entry.sample)) <= set(fields)
        assert all(field["description"] for field in fields.values())


@pytest.mark.parametrize("name", NAMES)
def test_schemas_let_a_platform_add_fields(name: str) -> None:
    for entry in platform(name).topics:
        data = json.loads(entry.sample) | {"addedLater": 1}
        assert Draft202012Validator(entry.schema).is_valid(data)


@pytest.mark.parametrize("name", NAMES)
def test_what_no_document_names_is_said_to_be_a_sample_and_demands_no_field(name: str) -> None:
    for entry in platform(name).topics:
        if entry.source == "prop":
            assert "sample" in entry.description
            assert "required" not in entry.schema


def test_cleeng_sends_its_three_fields_unsigned_on_the_standard_schedule() -> None:
    rules = platform("cleeng").rules

    assert rules.body == (
        ("broadcasterId", "broadcaster.id"),
        ("topic", "topic"),
        ("data", "data"),
    )
    assert rules.content_type == "application/json"
    assert (rules.signature.scheme, rules.signature.token) == ("none", "none")
    assert rules.signature.optional == ("standard",)
    assert rules.retry_delays == delays(*STANDARD_DELAYS)
    assert rules.max_requests == 10
    assert (rules.success_codes, rules.timeout_seconds) == (None, 15)
    assert rules.max_endpoints == 10
    assert rules.suspend_after_failures is None
    assert not rules.https_required


def test_cleeng_use_cases_have_exactly_the_topics_of_its_table() -> None:
    table = {}
    for row in CLEENG_USE_CASES.strip().splitlines():
        name, topics, _ = row.split("|")
        table[name.strip()] = {item.strip() for item in f" {topics}".split(" -") if item.strip()}

    use_cases = platform("cleeng").use_cases

    assert {case.name: set(case.topics) for case in use_cases} == table
    assert [len(case.topics) for case in use_cases] == [12, 8, 4, 6]


def test_cleeng_has_the_topics_of_its_page_in_its_two_lists() -> None:
    groups = {entry.name: entry.group for entry in platform("cleeng").topics}

    named = {name for case in platform("cleeng").use_cases for name in case.topics}
    assert len(named) == 15
    assert named <= set(groups)
    assert {name for name in named if name.startswith("subscription")} == {
        name for name, group in groups.items() if group == "subscription"
    }
    outside = {
        "customerRequestedPasswordReset": "general",
        "refundPayment": "general",
        "passCreated": "passes",
        "passExpirationChanged": "passes",
        "passTerminated": "passes",
        "offerCreated": "offers",
        "offerUpdated": "offers",
        "offerDeactivated": "offers",
        "offerPriceChanged": "offers",
    }
    assert set(groups) == named | set(outside)
    assert outside.items() <= groups.items()


def test_cleeng_new_customer_is_another_name_of_customer_registered() -> None:
    assert topic("cleeng", "customerRegistered").aliases == ("newCustomer",)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "transactionCreated",
            "offerId transactionId customerId paymentId offerPrice offerCurrency discountRate"
            " subscriptionPlanId externalData customerEmail customerExternalId paymentGateway",
        ),
        ("customerRegistered", "customerId customerEmail customerExternalId"),
        (
            "subscriptionReadyForPaymentAuthorisation",
            "subscriptionId offerId customerId customerEmail paymentDetailsId active"
            " dunningAttemptDate dunningStatus expirationDate currency paymentCountry"
            " paymentMethodId token paymentGateway",
        ),
        (
            "passExpirationChanged",
            "passId offerId customerId customerExternalId customerEmail previousExpirationDate"
            " expirationDate",
        ),
        ("offerDeactivated", "offerId deactivatedAt"),
    ],
)
def test_cleeng_samples_have_the_documented_fields_in_order(name: str, fields: str) -> None:
    assert list(json.loads(topic("cleeng", name).sample)) == fields.split()


def test_cleverpush_retries_eight_times_from_two_minutes_doubling() -> None:
    rules = platform("cleverpush").rules

    seconds = [delay.total_seconds() for delay in rules.retry_delays]
    assert seconds == [120, 240, 480, 960, 1920, 3840, 7680, 15360]
    assert sum(seconds) == (8 * 60 + 30) * 60
    assert rules.max_requests == 9


def test_cleverpush_spreads_data_beside_the_type_and_signs_nothing() -> None:
    rules = platform("cleverpush").rules

    assert rules.body == (("type", "topic"), ("*", "data"))
    assert rules.content_type == "application/json"
    assert (rules.signature.scheme, rules.signature.token) == ("none", "none")
    assert rules.signature.optional == ("standard",)
    assert (rules.success_codes, rules.timeout_seconds) == (None, 15)
    assert (rules.max_endpoints, rules.https_required) == (None, False)
    assert rules.suspend_after_failures is None


def test_cleverpush_samples_are_those_of_its_page() -> None:
    bodies = [pairs(line) for line in CLEVERPUSH_BODIES.strip().splitlines()]

    assert [
        [["type", entry.name], *(list(pair) for pair in pairs(entry.sample))]
        for entry in platform("cleverpush").topics
    ] == [[list(pair) for pair in body] for body in bodies]


def test_cryptlex_signs_in_base64_with_a_typed_token() -> None:
    rules = platform("cryptlex").rules

    assert rules.content_type == "application/json; charset=utf-8"
    assert rules.body == (
        ("event", "topic"),
        ("data", "data"),
        ("triggeredAt", "occurred_at.iso_ticks"),
    )
    assert rules.signature.scheme == "hmac-sha256-base64"
    assert rules.signature.header == "Webhook-Signature"
    assert (rules.signature.token, rules.signature.token_format) == ("typed", "text")
    # Its own header is Webhook-Signature too: a second one of that name would break receivers.
    assert rules.signature.optional == ()


def test_cryptlex_retries_five_times_and_suspends_after_fifty_failures() -> None:
    rules = platform("cryptlex").rules

    assert rules.retry_delays == (timedelta(seconds=300),) * 5
    assert rules.max_requests == 6
    assert rules.suspend_after_failures == 50
    assert (rules.success_codes, rules.timeout_seconds) == (None, 15)
    assert (rules.max_endpoints, rules.https_required) == (None, False)


def test_cryptlex_has_every_known_event() -> None:
    events = {entry.name for entry in platform("cryptlex").topics}

    license_events = (
        "created updated renewed extended deleted expired expiring-soon maintenance-expired"
        " maintenance-expiring-soon first-activated expiresAt.updated subscription.updated"
        " activation.limit-reached"
    )
    assert events == {
        *(f"license.{event}" for event in license_events.split()),
        "activation.created",
        "activation.updated",
        "activation.deleted",
        "activation.lease-expired",
        "trialActivation.created",
        "user.created",
    }
    assert topic("cryptlex", "license.created").source == "seed"
    assert topic("cryptlex", "trialActivation.created").source == "prop"
    assert topic("cryptlex", "license.extended").deprecated


def test_cryptlex_license_created_is_as_long_as_on_its_page() -> None:
    data = json.loads(topic("cryptlex", "license.created").sample)
    body = {"event": "license.created", "data": data, "triggeredAt": "2018-04-20T13:11:34.6926949Z"}

    assert next(iter(data.items())) == ("key", "D08B53-C564F8-463EA5-F16A15-E35D6E-D2559B")
    assert len(json.dumps(body, separators=(",", ":"))) == 661


def test_cryptlex_use_cases_are_those_of_its_page() -> None:
    cases = {case.name: case.topics for case in platform("cryptlex").use_cases}

    assert cases == {
        "Email a license key": ("license.created",),
        "Announce an expiry": ("license.expired", "license.expiring-soon"),
        "Renew subscription licenses": ("license.renewed",),
        "Hear of activations": (
            "activation.created",
            "license.first-activated",
            "trialActivation.created",
        ),
        "Any other integration": tuple(entry.name for entry in platform("cryptlex").topics),
    }


def test_clawget_demands_https_and_exactly_200_within_five_seconds() -> None:
    rules = platform("clawget").rules

    assert rules.success_codes == frozenset({200})
    assert rules.timeout_seconds == 5
    assert rules.https_required
    assert (rules.max_endpoints, rules.suspend_after_failures) == (None, None)


def test_clawget_retries_five_times_after_the_first_request() -> None:
    rules = platform("clawget").rules

    assert rules.retry_delays == delays("1m", "5m", "15m", "1h", "6h")
    assert rules.max_requests == 6


def test_clawget_signs_in_hex_with_a_token_made_here() -> None:
    rules = platform("clawget").rules

    assert rules.content_type == "application/json"
    assert rules.body == (
        ("type", "topic"),
        ("id", "event.id"),
        ("created", "occurred_at.unix_seconds"),
        ("data", "data"),
    )
    assert rules.signature.scheme == "hmac-sha256-hex"
    assert rules.signature.header == "X-Clawget-Signature"
    assert (rules.signature.token, rules.signature.token_format) == ("generated", "text")
    assert rules.signature.optional == ("standard",)


@pytest.mark.parametrize("body", CLAWGET_BODIES.strip().splitlines())
def test_clawget_samples_are_those_of_its_page(body: str) -> None:
    envelope = dict(pairs(body))
    entry = topic("clawget", envelope["type"])

    assert pairs(entry.sample) == envelope["data"]
    assert entry.source == "seed"


def test_clawget_payout_is_written_as_on_its_page() -> None:
    assert '"amount": 475.50,' in topic("clawget", "payout.completed").sample


def test_clawget_use_cases_are_those_of_its_page() -> None:
    cases = {case.name: (case.description, case.topics) for case in platform("clawget").use_cases}

    assert cases == {
        "New purchase": ("Send license key, provision access", ("purchase.completed",)),
        "New review": ("Monitor feedback, respond quickly", ("review.created",)),
        "Payout completed": ("Update accounting, notify team", ("payout.completed",)),
        "Subscription cancelled": ("Revoke access, collect feedback", ("subscription.cancelled",)),
        "License expired": ("Send renewal reminder", ("license.expired",)),
    }
    expired = topic("clawget", "license.expired")
    assert expired.source == "prop"
    assert "Undocumented" in expired.description


def test_standard_follows_the_specification() -> None:
    rules = platform("standard").rules

    assert rules.body == (
        ("type", "topic"),
        ("timestamp", "occurred_at.iso_ms"),
        ("data", "data"),
    )
    assert rules.content_type == "application/json"
    assert rules.signature.scheme == "standard"
    assert (rules.signature.token, rules.signature.token_format) == ("generated", "whsec")
    assert rules.retry_delays == delays(*STANDARD_DELAYS)
    assert rules.max_requests == 10
    assert (rules.success_codes, rules.timeout_seconds) == (None, 15)
    assert (rules.max_endpoints, rules.suspend_after_failures) == (None, None)
    assert not rules.https_required


def test_standard_offers_example_topics() -> None:
    names = {entry.name for entry in platform("standard").topics}

    assert {"user.created", "contact.created", "contact.updated", "invoice.paid"} <= names
