"""Wiring of the Webhooks Portal: settings, URLs, middleware."""

__version__ = "0.1.0"
