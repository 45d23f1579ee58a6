"""A topic's sample as the request that a receiver would get, for documentation pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from subscriptions.models import Broadcaster, Topic

_VALUES: dict[str, Any] = {
    "event.id": "evt_01k2m3n4p5q6r7s8t9v0w1x2y3",
    "occurred_at.iso_ms": "2026-03-04T09:50:51.375Z",
    "occurred_at.iso_ticks": "2026-03-04T09:50:51.3750000Z",
    "occurred_at.unix_seconds": 1_772_617_851,
}


@dataclass(frozen=True, slots=True)
class SampleRequest:
    headers: list[tuple[str, str]]
    body: str  # indented; a real one is compact


def build_sample_request(broadcaster: Broadcaster, topic: Topic) -> SampleRequest:
    """The request for the topic's sample, with this broadcaster's id.

    The signature is left out (…).
    """
    rules = broadcaster.rules
    body: dict[str, Any] = {}
    for field, source in rules.body:
        if field == "*":
            body |= topic.sample_data
        elif source == "data":
            body[field] = topic.sample_data
        else:
            known = {"topic": topic.name, "broadcaster.id": broadcaster.pk}
            body[field] = known.get(source, _VALUES.get(source))
    headers = [("Content-Type", rules.content_type)]
    if rules.signature.header:
        headers.append((rules.signature.header, "…"))
    elif rules.signature.scheme == "standard":
        headers += [(f"webhook-{name}", "…") for name in ("id", "timestamp", "signature")]
    return SampleRequest(headers, json.dumps(body, ensure_ascii=False, indent=2))
