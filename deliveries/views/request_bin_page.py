"""The request bin: what it received, verified or not, and how it responds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models.functions import Length
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from deliveries.models import BinRequest, RequestBin
from deliveries.models.request_bin import NO_ANSWER
from deliveries.test_console import send_test
from deliveries.test_console.request_bin import (
    MAX_DELAY,
    MAX_STORED_REQUESTS,
    BinAnswer,
    bin_url,
    empty_bin,
    endpoints_sending_to,
    open_bin,
    set_answer,
)
from subscriptions.endpoints.lifecycle import create_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.errors import PortalError
from subscriptions.models.broadcaster import Role
from subscriptions.models.endpoint import ALL_TOPICS
from subscriptions.paging import KeysetPage, Narrowed, read_page, read_row_id
from subscriptions.portal import PortalForm, PortalRequest, broadcaster_page, flash_refusal, page

PAGE_SIZE = 25
SHOWN_BODY_BYTES = 64 * 1024
ANSWERS = [
    (200, "200 OK"),
    (201, "201 Created"),
    (204, "204 No Content"),
    (302, "302 Found, a redirect"),
    (400, "400 Bad Request"),
    (401, "401 Unauthorized"),
    (404, "404 Not Found"),
    (410, "410 Gone: suspends the webhook"),
    (429, "429 Too Many Requests, in 60 seconds"),
    (500, "500 Internal Server Error"),
    (503, "503 Service Unavailable"),
    (NO_ANSWER, "Nothing: keep the sender waiting until it gives up"),
]


class AnswerForm(PortalForm):
    answer_status = forms.TypedChoiceField(label="Answer with", choices=ANSWERS, coerce=int)
    answer_delay = forms.DecimalField(
        label="Delay, in seconds",
        min_value=0,
        max_value=int(MAX_DELAY.total_seconds()),
        max_digits=5,
        decimal_places=3,
    )

    @classmethod
    def for_bin(cls, own_bin: RequestBin) -> AnswerForm:
        """The form with what the bin answers now, even if that is none of the usual answers."""
        status = own_bin.answer_status
        form = cls(
            initial={"answer_status": status, "answer_delay": f"{own_bin.answer_delay_ms / 1000:g}"}
        )
        if status not in dict(ANSWERS):
            field = cast(forms.TypedChoiceField, form.fields["answer_status"])
            field.choices = [(status, str(status)), *ANSWERS]
        return form


@require_safe
@broadcaster_page()
def request_bin(request: PortalRequest) -> HttpResponse:
    """What came in, newest first. A poll with ?seen= (the newest id) gets 204 if nothing is new."""
    own_bin = _open_bin(request)
    bin_page = _read_page(own_bin, request.GET.get("before", ""))
    newest = str(bin_page.rows[0].pk) if bin_page.rows else ""
    if request.htmx and request.GET.get("seen") == newest:
        return HttpResponse(status=204)
    return _show(request, own_bin, AnswerForm.for_bin(own_bin), bin_page=bin_page)


def _open_bin(request: PortalRequest) -> RequestBin:
    if not settings.WEBHOOKS_REQUEST_BIN:
        raise Http404("The request bin is switched off here: WEBHOOKS_REQUEST_BIN is not set.")
    return open_bin(request.broadcaster)


def _read_page(own_bin: RequestBin, before: str = "") -> KeysetPage[BinRequest]:
    rows = own_bin.requests.defer("body", "headers").annotate(size=Length("body"))
    return read_page(Narrowed(rows), size=PAGE_SIZE, start=read_row_id(before))


def _show(
    request: PortalRequest,
    own_bin: RequestBin,
    form: AnswerForm,
    *,
    bin_page: KeysetPage[BinRequest],
    status: int = 200,
) -> HttpResponse:
    here = reverse("deliveries:request-bin", args=[request.broadcaster.pk])
    is_first = not request.GET.get("before")
    context: dict[str, Any] = {
        "rows": bin_page.rows,
        "newest": bin_page.rows[0].pk if bin_page.rows else "",
        "live": is_first and request.GET.get("live") != "off",
        "is_first": is_first,
        "here": here,
        "first_url": "" if is_first else here,
        "older_url": f"{here}?before={bin_page.last_key}" if bin_page.last_key else "",
        "url": bin_url(own_bin),
        "status_url": bin_url(own_bin, "status/500/"),
        "slow_url": bin_url(own_bin, "slow/10/"),
        "endpoints": list(endpoints_sending_to(own_bin)),
        "kept": MAX_STORED_REQUESTS,
        "form": form,
    }
    return page(
        request,
        "deliveries/request_bin.html",
        context,
        fragment="deliveries/_request_bin_rows.html" if request.method == "GET" else "",
        status=status,
    )


@require_safe
@broadcaster_page()
def request_bin_request(request: PortalRequest, request_id: int) -> HttpResponse:
    own_bin = _open_bin(request)
    received = own_bin.requests.filter(pk=request_id).first()
    if received is None:
        raise Http404("No such request in this bin: only the newest hundred are kept.")
    body = bytes(received.body)
    context = {
        "kept": received,
        "size": len(body),
        "body": body[:SHOWN_BODY_BYTES].decode("utf-8", "replace"),
        "is_cut": len(body) > SHOWN_BODY_BYTES,
        "is_json": any(n.lower() == "content-type" and "json" in v for n, v in received.headers),
    }
    return page(request, "deliveries/request_bin_request.html", context)


@require_POST
@broadcaster_page(Role.DEVELOPER)
def request_bin_set_answer(request: PortalRequest) -> HttpResponse:
    own_bin = _open_bin(request)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, own_bin, form, bin_page=_read_page(own_bin), status=422)
    seconds = float(form.cleaned_data["answer_delay"])
    answer = BinAnswer(form.cleaned_data["answer_status"], timedelta(seconds=seconds))
    set_answer(own_bin, answer, actor=request.actor)
    messages.success(request, "The request bin answers like that from now on.")
    return _redirect(request)


@require_POST
@broadcaster_page(Role.DEVELOPER)
def request_bin_empty(request: PortalRequest) -> HttpResponse:
    count = empty_bin(_open_bin(request), actor=request.actor)
    messages.success(request, f"The request bin is empty: {count} requests were removed.")
    return _redirect(request)


@require_POST
@broadcaster_page(Role.DEVELOPER)
def request_bin_add_webhook(request: PortalRequest) -> HttpResponse:
    """Add a webhook that sends every topic to the bin, so that a first test needs no receiver."""
    own_bin = _open_bin(request)
    bin_settings = EndpointSettings(name="Request bin", url=bin_url(own_bin), topics=[ALL_TOPICS])
    try:
        create_endpoint(broadcaster=request.broadcaster, settings=bin_settings, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        messages.success(request, "The webhook Request bin was added: it gets every topic.")
    return _redirect(request)


@require_POST
@broadcaster_page(Role.DEVELOPER)
def request_bin_send_test(request: PortalRequest) -> HttpResponse:
    """Send a test by the webhook that points to the bin."""
    endpoint = (
        endpoints_sending_to(_open_bin(request))
        .filter(public_id=request.POST.get("endpoint", ""))
        .first()
    )
    if endpoint is None:
        raise Http404("No such webhook points to this request bin.")
    try:
        send_test(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        messages.info(request, "Queued: the test request appears below as it comes in.")
    return _redirect(request)


def _redirect(request: PortalRequest) -> HttpResponse:
    return redirect("deliveries:request-bin", request.broadcaster.pk)
