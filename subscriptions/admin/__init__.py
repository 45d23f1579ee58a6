"""Pages for staff. What changes something goes through the verbs that the portal uses."""

from subscriptions.admin import audit, broadcasters, catalogue, endpoints, people, publisher_tokens

__all__ = ["audit", "broadcasters", "catalogue", "endpoints", "people", "publisher_tokens"]
