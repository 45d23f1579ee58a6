"""Declares the shop's events once the apps are ready."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self) -> None:
        import shop.events  # noqa: F401
