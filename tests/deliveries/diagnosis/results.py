"""Results of attempts as values, made without a transport."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from deliveries.transport import TransportError, TransportResult


def own_fault(code: int, message: str = "", **evidence: Any) -> TransportResult:
    """A result that no receiver can cause: the portal's own side is at fault."""
    return result_of(TransportError(code, message, "connect", evidence=evidence), None)


def answer(status: int) -> TransportResult:
    return result_of(None, status)


def result_of(error: TransportError | None, status: int | None) -> TransportResult:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return TransportResult(
        "key", now, None, 1.0, None, None, None, None, "", status, (), b"", False, error
    )
