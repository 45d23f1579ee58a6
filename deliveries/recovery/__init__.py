"""What a person does about deliveries that did not arrive.

Sending one again or stopping it (manual_actions), what a webhook missed while it was off and replaying that
(missed_events), and the webhooks that never got an event (unreached_endpoints). Each verb is one
transaction with an entry in the audit log, and refuses with Conflict what the state of things does
not allow. This room queues deliveries: the workers send them, and pages are the views' affair.
"""

from deliveries.recovery.manual_actions import cancel, resend, retry_now
from deliveries.recovery.missed_events import (
    MAX_REPLAYED_EVENTS,
    BoundedCount,
    count_cancelled_by_stopping,
    count_pending,
    find_missed_events,
    replay_missed_events,
)
from deliveries.recovery.unreached_endpoints import (
    deliver_to_unreached_endpoint,
    find_unreached_endpoints,
)

__all__ = [
    "MAX_REPLAYED_EVENTS",
    "BoundedCount",
    "cancel",
    "count_cancelled_by_stopping",
    "count_pending",
    "deliver_to_unreached_endpoint",
    "find_missed_events",
    "find_unreached_endpoints",
    "replay_missed_events",
    "resend",
    "retry_now",
]
