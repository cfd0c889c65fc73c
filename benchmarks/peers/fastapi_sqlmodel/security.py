"""Passwords and tokens, as in the template."""

import os
from datetime import UTC, datetime, timedelta

import jwt
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

ALGORITHM = "HS256"
LIFETIME = timedelta(days=8)
SECRET_KEY = os.environ.get("FASTAPI_SECRET_KEY", "")
PASSWORD_HASH = PasswordHash((Argon2Hasher(),))


def create_access_token(subject: int | None) -> str:
    return jwt.encode({"exp": datetime.now(UTC) + LIFETIME, "sub": str(subject)}, SECRET_KEY, ALGORITHM)
