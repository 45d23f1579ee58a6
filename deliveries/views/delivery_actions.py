"""Resending deliveries, making a planned retry now, and stopping retries: one or several."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from deliveries.models import Delivery
from deliveries.recovery import cancel, resend, retry_now
from deliveries.views.deliveries import delivery_or_404, delivery_url, list_url
from subscriptions.audit import Actor
from subscriptions.errors import Conflict, PortalError
from subscriptions.identifiers import public_to_uuid
from subscriptions.models.broadcaster import Role
from subscriptions.portal import (
    PortalRequest,
    broadcaster_page,
    confirm,
    flash_refusal,
    redirect_back,
)

RESEND_TEXT = (
    "One attempt is made now for each, with the same id and the same body. A planned retry stays "
    "planned."
)
CANCEL_TEXT = (
    "No more attempts are made for it. One that is in flight goes on; if it is accepted, the "
    "delivery counts as delivered. You can resend it by hand later."
)
MAX_DELIVERIES_PER_ACTION = 100


def _resend(delivery: Delivery, actor: Actor) -> None:
    resend(delivery=delivery, actor=actor)


def _retry_now(delivery: Delivery, actor: Actor) -> None:
    retry_now(delivery=delivery, actor=actor)


def _cancel(delivery: Delivery, actor: Actor) -> None:
    cancel(delivery=delivery, actor=actor)


class _Action(NamedTuple):
    """Something that is done to several deliveries; `apply` raises Conflict if it refuses one."""

    button: str
    done: str
    text: str
    apply: Callable[[Delivery, Actor], None]


_ACTIONS = {
    "resend": _Action("Resend", "queued", RESEND_TEXT, _resend),
    "cancel": _Action(
        "Stop retrying", "stopped", CANCEL_TEXT.replace("for it", "for them"), _cancel
    ),
}


def _apply_to_one(
    request: PortalRequest,
    delivery: Delivery,
    apply: Callable[[Delivery, Actor], None],
    done: str,
) -> HttpResponse:
    """Responds with the row again if the list asked for it; else with the page of the form."""
    try:
        apply(delivery, request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        messages.info(request, done)
    if request.htmx and request.POST.get("row"):
        changed = delivery_or_404(request, delivery.public_id)
        context = {"delivery": changed, "with_messages": True}
        return render(request, "deliveries/_delivery_row.html", context)
    return redirect_back(request, delivery_url(delivery))


@broadcaster_page(Role.DEVELOPER)
@require_POST
def delivery_resend(request: PortalRequest, delivery_id: str) -> HttpResponse:
    delivery = delivery_or_404(request, delivery_id)
    done = f"Queued: {delivery.topic} is sent to {delivery.endpoint.name} again now."
    return _apply_to_one(request, delivery, _resend, done)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def delivery_retry_now(request: PortalRequest, delivery_id: str) -> HttpResponse:
    delivery = delivery_or_404(request, delivery_id)
    return _apply_to_one(request, delivery, _retry_now, "Queued: the planned retry is made now.")


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def delivery_cancel(request: PortalRequest, delivery_id: str) -> HttpResponse:
    """GET asks first."""
    delivery = delivery_or_404(request, delivery_id)
    if request.method == "GET":
        return confirm(
            request,
            title="Stop retrying?",
            text=CANCEL_TEXT,
            detail=f"{delivery.topic} to {delivery.endpoint.name}",
            action=delivery_url(delivery, "delivery-cancel"),
            button="Stop retrying",
            back=delivery_url(delivery),
        )
    done = "Stopped: no more attempts are made for it."
    return _apply_to_one(request, delivery, _cancel, done)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def delivery_bulk(request: PortalRequest) -> HttpResponse:
    """POST action=resend or cancel, and the ids as `delivery`; asks first."""
    name = request.POST.get("action", "")
    action = _ACTIONS.get(name)
    chosen = _find_chosen(request)
    if action is None or not chosen:
        messages.warning(request, "Nothing was done: choose at least one delivery.")
        return redirect_back(request, list_url(request))
    if not request.POST.get("confirmed"):
        plural = "y" if len(chosen) == 1 else "ies"
        fields = [("delivery", delivery.public_id) for delivery in chosen]
        return confirm(
            request,
            title=f"{action.button}: {len(chosen)} deliver{plural}?",
            text=action.text,
            action=request.path,
            fields=[("action", name), ("confirmed", "1"), *fields],
            button=action.button,
            back=list_url(request),
            next=request.POST.get("next", ""),
        )
    _apply_to_several(request, chosen, action)
    return redirect_back(request, list_url(request))


def _find_chosen(request: PortalRequest) -> list[Delivery]:
    ids = request.POST.getlist("delivery")[:MAX_DELIVERIES_PER_ACTION]
    keys = [key for text in ids if (key := public_to_uuid("dlv", text)) is not None]
    found = request.broadcaster.deliveries.filter(pk__in=keys)
    return list(found.select_related("endpoint").order_by("-pk"))


def _apply_to_several(request: PortalRequest, chosen: list[Delivery], action: _Action) -> None:
    refused: list[Conflict] = []
    for delivery in chosen:
        try:
            action.apply(delivery, request.actor)
        except Conflict as conflict:
            refused.append(conflict)
    done_count = len(chosen) - len(refused)
    if done_count:
        messages.info(request, f"{done_count} of {len(chosen)} deliveries {action.done}.")
    if refused:
        messages.warning(request, f"{len(refused)} left as they are: {refused[0].detail}")
