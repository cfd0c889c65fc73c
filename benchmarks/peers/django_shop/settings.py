"""As `startproject` makes them, with what a production setting up on SQLite or PostgreSQL adds."""

import os
from datetime import timedelta

import sqlalchemy as sa

_url = sa.make_url(os.environ["DJANGO_DATABASE_URL"])
_sqlite = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": _url.database,
    # As its documentation advises where several threads write.
    "OPTIONS": {"init_command": "PRAGMA journal_mode = WAL", "transaction_mode": "IMMEDIATE"},
}
_postgresql = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": _url.database,
    "USER": _url.username,
    "PASSWORD": _url.password,
    "HOST": _url.query.get("host", _url.host),
    "PORT": _url.port or "",
}

DATABASES = {"default": {"CONN_MAX_AGE": 600, **(_sqlite if _url.get_backend_name() == "sqlite" else _postgresql)}}
SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
API = os.environ["DJANGO_API"]
ROOT_URLCONF = f"benchmarks.peers.django_shop.{API}"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *{"rest": ["rest_framework"], "ninja_api": ["ninja_extra", "ninja_jwt"]}[API],
    "benchmarks.peers.django_shop",
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

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 20,
}
# Long enough for a run; their five minutes would do as well for all but the slowest one.
SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(hours=1)}
NINJA_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(hours=1)}
