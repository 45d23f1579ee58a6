"""Webhooks in the portal: added, changed, switched, deleted, with and without JavaScript."""

import re

import pytest

from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.status import suspend_endpoint
from subscriptions.models import AuditEntry, Endpoint
from tests.portal_clients import HTMX, Portal, make_portal, one_line

FORM = {
    "name": "Mails",
    "url": "https://example.com/in",
    "which": "chosen",
    "topics": ["license.created", "license.expired"],
    "active": "on",
}


def only_endpoint(portal: Portal) -> Endpoint:
    return Endpoint.objects.get(broadcaster=portal.live)


def test_a_webhook_is_added_and_its_token_is_shown_once(portal: Portal) -> None:
    client = portal.client("developer")
    response = client.post(portal.url("endpoint-new"), FORM)
    endpoint = only_endpoint(portal)
    token_url = portal.url("endpoint-token", endpoint.public_id)
    assert response.status_code == 302
    assert response["Location"] == token_url
    assert [topic.name for topic in endpoint.topics.all()] == FORM["topics"]
    first, second = client.get(token_url), client.get(token_url)
    assert first["Cache-Control"] == second["Cache-Control"] == "no-store"
    shown = re.search(
        r'class="secret"> <code[^>]*>([^<]+)</code>', one_line(first.content.decode())
    )
    assert shown is not None
    assert shown[1][-4:] == endpoint.token_hint
    # In the verifying code too.
    assert first.content.decode().count(shown[1]) > 6
    assert shown[1] not in second.content.decode()


def test_each_row_of_the_list_has_its_test_button(portal: Portal) -> None:
    for number in (1, 2):
        portal.add_endpoint(name=f"W{number}", url=f"https://example.com/{number}")
    html = portal.client("developer").get(portal.url("endpoint-list")).content.decode()
    for endpoint in portal.live.endpoints.all():
        form = html[html.index(f'/webhooks/{endpoint.public_id}/test/"') :]
        assert f"Webhook {endpoint.name}</span></button>" in form[: form.index("</form>")]
    assert "/test/" not in portal.client("viewer").get(portal.url("endpoint-list")).content.decode()


def test_the_token_waits_in_the_session_encrypted(portal: Portal) -> None:
    client = portal.client("developer")
    client.post(portal.url("endpoint-new"), FORM | {"token": "a typed token"})
    assert "a typed token" not in str(dict(client.session))
    response = client.get(portal.url("endpoint-token", only_endpoint(portal).public_id))
    assert "a typed token" in response.content.decode()


def test_a_typed_token_is_refused_at_its_field(portal: Portal) -> None:
    response = portal.client("developer").post(
        portal.url("endpoint-new"), FORM | {"token": "short"}
    )
    assert response.status_code == 422
    assert "The token has 5 characters" in response.content.decode()
    assert not Endpoint.objects.exists()


def test_the_token_field_is_there_only_where_the_platform_lets_users_type_it(db: None) -> None:
    portal = make_portal("clawget")
    html = portal.client("owner").get(portal.url("endpoint-new")).content.decode()
    assert 'name="token"' not in html
    assert "A signing token is made when you save" in html


def test_a_platform_without_a_signature_leads_to_the_webhook_itself(db: None) -> None:
    portal = make_portal("cleeng")
    topics = ["subscriptionCreated"]
    response = portal.client("owner").post(portal.url("endpoint-new"), FORM | {"topics": topics})
    endpoint = only_endpoint(portal)
    assert response["Location"] == portal.url("endpoint-detail", endpoint.public_id)
    html = portal.client("owner").get(portal.url("endpoint-token", endpoint.public_id)).content
    assert b"are not signed" in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Name is missing."),
        ({"url": ""}, "URL is missing."),
        ({"url": "http://10.0.0.5/"}, "10.0.0.5 is a private address"),
        ({"topics": []}, "Choose at least one topic, or all of them."),
        ({"topics": ["license.creatd"]}, "did you mean license.created"),
        ({"headers": "no colon"}, "write it as Name: value"),
        ({"headers": "Host: example.org"}, "set by the portal itself"),
        ({"timeout_seconds": "31"}, "less than or equal to 30"),
        ({"rate_limit": "20000"}, "20000 is out of range"),
    ],
)
def test_a_refused_form_says_why_keeps_what_was_typed_and_answers_422(
    portal: Portal, changes: dict[str, str], words: str
) -> None:
    client = portal.client("developer")
    form = FORM | {"description": "kept words"} | changes
    page = client.post(portal.url("endpoint-new"), form)
    fragment = client.post(portal.url("endpoint-new"), form, headers=HTMX)
    assert page.status_code == fragment.status_code == 422
    for response in (page, fragment):
        html = response.content.decode().replace("&#x27;", "'")
        assert words in html
        assert "Nothing was saved." in html
        assert "kept words" in html
    assert "<html" in page.content.decode()
    assert "<html" not in fragment.content.decode()
    assert not Endpoint.objects.exists()


