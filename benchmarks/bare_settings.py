"""The portal's settings, with nothing between the server and one bare view."""

from webhooks_portal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_view"
MIDDLEWARE: list[str] = []
