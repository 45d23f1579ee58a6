"""Switching webhooks on and off, resuming and deleting them, one or several at once."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from subscriptions.endpoints.lifecycle import delete_endpoint
from subscriptions.endpoints.status import resume_endpoint, set_endpoint_active
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import PortalRequest, broadcaster_page
from subscriptions.portal.responses import confirm, flash_refusal, page, redirect_back, redirect_to
from subscriptions.views.endpoints import detail_url, endpoint_or_404, endpoints_of, missed_url

OFF_WORDS = (
    "Nothing more is sent to it. Events that come in while it is off are stored: when you switch it "
    "on again, you see what it missed and can replay it."
)
DELETE_WORDS = (
    "Nothing more is sent to it, and its signing token is erased. Its event logs can still be read."
)
ON_WORDS = "is active: it gets events from now on."
SEVERAL_OFF_WORDS = (
    "Nothing more is sent to them. Events that come in while they are off are stored: when you "
    "switch one on again, you see what it missed and can replay it."
)
SEVERAL_DELETE_WORDS = (
    "Nothing more is sent to them, and their signing tokens are erased. Their event logs can still "
    "be read."
)
SEVERAL_ON_WORDS = (
    "They get events from now on. What each missed while it was off is on its page, to be replayed."
)


def _list_url(request: PortalRequest) -> str:
    return reverse("subscriptions:endpoint-list", args=[request.broadcaster.pk])


def _after_start(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    """The row again, with how much it missed, where the list asked for it; else to that."""
    if request.htmx and request.POST.get("row"):
        return _row(request, endpoint, started=True)
    return redirect_to(request, f"{missed_url(endpoint)}?after=start")


def _after(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    """The row again where the list asked for it, else the page the form was on."""
    if request.htmx and request.POST.get("row"):
        return _row(request, endpoint)
    return redirect_back(request, detail_url(endpoint))


def _row(request: PortalRequest, endpoint: Endpoint, *, started: bool = False) -> HttpResponse:
    fresh = endpoint_or_404(request, endpoint.public_id)
    context = {"endpoint": fresh, "with_messages": True, "started": started}
    return page(request, "subscriptions/_endpoint_row.html", context)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def set_active(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """POST active=1 or 0. GET asks before switching off, as that cancels deliveries."""
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return confirm(
            request,
            title=f"Switch off {endpoint.name}?",
            text=OFF_WORDS,
            stopping=[endpoint],
            action=detail_url(endpoint, "set-active"),
            fields=[("active", "0")],
            button="Switch off",
            back=detail_url(endpoint),
        )
    active = request.POST.get("active") == "1"
    changed = set_endpoint_active(endpoint=endpoint, active=active, actor=request.actor)
    if changed and active:
        messages.success(request, f"{endpoint.name} {ON_WORDS}")
        return _after_start(request, endpoint)
    if changed:
        off = f"{endpoint.name} is off. Deliveries that were waiting for it are cancelled."
        messages.success(request, off)
    return _after(request, endpoint)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def resume(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    try:
        resume_endpoint(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
        return _after(request, endpoint)
    messages.success(request, f"{endpoint.name} is active again.")
    return _after_start(request, endpoint)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def delete(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return confirm(
            request,
            title=f"Delete {endpoint.name}?",
            text=DELETE_WORDS,
            stopping=[endpoint],
            detail=endpoint.url,
            action=detail_url(endpoint, "delete"),
            button="Delete webhook",
            danger=True,
            back=detail_url(endpoint),
            next=_list_url(request),
        )
    delete_endpoint(endpoint=endpoint, actor=request.actor)
    messages.success(request, f"{endpoint.name} is deleted.")
    return redirect_back(request, _list_url(request))


def _change(request: PortalRequest, action: str, endpoint: Endpoint) -> bool:
    """Whether it was changed."""
    if action == "delete":
        delete_endpoint(endpoint=endpoint, actor=request.actor)
        return True
    return set_endpoint_active(endpoint=endpoint, active=action == "activate", actor=request.actor)


_SEVERAL = {
    "activate": ("Switch on", "switched on", SEVERAL_ON_WORDS),
    "deactivate": ("Switch off", "switched off", SEVERAL_OFF_WORDS),
    "delete": ("Delete", "deleted", SEVERAL_DELETE_WORDS),
}


@broadcaster_page(Role.DEVELOPER)
@require_POST
def change_several(request: PortalRequest) -> HttpResponse:
    """POST action=activate, deactivate or delete for the chosen; asked about first."""
    action = request.POST.get("action", "")
    chosen = list(endpoints_of(request).filter(public_id__in=request.POST.getlist("chosen")))
    if action not in _SEVERAL or not chosen:
        messages.warning(request, "Nothing was changed: choose at least one webhook.")
        return redirect_back(request, _list_url(request))
    verb, done, warning = _SEVERAL[action]
    if not request.POST.get("confirmed"):
        fields = [("chosen", endpoint.public_id) for endpoint in chosen]
        return confirm(
            request,
            title=f"{verb} {len(chosen)} webhook{'' if len(chosen) == 1 else 's'}?",
            text=warning,
            stopping=[] if action == "activate" else chosen,
            names=[endpoint.name for endpoint in chosen],
            action=request.path,
            fields=[("action", action), ("confirmed", "1"), *fields],
            button=verb,
            danger=action == "delete",
            back=_list_url(request),
        )
    changed = sum(_change(request, action, endpoint) for endpoint in chosen)
    unchanged = len(chosen) - changed
    were = "was" if unchanged == 1 else "were"
    rest = f"; {unchanged} {were} so already" if unchanged else ""
    messages.success(request, f"{changed} of {len(chosen)} webhooks {done}{rest}.")
    return redirect_back(request, _list_url(request))
