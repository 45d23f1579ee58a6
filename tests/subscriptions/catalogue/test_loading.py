"""`load_platforms` keeps the catalogue in step with the files, and loses nobody's subscription."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from subscriptions.models import Broadcaster, Endpoint, Platform, Subscription, Topic, UseCase
from subscriptions.platforms.files import PLATFORMS_DIR, platform_paths, read_platform_file

OFFER_CREATED = 'name = "offerCreated"'


@pytest.fixture(autouse=True)
def empty_catalogue(db: None) -> None:
    """The suite's database comes with the five platforms loaded; here each test begins without."""
    Platform.objects.all().delete()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with Cleeng's file alone, to be edited; loaded once already."""
    shutil.copy(PLATFORMS_DIR / "cleeng.toml", tmp_path)
    load(tmp_path)
    return tmp_path


def load(directory: Path = PLATFORMS_DIR) -> list[str]:
    out = io.StringIO()
    call_command("load_platforms", directory=directory, stdout=out)
    return out.getvalue().splitlines()


def edit(directory: Path, old: str, new: str) -> None:
    path = directory / "cleeng.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def remove_topic(directory: Path, name: str) -> None:
    path = directory / "cleeng.toml"
    text = path.read_text(encoding="utf-8")
    blocks = [block for block in text.split("\n[[") if f'\nname = "{name}"\n' not in block]
    path.write_text("\n[[".join(blocks), encoding="utf-8")


@pytest.fixture
def broadcaster(directory: Path) -> Broadcaster:
    return Broadcaster.objects.create(
        name="Sports One", platform=Platform.objects.get(name="cleeng")
    )


def test_all_five_platforms_are_loaded_as_their_files_have_them() -> None:
    load()

    for path in platform_paths():
        file = read_platform_file(path)
        platform = Platform.objects.get(name=file.rules.name)
        assert platform.rules == file.rules
        assert platform.origin == "file"
        assert (platform.summary, platform.documentation) == (file.summary, file.documentation)
        rows = platform.topics.order_by("position")
        assert [row.name for row in rows] == [entry.name for entry in file.topics]
        assert [row.sample for row in rows] == [entry.sample for entry in file.topics]
        assert [row.schema for row in rows] == [entry.schema for entry in file.topics]
        assert [
            (case.name, {topic.name for topic in case.topics.all()})
            for case in platform.use_cases.order_by("position")
        ] == [(entry.name, set(entry.topics)) for entry in file.use_cases]


def test_the_first_load_says_what_it_added(tmp_path: Path) -> None:
    shutil.copy(PLATFORMS_DIR / "clawget.toml", tmp_path)

    lines = load(tmp_path)

    assert lines[0] == "clawget: platform added"
    assert "clawget: topic purchase.completed added" in lines
    assert "clawget: use case New purchase added" in lines
    assert len(lines) == 1 + 5 + 5


def test_a_second_load_changes_nothing(directory: Path) -> None:
    before = list(Topic.objects.values())

    assert load(directory) == ["Platforms are up to date."]
    assert list(Topic.objects.values()) == before


def test_a_changed_file_changes_what_it_says_and_nothing_else(directory: Path) -> None:
    edit(directory, "max_endpoints = 10", "max_endpoints = 6")
    edit(directory, "A new offer is on sale.", "An offer has gone on sale.")
    keys = dict(Topic.objects.values_list("name", "pk"))

    lines = load(directory)

    assert lines == [
        "cleeng: platform changed: rules_json",
        "cleeng: topic offerCreated changed: description",
    ]
    assert Platform.objects.get(name="cleeng").rules.max_endpoints == 6
    assert Topic.objects.get(name="offerCreated").description == "An offer has gone on sale."
    assert dict(Topic.objects.values_list("name", "pk")) == keys


def test_a_vanished_topic_that_nobody_can_have_used_is_deleted(directory: Path) -> None:
    remove_topic(directory, "offerPriceChanged")

    assert load(directory) == ["cleeng: topic offerPriceChanged deleted"]
    assert not Topic.objects.filter(name="offerPriceChanged").exists()


def test_a_vanished_topic_in_use_is_deprecated_and_keeps_its_subscribers(
    directory: Path, broadcaster: Broadcaster
) -> None:
    endpoint = Endpoint.objects.create(broadcaster=broadcaster, name="A", url="https://a.example")
    topic = Topic.objects.get(name="offerPriceChanged")
    Subscription.objects.create(endpoint=endpoint, topic=topic)
    remove_topic(directory, "offerPriceChanged")

    lines = load(directory)

    assert lines == ["cleeng: topic offerPriceChanged deprecated: it is no longer in the file"]
    topic.refresh_from_db()
    assert topic.deprecated
    assert list(endpoint.topics.all()) == [topic]
    assert load(directory) == ["Platforms are up to date."]


def test_a_topic_that_is_in_the_file_again_is_no_longer_deprecated(
    directory: Path, broadcaster: Broadcaster
) -> None:
    remove_topic(directory, "offerPriceChanged")
    load(directory)
    shutil.copy(PLATFORMS_DIR / "cleeng.toml", directory)

    assert load(directory) == ["cleeng: topic offerPriceChanged changed: deprecated"]
    assert not Topic.objects.get(name="offerPriceChanged").deprecated


def test_a_renamed_topic_with_its_old_name_as_alias_keeps_its_subscribers(
    directory: Path, broadcaster: Broadcaster
) -> None:
    endpoint = Endpoint.objects.create(broadcaster=broadcaster, name="A", url="https://a.example")
    topic = Topic.objects.get(name="offerCreated")
    Subscription.objects.create(endpoint=endpoint, topic=topic)
    edit(directory, OFFER_CREATED, 'name = "offerPublished"\naliases = ["offerCreated"]')

    assert load(directory) == ["cleeng: topic offerCreated changed: name, aliases"]
    assert [row.name for row in endpoint.topics.all()] == ["offerPublished"]


def test_use_cases_follow_the_file(directory: Path) -> None:
    edit(directory, '"subscriptionReadyForTermination",\n  "capturePayment",', '"capturePayment",')
    edit(directory, 'name = "Win-back campaigns"', 'name = "Win-back"')

    lines = load(directory)

    assert lines == [
        "cleeng: use case Win-back added",
        "cleeng: use case Payment handling changed: topics",
        "cleeng: use case Win-back campaigns deleted",
    ]
    assert UseCase.objects.get(name="Payment handling").topics.count() == 5


def test_a_fault_in_one_file_leaves_all_platforms_unchanged(tmp_path: Path) -> None:
    for name in ("clawget.toml", "cleeng.toml"):
        shutil.copy(PLATFORMS_DIR / name, tmp_path)
    edit(tmp_path, "max_requests = 10", "max_requests = 11")

    with pytest.raises(CommandError, match=r"^cleeng\.toml, line \d+: delivery\.max_requests: 11"):
        load(tmp_path)

    assert not Platform.objects.exists()


def test_a_platform_made_by_staff_is_not_overwritten(directory: Path) -> None:
    Platform.objects.update(origin="own", title="Ours")
    shutil.copy(PLATFORMS_DIR / "clawget.toml", directory)

    with pytest.raises(CommandError, match=r"cleeng\.toml: a platform of that name was made"):
        load(directory)

    assert [platform.title for platform in Platform.objects.all()] == ["Ours"]


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="has no platform files"):
        load(tmp_path)
