"""The pages of this app in the portal's menu."""

from __future__ import annotations

from subscriptions.models.broadcaster import Role
from subscriptions.portal.menu import MenuPage, MenuSection, register_menu_pages

register_menu_pages(
    MenuPage(
        label="Overview",
        icon="layout-dashboard",
        section=MenuSection.OVERVIEW,
        position=10,
        view_name="deliveries:overview",
        family="deliveries:overview",
    ),
    MenuPage(
        label="Events",
        icon="zap",
        section=MenuSection.DEVELOPER,
        position=20,
        view_name="deliveries:event-list",
        family="deliveries:event",
    ),
    MenuPage(
        label="Event logs",
        icon="scroll-text",
        section=MenuSection.DEVELOPER,
        position=30,
        view_name="deliveries:delivery-list",
        family="deliveries:delivery",
    ),
    MenuPage(
        label="Test console",
        icon="flask-conical",
        section=MenuSection.DEVELOPER,
        position=50,
        view_name="deliveries:test-console",
        family="deliveries:test",
        role=Role.DEVELOPER,
    ),
    MenuPage(
        label="Request bin",
        icon="inbox",
        section=MenuSection.DEVELOPER,
        position=60,
        view_name="deliveries:request-bin",
        family="deliveries:request-bin",
    ),
    MenuPage(
        label="Signature debugger",
        icon="shield-check",
        section=MenuSection.DEVELOPER,
        position=70,
        view_name="deliveries:signature-debugger",
        family="deliveries:signature",
    ),
)
