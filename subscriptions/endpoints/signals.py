"""Signals by which deliveries learn of changes to endpoints, without being known here."""

from django.dispatch import Signal

# Sent in the transaction in which an endpoint is switched off, suspended or deleted.
# Arguments: endpoint, reason (in words, for the deliveries that end with it).
endpoint_stopped = Signal()

# Sent in the transaction in which an endpoint is switched on or resumed. Argument: endpoint.
endpoint_resumed = Signal()
