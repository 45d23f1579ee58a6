"""The facts about a receiver's certificate that explain a failure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_MAX_NAMES = 20
_MAX_TEXT = 300

# libcurl's CERTINFO: the fields of each certificate that the receiver presented, the leaf first.
CertificateChain = list[tuple[tuple[bytes, bytes], ...]]


def certificate_facts(chain: CertificateChain) -> dict[str, Any]:
    """Facts for JSON: subject, issuer, names, starts_at and expires_at (ISO 8601, UTC),
    chain_length, issuer_published (the leaf names where its issuer's certificate can be fetched, as
    those of public authorities do). Empty without a certificate."""
    if not chain:
        return {}
    leaf = {_text(key): _text(value, 20_000) for key, value in chain[0]}
    starts, expires = parse_time(leaf.get("Start date")), parse_time(leaf.get("Expire date"))
    return {
        "subject": leaf.get("Subject", "")[:_MAX_TEXT],
        "issuer": leaf.get("Issuer", "")[:_MAX_TEXT],
        "names": _names(leaf.get("X509v3 Subject Alternative Name", "")),
        "starts_at": starts.isoformat() if starts else None,
        "expires_at": expires.isoformat() if expires else None,
        "chain_length": len(chain),
        "issuer_published": "CA Issuers" in leaf.get("Authority Information Access", ""),
    }


def expiry(chain: CertificateChain) -> datetime | None:
    """When the leaf certificate expires; None if that is not known."""
    value = (
        next((value for key, value in chain[0] if key == b"Expire date"), None) if chain else None
    )
    return parse_time(_text(value)) if value else None


def parse_time(text: str | None) -> datetime | None:
    """OpenSSL's "Mar  4 09:50:51 2024 GMT"; None for anything else."""
    try:
        return datetime.strptime(text or "", "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def _names(text: str) -> list[str]:
    names = [part.strip().partition(":")[2][:_MAX_TEXT] for part in text.split(",")]
    return [name for name in names if name][:_MAX_NAMES]


def _text(value: bytes, limit: int = _MAX_TEXT) -> str:
    # NUL cannot be stored in PostgreSQL's JSON, and a certificate may say anything.
    return value[:limit].decode("utf-8", "replace").replace("\x00", "\ufffd")
