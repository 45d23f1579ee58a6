"""The audit log: newest first, in keyset pages."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q
from django.http import HttpResponse, QueryDict

from subscriptions.models import AuditEntry, Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.paging import Narrowed, read_page, read_row_id
from subscriptions.portal import PortalRequest, broadcaster_page, page
from subscriptions.portal.page_parts import AUDIT_TARGET_PAGE

PAGE_SIZE = 50
_LIVE_INTRO = "Who did what in the live broadcaster; its sandbox has a log of its own."
_SANDBOX_INTRO = (
    "Who did what in the sandbox; changes of the team and sign-ins are in the live log."
)
# What the filter offers: the first word of the action, and its label.
SUBJECTS = (
    ("endpoint", "Webhooks and their tokens"),
    ("token", "Publisher tokens"),
    ("delivery", "Deliveries: resent, stopped, exported"),
    ("event", "Events delivered later"),
    ("request_bin", "Request bin"),
    ("member", "Team and invitations"),
    ("account", "Signing in and passwords"),
    ("broadcaster", "Name, limits and pausing"),
)


def _query_with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for name, value in changes.items():
        changed[name] = value
    return "?" + changed.urlencode()


class _Row(NamedTuple):
    """An entry, with the webhook that it is about or the URL of what else it is about."""

    entry: AuditEntry
    webhook: Endpoint | None
    target_url: str


def _rows(request: PortalRequest, entries: list[AuditEntry]) -> list[_Row]:
    """Webhooks are found though they were deleted; all of them by one query."""
    ids = {entry.target for entry in entries if entry.action.startswith("endpoint.")}
    found = Endpoint.objects.filter(broadcaster=request.broadcaster, public_id__in=ids)
    fields = ("public_id", "name", "deleted_at", "broadcaster")
    webhooks = {endpoint.public_id: endpoint for endpoint in found.only(*fields)}
    return [
        _Row(entry, webhooks.get(entry.target), AUDIT_TARGET_PAGE.url(entry)) for entry in entries
    ]


@broadcaster_page(Role.OWNER)
def audit_log(request: PortalRequest) -> HttpResponse:
    """?subject=, ?q= (who or what), ?before= (id of the last entry of the previous page)."""
    subject, query = request.GET.get("subject", ""), request.GET.get("q", "").strip()
    found = AuditEntry.objects.filter(broadcaster=request.broadcaster)
    if subject in dict(SUBJECTS):
        found = found.filter(action__startswith=f"{subject}.")
    if query:
        found = found.filter(Q(actor_label__icontains=query) | Q(target__icontains=query))
    before = read_row_id(request.GET.get("before", ""))
    audit_page = read_page(Narrowed(found), size=PAGE_SIZE, start=before)
    older = audit_page.last_key
    first = request.GET.copy()
    first.pop("before", None)
    context = {
        "intro": _SANDBOX_INTRO if request.broadcaster.is_sandbox else _LIVE_INTRO,
        "rows": _rows(request, audit_page.rows),
        "subjects": SUBJECTS,
        "subject": subject,
        "query": query,
        "older_url": _query_with(request.GET, before=str(older)) if older else "",
        "first_url": f"?{first.urlencode()}" if before is not None else "",
    }
    return page(
        request,
        "subscriptions/audit_log.html",
        context,
        fragment="subscriptions/_audit_entries.html",
    )
