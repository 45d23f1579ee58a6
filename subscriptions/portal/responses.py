"""Responses that several screens give: pages and fragments, confirmations, redirects, refusals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from subscriptions.errors import PortalError
from subscriptions.portal.access import PortalRequest


def page(
    request: PortalRequest,
    template: str,
    context: dict[str, Any],
    *,
    fragment: str = "",
    status: int = 200,
) -> HttpResponse:
    """The whole page; for htmx its fragment alone, if it has one."""
    name = fragment if fragment and request.htmx else template
    response = render(request, name, context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response


def confirm(request: PortalRequest, **context: Any) -> HttpResponse:
    """A question before a change: a page, or for htmx the content of a dialog.

    context: title, text, action (the URL that is posted to), button, back (URL), and if wanted
    danger, detail, names, fields (pairs that are posted), parts (page parts before the text), and
    next (the URL to go on to; by default the page that the dialog is on, or back).
    """
    current = request.htmx.current_url_abs_path if request.htmx else None
    context.setdefault("next", current or context["back"])
    return page(
        request,
        "subscriptions/confirm.html",
        context,
        fragment="subscriptions/_confirm.html",
    )


def redirect_to(request: PortalRequest, url: str) -> HttpResponse:
    """A redirect that also works for a form that htmx sent."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def redirect_back(request: PortalRequest, default: str) -> HttpResponse:
    """A redirect to the page that the form names in `next`, if it is a page of this portal."""
    url = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure())
    return redirect_to(request, url if is_safe and url.startswith("/") else default)


def flash_refusal(request: PortalRequest, error: PortalError) -> None:
    messages.error(request, error.detail)


def no_store(response: HttpResponse) -> HttpResponse:
    """Keep a page with a secret out of every cache, the browser's own included."""
    response["Cache-Control"] = "no-store"
    return response
