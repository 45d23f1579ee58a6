"""Pages for requests that no view has seen."""

from __future__ import annotations

from django.test import Client


def test_a_request_for_another_host_is_refused_with_a_page_and_is_no_fault_of_ours() -> None:
    response = Client().get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "This request could not be read" in response.content.decode()
    assert "evil.example" not in response.content.decode()


def test_the_api_refuses_it_in_json() -> None:
    response = Client().get("/api/v1/topics", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"
