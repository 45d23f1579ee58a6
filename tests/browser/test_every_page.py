"""What holds on every page of the portal. No page complains in the console: see `browsing`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Page, Request

from tests.browser.browsing import Browsing
from tests.browser.pages import NO_PAGES, PAGES, Screen
from tests.browser.stage import Stage, set_stage
from tests.portal_clients import Portal
from tests.receiver import Receiver

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RUN_AXE = """async (rules) => {
  const only = rules ? {runOnly: {type: "rule", values: rules}} : {};
  const found = await axe.run(document, {...only, resultTypes: ["violations"], preload: false});
  return found.violations.map((rule) =>
    `${rule.id}: ` + rule.nodes.map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | "));
}"""
FIRST_LOAD_BYTES = 100_000
# The part of it that styles, scripts and icons leave for a page itself.
PAGE_BYTES = 25_000
MAX_QUERIES = 8
NO_QUERIES = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
# Elements that make the window scroll sideways, and tables that are wider than their card.
TOO_WIDE = """() => {
  const describe = (element) => element.outerHTML.slice(0, 160);
  const tables = [...document.querySelectorAll(".card-flat > table")]
    .filter((table) => table.offsetWidth > table.parentElement.clientWidth);
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return tables.map(describe);
  return [...tables, ...document.querySelectorAll("main *, header *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1).slice(-3).map(describe);
}"""
OPEN_ALL = """() => {
  for (const fold of document.querySelectorAll("main details:not(.menu, .sample)")) fold.open = true;
}"""
WIDTHS = (360, 800, 1280)


@pytest.fixture
def stage(portal: Portal, receiver: Receiver) -> Stage:
    return set_stage(portal, receiver)


def walk(browsing: Browsing, stage: Stage, **options: object) -> Iterator[tuple[Screen, Page]]:
    """Open each page of the table."""
    everyone = {screen.who for screen in PAGES}
    pages = {who: browsing.page(stage.session(who), **options) for who in everyone}
    for screen in PAGES:
        page = pages[screen.who]
        response = page.goto(screen.path(stage))
        assert response is not None and response.status in (200, 403, 404), str(screen)
        assert page.url.endswith(screen.path(stage)), f"{screen} led to {page.url}"
        yield screen, page


def view_names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from view_names(pattern.url_patterns, prefix)
        elif pattern.name:
            yield prefix + pattern.name


def test_the_table_has_every_page() -> None:
    for app in ("subscriptions", "deliveries"):
        resolver = get_resolver(f"{app}.urls")
        existing = set(view_names(resolver.url_patterns, f"{app}:"))
        shown = {screen.view for screen in PAGES if screen.view.startswith(app)}
        assert existing - NO_PAGES == shown


@pytest.mark.one_database
def test_no_page_has_a_barrier_in_light_or_dark(browsing: Browsing, stage: Stage) -> None:
    """By axe-core: all of its rules in light, in dark those on colours."""
    axe = AXE.read_text(encoding="utf-8")
    found = []
    for screen, page in walk(browsing, stage, color_scheme="light", reduced_motion="reduce"):
        page.evaluate(axe)
        found += [f"{screen}: {fault}" for fault in page.evaluate(RUN_AXE)]
        page.emulate_media(color_scheme="dark")
        found += [f"{screen}, dark: {f}" for f in page.evaluate(RUN_AXE, ["color-contrast"])]
        page.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


@pytest.mark.one_database
def test_no_page_is_wider_than_its_window(browsing: Browsing, stage: Stage) -> None:
    """From a small phone's to a notebook's, with everything folded open."""
    found = []
    for screen, page in walk(browsing, stage):
        page.evaluate(OPEN_ALL)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            found += [f"{screen}, {width} px: {wide}" for wide in page.evaluate(TOO_WIDE)]
    assert not found, "\n".join(found)


@pytest.mark.one_database
def test_the_first_page_is_a_hundred_kilobytes_at_most(browsing: Browsing, stage: Stage) -> None:
    """As sent compressed, and with nothing in the browser's cache."""
    page = browsing.page(stage.session("owner"))
    sizes: dict[str, int] = {}

    def note_size(request: Request) -> None:
        response = request.response()
        assert response is not None
        sizes[request.url] = gzipped(response.body())

    page.on("requestfinished", note_size)
    page.goto(reverse("subscriptions:endpoint-list", args=[stage.portal.live.pk]))
    page.wait_for_load_state("networkidle")
    assert any(url.endswith("htmx.min.js") for url in sizes)
    shared = sum(size for url, size in sizes.items() if "/static/" in url)
    assert shared + PAGE_BYTES <= FIRST_LOAD_BYTES, sizes


def test_no_page_takes_more_than_eight_queries_or_is_too_large(stage: Stage, server: str) -> None:
    found = []
    clients = {who: Client() for who in {screen.who for screen in PAGES}}
    for who, client in clients.items():
        client.cookies["sessionid"] = stage.session(who)
    for screen in PAGES:
        path = screen.path(stage)
        clients[screen.who].get(path)  # fills what the process caches
        with CaptureQueriesContext(connection) as captured:
            response = clients[screen.who].get(path)
        queries = [query["sql"] for query in captured if not query["sql"].startswith(NO_QUERIES)]
        if len(queries) > MAX_QUERIES:
            found.append(f"{screen}: {len(queries)} queries: {queries}")
        if gzipped(response.content) > PAGE_BYTES:
            found.append(f"{screen}: {gzipped(response.content)} bytes")
    assert not found, "\n".join(found)


def gzipped(body: bytes) -> int:
    return len(zlib.compress(body, 6))
