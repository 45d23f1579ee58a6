from django.apps import AppConfig


class DeliveriesConfig(AppConfig):
    name = "deliveries"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from deliveries import (
            checks,  # noqa: F401  registers, connects them
            signal_receivers,  # noqa: F401  registers, connects them
        )
        from deliveries.dispatch.store import planner  # noqa: F401  registers, connects them