def test_htmx_is_led_on_after_saving(portal: Portal) -> None:
    response = portal.client("developer").post(portal.url("endpoint-new"), FORM, headers=HTMX)
    assert response["HX-Redirect"].endswith("/token/")


def test_all_topics_is_a_choice_of_its_own(portal: Portal) -> None:
    portal.client("developer").post(
        portal.url("endpoint-new"), FORM | {"which": "all", "topics": []}
    )
    assert only_endpoint(portal).all_topics


def test_a_use_case_is_chosen_without_javascript_and_nothing_is_saved(portal: Portal) -> None:
    use_case = portal.live.platform.use_cases.get(name="Announce an expiry")
    client = portal.client("developer")
    typed = client.post(portal.url("endpoint-new"), FORM | {"use_case": use_case.pk})
    linked = client.get(portal.url("endpoint-new"), {"use_case": use_case.pk})
    wanted = {topic.name for topic in use_case.topics.all()}
    for response in (typed, linked):
        html = one_line(response.content.decode())
        checked = re.findall(r'name="topics" value="([^"]+)"[^>]* checked ', html)
        assert set(checked) == wanted
    html = typed.content.decode()
    assert typed.status_code == 200
    assert 'value="https://example.com/in"' in html
    assert 'value="Mails"' in html
    assert "Nothing was saved" not in html
    assert not Endpoint.objects.exists()


def test_the_limit_is_shown_in_the_list_and_enforced_by_the_form(db: None) -> None:
    portal = make_portal("cleeng")
    portal.live.max_endpoints = 1
    portal.live.save()
    portal.add_endpoint()
    client = portal.client("owner")
    assert "1 of 1 used" in client.get(portal.url("endpoint-list")).content.decode()
    response = client.post(portal.url("endpoint-new"), FORM | {"topics": ["subscriptionCreated"]})
    assert response.status_code == 422
    assert "delete one first" in response.content.decode()


def test_editing_keeps_a_hidden_header_and_records_what_changed(portal: Portal) -> None:
    endpoint = portal.add_endpoint(headers=[("Authorization", "Bearer abc"), ("X-Env", "prod")])
    client = portal.client("developer")
    url = portal.url("endpoint-edit", endpoint.public_id)
    html = client.get(url).content.decode()
    assert "Bearer abc" not in html
    assert "Authorization: ••••" in html
    form = FORM | {"headers": "Authorization: ••••\nX-Env: test", "rate_limit": "5"}
    assert client.post(url, form).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.headers == [["Authorization", "Bearer abc"], ["X-Env", "test"]]
    assert endpoint.rate_limit == 5
    assert not endpoint.all_topics
    entry = AuditEntry.objects.filter(action="endpoint.update").get()
    assert entry.actor == portal.users["developer"]
    assert entry.address == "127.0.0.1"


