"""Django's settings, read from the environment.

The addresses of PostgreSQL and Redis come from ``DATABASE_URL``, ``DATABASE_OWNER_URL``,
``DATABASE_MAINTENANCE_URL`` and ``REDIS_URL``. Where they are missing, the entry points
(``manage.py``, ``wsgi``, ``celery``) have started the embedded services and set them before
this module is read.
"""

import os
import secrets
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from whitenoise.compress import Compressor

from billing_hierarchy.embedded.addresses import celery_url, redis_url
from billing_hierarchy.log_settings import LOGGING  # noqa: F401 - a setting

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = Path(os.environ.get("BILLING_LOCAL_DIR", BASE_DIR / ".local"))


def _truthy(name: str, default: str = "") -> bool:
    return os.environ.get(name, default).lower() in {"1", "true", "yes", "on"}


def _secret_key() -> str:
    """Return ``SECRET_KEY``, what ``SECRET_KEY_FILE`` holds, or a key of the local folder."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = Path(os.environ.get("SECRET_KEY_FILE", LOCAL_DIR / "secret-key"))
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    if "SECRET_KEY_FILE" in os.environ:
        raise ImproperlyConfigured("The file named by SECRET_KEY_FILE does not exist.")
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_suffix(f".{os.getpid()}")
    own.write_text(secrets.token_urlsafe(50), encoding="ascii")
    own.chmod(0o600)
    # Two processes may make a key at once; link() lets exactly one of them win.
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = _secret_key()
DEBUG = _truthy("DEBUG")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "mptt",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "tenancy",
    "accounts",
    "subscriptions",
    "invoicing",
    "reports",
    "notifications",
    "web",
    "dashboard",
    "portal",
    "billing_hierarchy",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages are long and alike. What must not be guessed from their length (BREACH): tokens of forms
    # are masked anew for each answer, and the middleware adds a random number of bytes.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "tenancy.middleware.RequestIdMiddleware",
    "billing_hierarchy.api_errors.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.ActorMiddleware",
]

ROOT_URLCONF = "billing_hierarchy.urls"
WSGI_APPLICATION = "billing_hierarchy.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.frame.frame",
            ],
        },
    },
]


def _database(name: str, fallback: str | None = None) -> dict[str, object]:
    """Return one connection: persistent, with server-side cursors off for transaction pooling."""
    url = os.environ.get(name) or (fallback and os.environ.get(fallback)) or ""
    if not url:
        return {"ENGINE": "django.db.backends.postgresql", "NAME": "billing"}
    parsed = dict(dj_database_url.parse(url, conn_max_age=300, conn_health_checks=True))
    return {**parsed, "DISABLE_SERVER_SIDE_CURSORS": True}


# Three roles, three connections: the application's own (no BYPASSRLS), the owner's for
# migrations, and maintenance (BYPASSRLS) for work across tenants.
DATABASES = {
    "default": _database("DATABASE_URL"),
    "owner": _database("DATABASE_OWNER_URL", "DATABASE_URL"),
    "maintenance": _database("DATABASE_MAINTENANCE_URL"),
}
# How long the database keeps a transaction whose client says nothing: a host that was lost.
IDLE_TRANSACTION_SECONDS = int(os.environ.get("IDLE_TRANSACTION_SECONDS", "120"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["accounts.queries.principals.PeopleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign_in"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = LOCAL_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or _truthy("BILLING_PLAIN_STATIC")
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Files that were not gathered are looked for when they are asked for.
WHITENOISE_AUTOREFRESH = DEBUG or _truthy("BILLING_PLAIN_STATIC")
# Hashed names are the only ones used, and nobody reads source maps.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

REDIS_URL = os.environ.get("REDIS_URL", "")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_url(REDIS_URL),
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Of this process alone: for what has to go on while Redis is away.
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "memory"},
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_BROKER_URL = celery_url(REDIS_URL) if REDIS_URL else "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# What declares tasks imports it; a command that has none need not wait for Celery.
TASK_APPLICATION = "billing_hierarchy.task_queue"
# Each kind of work has a queue and, where several workers run, slots of its own: see the operating
# guide. A worker that is told nothing else serves all of them.
TASK_QUEUES = ("celery", "runs", "documents", "imports", "mail")
CELERY_TASK_ROUTES = {
    "invoicing.tasks.work_on_run": {"queue": "runs"},
    "invoicing.tasks.bill_missed_days": {"queue": "runs"},
    "invoicing.tasks.carry_out_plans": {"queue": "runs"},
    "invoicing.tasks.work_on_clock_move": {"queue": "runs"},
    "invoicing.tasks.refresh_drafts_of": {"queue": "runs"},
    "invoicing.tasks.refresh_drafts_of_run": {"queue": "runs"},
    "invoicing.tasks.render_documents": {"queue": "documents"},
    "invoicing.tasks.render_document": {"queue": "documents"},
    "invoicing.tasks.work_on_repricing": {"queue": "imports"},
    "subscriptions.tasks.work_on_import": {"queue": "imports"},
    "accounts.tasks.work_on_edit": {"queue": "imports"},
    "invoicing.tasks.work_on_discount": {"queue": "imports"},
    "invoicing.tasks.work_on_alignment": {"queue": "imports"},
    "reports.tasks.make_forecast": {"queue": "imports"},
}
# What a worker has taken nobody else can: it takes one at a time.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# In KiB. What libraries keep of very many documents ends with the process that made them.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
HTTPS = _truthy("HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
# A tree with all its branches open has a box for each row, and all of them may be picked.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["billing_hierarchy.api_authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["billing_hierarchy.api_authentication.ScopedKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["billing_hierarchy.api_parsing.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "tenancy.api.paging.KeysetPagination",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "billing_hierarchy.api_schema.ScopedSchema",
    "EXCEPTION_HANDLER": "billing_hierarchy.api_errors.problem",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Billing hierarchy",
    "DESCRIPTION": "Subscriptions for organisations: accounts in trees, one consolidated invoice.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "billing_hierarchy.api_schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AccountKind": "accounts.models.Account.Kind",
        "ChargeKind": "invoicing.models.Charge.Kind",
        "AccountStatus": "accounts.models.Account.Status",
        "DocumentKind": "invoicing.models.DocumentKind",
        "InvoiceStatus": "invoicing.models.Invoice.Status",
        "InvoiceStatusFilter": "billing_rules.invoice_states.ASKED_FOR",
        "ChargeStatus": "invoicing.models.Charge.Status",
        "RunStatus": "invoicing.models.BillingRun.Status",
        "PlanKind": "invoicing.models.ChangePlan.Kind",
        "PlanStatus": "invoicing.models.ChangePlan.Status",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
