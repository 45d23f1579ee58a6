"""The Django app: who gets what, and where."""

from importlib import import_module

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing them registers system checks, menu pages and the path converter of the API's
        # addresses, and connects signal receivers.
        import_module("subscriptions.checks")
        import_module("subscriptions.rest.path_ids")
        import_module("subscriptions.accounts.sign_ins")
        import_module("subscriptions.views.menu")
