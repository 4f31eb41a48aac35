"""Settings, read from the environment (see .env.example)."""

import tomllib
from datetime import timedelta
from pathlib import Path

from config.databases import read_database, read_direct_database, read_replicas
from config.env import Env
from config.file_storage import read_file_storage
from config.keys import read_privacy_key, read_secrets_keys
from config.openapi import openapi_settings
from config.sentry import MISSING, is_sentry_installed, start_sentry

BASE_DIR = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET_KEY = "development-only-secret-key-which-production-refuses"  # noqa: S105  # rejected in production

env = Env()
Env.read_env(BASE_DIR / ".env")

# --- Environment ------------------------------------------------------------------------------------------------------

ENVIRONMENT = env.one_of("ENVIRONMENT", ("development", "production"), default="development")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", default=not PRODUCTION)
SECRET_KEY = env.str("SECRET_KEY") if PRODUCTION else env.str("SECRET_KEY", default=DEVELOPMENT_SECRET_KEY)
ALLOWED_HOSTS = (
    env.list("ALLOWED_HOSTS") if PRODUCTION else env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
)
# Public base URL; the webhook URLs of providers begin with it.
WEB_PORT = env.port("PORT", default=8000)
LOCAL_URL = f"http://127.0.0.1:{WEB_PORT}"
PUBLIC_URL = env.web_address("PUBLIC_URL") if PRODUCTION else env.web_address("PUBLIC_URL", LOCAL_URL)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])

DEBUG_TOOLBAR = env.bool("DEBUG_TOOLBAR", default=False)  # needs the development dependencies

if PRODUCTION and DEBUG:
    env.reject("DEBUG", "DEBUG must be false if ENVIRONMENT=production.")
if PRODUCTION and DEBUG_TOOLBAR:
    env.reject("DEBUG_TOOLBAR", "DEBUG_TOOLBAR must be false if ENVIRONMENT=production.")
if PRODUCTION and (SECRET_KEY == DEVELOPMENT_SECRET_KEY or len(SECRET_KEY) < 32):
    env.reject("SECRET_KEY", "SECRET_KEY must be a private value of at least 32 characters if ENVIRONMENT=production.")
if PRODUCTION and not ALLOWED_HOSTS:
    env.reject("ALLOWED_HOSTS", "ALLOWED_HOSTS must name at least one host if ENVIRONMENT=production.")

# Earlier keys, newest first: sessions and tokens that they signed stay valid while SECRET_KEY is replaced.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

SECRETS_KEYS = read_secrets_keys(env, production=PRODUCTION, secret_key=SECRET_KEY)
PRIVACY_KEY = read_privacy_key(env, production=PRODUCTION, secret_key=SECRET_KEY)

# --- The application --------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "crm",
    "calls",
    "messaging",
    "analytics",
    "ops",
    "config.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "corsheaders",
    "csp",
]

