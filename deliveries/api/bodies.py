"""Events, deliveries and attempts as the API shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from deliveries.diagnosis import Failure
from deliveries.diagnosis.attempts import explain_attempt
from deliveries.models import Attempt, Delivery, DeliveryStatus, Event, Outcome, Trigger
from deliveries.publishing import Published
from subscriptions.models import Endpoint
from subscriptions.platforms.rules import PlatformRules
from subscriptions.rest.fields import Input, Output, Text, Time
from subscriptions.rest.times import iso_ms


class EventInput(Input):
    topic = Text(max_length=100, help_text="A topic of the platform, or an alias of one.")
    data_ = serializers.DictField(help_text="The payload: a JSON object.")
    id = serializers.RegexField(
        r"^[A-Za-z0-9_-]{1,64}$",
        required=False,
        help_text="Your own id, unique per broadcaster; receivers' idempotency key.",
    )
    occurred_at = Time(required=False)


class BatchInput(Input):
    events = serializers.ListField(child=EventInput(), min_length=1, max_length=1_000)


class PlannedDeliveryOutput(Output):
    id = serializers.CharField()
    endpoint_id = serializers.CharField()


class PublishedOutput(Output):
    id = serializers.CharField()
    topic = serializers.CharField()
    occurred_at = Time()
    created_at = Time()
    duplicate = serializers.BooleanField()
    deliveries = PlannedDeliveryOutput(many=True)


class PublishedBatchOutput(Output):
    data_ = PublishedOutput(many=True)


def published_row(result: Published) -> dict[str, Any]:
    """PublishedOutput of a result; written by hand, since a publish has to be cheap."""
    event = result.event
    return {
        "id": event.event_id,
        "topic": event.topic,
        "occurred_at": iso_ms(event.occurred_at),
        "created_at": iso_ms(event.created_at),
        "duplicate": result.duplicate,
        "deliveries": [
            {"id": delivery_id, "endpoint_id": endpoint_id}
            for delivery_id, endpoint_id in result.deliveries
        ],
    }


class EventOutput(Output):
    id = serializers.CharField(source="event_id")
    topic = serializers.CharField()
    occurred_at = Time()
    created_at = Time()
    test = serializers.BooleanField()


class DeliveryOutput(Output):
    id = serializers.CharField(source="public_id")
    event_id = serializers.CharField(source="event.event_id")
    endpoint_id = serializers.CharField(source="endpoint.public_id")
    topic = serializers.CharField()
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    status_reason = serializers.CharField()
    test = serializers.BooleanField()
    attempt_count = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    next_attempt_at = Time(allow_null=True)
    failure = serializers.SerializerMethodField()
    status_code = serializers.IntegerField(allow_null=True)
    created_at = Time()
    completed_at = Time(allow_null=True)

    def get_failure(self, delivery: Delivery) -> str | None:
        """Class of the last attempt's failure."""
        return delivery.failure or None


class FullEventOutput(EventOutput):
    data_ = serializers.DictField()
    body = serializers.CharField(help_text="The exact text that is signed and sent.")
    deliveries = DeliveryOutput(many=True)


class TimingsOutput(Output):
    dns_ms = serializers.FloatField(allow_null=True)
    connect_ms = serializers.FloatField(allow_null=True)
    tls_ms = serializers.FloatField(allow_null=True)
    first_byte_ms = serializers.FloatField(allow_null=True)


class RequestOutput(Output):
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField()


class ResponseOutput(Output):
    status_code = serializers.IntegerField()
    headers = serializers.DictField(
        child=serializers.CharField(help_text="Values of a name that came twice, with commas.")
    )
    body = serializers.CharField(help_text="As UTF-8; what is none shows as U+FFFD.")
    truncated = serializers.BooleanField()


class AttemptOutput(Output):
    id = serializers.CharField()
    delivery_id = serializers.CharField()
    event_id = serializers.CharField()
    endpoint_id = serializers.CharField()
    topic = serializers.CharField()
    test = serializers.BooleanField()
    number = serializers.IntegerField(help_text="From 1.")
    trigger = serializers.ChoiceField(choices=Trigger.choices)
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    failure = serializers.ChoiceField(choices=Failure.values, allow_null=True)
    explanation = serializers.CharField(
        help_text="In plain words: what happened, what it means, what to do."
    )
    retry_reason = serializers.CharField(
        allow_null=True, help_text="Why this request was made again; null on the first."
    )
    sent_at = Time()
    responded_at = Time(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)
    timings = TimingsOutput()
    remote_address = serializers.CharField(allow_null=True)
    request = RequestOutput()
    response = ResponseOutput(allow_null=True)
    next_attempt_at = Time(allow_null=True)


class FullDeliveryOutput(DeliveryOutput):
    attempts = AttemptOutput(many=True)


class TestInput(Input):
    topic = Text(max_length=100, required=False, help_text="The endpoint's first unless given.")
    data_ = serializers.DictField(required=False, help_text="The topic's sample unless given.")


class TestOutput(Output):
    event_id = serializers.CharField()
    delivery_id = serializers.CharField()


def event_row(event: Event) -> dict[str, Any]:
    return dict(EventOutput(event).data)


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """DeliveryOutput of a delivery with its event and endpoint loaded."""
    return dict(DeliveryOutput(delivery).data)


def attempt_row(attempt: Attempt, endpoint: Endpoint, rules: PlatformRules) -> dict[str, Any]:
    """AttemptOutput of an attempt with its delivery and event loaded; rules: the platform's."""
    event = attempt.delivery.event
    return {
        "id": attempt.public_id,
        "delivery_id": attempt.delivery.public_id,
        "event_id": event.event_id,
        "endpoint_id": endpoint.public_id,
        "topic": attempt.topic,
        "test": attempt.test,
        "number": attempt.number,
        "trigger": attempt.trigger,
        "outcome": attempt.outcome,
        "failure": attempt.failure or None,
        "explanation": explain_attempt(attempt, endpoint, rules).text,
        "retry_reason": attempt.retry_reason or None,
        "sent_at": iso_ms(attempt.sent_at),
        "responded_at": iso_ms(attempt.responded_at) if attempt.responded_at else None,
        "duration_ms": attempt.duration_ms,
        "timings": {
            "dns_ms": attempt.dns_ms,
            "connect_ms": attempt.connect_ms,
            "tls_ms": attempt.tls_ms,
            "first_byte_ms": attempt.first_byte_ms,
        },
        "remote_address": attempt.remote_address or None,
        "request": {
            "url": attempt.request_url,
            "headers": _headers(attempt.request_headers),
            "body": event.body,
        },
        "response": _response(attempt),
        "next_attempt_at": iso_ms(attempt.next_attempt_at) if attempt.next_attempt_at else None,
    }


def _response(attempt: Attempt) -> dict[str, Any] | None:
    if attempt.status_code is None:
        return None
    return {
        "status_code": attempt.status_code,
        "headers": _headers(attempt.response_headers),
        "body": bytes(attempt.response_body).decode(errors="replace"),
        "truncated": attempt.response_truncated,
    }


def _headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
