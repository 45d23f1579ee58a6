"""The receivers of the demonstration's history: how they responded, and when they were broken."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deliveries.transport import Phase, TransportError, TransportResult

_HeaderPairs = tuple[tuple[str, str], ...]
_JSON: _HeaderPairs = (("Content-Type", "application/json"), ("Server", "nginx"))
_HTML: _HeaderPairs = (("Content-Type", "text/html; charset=utf-8"), ("Server", "nginx"))
_CHALLENGE: _HeaderPairs = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Server", "cloudflare"),
    ("cf-mitigated", "challenge"),
)


@dataclass(frozen=True, slots=True)
class ReceiverResponse:
    """How a receiver responds to a request.

    Without a status it is an error of libcurl, with its number and phase. ms: how long that takes;
    None for the receiver's own pace.
    """

    status: int | None = None
    headers: _HeaderPairs = _JSON
    body: bytes = b""
    ms: float | None = None
    code: int = 0
    phase: Phase = "wait"
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


ACCEPTED = ReceiverResponse(200, body=b'{"received":true}')
_BROKEN = ReceiverResponse(500, _HTML, b"<h1>Internal Server Error</h1>")
_DOWN = ReceiverResponse(503, (*_HTML, ("Retry-After", "300")), b"<h1>Down for maintenance</h1>")
_BAD_GATEWAY = ReceiverResponse(502, _HTML, b"<html><title>502 Bad Gateway</title></html>")
_BUSY = ReceiverResponse(429, (*_JSON, ("Retry-After", "60")), b'{"error":"too many requests"}')
_NOT_FOUND = ReceiverResponse(404, _HTML, b"<h1>Not Found</h1>")
_UNSIGNED = ReceiverResponse(401, _JSON, b'{"error":"invalid signature"}')
_FIREWALL = ReceiverResponse(403, _CHALLENGE, b"<html><title>Just a moment...</title></html>")
_SLASH = ReceiverResponse(301, (*_HTML, ("Location", "/hooks/orders/")), b"")
_REFUSED = ReceiverResponse(
    code=7,
    phase="connect",
    ms=2,
    message="Failed to connect: Connection refused",
    evidence={"errno": 111, "tried": ["203.0.113.41"]},
)
_UNREACHABLE = ReceiverResponse(
    code=28,
    phase="connect",
    ms=10_000,
    message="Connection timed out",
    evidence={"tried": ["203.0.113.17"]},
)
_SILENT = ReceiverResponse(code=28, phase="wait", ms=15_000, message="Operation timed out")
_RESET = ReceiverResponse(
    code=56, phase="wait", message="Recv failure: Connection reset by peer", evidence={"errno": 104}
)
_NO_NAME = ReceiverResponse(
    code=6, phase="dns", ms=30, message="Could not resolve host", evidence={"dns": "not_found"}
)


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which every request met the same response, or an expired certificate if it is None.

    hours_ago: when it began, before now. hours: how long it lasted.
    """

    hours_ago: float
    hours: float
    response: ReceiverResponse | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that never existed. url: under a name that nobody can have.

    occasional: responses that come by chance, each with its share of the requests.
    """

    name: str
    url: str
    address: str
    typical_ms: float
    occasional: tuple[tuple[float, ReceiverResponse], ...] = ()
    outages: tuple[Outage, ...] = ()

    def respond(self, sent_at: datetime, *, now: datetime, rng: random.Random) -> TransportResult:
        """What a request that was sent at that time met."""
        for outage in self.outages:
            began = now - timedelta(hours=outage.hours_ago)
            if began <= sent_at < began + timedelta(hours=outage.hours):
                return self._result(outage.response or self._expired(began), sent_at, rng)
        chance = rng.random()
        for share, response in self.occasional:
            if chance < share:
                return self._result(response, sent_at, rng)
            chance -= share
        return self._result(ACCEPTED, sent_at, rng)

    @property
    def host(self) -> str:
        return self.url.split("/")[2]

    def _expired(self, at: datetime) -> ReceiverResponse:
        certificate = {
            "names": [self.host],
            "issuer": "Example public authority",
            "starts_at": (at - timedelta(days=90)).isoformat(),
            "expires_at": at.isoformat(),
            "chain_length": 2,
        }
        return ReceiverResponse(
            code=60,
            phase="tls",
            message="certificate has expired",
            evidence={"verify_result": 10, "certificate": certificate},
        )

    def _result(
        self, response: ReceiverResponse, sent_at: datetime, rng: random.Random
    ) -> TransportResult:
        # Most are near the typical time, some take several times as long.
        whole = response.ms or self.typical_ms * rng.lognormvariate(0, 0.45)
        error = None
        if response.status is None:
            error = TransportError(
                response.code, response.message, response.phase, evidence=response.evidence
            )
        reached = response.phase != "dns"
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
            status_code=response.status,
            headers=response.headers if response.status else (),
            body=response.body,
            truncated=False,
            error=error,
        )


_DAY = 24

# The longest outage outlasts the longest schedule, of three days: some deliveries failed for good.
RECEIVERS = (
    Receiver(
        "CRM",
        "https://crm.example/hooks/portal",
        "203.0.113.10",
        typical_ms=120,
        occasional=((0.004, _SILENT), (0.002, _BROKEN)),
        outages=(Outage(12 * _DAY, 9, None), Outage(3 * _DAY, 1.5, _BAD_GATEWAY)),
    ),
    Receiver(
        "Warehouse",
        "https://warehouse.example/hooks/orders",
        "203.0.113.20",
        typical_ms=45,
        occasional=((0.01, _BROKEN),),
        outages=(Outage(26, 5, _DOWN), Outage(19 * _DAY, 4, _SLASH)),
    ),
    Receiver(
        "Newsletter",
        "https://newsletter.example/in/portal",
        "203.0.113.30",
        typical_ms=260,
        occasional=((0.03, _BUSY),),
        outages=(Outage(6 * _DAY, 2, _UNSIGNED),),
    ),
    Receiver(
        "Data lake",
        "https://ingest.datalake.example/v1/events",
        "203.0.113.41",
        typical_ms=14,
        occasional=((0.002, _RESET),),
        outages=(Outage(9 * _DAY, 14, _REFUSED), Outage(2, 0.3, _REFUSED)),
    ),
    Receiver(
        "Partner shop",
        "https://partner.example/webhooks",
        "203.0.113.52",
        typical_ms=780,
        occasional=((0.005, _NOT_FOUND),),
        outages=(Outage(20 * _DAY, 92, _FIREWALL),),
    ),
    Receiver(
        "Mobile back end",
        "https://api.mobile.example/hooks",
        "203.0.113.17",
        typical_ms=65,
        outages=(Outage(8 * _DAY, 3, _UNREACHABLE), Outage(23 * _DAY, 2, _NO_NAME)),
    ),
)
