"""The audit log, newest first, in keyset pages."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse, QueryDict

from subscriptions.models import AuditEntry, Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import PortalRequest, broadcaster_page
from subscriptions.portal.responses import page

PAGE_LENGTH = 50
# Beginnings of actions, as the filter offers them.
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


def _whole_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for name, value in changes.items():
        changed[name] = value
    return "?" + changed.urlencode()


def _webhooks(request: PortalRequest, entries: list[AuditEntry]) -> dict[str, Endpoint]:
    """The webhooks that entries are about, deleted ones included, by public id."""
    ids = {entry.target for entry in entries if entry.action.startswith("endpoint.")}
    mine = Endpoint.objects.filter(broadcaster=request.broadcaster, public_id__in=ids)
    return {e.public_id: e for e in mine.only("public_id", "name", "deleted_at", "broadcaster")}


@broadcaster_page(Role.OWNER)
def audit_log(request: PortalRequest) -> HttpResponse:
    """?subject=, ?q= (who or what), ?before= (id of the last entry of the page before)."""
    subject, query = request.GET.get("subject", ""), request.GET.get("q", "").strip()
    found = AuditEntry.objects.filter(broadcaster=request.broadcaster)
    if subject in dict(SUBJECTS):
        found = found.filter(action__startswith=f"{subject}.")
    if query:
        found = found.filter(Q(actor_label__icontains=query) | Q(target__icontains=query))
    before = _whole_number(request.GET.get("before", ""))
    if before is not None:
        found = found.filter(pk__lt=before)
    entries = list(found.order_by("-id")[: PAGE_LENGTH + 1])
    more = len(entries) > PAGE_LENGTH
    entries = entries[:PAGE_LENGTH]
    first = request.GET.copy()
    first.pop("before", None)
    context = {
        "entries": entries,
        "webhooks": _webhooks(request, entries),
        "subjects": SUBJECTS,
        "subject": subject,
        "query": query,
        "older_url": _with(request.GET, before=str(entries[-1].pk)) if more else "",
        "first_url": f"?{first.urlencode()}" if before is not None else "",
    }
    return page(
        request,
        "subscriptions/audit_log.html",
        context,
        fragment="subscriptions/_audit_entries.html",
    )
