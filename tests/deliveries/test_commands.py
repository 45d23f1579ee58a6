"""The commands: publish, and the demonstration."""

from __future__ import annotations

import io
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from deliveries.demo.setup import EMAIL, LOGIN_FILE_NAME
from deliveries.models import Delivery, Event
from subscriptions.models import Broadcaster, Endpoint, Member, Platform, User
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db
URL = "https://example.com/hook"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def clawget() -> Broadcaster:
    return broadcaster_on("clawget").broadcaster


def test_publish_sends_the_topics_sample_by_default(clawget: Broadcaster) -> None:
    endpoint = endpoint_at(URL, clawget)
    said = run("publish", "--broadcaster", str(clawget.pk), "review.created")
    event = Event.objects.get()
    assert event.data == clawget.platform.topics.get(name="review.created").sample_data
    assert event.event_id in said
    assert Delivery.objects.get().public_id in said and endpoint.public_id in said


def test_publish_takes_data_and_id_and_knows_a_duplicate(clawget: Broadcaster) -> None:
    arguments = ["publish", "--broadcaster", str(clawget.pk), "review.created", "--id", "r-1"]
    arguments += ["--data", '{"rating": 4.50}']
    assert "No webhook wants this topic" in run(*arguments)
    assert Event.objects.get(event_id="r-1").data == {"rating": 4.5}
    assert "published before" in run(*arguments)


def test_publish_reads_standard_input(
    clawget: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO('{"a":"ü"}'.encode())))
    run("publish", "--broadcaster", str(clawget.pk), "review.created", "--data", "-")
    assert Event.objects.get().data == {"a": "ü"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["review.create"], "review.created"),
        (["review.created", "--data", "{"], "cannot be used"),
        (["review.created", "--data", "[1]"], "give a JSON object"),
        (["review.created", "--data", '{"a":1,"a":2}'], "cannot be used"),
        (["review.created", "--id", "a b"], "1 to 64"),
    ],
)
def test_publish_refuses_in_words(clawget: Broadcaster, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("publish", "--broadcaster", str(clawget.pk), *arguments)
    assert not Event.objects.exists()


def test_publish_says_that_there_is_no_such_broadcaster() -> None:
    with pytest.raises(CommandError, match="no broadcaster 999"):
        run("publish", "--broadcaster", "999", "x")


@pytest.fixture
def demo_settings(settings: Settings, tmp_path: Path) -> Any:
    settings.WEBHOOKS_DATA_DIR = tmp_path
    settings.WEBHOOKS_PUBLIC_URL = "http://localhost:8000"
    return settings


def password(directory: Path) -> str:
    return (directory / LOGIN_FILE_NAME).read_text().strip()


def test_the_demonstration_has_a_broadcaster_on_every_platform(
    demo_settings: Any, tmp_path: Path
) -> None:
    said = run("demo")
    user = User.objects.get(email=EMAIL)
    owned = Broadcaster.objects.filter(members__user=user, members__role="owner")
    assert {b.platform_id for b in owned} == set(Platform.objects.values_list("pk", flat=True))
    assert all(b.sandbox.pk for b in owned)
    assert user.is_staff and user.check_password(password(tmp_path))
    assert stat.S_IMODE((tmp_path / LOGIN_FILE_NAME).stat().st_mode) == 0o600
    for shown in ("http://localhost:8000/", EMAIL, password(tmp_path), "request-bin/"):
        assert shown in said


def test_the_demonstrations_first_event_goes_to_a_good_and_a_failing_webhook(
    demo_settings: Any,
) -> None:
    run("demo")
    for broadcaster in Broadcaster.objects.filter(live=None):
        urls = broadcaster.endpoints.values_list("url", flat=True)
        assert sorted(url.endswith("/status/500/") for url in urls) == [False, True]
        assert broadcaster.deliveries.count() == 2


def test_the_demonstration_run_again_changes_nothing(demo_settings: Any, tmp_path: Path) -> None:
    first = run("demo")
    before = (Endpoint.objects.count(), Event.objects.count(), Broadcaster.objects.count())
    assert run("demo") == first
    after = (Endpoint.objects.count(), Event.objects.count(), Broadcaster.objects.count())
    assert after == before


def test_webhooks_that_a_user_deleted_are_not_made_again(demo_settings: Any) -> None:
    run("demo")
    Endpoint.objects.filter(name="Failing receiver").delete()
    Broadcaster.objects.filter(live=None).update(name="Mine")
    run("demo")
    assert not Endpoint.objects.filter(name="Failing receiver").exists()
    assert Broadcaster.objects.filter(live=None).count() == Platform.objects.count()


def test_the_webhooks_follow_the_portal_to_another_port(demo_settings: Any) -> None:
    run("demo")
    demo_settings.WEBHOOKS_PUBLIC_URL = "http://localhost:9999"
    assert "http://localhost:9999/" in run("demo")
    urls = Endpoint.objects.values_list("url", flat=True)
    assert all(url.startswith("http://localhost:9999/bin/bin_") for url in urls)


def test_a_password_that_the_user_changed_is_not_shown_and_not_changed_back(
    demo_settings: Any, tmp_path: Path
) -> None:
    run("demo")
    made = password(tmp_path)
    user = User.objects.get(email=EMAIL)
    user.set_password("another one entirely")
    user.save()
    said = run("demo")
    assert made not in said and "the one that you set" in said
    user.refresh_from_db()
    assert user.check_password("another one entirely")


def test_a_new_data_directory_gets_a_new_password(demo_settings: Any, tmp_path: Path) -> None:
    run("demo")
    demo_settings.WEBHOOKS_DATA_DIR = tmp_path / "other"
    said = run("demo")
    assert password(tmp_path / "other") in said
    assert User.objects.get(email=EMAIL).check_password(password(tmp_path / "other"))
    assert Member.objects.count() == Platform.objects.count()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("WEBHOOKS_PRODUCTION", True, "staff login"), ("WEBHOOKS_REQUEST_BIN", False, "switch it on")],
)
def test_there_is_no_demonstration_in_production_or_without_the_request_bin(
    demo_settings: Any, name: str, value: bool, words: str
) -> None:
    setattr(demo_settings, name, value)
    with pytest.raises(CommandError, match=words):
        run("demo")
    assert not User.objects.exists()


def test_the_demonstration_without_platforms_says_what_to_do(demo_settings: Any) -> None:
    Platform.objects.all().delete()
    with pytest.raises(CommandError, match="load_platforms"):
        run("demo")
