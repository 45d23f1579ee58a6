"""The pages of this app in the portal's menu."""

from __future__ import annotations

from subscriptions.models.broadcaster import Role
from subscriptions.portal.menu import MenuPage, MenuSection, register_menu_pages

register_menu_pages(
    MenuPage(
        label="Webhooks",
        icon="webhook",
        section=MenuSection.DEVELOPER,
        position=10,
        view_name="subscriptions:endpoint-list",
        family="subscriptions:endpoint",
    ),
    MenuPage(
        label="Topics",
        icon="tags",
        section=MenuSection.DEVELOPER,
        position=40,
        view_name="subscriptions:topic-list",
        family="subscriptions:topic",
    ),
    MenuPage(
        label="Publisher tokens",
        icon="key-round",
        section=MenuSection.DEVELOPER,
        position=80,
        view_name="subscriptions:publisher-token-list",
        family="subscriptions:publisher-token",
    ),
    MenuPage(
        label="Team",
        icon="users",
        section=MenuSection.SETTINGS,
        position=10,
        view_name="subscriptions:member-list",
        family="subscriptions:member",
    ),
    MenuPage(
        label="Audit log",
        icon="history",
        section=MenuSection.SETTINGS,
        position=20,
        view_name="subscriptions:audit-log",
        family="subscriptions:audit",
        role=Role.OWNER,
    ),
    MenuPage(
        label="Account",
        icon="circle-user",
        section=MenuSection.SETTINGS,
        position=30,
        view_name="subscriptions:account",
        family="subscriptions:account",
    ),
)
