"""A shop that sends a webhook for each purchase, as the documentation of django-webhook shows it."""

from shop.celery_app import app as celery_app

__all__ = ["celery_app"]
