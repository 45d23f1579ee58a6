"""kill -9 of everything that works, in the middle of it: nothing accepted is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import psutil
import pytest

from deliveries.models import Attempt, Delivery, DeliveryStatus
from deliveries.publishing import NewEvent, publish_batch
from tests.deliveries.sending import broadcaster_on, endpoint_at
from tests.receiver import Receiver, Reply

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.workers]
ROOT = Path(__file__).resolve().parents[3]
EVENTS = 100
ENDPOINTS = 5


def start_workers(environment: dict[str, str]) -> psutil.Popen:
    return psutil.Popen(
        [sys.executable, "manage.py", "work"],
        cwd=ROOT,
        env=environment | {"WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_tree(runner: psutil.Popen) -> None:
    for process in [*runner.children(recursive=True), runner]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    runner.wait(10)


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_five_hundred_under_way_all_arrive_after_the_workers_were_killed(
    process_environment: dict[str, str], settings: Any
) -> None:
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    broadcaster = broadcaster_on("standard").broadcaster
    topic = broadcaster.platform.topics.first()
    assert topic is not None
    with Receiver() as receiver:
        receiver.on("/slow", Reply(delay_seconds=3.0))
        for _ in range(ENDPOINTS):
            endpoint_at(receiver.url("/slow"), broadcaster)
        publish_batch(
            broadcaster=broadcaster, events=[NewEvent(topic.name, {"n": n}) for n in range(EVENTS)]
        )
        workers = start_workers(process_environment)
        try:
            total = EVENTS * ENDPOINTS
            wait_for(lambda: len(receiver.requests) >= total, 30, "not all were under way")
        finally:
            kill_tree(workers)
        delivered = Delivery.objects.filter(status=DeliveryStatus.DELIVERED)
        before = delivered.count()
        assert before < total, "the kill came too late to show anything"

        receiver.on("/slow", Reply())
        workers = start_workers(process_environment)
        try:
            wait_for(lambda: delivered.count() == total, 60, "not all were delivered")
        finally:
            kill_tree(workers)

    ids = {request.header("webhook-id") for request in receiver.requests}
    assert len(ids) == EVENTS
    unknown = Attempt.objects.filter(outcome="unknown", failure="interrupted")
    assert unknown.count() == total - before
    assert not Delivery.objects.filter(lease_id__isnull=False).exists()
