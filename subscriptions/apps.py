"""The Django app: who gets what, and where."""

from importlib import import_module

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing them registers system checks and menu pages, and connects signal receivers.
        import_module("subscriptions.checks")
        import_module("subscriptions.accounts.sign_ins")
        import_module("subscriptions.views.menu")
