"""A view that publishes without checks: it inserts the same two rows through the ORM.

BENCH_ENDPOINT names the endpoint whose delivery is stored with each event.
"""

from __future__ import annotations

import json
import os
from functools import cache

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone

from deliveries.models import Delivery, Event
from subscriptions.identifiers import encode_base32, uuid7
from subscriptions.models import Endpoint


@cache
def _target() -> tuple[int, int]:
    endpoint = Endpoint.objects.get(pk=os.environ["BENCH_ENDPOINT"])
    return endpoint.pk, endpoint.broadcaster_id


def publish(request: HttpRequest) -> HttpResponse:
    given = json.loads(request.body)
    endpoint_id, broadcaster_id = _target()
    now = timezone.now()
    pk = uuid7()
    event_id = f"evt_{encode_base32(pk.int, 26)}"
    body = {"type": given["topic"], "id": event_id, "created": int(now.timestamp())}
    with transaction.atomic():
        event = Event.objects.create(
            id=pk,
            broadcaster_id=broadcaster_id,
            event_id=event_id,
            topic=given["topic"],
            occurred_at=now,
            created_at=now,
            body=json.dumps({**body, "data": given["data"]}, separators=(",", ":")),
            fingerprint="0" * 64,
        )
        delivery = Delivery.objects.create(
            broadcaster_id=broadcaster_id,
            event=event,
            endpoint_id=endpoint_id,
            topic=given["topic"],
            max_attempts=6,
            next_attempt_at=now,
            created_at=now,
        )
    answer = JsonResponse({"id": event_id, "deliveries": [delivery.public_id]}, status=202)
    answer["Content-Length"] = str(len(answer.content))
    return answer


urlpatterns = [
    path("publish", publish),
    path("healthz", lambda request: HttpResponse("ok")),
]
