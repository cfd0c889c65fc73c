"""The tables, and what goes in and out: SQLModel has one class for both."""

from decimal import Decimal

from sqlmodel import Field, SQLModel, UniqueConstraint


class User(SQLModel, table=True):
    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, index=True, max_length=255)
    hashed_password: str
    is_active: bool = True
    is_superuser: bool = False


class Store(SQLModel, table=True):
    __tablename__ = "stores"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=255)


class Membership(SQLModel, table=True):
    __tablename__ = "memberships"

    store_id: int = Field(foreign_key="stores.id", primary_key=True)
    user_id: int = Field(foreign_key="users.id", primary_key=True)


class ItemBase(SQLModel):
    name: str = Field(min_length=1, max_length=255)
    price: Decimal = Field(max_digits=12, decimal_places=2)


class Item(ItemBase, table=True):
    __tablename__ = "items"
    __table_args__ = (UniqueConstraint("name", "store_id"),)

    id: int | None = Field(default=None, primary_key=True)
    store_id: int = Field(foreign_key="stores.id", index=True)


class ItemUpdate(SQLModel):
    price: Decimal = Field(max_digits=12, decimal_places=2)


class ItemPublic(ItemBase):
    id: int
    store_id: int


class ItemsPublic(SQLModel):
    data: list[ItemPublic]
    count: int | None = None


class Token(SQLModel):
    access_token: str
    token_type: str = "bearer"


class TokenPayload(SQLModel):
    sub: str | None = None
