"""The app: synchronous endpoints, a session for each request, the number of all with a list."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from sqlmodel import func, select

from benchmarks.peers.fastapi_sqlmodel import security
from benchmarks.peers.fastapi_sqlmodel.deps import CurrentUser, SessionDep
from benchmarks.peers.fastapi_sqlmodel.models import (
    Item,
    ItemPublic,
    ItemsPublic,
    ItemUpdate,
    Membership,
    Token,
    User,
)

app = FastAPI()


@app.post("/login/access-token")
def log_in(session: SessionDep, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Token:
    user = session.exec(select(User).where(User.email == form.username)).first()
    if not user:
        raise HTTPException(400, "Incorrect email or password")
    verified, new_hash = security.PASSWORD_HASH.verify_and_update(form.password, user.hashed_password)
    if not verified:
        raise HTTPException(400, "Incorrect email or password")
    if new_hash:
        user.hashed_password = new_hash
        session.add(user)
        session.commit()
    if not user.is_active:
        raise HTTPException(400, "Inactive user")
    return Token(access_token=security.create_access_token(user.id))


@app.get("/items", response_model=ItemsPublic)
def read_items(session: SessionDep, _user: CurrentUser, skip: int = 0, limit: int = 100, counted: bool = True) -> Any:
    count = session.exec(select(func.count()).select_from(Item)).one() if counted else None
    items = session.exec(select(Item).order_by(Item.id).offset(skip).limit(limit)).all()
    return ItemsPublic(data=items, count=count)


@app.get("/items/named/{name}", response_model=ItemPublic)
def read_item(session: SessionDep, _user: CurrentUser, name: str) -> Any:
    item = session.exec(select(Item).where(Item.name == name)).first()
    if not item:
        raise HTTPException(404, "Item not found")
    return item


@app.put("/items/{id}", response_model=ItemPublic)
def update_item(session: SessionDep, user: CurrentUser, id: int, change: ItemUpdate) -> Any:
    item = session.get(Item, id)
    if not item:
        raise HTTPException(404, "Item not found")
    if not user.is_superuser and not session.get(Membership, (item.store_id, user.id)):
        raise HTTPException(403, "Not enough permissions")
    item.sqlmodel_update(change.model_dump(exclude_unset=True))
    session.add(item)
    session.commit()
    session.refresh(item)
    return item
