"""What happened, and how it is sent."""

from deliveries.models.attempt import Attempt, Outcome
from deliveries.models.delivery import Delivery, DeliveryStatus, Trigger
from deliveries.models.event import Event
from deliveries.models.publish_rate import PublishRate
from deliveries.models.pump import Pump
from deliveries.models.rate import EndpointRate
from deliveries.models.replay import Replay
from deliveries.models.request_bin import BinRequest, RequestBin
from deliveries.models.stats import EndpointHealth, EndpointHour
from deliveries.models.variant import Variant, VariantKind

__all__ = [
    "Attempt",
    "BinRequest",
    "Delivery",
    "DeliveryStatus",
    "EndpointHealth",
    "EndpointHour",
    "EndpointRate",
    "Event",
    "Outcome",
    "PublishRate",
    "Pump",
    "Replay",
    "RequestBin",
    "Trigger",
    "Variant",
    "VariantKind",
]
