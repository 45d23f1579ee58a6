"""What templates of the event log say of a delivery."""

from __future__ import annotations

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

from deliveries.event_log import sentences
from deliveries.models import Delivery, DeliveryStatus
from subscriptions.templatetags.portal import status_badge

register = template.Library()
register.filter("attempt_count", sentences.describe_attempt_count)


@register.simple_tag
def delivery_badge(delivery: Delivery, pending_word: str = "") -> SafeString:
    """The status of a delivery; `pending_word` instead of Pending, if one is given."""
    if delivery.is_in_flight:
        return status_badge("running", "Sending")
    is_pending = delivery.status == DeliveryStatus.PENDING
    return status_badge(delivery.status, pending_word if is_pending else "")


@register.simple_tag
def next_attempt(delivery: Delivery) -> sentences.Sentence | None:
    """`{% next_attempt delivery as next %}`: what is to come; None if nothing is."""
    return sentences.describe_next_attempt(delivery, timezone.now())
