"""All URLs: portal, accounts, API, staff, service."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

# Staff sign in where everyone does: attempts are counted there, and second factors asked for.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's documented way

urlpatterns = [
    # API: first, and events first in it, since patterns are tried in order and each publish asks
    path("api/v1/", include("deliveries.api.urls")),
    path("api/v1/", include("subscriptions.api.urls")),
    path("api/", include("webhooks_portal.api_urls")),
    path("3.1/", include("subscriptions.api.topic_endpoint_urls")),
    # portal
    path("", include("subscriptions.urls")),
    path("", include("deliveries.urls")),
    # accounts
    path("accounts/", include("allauth.urls")),
    # staff, whose passwords are changed where everyone's are
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    # service
    path("", include("deliveries.service_urls")),
]

handler400 = "webhooks_portal.error_views.bad_request"
handler500 = "webhooks_portal.error_views.server_error"
