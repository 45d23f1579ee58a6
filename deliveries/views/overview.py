"""The overview: traffic, what needs attention, and the first steps."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from deliveries.models import DeliveryStatus
from deliveries.statistics.charts import outcome_chart
from deliveries.statistics.endpoint_health import find_needing_attention
from deliveries.statistics.first_steps import read_first_steps, signs_requests
from deliveries.statistics.traffic import PERIODS, find_period, read_traffic
from subscriptions.portal import PortalRequest, broadcaster_page, page

_LATEST_FAILURES = 6


@broadcaster_page()
@require_safe
def overview(request: PortalRequest) -> HttpResponse:
    broadcaster = request.broadcaster
    now = timezone.now()
    period = find_period(request.GET.get("period", ""))
    traffic = read_traffic(broadcaster, period, now)
    first_steps = read_first_steps(broadcaster)
    failures = broadcaster.deliveries.in_state(DeliveryStatus.FAILED)
    oldest = first_steps.oldest_due_at
    context = {
        "periods": PERIODS,
        "period": period,
        "traffic": traffic,
        "chart": outcome_chart(traffic.steps),
        "first_steps": first_steps,
        "signs": signs_requests(broadcaster),
        "is_first_run": first_steps.is_first_run(broadcaster, now),
        "waiting_since": oldest if oldest is not None and oldest <= now else None,
        "next_due_at": oldest,
        "attention": find_needing_attention(broadcaster),
        "failures": failures.filter(test=False)
        .select_related("endpoint")
        .order_by("-pk")[:_LATEST_FAILURES],
    }
    return page(request, "deliveries/overview.html", context)
