import pytest

from tests.portal_clients import Portal, make_portal


@pytest.fixture
def portal(db: None) -> Portal:
    return make_portal()
