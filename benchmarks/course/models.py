"""The course's models: Flask-SQLAlchemy, clear-text passwords and float prices, as taught.

One thing is better than taught: the items' names have an index. Without it each read walks the whole table.
"""

from typing import Any, Self

from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class UserModel(db.Model):  # type: ignore[name-defined,misc]
    __tablename__ = "users"

    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(80))
    password = db.Column(db.String(80))

    @classmethod
    def find_by_username(cls, username: str) -> Self | None:
        found: Self | None = cls.query.filter_by(username=username).first()
        return found


class StoreModel(db.Model):  # type: ignore[name-defined,misc]
    __tablename__ = "stores"

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))

    items = db.relationship("ItemModel", lazy="dynamic", back_populates="store")


class ItemModel(db.Model):  # type: ignore[name-defined,misc]
    __tablename__ = "items"

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), index=True)
    price = db.Column(db.Float(precision=2))
    store_id = db.Column(db.Integer, db.ForeignKey("stores.id"))

    store = db.relationship("StoreModel", back_populates="items")

    def json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "price": self.price, "store_id": self.store_id}

    @classmethod
    def find_by_name(cls, name: str) -> Self | None:
        found: Self | None = cls.query.filter_by(name=name).first()
        return found

    @classmethod
    def find_page(cls, offset: int, limit: int | None) -> list[Self]:
        page: list[Self] = cls.query.order_by(cls.id).offset(offset).limit(limit).all()
        return page

    def save_to_db(self) -> None:
        db.session.add(self)
        db.session.commit()
