"""schemathesis: whatever the API's description allows or forbids is sent, and every answer has to be
one that the description names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.attacks.api_walk import GOOD, Account, make_account
from webhooks_portal.wsgi import application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def described(*, coverage: bool) -> Any:
    """The description, to be called in process. `coverage`: with the cases that schemathesis makes
    for each limit that the schema sets, beside random ones."""
    schema = schemathesis.openapi.from_path(
        Path(settings.BASE_DIR) / "webhooks_portal" / "openapi.yaml"
    )
    schema.app = application
    schema.config.phases.coverage.enabled = coverage
    return schema


COUNTER = count()
Test = TypeVar("Test", bound=Callable[..., None])
description: Any = described(coverage=True)
plain_description: Any = described(coverage=False)


def each_case(schema: Any, *, max_examples: int) -> Callable[[Test], Test]:
    """The same cases on each run; a failure is reported as it is, not made smaller."""
    bounds = hypothesis_settings(
        max_examples=max_examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )

    def decorate(test: Test) -> Test:
        return cast(Test, schema.parametrize()(bounds(test)))

    return decorate


@pytest.fixture
def ours(db: None) -> Iterator[Account]:
    made = make_account()
    # The end of a request would close the connection that this test's transaction is on.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield made
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@each_case(description, max_examples=8)
def test_every_answer_is_one_that_the_description_names(
    case: schemathesis.Case[Any], ours: Account
) -> None:
    case.headers["Authorization"] = f"Bearer {ours.token}"
    # Made-up ids all end in 404: two of three are of things that are there.
    if next(COUNTER) % 3:
        case.path_parameters |= {name: ours.ids[name] for name in case.path_parameters}
    case.call_and_validate(checks=CHECKS)


@pytest.mark.parametrize("label", GOOD)
def test_a_good_write_is_answered_as_described(label: str, ours: Account) -> None:
    operation = description.find_operation_by_label(label)
    assert operation is not None
    case = operation.Case(
        path_parameters={name: ours.ids[name] for name in re.findall(r"{(\w+)}", label)},
        headers={"Authorization": f"Bearer {ours.token}"},
        body=GOOD[label],
        media_type="application/json",
    )
    response = case.call_and_validate(checks=CHECKS)
    assert 200 <= response.status_code < 300


def test_every_write_that_takes_a_body_has_a_good_one_here() -> None:
    operations = [found.ok() for found in description.get_all_operations()]
    assert {operation.label for operation in operations if operation.body} == set(GOOD)


@each_case(plain_description, max_examples=3)
def test_without_a_token_nothing_is_answered_but_401(
    case: schemathesis.Case[Any], ours: Account
) -> None:
    for name in ("Authorization", "X-Publisher-Token"):
        case.headers.pop(name, None)
    case.path_parameters |= {name: ours.ids[name] for name in case.path_parameters}
    response = case.call_and_validate(checks=CHECKS)
    assert response.status_code == 401
