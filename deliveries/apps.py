"""The Django app: what happened, and how it reaches its receivers."""

from importlib import import_module

from django.apps import AppConfig


class DeliveriesConfig(AppConfig):
    name = "deliveries"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing them registers system checks, menu pages and parts of pages, and connects signal
        # receivers.
        import_module("deliveries.checks")
        import_module("deliveries.signal_receivers")
        import_module("deliveries.dispatch.store.planner")
        import_module("deliveries.views.menu")
        import_module("deliveries.views.page_parts")
