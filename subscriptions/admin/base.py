"""What staff pages share: classes that allow reading only, and actions that call verbs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from subscriptions.errors import PortalError

M = TypeVar("M", bound=Model)
# One verb is one transaction: more rows than this would keep the browser waiting.
MAX_ROWS_OF_AN_ACTION = 1_000


class NoDeleteAdmin(admin.ModelAdmin[M]):
    """Rows that staff never delete."""

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class ReadOnlyAdmin(NoDeleteAdmin[M]):
    """Rows that staff read, and change by actions alone.

    Such an action is declared with `permissions=["operate"]`, and calls the portal's own verb.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        # Whoever may use the actions has to see the rows.
        return super().has_view_permission(request, obj) or self.has_operate_permission(request)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether the user may use the actions: with the permission to change these rows."""
        return super().has_change_permission(request)


def act_on_each(
    request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any], object], done: str
) -> None:
    """Call a verb on each row, and tell the user of how many it was done, and why not of others.

    done: the word for it, such as "resent". A verb that returns False had nothing to do.
    """
    counts: Counter[str] = Counter()
    refusals: dict[str, str] = {}
    chosen = list(rows[: MAX_ROWS_OF_AN_ACTION + 1])
    for row in chosen[:MAX_ROWS_OF_AN_ACTION]:
        try:
            counts["idle" if verb(row) is False else "done"] += 1
        except PortalError as error:
            counts[error.code] += 1
            refusals.setdefault(error.code, error.detail)
    messages.success(request, f"{counts['done']} {done}.")
    if counts["idle"]:
        messages.info(request, f"{counts['idle']} needed no change.")
    for code, detail in refusals.items():
        messages.warning(request, f"{counts[code]} refused: {detail}")
    if len(chosen) > MAX_ROWS_OF_AN_ACTION:
        messages.warning(
            request, f"Only the first {MAX_ROWS_OF_AN_ACTION:,}: choose the others again."
        )
