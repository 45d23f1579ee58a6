"""The portal's pages of this app; those below /b/<id>/ belong to a broadcaster."""

from django.urls import URLPattern, URLResolver, include, path

from subscriptions.views import (
    account,
    audit,
    broadcasters,
    endpoint_form,
    endpoint_switches,
    endpoint_tokens,
    endpoints,
    invitations,
    members,
    publisher_tokens,
    theme,
    topics,
)

app_name = "subscriptions"

endpoint_pages = [
    path("", endpoints.endpoint_detail, name="endpoint-detail"),
    path("edit/", endpoint_form.endpoint_edit, name="endpoint-edit"),
    path("set-active/", endpoint_switches.set_active, name="endpoint-set-active"),
    path("resume/", endpoint_switches.resume, name="endpoint-resume"),
    path("delete/", endpoint_switches.delete, name="endpoint-delete"),
    path("token/", endpoint_tokens.token_page, name="endpoint-token"),
    path("rotate-token/", endpoint_tokens.rotate, name="endpoint-rotate-token"),
    path("reveal-token/", endpoint_tokens.reveal, name="endpoint-reveal-token"),
    path(
        "end-previous-token/",
        endpoint_tokens.end_previous,
        name="endpoint-end-previous-token",
    ),
]

broadcaster_pages: list[URLPattern | URLResolver] = [
    # webhooks
    path("webhooks/", endpoints.endpoint_list, name="endpoint-list"),
    path("webhooks/new/", endpoint_form.endpoint_new, name="endpoint-new"),
    path("webhooks/check-url/", endpoint_form.check_url, name="endpoint-check-url"),
    path("webhooks/change-several/", endpoint_switches.change_several, name="endpoint-several"),
    path("webhooks/<slug:endpoint_id>/", include(endpoint_pages)),
    # catalogue
    path("topics/", topics.topic_list, name="topic-list"),
    path("topics/<str:name>/", topics.topic_detail, name="topic-detail"),
    # publisher tokens
    path("publisher-tokens/", publisher_tokens.token_list, name="publisher-token-list"),
    path("publisher-tokens/new/", publisher_tokens.token_new, name="publisher-token-new"),
    path(
        "publisher-tokens/<slug:token_id>/revoke/",
        publisher_tokens.revoke,
        name="publisher-token-revoke",
    ),
    # settings
    path("team/", members.member_list, name="member-list"),
    path("team/invite/", members.member_invite, name="member-invite"),
    path("team/<int:member_id>/set-role/", members.member_set_role, name="member-set-role"),
    path("team/<int:member_id>/remove/", members.member_remove, name="member-remove"),
    path(
        "team/invitations/<int:invitation_id>/withdraw/",
        members.member_withdraw_invitation,
        name="member-withdraw-invitation",
    ),
    path("audit-log/", audit.audit_log, name="audit-log"),
    path("account/", account.account, name="account"),
    path("welcome/", broadcasters.welcome, name="broadcaster-welcome"),
]

urlpatterns = [
    path("", broadcasters.home, name="home"),
    path("broadcasters/new/", broadcasters.broadcaster_new, name="broadcaster-new"),
    path("theme/", theme.set_theme, name="theme"),
    path("invitations/<str:token>/", invitations.accept, name="invitation-accept"),
    path("b/<int:broadcaster_id>/", include(broadcaster_pages)),
]
