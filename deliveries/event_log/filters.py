"""The filters of the log pages, as forms that are bound to the query string."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeVar, cast

from django import forms
from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from deliveries.diagnosis import Failure
from deliveries.event_log.pages import LogPage, read_log_page
from deliveries.models import Delivery, DeliveryStatus, Event
from subscriptions.identifiers import first_uuid7
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.paging import Narrowed
from subscriptions.portal import PortalForm
from subscriptions.portal.display_preferences import find_zone

# As many as a select offers; any other webhook can be named in the URL.
_MAX_WEBHOOKS = 500
_CODE_FAULT = "A code is a number from 100 to 999."
_DAY_FAULT = "A day is written as 2026-12-31."
_FIRST_DAY = date(2000, 1, 1)
_LAST_DAY = date(2200, 1, 1)
Rows = TypeVar("Rows", bound="QuerySet[Any]")


@dataclass(frozen=True, slots=True)
class AppliedFilter:
    """A filter that is set, in words; `without` is the query string without it."""

    name: str
    value: str
    without: str


class LogForm(PortalForm):
    """Filters of a log. While one of them is faulty, the log shows no rows, rather than all."""

    q = forms.CharField(label="Search", required=False, max_length=200)
    since = forms.DateField(
        label="From",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        error_messages={"invalid": _DAY_FAULT},
    )
    until = forms.DateField(
        label="To",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        error_messages={"invalid": _DAY_FAULT},
    )
    # In the URL beside the days, so that they mean the same to everybody who opens it.
    zone = forms.CharField(label="Zone", widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict, broadcaster: Broadcaster, *, viewer_zone: tzinfo = UTC
    ) -> None:
        filled = data.copy()
        filled["zone"] = data.get("zone") or str(viewer_zone)
        super().__init__(filled, auto_id="filter-%s")
        self.broadcaster = broadcaster
        self.query = data
        for name in ("since", "until"):
            self.fields[name].help_text = f"A day in {self.zone_name}."

    @property
    def zone_name(self) -> str:
        return str(self.data["zone"]).replace("_", " ")

    def topic_choices(self) -> list[tuple[str, str]]:
        names = self.broadcaster.platform.topics.order_by("position", "name")
        return [("", "Any topic"), *((name, name) for name in names.values_list("name", flat=True))]

    def set_choices(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = list(choices)

    def value(self, name: str) -> Any:
        return self.cleaned_data.get(name)

    def clean_zone(self) -> tzinfo:
        name = self.cleaned_data["zone"]
        if (zone := find_zone(name)) is None:
            raise forms.ValidationError(f"There is no time zone {name[:40]!r}.")
        return zone

    def clean(self) -> dict[str, Any]:
        for name in ("since", "until"):
            day = self.cleaned_data.get(name)
            if day is not None and not _FIRST_DAY <= day <= _LAST_DAY:
                self.add_error(name, f"{day} is out of range.")
        return self.cleaned_data

    @property
    def applied_filters(self) -> list[AppliedFilter]:
        return [
            AppliedFilter(str(field.label), self._describe(field), self.without(field.name))
            for field in self.visible_fields()
            if self.query.get(field.name)
        ]

    def _describe(self, field: forms.BoundField) -> str:
        given = self.query[field.name]
        if field.name in ("since", "until"):
            return f"{given} ({self.zone_name})"
        choices = getattr(field.field, "choices", ())
        return str(dict(choices).get(given, given))

    def without(self, *names: str) -> str:
        """The query string of page one without these filters, and without those that are empty."""
        left = QueryDict(mutable=True)
        for name, value in self.query.items():
            if name in self.fields and name not in (*names, "zone") and value:
                left[name] = str(value)
        if "since" in left or "until" in left:
            left["zone"] = str(self.data["zone"])
        return left.urlencode()

    def between(self, rows: Rows) -> Rows:
        """Rows from the days chosen, which are days of the form's zone; the key holds the time."""
        zone = self.value("zone")
        if since := self.value("since"):
            rows = rows.filter(pk__gte=first_uuid7(datetime.combine(since, time(), zone)))
        if until := self.value("until"):
            end = datetime.combine(until + timedelta(days=1), time(), zone)
            rows = rows.filter(pk__lt=first_uuid7(end))
        return rows


