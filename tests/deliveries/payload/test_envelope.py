from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.payload.canonical_json import JSONError
from deliveries.payload.envelope import PayloadError, make_body, read_data

CLEENG = (("broadcasterId", "broadcaster.id"), ("topic", "topic"), ("data", "data"))
CLEVERPUSH = (("type", "topic"), ("*", "data"))
CRYPTLEX = (("event", "topic"), ("data", "data"), ("triggeredAt", "occurred_at.iso_ticks"))
CLAWGET = (
    ("type", "topic"),
    ("id", "event.id"),
    ("created", "occurred_at.unix_seconds"),
    ("data", "data"),
)
STANDARD = (("type", "topic"), ("timestamp", "occurred_at.iso_ms"), ("data", "data"))
# Two constants besides the spread, one of them a number.
SQUASHED = (
    ("type", "topic"),
    ("*", "data"),
    ("created", "occurred_at.unix_seconds"),
)
MOMENT = datetime(2024, 3, 4, 9, 50, 51, 375999, tzinfo=UTC)


def body_of(
    rules: tuple[tuple[str, str], ...],
    data: Any,
    *,
    topic: str = "purchase.completed",
    occurred_at: datetime = MOMENT,
) -> str:
    return make_body(
        rules,
        broadcaster_id=558186818,
        topic=topic,
        event_id="evt_abc123",
        occurred_at=occurred_at,
        data=data,
    )


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (CLEENG, '{"broadcasterId":558186818,"topic":"t","data":{"b":1,"a":"é"}}'),
        (CLEVERPUSH, '{"type":"t","b":1,"a":"é"}'),
        (
            CRYPTLEX,
            '{"event":"t","data":{"b":1,"a":"é"},"triggeredAt":"2024-03-04T09:50:51.3759990Z"}',
        ),
        (CLAWGET, '{"type":"t","id":"evt_abc123","created":1709545851,"data":{"b":1,"a":"é"}}'),
        (STANDARD, '{"type":"t","timestamp":"2024-03-04T09:50:51.375Z","data":{"b":1,"a":"é"}}'),
        (SQUASHED, '{"type":"t","b":1,"a":"é","created":1709545851}'),
    ],
)
def test_each_platforms_body_has_its_fields_in_its_order(
    rules: tuple[tuple[str, str], ...], text: str
) -> None:
    data = {"b": 1.0, "a": "é"}
    assert body_of(rules, data, topic="t") == text
    assert read_data(rules, text) == data


def test_the_payout_sample_of_clawgets_page_becomes_the_bytes_its_receivers_sign() -> None:
    data = json.loads(
        '{"payout_id": "pyt_abc123", "amount": 475.50, "currency": "USDT",'
        ' "wallet": "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb", "txid": "0xabcdef..."}'
    )
    body = make_body(
        CLAWGET,
        broadcaster_id=1,
        topic="payout.completed",
        event_id="evt_jkl012",
        occurred_at=datetime.fromtimestamp(1640000300, UTC),
        data=data,
    )
    assert body == (
        '{"type":"payout.completed","id":"evt_jkl012","created":1640000300,"data":{"payout_id":'
        '"pyt_abc123","amount":475.5,"currency":"USDT","wallet":'
        '"0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb","txid":"0xabcdef..."}}'
    )


def test_a_cleverpush_body_is_the_events_own_fields_after_its_type() -> None:
    data = {
        "subscription": {"_id": "SUBSCRIPTION_ID", "topics": ["TOPIC_ID_1"]},
        "channel": {"_id": "CHANNEL_ID"},
        "newTopicsIds": ["TOPIC_ID_2"],
    }
    text = (
        '{"type":"topicAdded","subscription":{"_id":"SUBSCRIPTION_ID","topics":["TOPIC_ID_1"]},'
        '"channel":{"_id":"CHANNEL_ID"},"newTopicsIds":["TOPIC_ID_2"]}'
    )
    assert body_of(CLEVERPUSH, data, topic="topicAdded") == text
    assert read_data(CLEVERPUSH, text) == data