def test_a_refused_change_leaves_the_webhook_as_it_was(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    response = portal.client("developer").post(
        portal.url("endpoint-edit", endpoint.public_id), FORM | {"url": "ftp://example.com"}
    )
    assert response.status_code == 422
    endpoint.refresh_from_db()
    assert endpoint.url == "https://example.com/in"


def test_switching_off_is_asked_about_and_says_what_becomes_of_deliveries(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("developer")
    url = portal.url("endpoint-set-active", endpoint.public_id)
    question = client.get(url).content.decode()
    assert "No delivery waits now, so none is cancelled." in question
    assert only_endpoint(portal).active
    client.post(url, {"active": "0"})
    changed = only_endpoint(portal)
    assert changed.status == "inactive"
    assert changed.status_reason == "Switched off by developer@example.com"
    html = client.get(portal.url("endpoint-list")).content.decode()
    assert "Switched off by developer@example.com" in html


def test_switching_on_in_the_list_answers_with_the_row_and_a_message(portal: Portal) -> None:
    endpoint = portal.add_endpoint(active=False)
    response = portal.client("developer").post(
        portal.url("endpoint-set-active", endpoint.public_id),
        {"active": "1", "row": "1"},
        headers=HTMX,
    )
    html = response.content.decode()
    assert html.strip().startswith(f'<tr data-row id="row-{endpoint.public_id}"')
    assert "Mails is active" in html
    assert only_endpoint(portal).active


def test_a_question_in_a_dialog_leads_back_to_the_page_it_is_on(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    response = portal.client("developer").get(
        portal.url("endpoint-set-active", endpoint.public_id),
        headers={**HTMX, "HX-Current-URL": f"http://testserver{portal.url('endpoint-list')}?q=m"},
    )
    html = response.content.decode()
    assert "<html" not in html
    assert f'name="next" value="{portal.url("endpoint-list")}?q=m"' in html


def test_no_form_leads_to_another_site(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    url = portal.url("endpoint-set-active", endpoint.public_id)
    for wanted in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        response = portal.client("developer").post(url, {"active": "0", "next": wanted})
        assert response["Location"] == portal.url("endpoint-detail", endpoint.public_id)


def test_a_suspended_webhook_says_why_and_is_resumed(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    suspend_endpoint(endpoint=endpoint, reason="It answered 410 Gone", actor=COMMAND_LINE)
    client = portal.client("developer")
    assert "It answered 410 Gone" in client.get(portal.url("endpoint-list")).content.decode()
    url = portal.url("endpoint-resume", endpoint.public_id)
    response = client.post(url, follow=True)
    assert "Mails is active again." in response.content.decode()
    again = client.post(url, follow=True)
    assert "Mails is not suspended" in again.content.decode()


def test_deleting_is_asked_about_and_done(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("developer")
    url = portal.url("endpoint-delete", endpoint.public_id)
    assert "Its event logs can still be read" in client.get(url).content.decode()
    response = client.post(url, follow=True)
    assert "Mails is deleted." in response.content.decode()
    assert not portal.live.endpoints.live().exists()
    assert client.get(url).status_code == 404


def test_several_are_switched_off_after_a_question_and_others_are_left(portal: Portal) -> None:
    chosen = [portal.add_endpoint(name="A"), portal.add_endpoint(name="B", active=False)]
    left = portal.add_endpoint(name="C")
    foreign = portal.add_endpoint(portal.foreign, name="D")
    client, url = portal.client("developer"), portal.url("endpoint-several")
    names = [e.public_id for e in (*chosen, foreign)]
    question = client.post(url, {"action": "deactivate", "chosen": names}).content.decode()
    assert "Switch off 2 webhooks?" in question
    assert "D" not in re.findall(r"<li[^>]*>(\w+)</li>", question)
    done = client.post(
        url, {"action": "deactivate", "chosen": names, "confirmed": "1"}, follow=True
    )
    assert "1 of 2 webhooks switched off; 1 was so already." in done.content.decode()
    left.refresh_from_db()
    foreign.refresh_from_db()
    assert left.active
    assert foreign.active


def test_several_are_deleted(portal: Portal) -> None:
    chosen = [portal.add_endpoint(name=name).public_id for name in "AB"]
    form = {"action": "delete", "chosen": chosen, "confirmed": "1"}
    portal.client("developer").post(portal.url("endpoint-several"), form)
    assert not portal.live.endpoints.live().exists()


def test_choosing_none_changes_nothing_and_says_so(portal: Portal) -> None:
    response = portal.client("developer").post(
        portal.url("endpoint-several"), {"action": "delete"}, follow=True
    )
    assert "Nothing was changed: choose at least one webhook." in response.content.decode()


def test_the_list_is_searched_by_name_url_topic_and_status(portal: Portal) -> None:
    portal.add_endpoint(name="Mails", url="https://a.example/", topics=["license.created"])
    portal.add_endpoint(name="Cache", url="https://b.example/", active=False)
    client = portal.client("viewer")

    def found(**query: str) -> set[str]:
        html = client.get(portal.url("endpoint-list"), query, headers=HTMX).content.decode()
        assert "<html" not in html
        return {name for name in ("Mails", "Cache") if f">{name}</a>" in html}

    assert found() == {"Mails", "Cache"}
    assert found(q="mai") == {"Mails"}
    assert found(q="b.example") == {"Cache"}
    assert found(q="license.created") == {"Mails"}
    assert found(status="inactive") == {"Cache"}
    assert found(status="nonsense") == {"Mails", "Cache"}
    nothing = client.get(portal.url("endpoint-list"), {"q": "zzz"}).content.decode()
    assert "No webhooks match" in nothing
    assert "Clear filters" in nothing


def test_an_empty_list_names_the_next_step_to_whoever_can_take_it(portal: Portal) -> None:
    url = portal.url("endpoint-list")
    assert "Add webhook" in portal.client("developer").get(url).content.decode()
    html = portal.client("viewer").get(url).content.decode()
    assert "Add webhook" not in html
    assert "A developer or an owner of this broadcaster can add one." in html


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", ""),
        ("example.com", "This is not a full URL"),
        ("https://user:pw@example.com/", "put credentials in a header"),
        ("https://169.254.169.254/latest", "link-local address"),
        ("https://nothing.invalid/", "nothing.invalid has no address in DNS now"),
    ],
)
def test_a_url_is_checked_as_its_field_is_left(portal: Portal, url: str, words: str) -> None:
    response = portal.client("developer").get(
        portal.url("endpoint-check-url"), {"url": url}, headers=HTMX
    )
    assert response.status_code == 200
    assert words in response.content.decode()
