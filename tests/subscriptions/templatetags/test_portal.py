"""Template tags that pages share."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context

from subscriptions.audit import describe_action
from subscriptions.templatetags.portal import (
    STATUSES,
    absolute_words,
    copy_button,
    highlight,
    icon,
    pretty_json,
    relative_words,
    status_badge,
    time_tag,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (0.9, "now"),
        (1, "in 1 second"),
        (-59, "59 seconds ago"),
        (-60, "1 minute ago"),
        (7200, "in 2 hours"),
        (-86_400 * 3, "3 days ago"),
    ],
)
def test_a_moment_is_described_relative_to_now(seconds: float, words: str) -> None:
    assert relative_words(NOW + timedelta(seconds=seconds), NOW) == words


def test_a_time_is_absolute_relative_and_for_machines() -> None:
    with time_machine.travel(NOW, tick=False):
        html = time_tag(Context(), NOW - timedelta(minutes=5))
    assert 'datetime="2026-11-21T11:55:00.000+00:00"' in html
    assert "21 Nov 2026, 11:55:00 UTC" in html
    assert "5 minutes ago" in html
    assert "never" in time_tag(Context(), None)


@pytest.mark.parametrize(
    ("zone", "to", "words"),
    [
        ("UTC", "second", "21 Nov 2026, 12:00:00 UTC"),
        ("Europe/Berlin", "second", "21 Nov 2026, 13:00:00 CET"),
        ("Europe/Berlin", "minute", "21 Nov 2026, 13:00 CET"),
        ("America/New_York", "minute", "21 Nov 2026, 07:00 GMT-5"),
        ("Asia/Kolkata", "minute", "21 Nov 2026, 17:30 GMT+5:30"),
        ("America/St_Johns", "minute", "21 Nov 2026, 08:30 GMT-3:30"),
    ],
)
def test_an_absolute_time_names_its_zone_as_browsers_do(zone: str, to: str, words: str) -> None:
    assert absolute_words(NOW, ZoneInfo(zone), to=to) == words


def test_every_status_has_a_word_and_an_icon_that_exists() -> None:
    for status, (_, name, word) in STATUSES.items():
        assert icon(name)
        assert word in status_badge(status)
        assert "<svg" in status_badge(status)


def test_what_is_shown_is_escaped() -> None:
    evil = '"><script>alert(1)</script>'
    assert "<script>" not in copy_button(evil, evil, evil)
    assert "<script>" not in icon("copy", evil)
    assert "<script>" not in status_badge(evil)
    assert "<script>" not in highlight(evil)


def test_json_is_indented_and_other_text_left_alone() -> None:
    assert pretty_json('{"a":"ü"}') == '{\n  "a": "ü"\n}'
    assert pretty_json("not json") == "not json"


def test_actions_of_the_audit_log_are_described() -> None:
    assert describe_action("endpoint.rotate_token") == "Signing token rotated"
    assert describe_action("endpoint.take_apart") == "Endpoint: take apart"
