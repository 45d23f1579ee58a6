"""A shop that sends a webhook for each purchase, as django-webhook's documents have it."""

from shop.celery_app import app as celery_app

__all__ = ["celery_app"]
