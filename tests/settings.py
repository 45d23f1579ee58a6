"""The project's settings, with a data directory for the tests and cheap password hashes."""

import atexit
import os
import shutil
import tempfile

if "WEBHOOKS_DATA_DIR" not in os.environ:
    # They stand in the environment so that processes started by tests have the same secrets.
    os.environ["WEBHOOKS_DATA_DIR"] = tempfile.mkdtemp(prefix="webhooks-tests-")
    atexit.register(shutil.rmtree, os.environ["WEBHOOKS_DATA_DIR"], ignore_errors=True)

from webhooks_portal.settings import *
from webhooks_portal.settings import DATABASES, STATIC_ROOT, STORAGES, WEBHOOKS_DATA_DIR

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in production: a database in memory has no WAL, and threads share its connection.
    DATABASES["default"]["TEST"] = {"NAME": str(WEBHOOKS_DATA_DIR / "tests.sqlite3")}

# WhiteNoise looks for it at start, and finds the files themselves where nothing was collected.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
}

# A client of a test makes the whole chain of middleware anew, and WhiteNoise would look through all
# static files each time.
WHITENOISE_AUTOREFRESH = True
