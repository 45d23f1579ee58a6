"""The form that adds a webhook or changes its settings."""

from __future__ import annotations

from typing import Any

from django import forms

from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.endpoints.settings import MAX_ENDPOINT_TIMEOUT_SECONDS, EndpointSettings
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.models.endpoint import ALL_TOPICS
from subscriptions.portal.forms import PortalForm

_MASK = "••••"


def _read_headers(text: str, known: list[list[str]]) -> list[tuple[str, str]]:
    """`Name: value` lines. A masked value stands for the one there is."""
    kept = {name.lower(): value for name, value in known}
    headers = []
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = line.partition(":")
        if not colon:
            raise forms.ValidationError(f"{line[:40]!r} is no header: write it as Name: value.")
        value = value.strip()
        if value == _MASK:
            value = kept.get(name.strip().lower(), value)
        headers.append((name.strip(), value))
    return headers


class EndpointForm(PortalForm):
    """A webhook's settings. Topics are names; which ones there are is the verb's to say."""

    name = forms.CharField(max_length=100, help_text="To tell your webhooks apart.")
    url = forms.CharField(
        label="URL",
        max_length=2048,
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "https://example.com/webhooks",
                "class": "form-control mono",
            }
        ),
    )
    which = forms.ChoiceField(choices=[("chosen", "Chosen topics"), ("all", "All topics")])
    topics = forms.Field(required=False, widget=forms.MultipleHiddenInput)
    token = forms.CharField(
        required=False,
        label="Token",
        help_text="Signs every request. Leave it empty and one is made for you.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "form-control mono"}
        ),
    )
    active = forms.BooleanField(required=False, initial=True)
    description = forms.CharField(
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    headers = forms.CharField(
        required=False,
        label="Custom headers",
        help_text="One a line, as Name: value. Sent with every request; secret values are hidden "
        "once saved.",
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "class": "form-control mono"}
        ),
    )
    rate_limit = forms.IntegerField(
        required=False,
        label="Rate limit",
        min_value=1,
        help_text="Requests per second at most. Empty: no limit.",
    )
    timeout_seconds = forms.IntegerField(
        required=False, label="Timeout", min_value=1, max_value=MAX_ENDPOINT_TIMEOUT_SECONDS
    )
    signature = forms.ChoiceField(required=False)

    def __init__(
        self,
        *args: Any,
        broadcaster: Broadcaster,
        endpoint: Endpoint | None = None,
        **kwargs: Any,
    ) -> None:
        self.endpoint = endpoint
        if endpoint is not None:
            kwargs["initial"] = _initial(endpoint) | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        rules = broadcaster.rules
        timeout = self.fields["timeout_seconds"]
        timeout.help_text = (
            f"Seconds a request may take, 1 to {MAX_ENDPOINT_TIMEOUT_SECONDS}. "
            f"Empty: {rules.timeout_seconds:g}, as {rules.title} has it."
        )
        self._offer_signatures(broadcaster)
        if endpoint is not None or not rules.signature.takes_typed_token:
            del self.fields["token"]

    def _offer_signatures(self, broadcaster: Broadcaster) -> None:
        rules = broadcaster.rules.signature
        own = "none" if rules.scheme == "none" else rules.header or "Standard Webhooks"
        words = {"none": "None", "standard": "Standard Webhooks (webhook-signature)"}
        choices = [("", f"The platform's own: {own}")]
        choices += [(choice, words[choice]) for choice in rules.optional]
        if len(choices) == 1:
            del self.fields["signature"]
            return
        field = self.fields["signature"]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def clean_headers(self) -> list[tuple[str, str]]:
        known = self.endpoint.headers if self.endpoint else []
        return _read_headers(self.cleaned_data["headers"], known)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("which") == "chosen" and not self.chosen_topics():
            self.add_error("topics", "Choose at least one topic, or all of them.")
        return data

    def chosen_topics(self) -> list[str]:
        """Names, as they stand in the form now."""
        if self.is_bound:
            getlist = getattr(self.data, "getlist", None)
            return list(getlist("topics")) if getlist else list(self.data.get("topics", ()))
        return list(self.initial.get("topics", ()))

    def wants_all(self) -> bool:
        return bool(self["which"].value() == "all")

    def settings(self) -> EndpointSettings:
        """What the verbs take; the form must be valid."""
        data = self.cleaned_data
        return EndpointSettings(
            name=data["name"],
            url=data["url"],
            topics=[ALL_TOPICS] if data["which"] == "all" else self.chosen_topics(),
            description=data["description"],
            active=data["active"],
            headers=data["headers"],
            rate_limit=data["rate_limit"],
            timeout_seconds=data["timeout_seconds"],
            signature=data.get("signature") or None,
        )


def _initial(endpoint: Endpoint) -> dict[str, Any]:
    topics = endpoint.topic_names
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "which": "all" if endpoint.all_topics else "chosen",
        "topics": [] if endpoint.all_topics else topics,
        "active": endpoint.active,
        "description": endpoint.description,
        "headers": "\n".join(f"{name}: {value}" for name, value in mask_headers(endpoint.headers)),
        "rate_limit": endpoint.rate_limit,
        "timeout_seconds": endpoint.timeout_seconds,
        "signature": endpoint.signature or "",
    }
