"""The portal's settings, with nothing between the server and one bare view."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler


def make_application() -> WSGIHandler:
    # The apps are set up with the portal's middleware, as allauth asks; requests go without.
    django.setup(set_prefix=False)
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = "benchmarks.bare_view"
    return WSGIHandler()
