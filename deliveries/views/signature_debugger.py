"""The signature debugger: a request as it was received, and why its signature does not verify.

What is pasted goes into the answer and nowhere else; the secret not even there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from deliveries.models import Delivery
from deliveries.publishing import MAX_BODY_BYTES
from deliveries.signature_debugger.debugger import debug
from deliveries.signature_debugger.framework_fixes import FRAMEWORKS
from deliveries.signature_debugger.pasted_request import (
    BODY_FORMS,
    Pasted,
    PasteError,
    read_body,
    read_headers,
)
from deliveries.signature_debugger.report import Diagnosis, diagnose
from deliveries.signature_debugger.sources import make_case
from deliveries.views.deliveries import delivery_or_404
from subscriptions.models import Endpoint
from subscriptions.portal import PortalForm, PortalRequest, broadcaster_page, no_store, page

# Base64 and escapes make more of the longest body there is.
MAX_PASTED = 3 * MAX_BODY_BYTES
_CODE = {"class": "form-control mono", "spellcheck": "false", "autocomplete": "off"}


class SignatureForm(PortalForm):
    """What is pasted. Nothing of it is stripped: white space is one of the mistakes."""

    endpoint = forms.ChoiceField(label="Webhook", required=False)
    headers = forms.CharField(
        max_length=64 * 1024,
        strip=False,
        widget=forms.Textarea(attrs={**_CODE, "rows": 6}),
        help_text="Raw lines, curl -v, JSON, or a print of $_SERVER, a WSGI or Rack environment, "
        "Go's http.Header or a Lambda event.",
    )
    body = forms.CharField(
        label="Raw body",
        required=False,
        max_length=MAX_PASTED,
        strip=False,
        widget=forms.Textarea(attrs={**_CODE, "rows": 8}),
        help_text="What your code signs: the bytes, as late as you can print them.",
    )
    body_form = forms.ChoiceField(label="The body is given as", choices=BODY_FORMS, required=False)
    upload = forms.FileField(
        label="Or upload the body",
        required=False,
        help_text="Byte for byte, line ends and all. It is not kept.",
        widget=forms.FileInput,
        allow_empty_file=True,
    )
    computed = forms.CharField(
        label="Signature that your code computed",
        required=False,
        max_length=1_000,
        strip=False,
        widget=forms.TextInput(attrs=_CODE),
    )
    secret = forms.CharField(
        label="Secret, as your code has it",
        required=False,
        max_length=1_000,
        strip=False,
        widget=forms.PasswordInput(attrs={**_CODE, "autocomplete": "off"}),
        help_text="Compared with the token, then forgotten: never stored, logged or shown again.",
    )
    event = forms.CharField(
        label="Event or delivery id",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs=_CODE),
        help_text="Where the request does not carry it. Then the body is compared with ours.",
    )
    received_at = forms.CharField(
        label="Received at, by your clock",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs=_CODE),
        help_text="ISO 8601 (UTC unless it says) or Unix seconds.",
    )
    framework = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Find out"),
            *((name, framework.title) for name, framework in FRAMEWORKS.items()),
        ],
    )

    def __init__(self, *args: Any, endpoints: list[Endpoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(each.public_id, each.name) for each in endpoints]
        field = cast(forms.ChoiceField, self.fields["endpoint"])
        field.choices = [("", "Find out"), *choices]

    def clean_received_at(self) -> datetime | None:
        text = self.cleaned_data["received_at"].strip()
        if not text:
            return None
        if re.fullmatch(r"[0-9]{9,11}", text):
            return datetime.fromtimestamp(int(text), UTC)
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        if moment is None:
            raise forms.ValidationError(
                f"{text!r} is no time: give one like 2026-11-21T12:00:00Z, or Unix seconds."
            )
        return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)

    def clean(self) -> dict[str, Any]:
        """Adds `pasted` (Pasted) and `data`, the body's bytes."""
        cleaned: dict[str, Any] = self.cleaned_data
        pasted = read_headers(cleaned.get("headers") or "")
        if cleaned.get("headers") and not pasted.headers:
            self.add_error("headers", "No headers were found in this: give them as Name: value.")
        cleaned["pasted"] = pasted
        cleaned["data"] = self._data(pasted)
        return cleaned

    def _data(self, pasted: Pasted) -> bytes:
        upload = self.cleaned_data.get("upload")
        if isinstance(upload, UploadedFile):
            if (upload.size or 0) > MAX_PASTED:
                self.add_error("upload", f"It has {upload.size:,} bytes: at most {MAX_PASTED:,}.")
                return b""
            return bytes(upload.read())
        text = self.cleaned_data.get("body") or ""
        if not text and pasted.body is not None:
            return pasted.body
        try:
            return read_body(text, self.cleaned_data.get("body_form") or "text")
        except PasteError as error:
            self.add_error("body", str(error))
            return b""


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@broadcaster_page()
def signature_debugger(request: PortalRequest) -> HttpResponse:
    """?endpoint= chooses, ?delivery=&attempt= fills in what was sent; POST gives the verdict."""
    mine = request.broadcaster.endpoints.live().order_by("name")
    endpoints = list(mine[:500])
    if request.method != "POST":
        form = SignatureForm(endpoints=endpoints, initial=_initial(request))
        return _show(request, form)
    form = SignatureForm(request.POST, request.FILES, endpoints=endpoints)
    # A larger one has lost its files already: they are read into memory or not at all.
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
        form.add_error("upload", f"The request is too large: a body has {MAX_PASTED:,} at most.")
    if not form.is_valid():
        return _show(request, form, status=422)
    chosen = next((e for e in endpoints if e.public_id == form.cleaned_data["endpoint"]), None)
    return _show(request, form, _diagnosis(request, form.cleaned_data, chosen))


