"""Nothing leaves for a forbidden address: counted in a network namespace where all of them answer."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# As root without a user namespace; as anyone else in one, where the system lets users have it.
WAYS_IN = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])


def way_in() -> list[str] | None:
    """The command that runs another in a namespace of its own; None where there is none."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return None
    tries = ([*way, "ip", "link", "set", "lo", "up"] for way in WAYS_IN)
    found = (way[:-5] for way in tries if subprocess.run(way, capture_output=True).returncode == 0)
    return next(found, None)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    way = way_in()
    if way is None:
        pytest.skip("no network namespace: needs util-linux, iproute2 and the right to make one")
    command = [*way, sys.executable, "-m", "tests.attacks.in_namespace"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_packet_leaves_for_a_forbidden_address_however_it_is_spelled(
    report: dict[str, Any],
) -> None:
    assert report["tried"] > 600
    assert report["failures"] == ["address_blocked"]
    assert report["reached"] == []
    assert report["packets"] == 0


def test_the_same_addresses_are_reached_once_everything_is_allowed(report: dict[str, Any]) -> None:
    """Else the test before would count nothing."""
    assert report["packets_if_allowed"] > 200
    assert {"127.0.0.1", "10.0.0.5", "169.254.169.254", "168.63.129.16", "fd00:ec2::254"} <= set(
        report["reached_if_allowed"]
    )
    assert len(report["reached_if_allowed"]) > 40


def test_public_addresses_are_reached_and_a_redirect_to_metadata_leads_to_no_packet(
    report: dict[str, Any],
) -> None:
    assert report["reached_in_public"] == ["2606:4700::1111", "8.8.4.4", "8.8.8.8"]


def test_networks_allowed_by_name_are_reached_and_their_neighbours_are_not(
    report: dict[str, Any],
) -> None:
    assert report["reached_if_named"] == ["10.1.2.3", "10.1.255.255", "fd12::5"]
