"""Django's settings: everything that varies between deployments comes from `environment`."""

from pathlib import Path
from typing import Any

import dj_database_url
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _

from gateway_project.admin_theme import ADMIN_THEME
from gateway_project.environment import generated, read_environment
from gateway_project.logs import logging_config
from oauth_provider.rates import rates_with
from oauth_provider.tokens.grounds import expires_in
from oauth_provider.tokens.pkce import pkce_required

ENVIRONMENT = read_environment()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = ENVIRONMENT.DATA_DIR.resolve()
DEBUG = ENVIRONMENT.DEBUG
DEMO = ENVIRONMENT.DEMO
PUBLIC_BASE_URL = ENVIRONMENT.issuer
SECURE_ORIGIN = PUBLIC_BASE_URL.startswith("https://")

# What the apps read of the environment, under the names of the contract
SECRET_KEY = ENVIRONMENT.SECRET_KEY or generated(DATA_DIR / "secret_key")
ENCRYPTION_KEYS = ENVIRONMENT.ENCRYPTION_KEYS or [
    generated(DATA_DIR / "encryption_key", lambda: Fernet.generate_key().decode())
]
REDIS_URL = ENVIRONMENT.REDIS_URL
WEB_CONCURRENCY = ENVIRONMENT.WEB_CONCURRENCY
TRUSTED_PROXY_COUNT = ENVIRONMENT.TRUSTED_PROXY_COUNT
RATE_LIMIT_WINDOW_MS = ENVIRONMENT.RATE_LIMIT_WINDOW_MS
RATE_LIMIT_MAX = ENVIRONMENT.RATE_LIMIT_MAX
BACKEND_CHECK_S = ENVIRONMENT.BACKEND_CHECK_S
OAUTH_ALIAS_PREFIXES = ENVIRONMENT.OAUTH_ALIAS_PREFIXES
OAUTH_RATES = rates_with(ENVIRONMENT.OAUTH_RATES)
OAUTH_CLIENT_ID = ENVIRONMENT.OAUTH_CLIENT_ID
OAUTH_CLIENT_SECRET = ENVIRONMENT.OAUTH_CLIENT_SECRET
OAUTH_REDIRECT_URIS = ENVIRONMENT.OAUTH_REDIRECT_URIS
GATEWAY_API_KEY = ENVIRONMENT.GATEWAY_API_KEY
SIGNING_KEY_FILE = ENVIRONMENT.SIGNING_KEY_FILE
SERVICE_URLS = ENVIRONMENT.service_urls
INTERNAL_SERVICE_KEY = ENVIRONMENT.INTERNAL_SERVICE_KEY
CORS_ORIGINS = ENVIRONMENT.cors_origins
SIGN_IN_ISSUER = ENVIRONMENT.SIGN_IN_ISSUER
SIGN_IN_CLIENT_ID = ENVIRONMENT.SIGN_IN_CLIENT_ID
SIGN_IN_CLIENT_SECRET = ENVIRONMENT.SIGN_IN_CLIENT_SECRET
SIGN_IN_NAME = ENVIRONMENT.SIGN_IN_NAME
SIGN_IN_EXTERNAL_ID_CLAIM = ENVIRONMENT.SIGN_IN_EXTERNAL_ID_CLAIM
SIGN_IN_PASSWORDS = ENVIRONMENT.SIGN_IN_PASSWORDS
IDENTITY_WEBHOOK_SECRETS = ENVIRONMENT.IDENTITY_WEBHOOK_SECRETS
AUTH0_DOMAIN = ENVIRONMENT.AUTH0_DOMAIN
AUTH0_MGMT_CLIENT_ID = ENVIRONMENT.AUTH0_MGMT_CLIENT_ID
AUTH0_MGMT_CLIENT_SECRET = ENVIRONMENT.AUTH0_MGMT_CLIENT_SECRET
AUTH0_LOG_WEBHOOK_SECRET = ENVIRONMENT.AUTH0_LOG_WEBHOOK_SECRET
AUTH0_CONNECTION_ID = ENVIRONMENT.AUTH0_CONNECTION_ID
AUTH0_AUDIENCE = ENVIRONMENT.AUTH0_AUDIENCE
AUTH0_SCOPES = ENVIRONMENT.AUTH0_SCOPES
AUTH0_REDIRECT_HOSTS = ENVIRONMENT.AUTH0_REDIRECT_HOSTS

ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts

# Applications: gateway_project before staticfiles, so that its runserver wins; unfold before the admin it dresses
INSTALLED_APPS = [
    "gateway_project",
    "audit",
    "proxy",
    "oauth_provider",
    "unfold.apps.BasicAppConfig",
    "gateway_project.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "oauth2_provider",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "corsheaders",
    "axes",
    "csp",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "gateway_project.content_security.admin_content_security",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "gateway_project.urls"
ASGI_APPLICATION = "gateway_project.asgi.application"
APPEND_SLASH = False

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
                "django.template.context_processors.i18n",
            ],
        },
    },
]


# FULL because the ledger must survive a power loss
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
# For the ledger's one writer: the index pages a batch touches stay in memory, and are copied back less often. With
# twice or eight times as many an event costs the same, and the worker has 5 or 30 MB more
LEDGER_PRAGMAS = "PRAGMA cache_size=-4000;PRAGMA wal_autocheckpoint=4000;"


