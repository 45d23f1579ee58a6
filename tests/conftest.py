"""What all tests share: a database with the platforms, the selection of tests, no silent skips."""

import gc
import os
from collections.abc import Generator
from typing import Any

import pytest
from django.apps import AppConfig
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_migrate

from subscriptions.accounts import publisher_tokens
from subscriptions.catalogue import topics
from subscriptions.models import AuditEntry
from subscriptions.models.platform import Platform, Topic, UseCase
from tests.programs import CHROMIUM, find_program

# The only reasons for which a test may be skipped where everything is installed.
ALLOWED_SKIPS = ("only on PostgreSQL", "only on SQLite")
_DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
_FIXTURES_THAT_WAIT = {
    "browsing",
    "chromium_path",
    "transport",
    "live_server",
    "process_environment",
}
_FIXTURES_THAT_WAIT |= {"receiver", "transactional_db"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--needing-database",
        action="store_true",
        help="leave out tests that use no database, or are marked one_database",
    )
    parser.addoption(
        "--unit",
        action="store_true",
        help="only tests that need no process, no browser, no receiver and no sleep",
    )


def pytest_configure(config: pytest.Config) -> None:
    # The signal comes after the migrations, and after the flush that ends each transactional test.
    post_migrate.connect(_load_platforms, dispatch_uid="tests.platforms")


def _load_platforms(sender: AppConfig, **_arguments: Any) -> None:
    """Load the platforms from their files once; later insert the same rows, which is faster."""
    if sender.label != "subscriptions":
        return
    if not _catalogue_rows:
        call_command("load_platforms", verbosity=0)
        models: tuple[type[Model], ...] = (Platform, Topic, UseCase, UseCase.topics.through)
        for model in models:
            _catalogue_rows[model] = list(model._default_manager.all())
    elif not Platform.objects.exists():
        for model, rows in _catalogue_rows.items():
            model._default_manager.bulk_create(rows)


_catalogue_rows: dict[type[Model], list[Model]] = {}


def _sql_flush(_style: Any, tables: list[str], **_options: Any) -> list[str]:
    """Delete rows; a TRUNCATE of all tables would recreate each of them with its indexes.

    The lock waits, as TRUNCATE does, for what a killed process has left under way.
    """
    append_only = AuditEntry._meta.db_table
    names = {table: connection.ops.quote_name(table) for table in sorted(tables)}
    truncated = names.pop(append_only, None)
    return [
        *([f"TRUNCATE {truncated}"] if truncated else []),
        f"LOCK TABLE {', '.join(names.values())} IN ACCESS EXCLUSIVE MODE",
        *(f"DELETE FROM {name}" for name in names.values()),
    ]


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> None:
    if connection.vendor == "postgresql":
        vars(connection.ops)["sql_flush"] = _sql_flush


def pytest_collection_finish(session: pytest.Session) -> None:
    # Objects that exist by now stay to the end: the garbage collector need not scan them again.
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = list(items)
    if config.getoption("--needing-database"):
        wanted = [item for item in wanted if _needs_database(item)]
    if config.getoption("--unit"):
        wanted = [item for item in wanted if _is_unit_test(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted


def _is_unit_test(item: pytest.Item) -> bool:
    """Whether the test does without processes, browser, receiver and a database that commits."""
    if any(item.get_closest_marker(name) for name in ("browser", "node", "waits", "workers")):
        return False
    if "attacks" in item.path.parts:
        return False
    database = item.get_closest_marker("django_db")
    if database is not None and database.kwargs.get("transaction"):
        return False
    return not set(getattr(item, "fixturenames", ())) & _FIXTURES_THAT_WAIT


@pytest.fixture(autouse=True)
def _no_process_and_no_sleep(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --unit, fail a test that starts a process or sleeps: it has to be marked `waits`."""
    if not request.config.getoption("--unit"):
        return

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("a unit test starts no process and does not sleep: mark it `waits`")

    def sleep(seconds: float) -> None:
        if seconds:
            refuse()

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)


def _needs_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("one_database"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & _DATABASE_FIXTURES or item.get_closest_marker("django_db"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, fail a test that is skipped because something is not installed."""
    report = yield
    if report.skipped and os.environ.get("CI") and call.excinfo is not None:
        reason = str(call.excinfo.value)
        if not reason.startswith(ALLOWED_SKIPS) and not hasattr(report, "wasxfail"):
            report.outcome = "failed"
            report.longrepr = f"Skipped, which CI does not allow: {reason}"
    return report


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the Chromium that browser tests drive."""
    path = find_program(CHROMIUM)
    if path is None:
        pytest.skip("no Chromium: `apt install chromium`")
    return path


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment of a process that uses this test's database while the test runs."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{settings['NAME']}"
    else:
        password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
        address = f"{settings['HOST']}:{settings['PORT'] or 5432}"
        url = f"postgres://{settings['USER']}{password}@{address}/{settings['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "webhooks_portal.settings"}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Clear what the process caches by id: after a rollback, the same ids are given again."""
    publisher_tokens._broadcasters.clear()
    topics._names.clear()
