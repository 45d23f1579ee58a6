"""What the portal shows of past and pending deliveries: the lists, one delivery, and exports.

Filters choose rows and pages cut them; a timeline, sentences and details say what became of one
delivery; bodies turn what a stranger sent into HTML that cannot run anything. This room reads and
words: it changes nothing, and knows neither views nor templates.
"""

from deliveries.event_log.attempts import describe_attempts
from deliveries.event_log.bodies import render_body, reveal_unseen
from deliveries.event_log.export import EXPORT_FORMATS, export_deliveries
from deliveries.event_log.filters import DeliveryLogForm, EventLogForm
from deliveries.event_log.pages import should_continue
from deliveries.event_log.sentences import describe_state
from deliveries.event_log.timeline import build_timeline
from deliveries.event_log.wait_reasons import explain_wait

__all__ = [
    "EXPORT_FORMATS",
    "DeliveryLogForm",
    "EventLogForm",
    "build_timeline",
    "describe_attempts",
    "describe_state",
    "explain_wait",
    "export_deliveries",
    "render_body",
    "reveal_unseen",
    "should_continue",
]
