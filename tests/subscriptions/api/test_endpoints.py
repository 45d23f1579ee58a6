"""Endpoints over the API: every field in both directions, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from subscriptions.audit import SYSTEM
from subscriptions.endpoints.status import suspend_endpoint
from subscriptions.models import AuditEntry, Endpoint
from tests.api_clients import URL, Api, account, api_with, pointers, problem_of

pytestmark = pytest.mark.django_db
NEW = {"name": "Shop", "url": URL, "topics": ["purchase.completed"]}


@pytest.fixture
def api() -> Api:
    return Api(account().token)


def create(api: Api, **changes: Any) -> dict[str, Any]:
    response = api.post("endpoints", NEW | changes)
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def test_only_the_response_to_creating_an_endpoint_carries_its_token(api: Api) -> None:
    endpoint = create(api)
    assert endpoint["token"].endswith(endpoint["token_hint"])
    assert len(endpoint["token"]) > 20
    read = api.get(f"endpoints/{endpoint['id']}").json()
    assert "token" not in read
    assert {**read, "token": endpoint["token"]} == endpoint
    assert endpoint["token"] not in api.get("endpoints").content.decode()


def test_an_endpoint_has_all_the_fields_of_the_contract(api: Api) -> None:
    endpoint = create(
        api,
        description="The shop",
        headers={"X-Shop": "7", "Authorization": "Bearer s3cret"},
        rate_limit=5,
        timeout_seconds=3,
        signature="standard",
    )
    assert endpoint["id"].startswith("ep_")
    assert endpoint["headers"] == {"X-Shop": "7", "Authorization": "••••"}
    assert (endpoint["rate_limit"], endpoint["timeout_seconds"]) == (5, 3)
    assert (endpoint["signature"], endpoint["description"]) == ("standard", "The shop")
    assert (endpoint["status"], endpoint["status_reason"], endpoint["active"]) == (
        "active",
        "",
        True,
    )
    for name in ("created_at", "updated_at", "status_changed_at"):
        assert len(endpoint[name]) == len("2024-03-04T09:50:51.375Z")
        assert endpoint[name].endswith("Z")


def test_an_endpoint_without_a_name_is_named_after_its_host(api: Api) -> None:
    response = api.post("endpoints", {"url": URL, "topics": ["*"]})
    assert response.json()["name"] == "example.com"
    assert response.json()["topics"] == ["*"]


def test_each_fault_has_an_entry_with_its_pointer(api: Api) -> None:
    body = {
        "name": 7,
        "url": URL,
        "topics": ["a", 3],
        "rate_limit": "5",
        "active": "yes",
        "headers": {"X-A": 1},
        "colour": "red",
        "status": "active",
    }
    response = api.post("endpoints", body)
    assert pointers(response) == {
        "/name",
        "/topics/1",
        "/rate_limit",
        "/active",
        "/headers/X-A",
        "/colour",
        "/status",
    }
    codes = {fault["pointer"]: fault["code"] for fault in response.json()["errors"]}
    assert codes["/colour"] == "unknown_field"
    assert codes["/status"] == "read_only"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "http://10.0.0.5/"}, "url_not_allowed"),
        ({"url": "http://[::1"}, "url_not_allowed"),
        ({"topics": ["purchase.complete"]}, "unknown_topic"),
        ({"topics": []}, "required"),
        ({"topics": ["*", "purchase.completed"]}, "invalid_topics"),
        ({"rate_limit": 0}, "out_of_range"),
        ({"timeout_seconds": 31}, "out_of_range"),
        ({"headers": {"Host": "elsewhere"}}, "header_not_allowed"),
        ({"headers": {"X-Key": "••••"}}, "header_not_allowed"),
        ({"token": "my own token of enough length"}, "token_not_allowed"),
        ({"name": "a\0b"}, "null_characters_not_allowed"),
        ({"rate_limit": 10**30}, "max_value"),
        ({"headers": {"X\0": "1"}}, "header_not_allowed"),
        ({"topics": ["a\0"]}, "null_characters_not_allowed"),
    ],
)
def test_settings_that_break_a_rule_are_refused(api: Api, changes: Any, code: str) -> None:
    assert problem_of(api.post("endpoints", NEW | changes), 422)["code"] == code
    assert not Endpoint.objects.exists()


def test_an_endpoint_over_the_platforms_limit_is_a_conflict() -> None:
    created = account("cleeng")
    created.broadcaster.max_endpoints = 1
    created.broadcaster.save()
    api = Api(created.token)
    body = {"url": URL, "topics": ["*"]}
    assert api.post("endpoints", body).status_code == 201
    assert problem_of(api.post("endpoints", body), 409)["code"] == "endpoint_limit_reached"


def test_a_patch_changes_what_it_names_and_keeps_the_rest(api: Api) -> None:
    before = create(api, description="old", headers={"X-Shop": "7"}, rate_limit=5)
    path = f"endpoints/{before['id']}"
    after = api.patch(path, {"topics": ["review.created"], "rate_limit": None}).json()
    assert after["topics"] == ["review.created"]
    assert after["rate_limit"] is None
    kept = ("name", "url", "description", "headers", "active", "token_hint", "created_at")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert api.patch(path, {}).json()["topics"] == ["review.created"]


def test_a_masked_value_that_is_sent_back_keeps_the_stored_one(api: Api) -> None:
    endpoint = create(api, headers={"Authorization": "Bearer s3cret", "X-Shop": "7"})
    read = api.get(f"endpoints/{endpoint['id']}").json()
    changed = read["headers"] | {"X-Shop": "8"}
    response = api.patch(f"endpoints/{endpoint['id']}", {"headers": changed})
    assert response.json()["headers"] == {"Authorization": "••••", "X-Shop": "8"}
    assert Endpoint.objects.get().headers == [["Authorization", "Bearer s3cret"], ["X-Shop", "8"]]


def test_the_whole_object_can_be_sent_back_as_it_was_read(api: Api) -> None:
    endpoint = create(api, headers={"Authorization": "Bearer s3cret"})
    read = api.get(f"endpoints/{endpoint['id']}").json()
    response = api.patch(f"endpoints/{endpoint['id']}", read | {"name": "Renamed"})
    assert response.status_code == 200, response.content
    assert response.json()["name"] == "Renamed"
    assert Endpoint.objects.get().headers == [["Authorization", "Bearer s3cret"]]


def test_a_read_only_field_cannot_be_changed(api: Api) -> None:
    endpoint = create(api)
    response = api.patch(f"endpoints/{endpoint['id']}", {"status": "suspended"})
    assert pointers(response) == {"/status"}


def test_the_status_shows_that_an_endpoint_is_switched_off_and_on(api: Api) -> None:
    path = f"endpoints/{create(api)['id']}"
    off = api.patch(path, {"active": False}).json()
    assert (off["active"], off["status"]) == (False, "inactive")
    assert off["status_reason"].startswith("Switched off by token ")
    on = api.patch(path, {"active": True}).json()
    assert (on["status"], on["status_reason"]) == ("active", "")


def test_resume_lifts_a_suspension_and_is_a_conflict_without_one(api: Api) -> None:
    path = f"endpoints/{create(api)['id']}"
    assert problem_of(api.post(f"{path}/resume"), 409)["code"] == "not_suspended"
    suspend_endpoint(endpoint=Endpoint.objects.get(), reason="it answered 410 Gone.", actor=SYSTEM)
    read = api.get(path).json()
    assert (read["status"], read["status_reason"]) == ("suspended", "it answered 410 Gone.")
    assert api.post(f"{path}/resume").json()["status"] == "active"


def test_rotation_shows_the_new_token_once_and_keeps_the_old_for_the_overlap(api: Api) -> None:
    endpoint = create(api)
    path = f"endpoints/{endpoint['id']}"
    rotated = api.post(f"{path}/rotate-token").json()
    assert rotated["token"] != endpoint["token"]
    assert rotated["previous_expires_at"].endswith("Z")
    assert api.get(path).json()["token_hint"] == rotated["token"][-4:]
    without_overlap = api.post(f"{path}/rotate-token", {"overlap_seconds": 0}).json()
    assert without_overlap["previous_expires_at"] is None


@pytest.mark.parametrize("seconds", [-1, 604_801, 1.5, "60", True, 10**40])
def test_an_overlap_out_of_range_is_refused(api: Api, seconds: Any) -> None:
    path = f"endpoints/{create(api)['id']}/rotate-token"
    assert pointers(api.post(path, {"overlap_seconds": seconds})) == {"/overlap_seconds"}


def test_a_deleted_endpoint_is_gone_from_reads(api: Api) -> None:
    path = f"endpoints/{create(api)['id']}"
    response = api.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert problem_of(api.get(path), 404)
    assert problem_of(api.delete(path), 404)
    assert api.get("endpoints").json()["data"] == []


def test_actions_without_a_body_refuse_one(api: Api) -> None:
    path = f"endpoints/{create(api)['id']}"
    assert pointers(api.post(f"{path}/resume", {"force": True})) == {"/force"}
    assert problem_of(api.post(f"{path}/resume", [1]), 422)


def test_the_audit_log_names_the_token_and_its_address() -> None:
    created = account()
    create(Api(created.token))
    entry = AuditEntry.objects.get(action="endpoint.create")
    assert entry.actor_label.startswith("token First token")
    assert entry.address == "127.0.0.1"


def test_a_token_that_may_only_read_cannot_write() -> None:
    created = account()
    api = api_with(created.broadcaster, "endpoints:read")
    assert api.get("endpoints").status_code == 200
    assert problem_of(api.post("endpoints", NEW), 403)["code"] == "missing_scope"
