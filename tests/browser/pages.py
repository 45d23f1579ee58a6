"""The table of all pages, which every walk through the portal follows."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse

from tests.browser.stage import Stage


class Screen(NamedTuple):
    """A page as someone sees it.

    names: the arguments of its URL, as names of the stage's things or as they are. The query may
    hold names of the stage's things in braces.
    """

    view: str
    names: tuple[str, ...] = ()
    query: str = ""
    who: str = "owner"
    sandbox: bool = False

    def path(self, stage: Stage) -> str:
        app, _, _ = self.view.partition(":")
        arguments = stage.arguments(self.names)
        if app in ("deliveries", "subscriptions") and self.view not in WITHOUT_BROADCASTER:
            portal = stage.portal
            arguments.insert(0, (portal.sandbox if self.sandbox else portal.live).pk)
        return reverse(self.view, args=arguments) + (
            f"?{self.query.format_map(vars(stage))}" if self.query else ""
        )

    def __str__(self) -> str:
        place = " in the sandbox" if self.sandbox else ""
        words = " ".join((self.view, *self.names, self.query)).strip()
        return f"{words} as {self.who}{place}"


WITHOUT_BROADCASTER = ("subscriptions:broadcaster-new", "subscriptions:invitation-accept")

PAGES = (
    # signing in
    Screen("account_login", who="nobody"),
    Screen("account_signup", who="nobody"),
    Screen("account_reset_password", who="nobody"),
    Screen("account_reset_password_done", who="nobody"),
    Screen("subscriptions:invitation-accept", ("invitation",), who="nobody"),
    Screen("subscriptions:invitation-accept", ("invitation",), who="stranger"),
    Screen("subscriptions:invitation-accept", ("used",), who="nobody"),
    Screen("account_reauthenticate"),
    Screen("account_change_password"),
    Screen("account_email"),
    Screen("mfa_index"),
    Screen("mfa_activate_totp"),
    Screen("mfa_list_webauthn"),
    Screen("mfa_add_webauthn"),
    # broadcaster
    Screen("subscriptions:broadcaster-new"),
    Screen("subscriptions:broadcaster-welcome"),
    Screen("deliveries:overview"),
    Screen("deliveries:overview", query="period=30d"),
    Screen("deliveries:overview", sandbox=True),
    # webhooks
    Screen("subscriptions:endpoint-list"),
    Screen("subscriptions:endpoint-list", query="q=nothing+like+it"),
    Screen("subscriptions:endpoint-list", who="viewer"),
    Screen("subscriptions:endpoint-list", sandbox=True),
    Screen("subscriptions:endpoint-list", sandbox=True, who="viewer"),
    Screen("subscriptions:endpoint-new"),
    Screen("subscriptions:endpoint-detail", ("bin",)),
    Screen("subscriptions:endpoint-detail", ("failing",)),
    Screen("subscriptions:endpoint-detail", ("suspended",)),
    Screen("subscriptions:endpoint-detail", ("off",), who="viewer"),
    Screen("subscriptions:endpoint-edit", ("failing",)),
    Screen("subscriptions:endpoint-token", ("bin",)),
    Screen("subscriptions:endpoint-token", ("failing",)),
    Screen("subscriptions:endpoint-rotate-token", ("bin",)),
    Screen("subscriptions:endpoint-end-previous-token", ("bin",)),
    Screen("subscriptions:endpoint-set-active", ("bin",)),
    Screen("subscriptions:endpoint-delete", ("failing",)),
    Screen("deliveries:endpoint-missed", ("off",)),
    Screen("deliveries:endpoint-missed", ("suspended",)),
    Screen("deliveries:endpoint-missed", ("bin",)),
    # topics
    Screen("subscriptions:topic-list"),
    Screen("subscriptions:topic-list", query="q=nothing+like+it"),
    Screen("subscriptions:topic-detail", ("passCreated",)),
    # events and deliveries
    Screen("deliveries:delivery-list"),
    Screen("deliveries:delivery-list", query="status=pending&code=500&q=passId"),
    Screen("deliveries:delivery-list", query="q=nothing+like+it"),
    Screen("deliveries:delivery-list", query="cursor=nonsense"),
    Screen("deliveries:delivery-list", who="viewer"),
    Screen("deliveries:delivery-list", sandbox=True),
    Screen("deliveries:delivery-detail", ("accepted",)),
    Screen("deliveries:delivery-detail", ("failed",)),
    Screen("deliveries:delivery-detail", ("retried",)),
    Screen("deliveries:delivery-detail", ("test",), who="viewer"),
    Screen("deliveries:delivery-cancel", ("retried",)),
    Screen("deliveries:event-list"),
    Screen("deliveries:event-list", sandbox=True),
    Screen("deliveries:event-detail", ("event",)),
    Screen("deliveries:event-resend", ("event",)),
    Screen("deliveries:test-console"),
    Screen("deliveries:test-console", query="in=webhook"),
    Screen("deliveries:test-console", sandbox=True),
    Screen("deliveries:test-faults-result", ("run",), who="viewer"),
    Screen("deliveries:signature-debugger"),
    Screen("deliveries:signature-debugger", query="delivery={failed}"),
    Screen("deliveries:signature-debugger", sandbox=True, who="viewer"),
    Screen("deliveries:request-bin"),
    Screen("deliveries:request-bin", sandbox=True, who="viewer"),
    Screen("deliveries:request-bin-request", ("bin_request",)),
    # tokens, team, settings
    Screen("subscriptions:publisher-token-list"),
    Screen("subscriptions:publisher-token-new"),
    Screen("subscriptions:publisher-token-revoke", ("publisher_token",)),
    Screen("subscriptions:member-list"),
    Screen("subscriptions:member-remove", ("member",)),
    Screen("subscriptions:audit-log"),
    Screen("subscriptions:account"),
    # refusals
    Screen("subscriptions:audit-log", who="viewer"),
    Screen("subscriptions:endpoint-list", who="stranger"),
)

# URLs that are no pages of their own.
NO_PAGES = {
    # forms only post there
    "subscriptions:theme",
    "subscriptions:endpoint-several",
    "subscriptions:endpoint-resume",
    "subscriptions:endpoint-reveal-token",
    "subscriptions:member-invite",
    "subscriptions:member-set-role",
    "subscriptions:member-withdraw-invitation",
    "deliveries:delivery-bulk",
    "deliveries:delivery-resend",
    "deliveries:delivery-retry-now",
    "deliveries:endpoint-test",
    "deliveries:endpoint-rehearse-token",
    "deliveries:test-faults",
    "deliveries:request-bin-set-answer",
    "deliveries:request-bin-empty",
    "deliveries:request-bin-add-webhook",
    "deliveries:request-bin-send-test",
    # a redirect, fragments, a file, and where the request bin receives
    "subscriptions:home",
    "subscriptions:endpoint-check-url",
    "deliveries:test-result",
    "deliveries:delivery-export",
    "deliveries:request-bin-receive",
}