MIDDLEWARE = [
    "config.request_log.RequestLog",
    "config.middleware.SecurityHeaders",
    "config.middleware.Cors",
    "config.middleware.CompressJson",
    "config.middleware.RateLimitHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.health.HealthChecks",
    "config.middleware.RequestLimits",
    "config.middleware.DatabaseLimits",
    "crm.api.plain_polls.PlainPolls",
    "config.middleware.StaticFiles",
    "config.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.Users",
    "config.middleware.WritePositions",
    "config.middleware.Messages",
    "axes.middleware.AxesMiddleware",
    "config.outages.Outages",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # URLs have no trailing slash, and a redirect would lose a POST's body

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------------------------------------------------

DATABASES = {"default": read_database(env, production=PRODUCTION, default=f"sqlite:///{BASE_DIR / 'crm.sqlite3'}")}
# Limits of a request's statements, set in its transaction. Commands and workers have none.
WEB_STATEMENT_TIMEOUT_MS = env.at_least("WEB_STATEMENT_TIMEOUT_MS", 0, default=15_000)
WEB_LOCK_TIMEOUT_MS = env.at_least("WEB_LOCK_TIMEOUT_MS", 0, default=5_000)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    SILENCED_SYSTEM_CHECKS = ["models.W040"]  # SQLite ignores INCLUDE columns of indexes; they only add speed
# For migrations and index maintenance, instead of the default's. Empty if DATABASE_URL itself is direct.
DIRECT_DATABASE = read_direct_database(env, primary=DATABASES["default"])
DATABASES |= read_replicas(env, primary=DATABASES["default"])
REPLICAS = [alias for alias in DATABASES if alias != "default"]
DATABASE_ROUTERS = ["crm.db.replicas.ReplicaRouter"] if REPLICAS else []
# Lock timeout of each step of `migrate_safely`, and row count from which a table is large.
MIGRATE_LOCK_TIMEOUT_MS = env.at_least("MIGRATE_LOCK_TIMEOUT_MS", 1, default=80)
LARGE_TABLE_ROWS = env.at_least("LARGE_TABLE_ROWS", 0, default=100_000)
# Folder of `archive`. It contains personal data: use an encrypted disk that the web server doesn't serve.
ARCHIVE_DIR = BASE_DIR / env.str("ARCHIVE_DIR", default="archive")
PG_BIN = env.str("PG_BIN", default="")  # folder of pg_dump, for `backup`; else it is looked for on the PATH
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Users ------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "crm.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "admin:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)  # of staff, in the admin

# --- Mails ------------------------------------------------------------------------------------------------------------

vars().update(env.mail_server("EMAIL_URL", default="smtp://localhost:25" if PRODUCTION else "consolemail://"))
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM", default="Home-services CRM <no-reply@localhost>")

# --- Time, language, files --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"  # times are stored in UTC; days are counted in each company's time zone
USE_I18N = False
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_FILES = "whitenoise.storage.CompressedManifest" if PRODUCTION else "django.contrib.staticfiles.storage."
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": f"{STATIC_FILES}StaticFilesStorage"},
    **read_file_storage(env),  # "files"; without it the database keeps them
}
if not PRODUCTION:
    WHITENOISE_USE_FINDERS = True  # development serves static files without collectstatic
    WHITENOISE_AUTOREFRESH = True

# --- The API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "crm.api.base.negotiation.QuickNegotiation",
    "DEFAULT_AUTHENTICATION_CLASSES": ["crm.api.base.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["crm.api.base.permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["crm.api.base.renderers.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["crm.api.base.parsers.BoundedJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["crm.api.base.throttles.UserThrottle"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "crm.api.base.schema.ErrorDocumentingAutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # makes `?format=` an unknown parameter
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "crm.api.base.error_handler.ErrorHandler",
    "EXCEPTION_FORMATTER_CLASS": "crm.api.base.error_handler.ErrorFormatter",
    "ALLOWED_ERROR_STATUS_CODES": [],  # its documentation would triple the document: see crm.api.base.error_responses
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=env.at_least("ACCESS_TOKEN_LIFETIME_S", 1, default=3600)),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=env.at_least("REFRESH_TOKEN_LIFETIME_S", 1, default=14 * 24 * 3600)),
    "AUTH_TOKEN_CLASSES": ["crm.api.tokens.SignedAccessToken"],
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends every session
}
SESSION_LIFETIME = timedelta(seconds=env.at_least("SESSION_LIFETIME_S", 1, default=90 * 24 * 3600))
SPECTACULAR_SETTINGS = openapi_settings(PUBLIC_URL)

CHANGES_POLL_AFTER_S = env.at_least("CHANGES_POLL_AFTER_S", 1, default=2)

