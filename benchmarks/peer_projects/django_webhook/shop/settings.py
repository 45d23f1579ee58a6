"""Settings as the package recommends: Redis as the broker, events stored, connections kept."""

import os

SECRET_KEY = "a benchmark's"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_webhook",
    "shop",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PEER_DB_HOST"],
        "PORT": os.environ["PEER_DB_PORT"],
        "USER": os.environ["PEER_DB_USER"],
        "PASSWORD": os.environ["PEER_DB_PASSWORD"],
        "NAME": os.environ["PEER_DB_NAME"],
        # Without a maximum age, Celery would close the connection after each task.
        "CONN_MAX_AGE": 600,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DJANGO_WEBHOOK = {"MODELS": ["shop.Purchase"], "STORE_EVENTS": True}
CELERY_BROKER_URL = os.environ["PEER_REDIS_URL"]
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": os.environ["PEER_REDIS_PREFIX"]}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
