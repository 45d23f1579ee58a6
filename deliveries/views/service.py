"""Health probes and metrics, for whatever runs and watches the portal."""

from __future__ import annotations

import logging
import secrets
from ipaddress import ip_address

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from deliveries.statistics.backlog import Backlog, read_backlog
from deliveries.statistics.metrics import CONTENT_TYPE_LATEST, render_metrics
from subscriptions.client_address import client_address
from subscriptions.rest.times import iso_ms

logger = logging.getLogger(__name__)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers. It asks no database: a sick one must restart no process."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 when the database does not answer: nothing can be accepted then.

    Silent workers make it `degraded`, still with 200: events are accepted and kept until workers
    are back. Without web processes, events that could be stored would be lost.
    """
    try:
        backlog = read_backlog(timezone.now())
    except DatabaseError as error:
        logger.error("Not ready: %s", error)
        return JsonResponse({"status": "unavailable", "database": "unavailable"}, status=503)
    return JsonResponse(_readiness(backlog))


def _readiness(backlog: Backlog) -> dict[str, object]:
    alive = backlog.workers_alive
    at, due = backlog.last_heartbeat_at, backlog.oldest_due_at
    return {
        "status": "ok" if alive else "degraded",
        "database": "ok",
        "workers": {
            "status": "ok" if alive else "silent",
            "last_sign_of_life_at": iso_ms(at) if at else None,
            "age_seconds": backlog.heartbeat_age_seconds,
        },
        "oldest_due_delivery": {
            "due_at": iso_ms(due) if due else None,
            "age_seconds": backlog.oldest_due_seconds if due else None,
        },
    }


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for holders of the metrics token and for the metrics networks only."""
    if not (_has_token(request) or _is_in_metrics_network(request)):
        return HttpResponseNotFound("Not found.\n", content_type="text/plain")
    return HttpResponse(render_metrics(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    token: str = settings.WEBHOOKS_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return bool(token) and secrets.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_in_metrics_network(request: HttpRequest) -> bool:
    address = client_address(request)
    return address is not None and any(
        ip_address(address) in network for network in settings.WEBHOOKS_METRICS_NETWORKS
    )
