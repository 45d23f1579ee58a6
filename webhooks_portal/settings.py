"""Settings: one file, a heading per feature; what an operator sets comes from the environment."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from webhooks_portal.generated_secrets import read_or_make_secrets
from webhooks_portal.networks import read_networks

# Lets classes be written ModelAdmin[Endpoint] where Django's own are not yet generic.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Environment -------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# Where the SQLite file and generated secrets live.
WEBHOOKS_DATA_DIR = Path(env.str("WEBHOOKS_DATA_DIR", default=str(BASE_DIR / "var"))).absolute()
# Production sets its secrets; without them a data directory's own are made, once.
WEBHOOKS_PRODUCTION = env.bool("WEBHOOKS_PRODUCTION", default=False)
if WEBHOOKS_PRODUCTION and not (env.str("SECRET_KEY", "") and env.str("WEBHOOKS_SECRET_KEYS", "")):
    raise ImproperlyConfigured(
        "WEBHOOKS_PRODUCTION is set, but SECRET_KEY or WEBHOOKS_SECRET_KEYS is not: production "
        "does not start with generated development secrets. Set both in the environment."
    )
if WEBHOOKS_PRODUCTION and DEBUG:
    raise ImproperlyConfigured(
        "WEBHOOKS_PRODUCTION and DEBUG are both set: a debug page shows customers' data to anyone. "
        "Take DEBUG out of the environment."
    )
_made = {} if WEBHOOKS_PRODUCTION else read_or_make_secrets(WEBHOOKS_DATA_DIR)
SECRET_KEY = env.str("SECRET_KEY", default="") or _made["SECRET_KEY"]
# Fernet keys for signing tokens at rest: the first encrypts, all decrypt.
WEBHOOKS_SECRET_KEYS = [
    key.strip()
    for key in (env.str("WEBHOOKS_SECRET_KEYS", "") or _made["WEBHOOKS_SECRET_KEYS"]).split(",")
    if key.strip()
]
PORT = env.int("PORT", default=8000)
WEBHOOKS_PUBLIC_URL = env.str("WEBHOOKS_PUBLIC_URL", default=f"http://localhost:{PORT}").rstrip("/")
_public = urlsplit(WEBHOOKS_PUBLIC_URL)
_https = _public.scheme == "https"
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", _public.hostname or "localhost"]
)
CSRF_TRUSTED_ORIGINS = [WEBHOOKS_PUBLIC_URL]

# --- Applications ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "subscriptions",
    "deliveries",
]
MIDDLEWARE = [
    "webhooks_portal.middleware.RequestIdMiddleware",
    # Around all others: what they answer themselves, a host refused say, has the policy too.
    "webhooks_portal.middleware.ContentSecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "webhooks_portal.middleware.ImpossibleValueMiddleware",
    "webhooks_portal.middleware.AccountPagesMiddleware",
]
ROOT_URLCONF = "webhooks_portal.urls"
WSGI_APPLICATION = "webhooks_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "subscriptions.portal.context_processor.portal",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database ----------------------------------------------------------------------------------
DATABASES = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{WEBHOOKS_DATA_DIR / 'portal.sqlite3'}")
}
# A connection lives 10 minutes: new ones cost more than most requests (DJANGO_Q2: 55 against
# 400 enqueues a second). No pool: it does not survive the workers' fork.
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that will write takes its lock at once instead of failing halfway.
    # synchronous=FULL: an accepted event survives a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
        "PRAGMA busy_timeout=20000;PRAGMA cache_size=-32768;PRAGMA temp_store=MEMORY;",
    }
elif env.bool("WEBHOOKS_PREPARED_STATEMENTS", default=True):
    # Only what asks for it is prepared (subscriptions/prepared_statements.py), and that the first time: no
    # other statement is run this often on one connection. Off for a pooler that hands connections
    # out by transaction and does not know prepared statements.
    DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 1_000_000
# Counts of sign-in attempts, which all processes share. What each request asks (tokens, topics) is
# kept in process memory, by the modules that ask it.
CACHES = {"default": {"BACKEND": "subscriptions.shared_cache.DatabaseCache"}}

# --- Accounts ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "subscriptions.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
# "open": anyone may sign up. "invite": only who holds an invitation.
WEBHOOKS_SIGNUP = env.str("WEBHOOKS_SIGNUP", default="open")
ACCOUNT_ADAPTER = "subscriptions.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
# Attempts per address (/ip), account (/key) or user, counted in the cache above.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key"}
MFA_ADAPTER = "subscriptions.accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Passkeys belong to the host of WEBHOOKS_PUBLIC_URL. Browsers offer them over HTTPS, and without
# it on http://localhost alone.
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"add_webauthn": "subscriptions.accounts.passkeys.PasskeyForm"}
# Nobody's address is verified, and everyone may have a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="webhooks@localhost")

# --- Security ----------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=_https)
# Probes come over plain HTTP, from inside.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SECURE_REFERRER_POLICY = "same-origin"
_behind_proxy = env.bool("WEBHOOKS_BEHIND_PROXY", default=False)
if _behind_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Trusted proxies that add to X-Forwarded-For: the client's address is that many entries from its
# end. Wrong by one, and clients choose their own address.
WEBHOOKS_PROXY_HOPS = env.int("WEBHOOKS_PROXY_HOPS", default=int(_behind_proxy))
X_FRAME_OPTIONS = "DENY"
# The API refuses an event over 256 KiB and a batch over 8 MiB by itself, with its own answer.
DATA_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
# What is uploaded to the signature debugger never reaches a disk. A form with files that is larger
# than FILE_UPLOAD_MAX_MEMORY_SIZE (2.5 MiB) loses them.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# A report of an error (a mail to ADMINS, say) holds no variables: tokens are among them.
DEFAULT_EXCEPTION_REPORTER_FILTER = "webhooks_portal.error_reports.WithoutValues"

# --- Language and time -------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# --- Static files ------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = WEBHOOKS_DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# A missing entry falls back to the plain URL, so that tests need no collectstatic.
WHITENOISE_MANIFEST_STRICT = False
WHITENOISE_USE_FINDERS = True

# --- API ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "subscriptions.rest.authentication.PublisherTokenAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["subscriptions.rest.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["subscriptions.rest.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "subscriptions.rest.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Webhooks Portal API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # No badge from validator.swagger.io: the page loads nothing from elsewhere.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": "none"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "deliveries.api.webhook_schema.add_webhooks",
    ],
    "ENUM_NAME_OVERRIDES": {
        "DeliveryStatus": "deliveries.models.DeliveryStatus",
        "EndpointStatus": "subscriptions.models.endpoint.EndpointStatus",
    },
}

# --- Publishing --------------------------------------------------------------------------------
# Events per second that each broadcaster may publish; 0: no limit, and no cost. Off by default: the
# publisher is the operator's own back end. Staff can give a broadcaster a rate of its own.
WEBHOOKS_PUBLISH_RATE = env.int("WEBHOOKS_PUBLISH_RATE", default=0)

# --- Sending -----------------------------------------------------------------------------------
# Networks (CIDR) that deliveries may reach although they are not public. Empty: none.
WEBHOOKS_ALLOWED_NETWORKS, _allowed_faults = read_networks(
    env.list("WEBHOOKS_ALLOWED_NETWORKS", default=[])
)
# PEM file of authorities trusted besides the system's.
WEBHOOKS_EXTRA_CA_FILE = env.str("WEBHOOKS_EXTRA_CA_FILE", default="")
# Proxy that all deliveries go through, trusted by the operator to judge addresses itself.
WEBHOOKS_EGRESS_PROXY = env.str("WEBHOOKS_EGRESS_PROXY", default="")
# Requests under way at once: per dispatching worker, per endpoint, per broadcaster.
WEBHOOKS_MAX_IN_FLIGHT = env.int("WEBHOOKS_MAX_IN_FLIGHT", default=1000)
WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT = env.int("WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT", default=100)
WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER = env.int(
    "WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER", default=250
)
# The built-in request bin: on in development; an operator switches it on for sandboxes.
WEBHOOKS_REQUEST_BIN = env.bool("WEBHOOKS_REQUEST_BIN", default=not WEBHOOKS_PRODUCTION)

# --- Metrics -----------------------------------------------------------------------------------
# /metrics is a 404 but for holders of this bearer token, and for these networks (CIDR).
WEBHOOKS_METRICS_TOKEN = env.str("WEBHOOKS_METRICS_TOKEN", default="")
WEBHOOKS_METRICS_NETWORKS, _metrics_faults = read_networks(
    env.list("WEBHOOKS_METRICS_NETWORKS", default=[])
)
# What is no network, by variable: it lets nothing through, and a check names it.
WEBHOOKS_NETWORK_FAULTS = {
    "WEBHOOKS_ALLOWED_NETWORKS": _allowed_faults,
    "WEBHOOKS_METRICS_NETWORKS": _metrics_faults,
}

# --- Workers (django-q2) -----------------------------------------------------------------------
_sqlite = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
# Dispatching pumps: one on SQLite, which has one writer; as many as cores on PostgreSQL.
WEBHOOKS_PUMPS = 1 if _sqlite else env.int("WEBHOOKS_PUMPS", default=2)
Q_CLUSTER = {
    "name": "webhooks",
    "orm": "default",
    # Two for each pump: a run that waits for its last answers, and its successor, which sends
    # meanwhile. One more, so that jobs never wait behind them.
    "workers": 2 * WEBHOOKS_PUMPS + 1,
    "queue_limit": 2 * WEBHOOKS_PUMPS + 1,
    "bulk": 1,
    "timeout": 60,
    "retry": 90,
    "guard_cycle": 0.5,
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 5,
    "catch_up": False,
    "poll": 0.2,
    "label": "Workers",
}

# --- Logging -----------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Every refused request is a warning to Django; here it is the client's business.
    "loggers": {"django-q": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}
