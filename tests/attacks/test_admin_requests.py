"""Hostile filters, searches and keys at the pages of staff."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.attacks.hostile import TEXTS
from tests.attacks.portal_walk import furnished
from tests.portal_clients import make_portal
from tests.staff_clients import superuser

pytestmark = pytest.mark.django_db
# What is not one of these in a list's query is a lookup, and refused as one.
PARAMETERS = ("q", "p", "o", "e", "id", "password", "pk__gt")
MODELS = sorted(model._meta.label_lower for model in admin.site._registry)
WORST = ("a NUL", "beyond bigint", "a date that is none", "half a surrogate pair")


@pytest.mark.parametrize("label", MODELS)
def test_a_hostile_query_or_key_is_no_500(label: str) -> None:
    furnished(make_portal())
    client = superuser()
    name = label.replace(".", "_")
    page = next(
        page for model, page in admin.site._registry.items() if model._meta.label_lower == label
    )
    request = client.get(reverse(f"admin:{name}_changelist")).wsgi_request
    filters = page.get_changelist_instance(request).filter_specs
    names = {str(parameter) for spec in filters for parameter in spec.expected_parameters()}
    for told in WORST:
        text = TEXTS[told].encode("utf-8", "surrogatepass").decode("latin-1")
        for parameter in sorted(names | set(PARAMETERS)):
            answer = client.get(reverse(f"admin:{name}_changelist"), {parameter: text})
            assert answer.status_code < 500, (parameter, told)
        for action in ("change", "delete", "history"):
            path = reverse(f"admin:{name}_{action}", args=["KEY"])
            assert client.get(path.replace("KEY", text.replace("\0", "%00"))).status_code < 500, (
                told
            )
