"""Signing up, making a broadcaster, the start page, the account and the audit log."""

import re

from django.test import Client

from subscriptions.audit import COMMAND_LINE, record
from subscriptions.models import Broadcaster, User
from tests.portal_clients import HTMX, PASSWORD, Portal


def test_someone_signs_up_makes_a_broadcaster_and_sees_both_tokens_once(db: None) -> None:
    client = Client()
    client.post("/accounts/signup/", {"email": "a@example.com", "password1": PASSWORD})
    assert client.get("/")["Location"] == "/broadcasters/new/"
    page = client.get("/broadcasters/new/").content.decode()
    assert "Software licensing" in page
    response = client.post("/broadcasters/new/", {"name": "Shop", "platform": "cryptlex"})
    live = Broadcaster.objects.get(name="Shop", live=None)
    assert response["Location"] == f"/b/{live.pk}/welcome/"
    first = client.get(response["Location"])
    shown = set(re.findall(r"whp_\w{46}", first.content.decode()))
    assert len(shown) == 2
    assert first["Cache-Control"] == "no-store"
    second = client.get(response["Location"]).content.decode()
    assert not shown & set(re.findall(r"whp_\w{46}", second))
    assert live.role_of(User.objects.get(email="a@example.com")) == "owner"


def test_a_broadcaster_needs_a_name_and_a_known_platform(portal: Portal) -> None:
    client = portal.client("stranger")
    response = client.post("/broadcasters/new/", {"name": "", "platform": "nonsense"})
    assert response.status_code == 422
    html = response.content.decode()
    assert "Name is missing." in html
    assert "Select a valid choice" in html


def test_the_start_page_leads_to_the_broadcaster_looked_at_last(portal: Portal) -> None:
    client = portal.client("viewer")
    assert client.get("/")["Location"].startswith(f"/b/{portal.live.pk}/")
    client.get(portal.url("topic-list", broadcaster=portal.sandbox))
    assert client.get("/")["Location"].startswith(f"/b/{portal.sandbox.pk}/")


def test_a_user_changes_no_account_but_their_own(portal: Portal) -> None:
    client = portal.client("viewer")
    html = client.get(portal.url("account")).content.decode()
    assert 'data-zone="local"' in html
    response = client.post(
        portal.url("account"),
        {"name": "Vera", "use_utc": "on", "email": "x@example.com"},
        follow=True,
    )
    user = User.objects.get(pk=portal.users["viewer"].pk)
    assert (user.name, user.use_utc, user.email) == ("Vera", True, "viewer@example.com")
    assert 'data-zone="utc"' in response.content.decode()


def test_the_audit_log_is_paged_filtered_and_of_one_broadcaster(portal: Portal) -> None:
    record(
        broadcaster=portal.foreign, actor=COMMAND_LINE, action="endpoint.create", target="theirs"
    )
    for number in range(60):
        record(
            broadcaster=portal.live,
            actor=COMMAND_LINE,
            action="endpoint.update",
            target=f"ep_{number:02}",
            before={"name": "old <b>"},
            after={"name": "new"},
        )
    client, url = portal.client("owner"), portal.url("audit-log")
    html = client.get(url).content.decode()
    assert "ep_59" in html
    assert "ep_09" not in html
    assert "theirs" not in html
    assert "old &lt;b&gt;" in html
    older = re.search(r'href="(\?before=\d+)" rel="next"', html)
    assert older is not None
    second = client.get(url + older[1]).content.decode()
    assert "ep_09" in second
    assert "ep_59" not in second
    team = client.get(url, {"subject": "member"}, headers=HTMX).content.decode()
    assert "ep_" not in team
    assert "No entries match" in client.get(url, {"q": "zzz"}).content.decode()
    assert client.get(url, {"before": "nonsense"}).status_code == 200


def test_sign_in_pages_are_there_for_keyboards_and_narrow_screens(db: None) -> None:
    for path in ("login", "signup", "password/reset"):
        html = Client().get(f"/accounts/{path}/").content.decode()
        assert 'name="viewport"' in html
        assert 'class="skip"' in html
        assert html.count("<h1>") == 1
        assert "style=" not in html