def _diagnosis(
    request: PortalRequest, given: dict[str, Any], endpoint: Endpoint | None
) -> Diagnosis:
    pasted: Pasted = given["pasted"]
    case = make_case(
        broadcaster=request.broadcaster,
        endpoint=endpoint,
        headers=pasted.headers,
        body=given["data"],
        now=timezone.now(),
        event_or_delivery_id=given["event"],
        received_at=given["received_at"],
        secret=given["secret"],
        computed=given["computed"],
    )
    return diagnose(
        debug(case), style=pasted.style, headers=pasted.headers, framework=given["framework"]
    )


def _show(
    request: PortalRequest,
    form: SignatureForm,
    diagnosis: Diagnosis | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "diagnosis": diagnosis,
        "here": reverse("deliveries:signature-debugger", args=[request.broadcaster.pk]),
        "optional_open": any(form[name].value() for name in ("computed", "event", "received_at"))
        or bool(form.errors),
        "signature": request.broadcaster.rules.signature,
    }
    return no_store(
        page(
            request,
            "deliveries/signature_debugger.html",
            context,
            fragment="deliveries/_signature_verdict.html",
            status=status,
        )
    )


def _initial(request: PortalRequest) -> dict[str, str]:
    """The webhook asked for; of a delivery the headers of an attempt as logged, and the body."""
    named = request.GET.get("delivery", "")
    if not named:
        return {"endpoint": request.GET.get("endpoint", "")}
    delivery = delivery_or_404(request, named)
    return {
        "endpoint": "" if delivery.endpoint.deleted_at else delivery.endpoint.public_id,
        "headers": _logged_headers(delivery, request.GET.get("attempt", "")),
        "body": delivery.event.body,
        "event": delivery.public_id,
    }


def _logged_headers(delivery: Delivery, number: str) -> str:
    attempts = delivery.attempts.order_by("-number")
    chosen = attempts.filter(number=int(number[:9])) if number.isdecimal() else attempts
    headers = chosen.values_list("request_headers", flat=True).first() or []
    return "\n".join(f"{name}: {value}" for name, value in headers)