def _database(url: str, *, pragmas: str) -> dict[str, Any]:
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if config["ENGINE"].endswith("sqlite3"):
        # One writer at a time, taken at BEGIN
        config["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": pragmas}
    else:
        # Under ASGI a kept connection is never reused by the next request: the pool keeps them instead
        config["CONN_MAX_AGE"] = 0
        config["CONN_HEALTH_CHECKS"] = True
        # The pool waits twice as long before each further try: given up in time, the next call begins anew, and one
        # that comes after a long outage need not wait for minutes. What a crowd needed is given back one by one, every
        # few seconds: PostgreSQL has a hundred connections for all workers
        pool = {
            "min_size": 2,
            "max_size": 16,
            "timeout": 5,
            "max_lifetime": 1800,
            "max_idle": 5,
            "reconnect_timeout": 5,
        }
        # A server that vanished without a word is noticed within seconds, not when TCP gives up
        config["OPTIONS"] = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "pool": pool}
    return config


DATABASE_URL = ENVIRONMENT.DATABASE_URL or f"sqlite:///{DATA_DIR / 'gatehouse.sqlite3'}"
DATABASES = {
    "default": _database(DATABASE_URL, pragmas=SQLITE_PRAGMAS),
    "audit": _database(ENVIRONMENT.AUDIT_DATABASE_URL or DATABASE_URL, pragmas=SQLITE_PRAGMAS + LEDGER_PRAGMAS)
    | {"TEST": {"MIRROR": "default"}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Identity and sessions
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "oauth_provider.identities.passwords.PasswordGate",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/connected-apps/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
SESSION_COOKIE_NAME = "__Host-session" if SECURE_ORIGIN else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_ORIGIN
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE_ORIGIN else "csrf"
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]

# django-allauth speaks OpenID Connect with the company's provider; none of its pages is mounted, nothing is mailed
SOCIALACCOUNT_ADAPTER = "oauth_provider.identities.provider.adapter.CompanyAccounts"
SOCIALACCOUNT_ONLY = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"

# Lockout after five failures of one account from one address
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "oauth_provider.identities.views.locked_out"
AXES_CLIENT_IP_CALLABLE = "oauth_provider.identities.address.client_network"
AXES_ENABLE_ADMIN = False

CACHES = {
    "default": {
        "BACKEND": "gateway_project.kept_redis.KeptRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "gatehouse",
        # The default of 300 would forget an attacker's count as soon as 300 others call
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}
SILENCED_SYSTEM_CHECKS = [
    # http stays for native apps on the loopback (RFC 8252 section 7.3): clients.redirect_uris refuses any other
    "oauth2_provider.W008",
    # TLS ends at the proxy in front, and so does plain HTTP
    "security.W008",
]

# Transport and browser security
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_ORIGIN else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_ORIGIN
SECURE_HSTS_PRELOAD = SECURE_ORIGIN
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.TRUSTED_PROXY_COUNT else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
# The admin's components evaluate expressions (Alpine) and style inline; nothing else may
ADMIN_CONTENT_SECURITY_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}

# Browser-based clients call these; cookies never travel with them. The metadata is open to every origin, see there
CORS_ALLOWED_ORIGINS = CORS_ORIGINS
CORS_URLS_REGEX = r"^(/oauth/(token|revoke|register|userinfo)|.*/oauth/(token|revoke))$"
CORS_EXPOSE_HEADERS = ["WWW-Authenticate", "X-Request-Id", "Retry-After"]
CORS_ALLOW_CREDENTIALS = False

# django-oauth-toolkit: six model settings because a foreign key to a stock model needs its setting
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth_provider.Client"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth2_provider.AccessToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth2_provider.RefreshToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_GRANT_MODEL = "oauth2_provider.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oauth2_provider.IDToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oauth2_provider.DeviceGrant"
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "oauth_provider.tokens.validator.Validator",
    "OAUTH2_BACKEND_CLASS": "oauth_provider.tokens.request_body.RequestCore",
    "SCOPES_BACKEND_CLASS": "oauth_provider.scopes.backend.DatabaseScopes",
    "SCOPES": {"_": "unused: scopes live in the database"},
    "DEFAULT_SCOPES": [],
    "ACCESS_TOKEN_GENERATOR": "oauth_provider.tokens.generators.access_token",
    "REFRESH_TOKEN_GENERATOR": "oauth_provider.tokens.generators.refresh_token",
    "EXTRA_SERVER_KWARGS": {"token_expires_in": expires_in},
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86400,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "PKCE_REQUIRED": pkce_required,
    "ALLOW_LOCALHOST_LOOPBACK": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
    "OIDC_ENABLED": False,
    "OIDC_ISS_ENDPOINT": PUBLIC_BASE_URL,
    "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": ["none", "client_secret_post", "client_secret_basic"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "refresh_token", "client_credentials"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "APPLICATION_ADMIN_CLASS": "oauth_provider.registration.client_admin.ClientAdmin",
    **{
        f"COMPLIANT_BCP_RFC9700_{gate}": True
        for gate in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_MATCHING",
        )
    },
}

# The management API: denied to everybody unless a view says whose it is
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oauth_provider.staff_api.authentication.StaffTokenAuthentication",
        "oauth_provider.staff_api.authentication.StaffBasicAuthentication",
        "oauth_provider.staff_api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["oauth_provider.staff_api.permissions.MayDo"],
    "DEFAULT_PARSER_CLASSES": ["oauth_provider.staff_api.strict_json.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "oauth_provider.staff_api.strict_json.AlwaysJson",
    "DEFAULT_PAGINATION_CLASS": "oauth_provider.staff_api.pages.KeysetPages",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "oauth_provider.staff_api.problems.problem",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse management API",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/manage/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    # Two fields of the policy have the same choices
    "ENUM_NAME_OVERRIDES": {"RegistrationModeEnum": "oauth_provider.registration.models.Mode"},
}

# Language, time, static files
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("pt-br", _("Brazilian Portuguese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Bodies are cut by the front door; these are the second fence
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

UNFOLD = ADMIN_THEME
LOGGING = logging_config()
LOGGING_CONFIG = "logging.config.dictConfig"
