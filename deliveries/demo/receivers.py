"""The receivers of the demonstration's past: how each of them answered, and when it was broken."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deliveries.transport.result import Phase, TransportError, TransportResult

Headers = tuple[tuple[str, str], ...]
_JSON: Headers = (("Content-Type", "application/json"), ("Server", "nginx"))
_HTML: Headers = (("Content-Type", "text/html; charset=utf-8"), ("Server", "nginx"))
_CHALLENGE: Headers = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Server", "cloudflare"),
    ("cf-mitigated", "challenge"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request meets. Without a status it is the error that libcurl reports, by number and
    phase. `ms`: how long that takes, typically; None is the receiver's own pace."""

    status: int | None = None
    headers: Headers = _JSON
    body: bytes = b""
    ms: float | None = None
    code: int = 0
    phase: Phase = "wait"
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


ACCEPTED = Answer(200, body=b'{"received":true}')
_BROKEN = Answer(500, _HTML, b"<h1>Internal Server Error</h1>")
_DOWN = Answer(503, (*_HTML, ("Retry-After", "300")), b"<h1>Down for maintenance</h1>")
_BAD_GATEWAY = Answer(502, _HTML, b"<html><title>502 Bad Gateway</title></html>")
_BUSY = Answer(429, (*_JSON, ("Retry-After", "60")), b'{"error":"too many requests"}')
_NOT_FOUND = Answer(404, _HTML, b"<h1>Not Found</h1>")
_UNSIGNED = Answer(401, _JSON, b'{"error":"invalid signature"}')
_FIREWALL = Answer(403, _CHALLENGE, b"<html><title>Just a moment...</title></html>")
_SLASH = Answer(301, (*_HTML, ("Location", "/hooks/orders/")), b"")
_REFUSED = Answer(
    code=7, phase="connect", ms=2, message="Failed to connect: Connection refused",
    evidence={"errno": 111, "tried": ["203.0.113.41"]},
)  # fmt: skip
_UNREACHABLE = Answer(
    code=28, phase="connect", ms=10_000, message="Connection timed out",
    evidence={"tried": ["203.0.113.17"]},
)  # fmt: skip
_SILENT = Answer(code=28, phase="wait", ms=15_000, message="Operation timed out")
_RESET = Answer(
    code=56, phase="wait", message="Recv failure: Connection reset by peer", evidence={"errno": 104}
)
_NO_NAME = Answer(
    code=6, phase="dns", ms=30, message="Could not resolve host", evidence={"dns": "not_found"}
)


@dataclass(frozen=True, slots=True)
class Outage:
    """It began so long before now, and lasted so long; `answer` None: the certificate ran out."""

    ago: timedelta
    lasted: timedelta
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """`url` is where the past was sent, a name that nobody has; `seldom` happens by chance, to
    that share of the requests."""

    name: str
    url: str
    address: str
    typical_ms: float
    seldom: tuple[tuple[float, Answer], ...] = ()
    outages: tuple[Outage, ...] = ()

    def answer(self, sent_at: datetime, *, now: datetime, rng: random.Random) -> TransportResult:
        """What a request at that time met."""
        for outage in self.outages:
            began = now - outage.ago
            if began <= sent_at < began + outage.lasted:
                return self._result(outage.answer or self._expired(began), sent_at, rng)
        chance = rng.random()
        for share, answer in self.seldom:
            if chance < share:
                return self._result(answer, sent_at, rng)
            chance -= share
        return self._result(ACCEPTED, sent_at, rng)

    @property
    def host(self) -> str:
        return self.url.split("/")[2]

    def _expired(self, at: datetime) -> Answer:
        certificate = {
            "names": [self.host],
            "issuer": "Example public authority",
            "starts_at": (at - timedelta(days=90)).isoformat(),
            "expires_at": at.isoformat(),
            "chain_length": 2,
        }
        return Answer(
            code=60, phase="tls", message="certificate has expired",
            evidence={"verify_result": 10, "certificate": certificate},
        )  # fmt: skip

    def _result(self, answer: Answer, sent_at: datetime, rng: random.Random) -> TransportResult:
        # Most are near the typical time, some take several times as long.
        whole = answer.ms or self.typical_ms * rng.lognormvariate(0, 0.45)
        error = None
        if answer.status is None:
            error = TransportError(
                answer.code, answer.message, answer.phase, evidence=answer.evidence
            )
        reached = answer.phase != "dns"
        wait = whole * rng.uniform(0.55, 0.75)
        return TransportResult(
            key=None,
            sent_at=sent_at,
            responded_at=None if error else sent_at + timedelta(milliseconds=whole),
            duration_ms=round(whole, 3),
            dns_ms=round(whole * 0.02, 3),
            connect_ms=round(whole * 0.1, 3) if reached else None,
            tls_ms=round(whole * 0.2, 3) if error is None else None,
            first_byte_ms=round(wait, 3) if error is None else None,
            remote_address=self.address if reached else "",
            status_code=answer.status,
            headers=answer.headers if answer.status else (),
            body=answer.body,
            truncated=False,
            error=error,
        )


def _hours(ago: float, lasted: float, answer: Answer | None) -> Outage:
    return Outage(timedelta(hours=ago), timedelta(hours=lasted), answer)


# The longest outage outlasts the longest schedule, of three days: some deliveries failed for good.
RECEIVERS = (
    Receiver(
        "CRM", "https://crm.example/hooks/portal", "203.0.113.10", 120,
        ((0.004, _SILENT), (0.002, _BROKEN)),
        (_hours(12 * 24, 9, None), _hours(3 * 24, 1.5, _BAD_GATEWAY)),
    ),
    Receiver(
        "Warehouse", "https://warehouse.example/hooks/orders", "203.0.113.20", 45,
        ((0.01, _BROKEN),), (_hours(26, 5, _DOWN), _hours(19 * 24, 4, _SLASH)),
    ),
    Receiver(
        "Newsletter", "https://newsletter.example/in/portal", "203.0.113.30", 260, ((0.03, _BUSY),),
        (_hours(6 * 24, 2, _UNSIGNED),),
    ),
    Receiver(
        "Data lake", "https://ingest.datalake.example/v1/events", "203.0.113.41", 14,
        ((0.002, _RESET),), (_hours(9 * 24, 14, _REFUSED), _hours(2, 0.3, _REFUSED)),
    ),
    Receiver(
        "Partner shop", "https://partner.example/webhooks", "203.0.113.52", 780,
        ((0.005, _NOT_FOUND),), (_hours(20 * 24, 92, _FIREWALL),),
    ),
    Receiver(
        "Mobile back end", "https://api.mobile.example/hooks", "203.0.113.17", 65, (),
        (_hours(8 * 24, 3, _UNREACHABLE), _hours(23 * 24, 2, _NO_NAME)),
    ),
)  # fmt: skip
