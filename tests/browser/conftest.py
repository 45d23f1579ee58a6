"""One Chromium for all of these tests, the server, and a worker that really sends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from django.db import connection
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.browsing import PATIENCE_MS, Browsing
from tests.deliveries.sending import pump
from tests.portal_clients import Portal, make_portal
from tests.receiver import Receiver

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="package")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """The browser, for this package only: Playwright's event loop runs in this thread meanwhile."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server(live_server: LiveServer, settings: Settings) -> str:
    """The URL of the portal, which may send to this machine and to its own request bin."""
    settings.WEBHOOKS_PUBLIC_URL = live_server.url
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    return live_server.url


@pytest.fixture
def worker(server: str) -> Iterator[None]:
    """A thread that sends what becomes due, with a database connection of its own."""
    stopping = threading.Event()

    def work() -> None:
        try:
            with pump(should_stop=stopping.is_set) as dispatcher:
                dispatcher.run(until=time.monotonic() + 600)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="pump")
    thread.start()
    yield
    stopping.set()
    thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def portal(server: str) -> Portal:
    """A portal on Cleeng, whose documents have use cases."""
    return make_portal("cleeng")


@pytest.fixture
def browsing(chromium: Browser, server: str) -> Iterator[Browsing]:
    """Pages of the browser. A test in which one of them complained fails."""
    browsing = Browsing(chromium, server)
    yield browsing
    browsing.close()
    assert browsing.complaints == []
