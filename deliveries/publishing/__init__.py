"""Publishing: an event comes in, is checked, and is stored with a delivery for each endpoint.

`publish` and `publish_batch` store all or nothing, in one transaction, which may be the caller's;
`within_rate` lets in no more than a broadcaster may publish. Other rooms that create
events or deliveries (tests, replays) build them with `make_event` and `make_delivery`. Nothing is
sent here: the workers are woken, and claim what was stored.
"""

from deliveries.publishing.publisher import (
    MAX_BATCH,
    MAX_BODY_BYTES,
    NewEvent,
    Published,
    make_delivery,
    make_event,
    publish,
    publish_batch,
)
from deliveries.publishing.rate import within_rate

__all__ = [
    "MAX_BATCH",
    "MAX_BODY_BYTES",
    "NewEvent",
    "Published",
    "make_delivery",
    "make_event",
    "publish",
    "publish_batch",
    "within_rate",
]