def test_times_are_in_utc_cut_and_never_rounded_up() -> None:
    late = datetime(2024, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-2)))
    assert '"timestamp":"2025-01-01T01:59:59.999Z"' in body_of(STANDARD, {}, occurred_at=late)
    assert '"triggeredAt":"2025-01-01T01:59:59.9999990Z"' in body_of(CRYPTLEX, {}, occurred_at=late)
    assert '"created":1735696799,' in body_of(CLAWGET, {}, occurred_at=late)
    early = datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC)
    assert '"created":-1,' in body_of(CLAWGET, {}, occurred_at=early)
    whole = datetime(2024, 1, 1, tzinfo=UTC)
    assert '"triggeredAt":"2024-01-01T00:00:00.0000000Z"' in body_of(
        CRYPTLEX, {}, occurred_at=whole
    )


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        body_of(STANDARD, {}, occurred_at=datetime(2024, 1, 1))


def test_spread_data_may_repeat_a_constant_field_with_the_same_value() -> None:
    data = {"b": 1, "created": 1709545851.0, "type": "t"}
    text = '{"type":"t","b":1,"created":1709545851}'
    assert body_of(SQUASHED, data, topic="t") == text
    assert read_data(SQUASHED, text) == {"b": 1}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"type": "other"}, "type"),
        ({"type": None}, "type"),
        ({"type": {"t": float("nan")}}, "type"),
        ({"created": 1709545852}, "created"),
        ({"created": "1709545851"}, "created"),
        ({"a": 1, "created": True}, "created"),
    ],
)
def test_spread_data_with_another_value_for_a_constant_field_is_refused(
    data: dict[str, Any], field: str
) -> None:
    with pytest.raises(PayloadError) as caught:
        body_of(SQUASHED, data, topic="t")
    assert (caught.value.code, caught.value.pointer) == ("field_conflict", f"/{field}")
    assert f"leave {field} out of the data" in caught.value.detail


def test_true_is_not_taken_for_the_number_one() -> None:
    with pytest.raises(PayloadError, match="created is True"):
        body_of(SQUASHED, {"created": True}, occurred_at=datetime.fromtimestamp(1, UTC))


@pytest.mark.parametrize("data", [[], "text", None, 1, [("a", 1)]])
def test_data_that_is_no_object_is_refused(data: Any) -> None:
    for rules in (CLAWGET, CLEVERPUSH):
        with pytest.raises(PayloadError) as caught:
            body_of(rules, data)
        assert caught.value.code == "data_not_object"


@pytest.mark.parametrize("rules", [CLEENG, CLEVERPUSH, CRYPTLEX, CLAWGET, STANDARD])
def test_a_fault_in_the_data_is_located_from_the_data(rules: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(JSONError) as caught:
        body_of(rules, {"data": {"a": [0, 2**53 + 1]}})
    assert caught.value.pointer == "/data/a/1"
    with pytest.raises(JSONError) as caught:
        body_of(rules, {1: 2})
    assert caught.value.pointer == ""


@pytest.mark.parametrize("rules", [CLEENG, CLEVERPUSH, CLAWGET])
def test_data_may_be_64_levels_deep_on_every_platform(rules: tuple[tuple[str, str], ...]) -> None:
    data: dict[str, Any] = {}
    for _ in range(63):
        data = {"a": data}
    assert read_data(rules, body_of(rules, data)) == data
    with pytest.raises(JSONError):
        body_of(rules, {"a": data})


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
members = st.dictionaries(
    st.one_of(texts, st.sampled_from(["data", "*", "topic", "0", "10"])).filter(
        lambda key: key not in ("type", "created")
    ),
    st.one_of(
        st.none(), st.booleans(), texts, st.integers(-(2**53), 2**53), st.lists(texts, max_size=2)
    ),
    max_size=5,
)


@given(
    data=members,
    rules=st.sampled_from([CLEENG, CLEVERPUSH, CRYPTLEX, CLAWGET, STANDARD, SQUASHED]),
)
def test_any_data_comes_back_from_its_body(
    data: dict[str, Any], rules: tuple[tuple[str, str], ...]
) -> None:
    assert read_data(rules, body_of(rules, data)) == data
