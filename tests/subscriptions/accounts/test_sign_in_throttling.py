"""Attempts to sign in are counted for all processes together, by account and by address."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from subscriptions.models import SharedCacheEntry, User
from subscriptions.shared_cache import DatabaseCache
from tests.concurrency import run_concurrently

PASSWORD = "correct horse battery"
SIGN_IN = """
import django
django.setup()
from django.test import Client
from django.urls import reverse
form = {"login": "ann@example.com", "password": "wrong"}
client = Client(HTTP_HOST="localhost", REMOTE_ADDR="192.0.2.77")
for _ in range(3):
    assert client.post(reverse("account_login"), form).status_code == 200
"""


def sign_in(password: str, *, address: str = "192.0.2.1", email: str = "ann@example.com") -> Any:
    """Try to sign in from an address; returns the response."""
    form = {"login": email, "password": password}
    return Client(REMOTE_ADDR=address).post(reverse("account_login"), form)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def succeeds(response: Any) -> bool:
    return is_signed_in(response.client)


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann@example.com", PASSWORD)


def test_the_right_password_does_not_help_after_five_wrong_ones_from_anywhere(ann: User) -> None:
    for number in range(5):
        assert not succeeds(sign_in("wrong", address=f"192.0.2.{number}"))
    assert not succeeds(sign_in(PASSWORD, address="198.51.100.1"))
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        assert succeeds(sign_in(PASSWORD))


def test_someone_who_tries_too_often_gets_a_page_of_the_portal(
    ann: User, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    sign_in("wrong")
    refused = sign_in(PASSWORD)
    assert refused.status_code == 429
    assert "<h1>Too many attempts</h1>" in refused.content.decode()
    assert f'href="{reverse("account_login")}"' in refused.content.decode()


def test_another_port_in_the_host_header_does_not_start_a_new_count(ann: User) -> None:
    form = {"login": ann.email, "password": "wrong"}
    for number in range(5):
        client = Client(HTTP_HOST=f"localhost:{number + 1}", REMOTE_ADDR=f"192.0.2.{number}")
        client.post(reverse("account_login"), form)
    assert not succeeds(sign_in(PASSWORD, address="198.51.100.1"))


def test_one_address_cannot_try_many_accounts(ann: User) -> None:
    for number in range(10):
        sign_in("wrong", email=f"user{number}@example.com")
    assert not succeeds(sign_in(PASSWORD))
    assert succeeds(sign_in(PASSWORD, address="198.51.100.1"))


def test_behind_a_proxy_each_client_is_counted_by_itself(ann: User, settings: Settings) -> None:
    settings.WEBHOOKS_PROXY_HOPS = 1
    for number in range(10):
        form = {"login": f"user{number}@example.com", "password": "wrong"}
        client = Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "203.0.113.66"})
        client.post(reverse("account_login"), form)
    for forwarded, allowed in (("203.0.113.66", False), ("203.0.113.5", True)):
        client = Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": forwarded})
        client.post(reverse("account_login"), {"login": ann.email, "password": PASSWORD})
        assert is_signed_in(client) is allowed


@pytest.mark.django_db(transaction=True)
def test_two_processes_count_together(process_environment: dict[str, str]) -> None:
    User.objects.create_user("ann@example.com", PASSWORD)

    def run(_number: int) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-c", SIGN_IN]
        environment = process_environment | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
        return subprocess.run(command, env=environment, capture_output=True)

    with ThreadPoolExecutor() as pool:
        for ended in pool.map(run, range(2)):
            assert ended.returncode == 0, ended.stderr.decode()
    assert not succeeds(sign_in(PASSWORD, address="198.51.100.1"))


def test_neither_addresses_nor_accounts_can_be_read_in_the_table(ann: User) -> None:
    sign_in("wrong")
    stored = str(list(SharedCacheEntry.objects.values()))
    assert SharedCacheEntry.objects.exists()
    assert "ann@" not in stored
    assert "192.0.2.1" not in stored


# --- The cache itself -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_value_can_be_read_until_it_expires() -> None:
    other = DatabaseCache("", {})  # as another process has it
    with time_machine.travel(timezone.now(), tick=False) as clock:
        cache.set("a", [1.5, 2.5], 10)
        assert other.get("a") == [1.5, 2.5]
        assert other.get("b", "none") == "none"
        assert cache.touch("a", 20)
        clock.shift(timedelta(seconds=15))
        assert other.get("a") == [1.5, 2.5]
        clock.shift(timedelta(seconds=5))
        assert other.get("a") is None
        assert not cache.touch("b")
    cache.set("c", True, None)
    assert other.get("c") is True
    assert cache.delete("c") and not cache.delete("c")


@pytest.mark.django_db
def test_only_expired_values_are_dropped() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        cache.set("short", 1, 1)
        cache.set("long", 1, 100)
        clock.shift(timedelta(seconds=2))
        assert cache.add("short", 2, 1), "an expired key is free again"
        assert SharedCacheEntry.objects.count() == 2
        clock.shift(timedelta(seconds=2))
        assert cache.add("other", 1, 1)
        assert SharedCacheEntry.objects.count() == 2
        assert cache.get("long") == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_that_add_a_key_at_the_same_time_exactly_one_succeeds() -> None:
    answers = run_concurrently(4, lambda: cache.add("lock", True, 10))
    assert sorted(answers) == [False, False, False, True]
