"""Lists of tables that grow without end: the newest rows of a scope, never a count of all rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from subscriptions.admin.base import ReadOnlyAdmin
from subscriptions.models import Endpoint

M = TypeVar("M", bound=Model)
MAX_LISTED_ROWS = 10_000


def clean_text(text: str | None) -> str:
    """The text without what PostgreSQL cannot take as a parameter, and without outer spaces."""
    return (text or "").replace("\0", "").strip()


class InputFilter(admin.SimpleListFilter):
    """A filter with a text field, for values that are too many to list in a sidebar."""

    template = "admin/input_filter.html"
    hint = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        others = changelist.get_filters_params()
        yield {
            "name": self.parameter_name,
            "value": self.value() or "",
            "hint": self.hint,
            "clear": changelist.get_query_string(remove=[self.parameter_name]),
            "others": [
                (name, value)
                for name, values in others.items()
                if name != self.parameter_name
                for value in values
            ],
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.narrow(queryset, clean_text(self.value()))

    @classmethod
    def narrow(cls, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that the typed text stands for; all of them for an empty one."""
        return queryset.filter(**{str(cls.parameter_name): text}) if text else queryset


class ScopeFilter(InputFilter):
    """A filter served by an index that ends in the primary key.

    The newest rows within it are listed.
    """


class BroadcasterFilter(ScopeFilter):
    title = "broadcaster"
    parameter_name = "broadcaster"
    hint = "id"

    @classmethod
    def narrow(cls, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        if not text:
            return queryset
        return (
            queryset.filter(broadcaster_id=int(text[:18])) if text.isdecimal() else queryset.none()
        )


class EndpointFilter(ScopeFilter):
    title = "webhook"
    parameter_name = "endpoint"
    hint = "ep_…"

    @classmethod
    def narrow(cls, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        if not text:
            return queryset
        endpoint = Endpoint.objects.filter(public_id=text).values_list("pk", flat=True).first()
        return queryset.none() if endpoint is None else queryset.filter(endpoint_id=endpoint)


class BeforeFilter(ScopeFilter):
    """Compares with the time inside the primary key (UUID version 7)."""

    title = "time: before (UTC)"
    parameter_name = "before"
    hint = "2026-01-31 or 2026-01-31 14:00"

    @classmethod
    def narrow(cls, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        if not text:
            return queryset
        moment = _parse_time(text)
        if moment is None:
            return queryset.none()
        milliseconds = int(moment.timestamp() * 1000)
        return queryset.filter(pk__lt=UUID(int=max(milliseconds, 0) << 80))


def _parse_time(text: str) -> datetime | None:
    try:
        day = parse_date(text)
        moment = datetime.combine(day, time()) if day else parse_datetime(text)
    except ValueError:
        return None
    if moment is not None and timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    return moment


class NewestChangeList(ChangeList):
    """Shows at most MAX_LISTED_ROWS rows, so that filters and paging cost the same on any table."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        if not self.query:
            self.root_queryset = self._newest(request)
        return super().get_queryset(request, exclude_parameters)

    def _newest(self, request: HttpRequest) -> QuerySet[Any]:
        scope = self.root_queryset
        for kind in self.list_filter:
            if isinstance(kind, type) and issubclass(kind, ScopeFilter):
                scope = kind.narrow(scope, clean_text(request.GET.get(str(kind.parameter_name))))
        pks = scope.order_by("-pk").values_list("pk", flat=True)
        floor = pks[MAX_LISTED_ROWS : MAX_LISTED_ROWS + 1].first()
        return scope if floor is None else scope.filter(pk__gt=floor)


class LogTableAdmin(ReadOnlyAdmin[M]):
    """A read-only list of the newest rows; other rows are found by scope, time or id."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER
    ordering = ["-pk"]
    # Makes Django show the search box; `find` decides what it finds.
    search_fields = ["pk"]
    search_help_text = "A whole id."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False

    def find(self, queryset: QuerySet[M], term: str) -> QuerySet[M]:
        """The rows that an id names. An override has to be served by an index."""
        return queryset.filter(pk=int(term[:18])) if term.isdecimal() else queryset.none()
