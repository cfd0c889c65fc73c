"""What the endpoints depend on: a session, and who is signed in."""

import os
import sqlite3
from collections.abc import Iterator
from typing import Annotated, Any

import jwt
from fastapi import Depends, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from jwt.exceptions import InvalidTokenError
from pydantic import ValidationError
from sqlalchemy import event
from sqlmodel import Session, create_engine

from benchmarks.peers.fastapi_sqlmodel import security
from benchmarks.peers.fastapi_sqlmodel.models import TokenPayload, User

engine = create_engine(os.environ["FASTAPI_DATABASE_URL"])


@event.listens_for(engine, "connect")
def _prepare(connection: Any, _record: object) -> None:
    """SQLite alone has to be told. How it syncs is left as it comes, which is FULL."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
TokenDep = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="/login/access-token"))]


def get_current_user(session: SessionDep, token: TokenDep) -> User:
    try:
        payload = jwt.decode(token, security.SECRET_KEY, algorithms=[security.ALGORITHM])
        subject = TokenPayload(**payload).sub
    except (InvalidTokenError, ValidationError) as error:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Could not validate credentials") from error
    user = session.get(User, int(subject or 0))
    if not user:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "User not found")
    if not user.is_active:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "Inactive user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
