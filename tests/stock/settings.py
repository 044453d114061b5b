"""A project as django-oauth-toolkit's tutorial makes it, with every option of RFC 9700 it offers switched on.

What ours is compared with: nothing of ours is in it. STOCK_DATA_DIR is its folder; STOCK_DATABASE_URL names a
PostgreSQL database, else it has an SQLite file of its own; STOCK_HASHER takes the place of Django's slow one where only
what is answered counts.
"""

import os
from pathlib import Path

import dj_database_url

DATA_DIR = Path(os.environ["STOCK_DATA_DIR"])
# Nothing that leaves the machine is signed with it
SECRET_KEY = os.environ["STOCK_SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.stock.urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "stock.sqlite3",
        # As ours is served: without them the first race is "database is locked"
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;",
        },
    }
}
if "STOCK_DATABASE_URL" in os.environ:
    # Kept connections, the best a WSGI project gets without further packages
    DATABASES["default"] = {**dj_database_url.parse(os.environ["STOCK_DATABASE_URL"]), "CONN_MAX_AGE": 600}
if "STOCK_HASHER" in os.environ:
    PASSWORD_HASHERS = [os.environ["STOCK_HASHER"]]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/o/authorized_tokens/"
STATIC_URL = "/static/"
USE_TZ = True

OAUTH2_PROVIDER = {
    "SCOPES": {"tool:read": "Read", "tool:write": "Write"},
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    # MCP clients register without a session
    "DCR_ENABLED": True,
    "DCR_REGISTRATION_PERMISSION_CLASSES": ["oauth2_provider.dcr.AllowAllDCRPermission"],
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
            "PKCE_REQUIRED",
        )
    },
}
