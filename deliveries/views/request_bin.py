"""Where the request bin receives: any method, no session; it responds as its owner has set."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from deliveries.models import RequestBin
from deliveries.models.request_bin import NO_ANSWER
from deliveries.test_console.request_bin import (
    MAX_BODY_BYTES,
    BinAnswer,
    ReceivedRequest,
    bin_url,
    choose_answer,
    store_request,
)

# A slow answer holds one of this process's four threads (--blocking-threads in Procfile). More at
# once are refused, so that the portal itself always has threads left.
MAX_WAITING = 2
_waiting = threading.BoundedSemaphore(MAX_WAITING)
_TOO_MANY = BinAnswer(503)


class _DeliberateResponse(HttpResponse):
    """A response that Django does not log as an error: somebody asked the bin for that 500."""

    _has_been_logged = True


@csrf_exempt
def receive(request: HttpRequest, bin_id: str, rest: str = "") -> HttpResponse:
    receiving_bin = _find(bin_id)
    if receiving_bin is None:
        return _text(404, "There is no request bin at this address.\n")
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        return _text(413, f"The request bin takes bodies of up to {MAX_BODY_BYTES:,} bytes.\n")
    answer = choose_answer(receiving_bin, rest)
    waits = answer.delay > timedelta(0) and _waiting.acquire(blocking=False)
    try:
        if answer.delay > timedelta(0) and not waits:
            answer = _TOO_MANY
        store_request(receiving_bin, _received(request, body), answer)
        # It waits after the commit, so that nothing is locked meanwhile.
        time.sleep(answer.delay.total_seconds())
    except OperationalError:
        return _text(503, "The request bin cannot store this now: try again.\n", retry_after=5)
    finally:
        if waits:
            _waiting.release()
    return _answer(receiving_bin, answer)


def _find(bin_id: str) -> RequestBin | None:
    if not settings.WEBHOOKS_REQUEST_BIN:
        return None
    bins = RequestBin.objects.select_related("broadcaster__platform")
    return bins.filter(public_id=bin_id).first()


def _received(request: HttpRequest, body: bytes) -> ReceivedRequest:
    return ReceivedRequest(
        method=request.method or "",
        path=request.get_full_path(),
        headers=list(request.headers.items()),
        body=body,
        at=timezone.now(),
    )


def _answer(receiving_bin: RequestBin, answer: BinAnswer) -> HttpResponse:
    if answer is _TOO_MANY:
        words = f"The request bin gives at most {MAX_WAITING} slow answers at once: try again.\n"
        return _text(503, words, retry_after=5)
    if answer.status == NO_ANSWER:
        # Only a sender with a longer timeout than any endpoint may have ever reads this.
        return _text(504, "The request bin was told not to answer.\n")
    response = _text(answer.status, f"The request bin was told to answer {answer.status}.\n")
    if answer.status in (301, 302, 303, 307, 308):
        response["Location"] = bin_url(receiving_bin)
    if answer.status == 429:
        response["Retry-After"] = "60"
    return response


def _text(status: int, words: str, retry_after: int | None = None) -> HttpResponse:
    content = b"" if status in (204, 304) else words.encode()
    response = _DeliberateResponse(content, content_type="text/plain; charset=utf-8", status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response
