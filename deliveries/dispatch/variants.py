"""How a test request is signed that differs from a usual one on purpose. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deliveries.models.variant import VariantKind
from subscriptions.endpoints.signing_token_format import TokenPair

# Far more than the five minutes that Standard Webhooks allows.
OLD_BY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Signing:
    """What a request is signed with, besides its body."""

    tokens: TokenPair | None
    event_id: str
    sent_at: datetime


def vary_signing(
    usual: Signing, kind: str, *, sent_as: str, make_token: Callable[[], str]
) -> Signing:
    """Return what a request of this kind is signed with; `make_token` makes a token nobody knows."""
    tokens, event_id, sent_at = usual.tokens, sent_as or usual.event_id, usual.sent_at
    if tokens is not None and kind == VariantKind.NEW_TOKEN:
        tokens = TokenPair(tokens.current)
    elif tokens is not None and kind == VariantKind.BAD_SIGNATURE:
        tokens = TokenPair(make_token())
    elif kind == VariantKind.OLD_TIMESTAMP:
        sent_at -= OLD_BY
    return Signing(tokens, event_id, sent_at)