# --- Webhooks and the worker ------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # bytes, of a webhook request
REQUEST_MAX_SIZE = 1024 * 1024  # bytes, of any other request
UPLOAD_MAX_SIZE = 500 * 1024 * 1024 + REQUEST_MAX_SIZE  # bytes, of a request with a file to import
UPLOADS = ("/api/v1/imports", "/api/v1/attachments", "/admin/crm/import/add/")  # their paths
# As the worker's log and heartbeat say it.
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
WORKER_LEASE_S = env.at_least("WORKER_LEASE_S", 1, default=30)
SMS_BACKEND = env.one_of("SMS_BACKEND", ("console", "provider"), default="provider" if PRODUCTION else "console")
SMS_PER_SECOND = env.at_least("SMS_PER_SECOND", 1, default=1)
PROVIDER_API_URLS = env.web_addresses("_API_URL")  # by provider; default: the URL in its client
STALE_TEXT_HOURS = env.at_least("STALE_TEXT_HOURS", 1, default=12)
OUTGOING_WEBHOOK_NETWORKS = env.networks("OUTGOING_WEBHOOK_NETWORKS")
FILE_NETWORKS = env.networks("FILE_NETWORKS")
WORKER_MAX_TRIES = env.at_least("WORKER_MAX_TRIES", 1, default=8)

# --- Index health -----------------------------------------------------------------------------------------------------

INDEX_UNUSED_DAYS = env.at_least("INDEX_UNUSED_DAYS", 0, default=30)
INDEX_LARGE_BYTES = env.at_least("INDEX_LARGE_BYTES", 1, default=5 * 1024**3)
TABLE_LARGE_BYTES = env.at_least("TABLE_LARGE_BYTES", 1, default=10 * 1024**3)
INDEX_BLOAT_PERCENT = env.at_least("INDEX_BLOAT_PERCENT", 1, default=50)
INDEX_BLOAT_MIN_BYTES = env.at_least("INDEX_BLOAT_MIN_BYTES", 0, default=1024**2)
INDEX_MEASURE_MAX_BYTES = env.at_least("INDEX_MEASURE_MAX_BYTES", 0, default=1024**3)
DEAD_ROWS_PERCENT = env.at_least("DEAD_ROWS_PERCENT", 1, default=20)
STALE_ROWS_PERCENT = env.at_least("STALE_ROWS_PERCENT", 1, default=20)
UPKEEP_MIN_ROWS = env.at_least("UPKEEP_MIN_ROWS", 0, default=1000)
HOT_UPDATES_PERCENT = env.at_least("HOT_UPDATES_PERCENT", 0, default=50)
HOT_MIN_UPDATES = env.at_least("HOT_MIN_UPDATES", 0, default=10_000)
SLOW_STATEMENT_MS = env.at_least("SLOW_STATEMENT_MS", 0, default=100)

# --- Rate limits and login throttling ---------------------------------------------------------------------------------

THROTTLE_USER_PER_MIN = env.at_least("THROTTLE_USER_PER_MIN", 0, default=1200)
THROTTLE_SIGN_IN_PER_MIN = env.at_least("THROTTLE_SIGN_IN_PER_MIN", 0, default=20)
TRUSTED_PROXIES = env.at_least("TRUSTED_PROXIES", 0, default=0)

AXES_FAILURE_LIMIT = env.at_least("SIGN_IN_TRIES", 1, default=10)
AXES_COOLOFF_TIME = timedelta(seconds=env.at_least("SIGN_IN_LOCK_S", 1, default=900))
# By username and address together: an attacker must not lock out the user at another address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "crm.services.login_throttling.attempted_username"
AXES_CLIENT_IP_CALLABLE = "crm.client_ip.client_address"
AXES_LOCKOUT_CALLABLE = "crm.admin_site.lockout_response"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # it would store every sign-in with its address forever
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False  # keeps usernames and addresses out of the log

# --- Security ---------------------------------------------------------------------------------------------------------

CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
# The development server of a front end, on any port.
CORS_ALLOWED_ORIGIN_REGEXES = [] if PRODUCTION else [r"^http://(localhost|127\.0\.0\.1):[0-9]+$"]
CORS_URLS_REGEX = r"^/(api|files)/"
CORS_ALLOW_HEADERS = [
    "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "ETag", "Idempotency-Replayed", "Poll-After", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID",
]  # fmt: skip
CORS_PREFLIGHT_MAX_AGE = 3600

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Swagger UI's icons
        "media-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

SESSION_COOKIE_AGE = env.at_least("ADMIN_SESSION_S", 60, default=8 * 3600)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = "Lax"  # for links to the admin in emails
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    SECURE_HSTS_SECONDS = env.at_least("SECURE_HSTS_SECONDS", 0, default=31536000)
    # They bind every host of the domain, so only its owner can decide.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they advise to set both
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- Monitoring -------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # without it, /metrics is a 404
if PRODUCTION and METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    env.reject("METRICS_TOKEN", "METRICS_TOKEN must have at least 16 characters if ENVIRONMENT=production.")

SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN and not is_sentry_installed():
    env.reject("SENTRY_DSN", MISSING)

# --- Logs -------------------------------------------------------------------------------------------------------------

LOG_FORMAT = env.one_of("LOG_FORMAT", ("text", "json"), default="text")
SLOW_REQUEST_MS = env.at_least("SLOW_REQUEST_MS", 0, default=1000)
LOG_LINES: dict[str, dict[str, object]] = {
    "text": {
        "()": "config.logs.PrivateFormatter",
        "format": "{asctime} {levelname} {request_id} {name}: {message}",
        "style": "{",
    },
    "json": {"()": "config.logs.JSONFormatter"},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": LOG_LINES[LOG_FORMAT]},
    "filters": {"request_id": {"()": "config.logs.RequestIDFilter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {
        "handlers": ["stderr"],
        "level": env.one_of("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"),
    },
    "loggers": {
        # Django's own handlers don't mask. All records go to the root handler.
        "django": {"handlers": [], "level": "INFO"},
        "axes": {"level": "WARNING"},  # it logs every sign-in in several lines
        "django.request": {"level": "ERROR"},  # its warnings repeat the request log, with URLs
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # At DEBUG it logs every statement with its values, which contain personal data.
        "django.db.backends": {"level": "INFO"},
        # It logs the URL of every request, which contains phone numbers.
        "httpx": {"level": "WARNING"},
    },
}

# --- Web server: config/gunicorn.py, config/web_worker.py; manage.py stream -------------------------------------------

WEB_HOST = env.str("HOST", default="127.0.0.1")
STREAM_HOST = env.str("STREAM_HOST", default="127.0.0.1")
STREAM_PORT = env.port("STREAM_PORT", default=8001)
WEB_WORKERS = env.at_least("WEB_WORKERS", 1, default=2)
WEB_REQUEST_TIMEOUT_S = env.at_least("WEB_REQUEST_TIMEOUT_S", 1, default=30)
UPLOAD_TIMEOUT_S = env.at_least("UPLOAD_TIMEOUT_S", 1, default=600)

env.raise_problems()

if SENTRY_DSN:
    start_sentry(dsn=SENTRY_DSN, environment=ENVIRONMENT)

# --- Debug toolbar ----------------------------------------------------------------------------------------------------

if DEBUG_TOOLBAR:
    INSTALLED_APPS.append("debug_toolbar")
    # The toolbar's scripts and styles are files of this site, which the policy allows.
    MIDDLEWARE.insert(2, "debug_toolbar.middleware.DebugToolbarMiddleware")  # inside of the security headers
    INTERNAL_IPS = ["127.0.0.1", "::1"]
    DEBUG_TOOLBAR_PANELS = ["debug_toolbar.panels.timer.TimerPanel", "debug_toolbar.panels.sql.SQLPanel"]
    DEBUG_TOOLBAR_CONFIG = {"RENDER_PANELS": True}  # panels in the page: another server process couldn't load them
