"""Pages of a browser, signed in as someone, and everything that these pages complain of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.portal_clients import Portal

PATIENCE_MS = 10_000


@dataclass
class Browsing:
    """One test's use of the browser.

    complaints: errors and warnings of the consoles, among them each breach of the content security
    policy, and responses of 500 and above.
    """

    browser: Browser
    server: str
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def page(self, session: str = "", **options: Any) -> Page:
        """A page of a new browser context, signed in by the session's cookie."""
        context = self.browser.new_context(base_url=self.server, **options)
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if session:
            context.add_cookies([{"name": "sessionid", "value": session, "url": self.server}])
        page = context.new_page()
        page.on("console", lambda said: self._note(page, said.type, said.text))
        page.on("pageerror", lambda error: self._note(page, "error", str(error)))
        page.on("response", lambda got: self._note_status(page, got.status, got.url))
        return page

    def page_of(self, portal: Portal, who: str, **options: Any) -> Page:
        return self.page(portal.client(who).cookies["sessionid"].value, **options)

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def _note(self, page: Page, kind: str, text: str) -> None:
        # Chromium logs it for every response of 400 and above, our 404 and 422 included.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(f"{page.url}: {text}")

    def _note_status(self, page: Page, status: int, url: str) -> None:
        if status >= 500:
            self.complaints.append(f"{page.url}: {status} from {url}")
