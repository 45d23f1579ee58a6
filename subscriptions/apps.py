from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from subscriptions import checks  # noqa: F401  registers and connects them
        from subscriptions.accounts import sign_ins  # noqa: F401  registers and connects them