class DeliveryLogForm(LogForm):
    status = forms.ChoiceField(
        required=False, choices=[("", "Any status"), *DeliveryStatus.choices]
    )
    endpoint = forms.ChoiceField(label="Webhook", required=False)
    topic = forms.ChoiceField(required=False)
    failure = forms.ChoiceField(
        label="Failure", required=False, choices=[("", "Any failure"), *Failure.choices]
    )
    code = forms.IntegerField(
        label="HTTP code",
        required=False,
        min_value=100,
        max_value=999,
        widget=forms.NumberInput({"placeholder": "Any", "inputmode": "numeric"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _CODE_FAULT),
    )
    attempts = forms.ChoiceField(
        required=False, choices=[("", "Any number"), ("one", "One"), ("several", "Several")]
    )
    test = forms.ChoiceField(
        label="Tests",
        required=False,
        choices=[("", "With tests"), ("no", "Without tests"), ("only", "Only tests")],
    )
    field_order = (
        "q",
        "status",
        "endpoint",
        "topic",
        "failure",
        "code",
        "attempts",
        "test",
        "since",
        "until",
        "zone",
    )

    def __init__(
        self, data: QueryDict, broadcaster: Broadcaster, *, viewer_zone: tzinfo = UTC
    ) -> None:
        super().__init__(data, broadcaster, viewer_zone=viewer_zone)
        self._webhooks = _load_webhooks(broadcaster, data.get("endpoint", ""))
        named = [(endpoint.public_id, _name(endpoint)) for endpoint in self._webhooks.values()]
        self.set_choices("endpoint", [("", "Any webhook"), *named])
        self.set_choices("topic", self.topic_choices())

    @property
    def webhook(self) -> Endpoint | None:
        """The webhook, deleted or not, whose deliveries alone are shown."""
        return self._webhooks.get(self.query.get("endpoint", ""))

    def page(self, cursor: str, *, size: int | None = None) -> LogPage[Delivery]:
        """The rows that all filters leave, their endpoints loaded; none while a filter is faulty."""
        if not self.is_valid():
            return LogPage([], "")
        narrowed = self._narrowed()
        rows = narrowed.rows.select_related("endpoint")
        rows = rows.defer("endpoint__description", "endpoint__headers")
        return read_log_page(narrowed.with_rows(rows), cursor=cursor, size=size)

    def _narrowed(self) -> Narrowed[Delivery]:
        text = self.value("q").strip()
        events = None
        if text.startswith("evt_"):
            # A whole id is looked up: it needs no search.
            found = self.broadcaster.events.filter(event_id=text)
            text, events = "", found.values_list("pk", flat=True)
        attempts, test = self.value("attempts"), self.value("test")
        return self.between(self.broadcaster.deliveries.all()).narrowed(
            endpoints=[self.webhook.pk] if self.webhook else None,
            status=self.value("status"),
            events=events,
            search=text,
            topic=self.value("topic") or None,
            failure=self.value("failure") or None,
            status_code=self.value("code"),
            attempt_count=1 if attempts == "one" else None,
            attempt_count__gt=1 if attempts == "several" else None,
            test=test == "only" if test else None,
        )


class EventLogForm(LogForm):
    topic = forms.ChoiceField(required=False)
    test = forms.ChoiceField(
        label="Tests",
        required=False,
        choices=[("", "With tests"), ("no", "Without tests"), ("only", "Only tests")],
    )
    field_order = ("q", "topic", "test", "since", "until", "zone")

    def __init__(
        self, data: QueryDict, broadcaster: Broadcaster, *, viewer_zone: tzinfo = UTC
    ) -> None:
        super().__init__(data, broadcaster, viewer_zone=viewer_zone)
        self.set_choices("topic", self.topic_choices())

    def page(self, cursor: str) -> LogPage[Event]:
        if not self.is_valid():
            return LogPage([], "")
        rows = self.between(self.broadcaster.events.all()).defer("body")
        if topic := self.value("topic"):
            rows = rows.filter(topic=topic)
        test, text = self.value("test"), self.value("q").strip()
        unindexed = Q(test=test == "only") if test else Q()
        if text.startswith("evt_"):
            rows = rows.filter(event_id=text)
        elif text:
            unindexed &= Q(event_id__icontains=text) | Q(body__icontains=text)
        return read_log_page(Narrowed(rows, unindexed, scans_text=bool(text)), cursor=cursor)


def _load_webhooks(broadcaster: Broadcaster, wanted: str) -> dict[str, Endpoint]:
    """Webhooks by public id: the first ones by name, deleted ones last, and the wanted one."""
    secrets = ("token_ciphertext", "previous_token_ciphertext")
    columns = broadcaster.endpoints.defer("description", "headers", *secrets)
    ordered = columns.order_by(F("deleted_at").desc(nulls_first=True), "name")
    found = {endpoint.public_id: endpoint for endpoint in ordered[:_MAX_WEBHOOKS]}
    if wanted and wanted not in found and len(found) == _MAX_WEBHOOKS:
        found |= {endpoint.public_id: endpoint for endpoint in ordered.filter(public_id=wanted)}
    return found


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.name} (deleted)" if endpoint.deleted_at else endpoint.name
