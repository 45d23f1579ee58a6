"""A WSGI application with the portal's settings and one bare view, without middleware."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler


def make_application() -> WSGIHandler:
    # allauth insists on its middleware while the apps are set up; requests do without any.
    django.setup(set_prefix=False)
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = "benchmarks.bare_view"
    return WSGIHandler()
