"""Sending deliveries again, at once or instead of the planned retry, and stopping them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from deliveries.models import Delivery
from deliveries.recovery import resend as verbs
from deliveries.views.deliveries import delivery_or_404, delivery_url, list_url
from subscriptions.audit import Actor
from subscriptions.errors import Conflict, PortalError
from subscriptions.identifiers import public_to_uuid
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import PortalRequest, broadcaster_page
from subscriptions.portal.responses import confirm, flash_refusal, redirect_back

RESEND_WORDS = (
    "One request is made now for each, with the same id and the same body. A planned retry stays "
    "planned."
)
STOP_WORDS = (
    "No more requests are made for it. One that is under way goes on; if it is accepted, the "
    "delivery counts as delivered. You can resend it by hand later."
)
MAX_DELIVERIES_PER_ACTION = 100

Verb = Callable[[Delivery, Actor], object]


def _resend(delivery: Delivery, actor: Actor) -> object:
    return verbs.resend(delivery=delivery, actor=actor)


def _cancel(delivery: Delivery, actor: Actor) -> object:
    return verbs.cancel(delivery=delivery, actor=actor)


def _try(request: PortalRequest, delivery: Delivery, verb: Verb, done: str) -> HttpResponse:
    """The row again where the list asked for it, else the page that the form was on."""
    try:
        verb(delivery, request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        messages.info(request, done)
    if request.htmx and request.POST.get("row"):
        fresh = delivery_or_404(request, delivery.public_id)
        context = {"delivery": fresh, "with_messages": True}
        return render(request, "deliveries/_delivery_row.html", context)
    return redirect_back(request, delivery_url(delivery))


@broadcaster_page(Role.DEVELOPER)
@require_POST
def delivery_resend(request: PortalRequest, delivery_id: str) -> HttpResponse:
    delivery = delivery_or_404(request, delivery_id)
    done = f"Queued: {delivery.topic} is sent to {delivery.endpoint.name} again now."
    return _try(request, delivery, _resend, done)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def delivery_retry_now(request: PortalRequest, delivery_id: str) -> HttpResponse:
    delivery = delivery_or_404(request, delivery_id)

    def retry_now(delivery: Delivery, actor: Actor) -> object:
        return verbs.retry_now(delivery=delivery, actor=actor)

    return _try(request, delivery, retry_now, "Queued: the planned retry is made now.")


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def delivery_cancel(request: PortalRequest, delivery_id: str) -> HttpResponse:
    """GET asks first."""
    delivery = delivery_or_404(request, delivery_id)
    if request.method == "GET":
        return confirm(
            request,
            title="Stop retrying?",
            text=STOP_WORDS,
            detail=f"{delivery.topic} to {delivery.endpoint.name}",
            action=delivery_url(delivery, "delivery-cancel"),
            button="Stop retrying",
            back=delivery_url(delivery),
        )
    return _try(request, delivery, _cancel, "Stopped: no more requests are made for it.")


_SEVERAL: dict[str, tuple[str, str, str, Verb]] = {
    "resend": ("Resend", "queued", RESEND_WORDS, _resend),
    "cancel": ("Stop retrying", "stopped", STOP_WORDS.replace("for it", "for them"), _cancel),
}


@broadcaster_page(Role.DEVELOPER)
@require_POST
def delivery_bulk(request: PortalRequest) -> HttpResponse:
    """POST action=resend or cancel for the chosen deliveries; asked about first."""
    action = request.POST.get("action", "")
    chosen = _chosen(request)
    if action not in _SEVERAL or not chosen:
        messages.warning(request, "Nothing was done: choose at least one delivery.")
        return redirect_back(request, list_url(request))
    title, done, words, verb = _SEVERAL[action]
    if not request.POST.get("confirmed"):
        plural = "y" if len(chosen) == 1 else "ies"
        fields = [("delivery", delivery.public_id) for delivery in chosen]
        return confirm(
            request,
            title=f"{title}: {len(chosen)} deliver{plural}?",
            text=words,
            action=request.path,
            fields=[("action", action), ("confirmed", "1"), *fields],
            button=title,
            back=list_url(request),
            next=request.POST.get("next", ""),
        )
    _do_several(request, chosen, verb, done)
    return redirect_back(request, list_url(request))


def _chosen(request: PortalRequest) -> list[Delivery]:
    ids = request.POST.getlist("delivery")[:MAX_DELIVERIES_PER_ACTION]
    keys = [key for text in ids if (key := public_to_uuid("dlv", text)) is not None]
    found = Delivery.objects.for_broadcaster(request.broadcaster).filter(pk__in=keys)
    deliveries = list(found.select_related("endpoint").order_by("-pk"))
    for delivery in deliveries:
        delivery.broadcaster = request.broadcaster
    return deliveries


def _do_several(request: PortalRequest, chosen: list[Delivery], verb: Verb, done: str) -> None:
    refused: list[Conflict] = []
    for delivery in chosen:
        try:
            verb(delivery, request.actor)
        except Conflict as conflict:
            refused.append(conflict)
    if len(refused) < len(chosen):
        messages.info(request, f"{len(chosen) - len(refused)} of {len(chosen)} deliveries {done}.")
    if refused:
        messages.warning(request, f"{len(refused)} left as they are: {refused[0].detail}")
