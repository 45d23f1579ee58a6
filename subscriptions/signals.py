"""What happened here that others act on, so that nothing here needs to know of deliveries."""

from django.dispatch import Signal

# Sent inside the transaction in which an endpoint stops getting events: switched off, suspended
# or deleted. Arguments: endpoint, reason (words for the deliveries that this ends).
endpoint_stopped = Signal()

# Sent inside the transaction in which it may be sent to again. Argument: endpoint.
endpoint_resumed = Signal()
