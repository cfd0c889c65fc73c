"""The databases that the course's app made, in each of its shapes, with the damage that is found in real ones."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

CLEAR = "tiger 42"
# Made by passlib 1.7.4 and Werkzeug 3.1.9, all of "correct horse battery".
PASSLIB = "$pbkdf2-sha256$1000$y3lPyVlr7Z2TEsJ4z9k75w$qh0NYPLu6HM2fjXohzl.EcUJjDc/yUHrA3FezIXI12o"
PASSLIB_DEFAULT = "$pbkdf2-sha256$29000$zPmfk3IuJSRkjBFiTMlZyw$GEAoJpRa3mlqOdDItXk8nbyz8GjcDrqQc8Qt9bMzzdM"
PASSLIB_UNSALTED = "$pbkdf2-sha256$1000$$6clAYz4lOLb.g4y2.eEu4lTGA2Pcj9qa4RP8.ezO4EI"
WERKZEUG_SHA256 = "pbkdf2:sha256:1000$WFpOIdxEJUZyCIeN$defd4a9369760717ae4183e3921fa5f1bc7f8193cfd682b7f9bbaa29fb7487cc"
WERKZEUG_SHA1 = "pbkdf2:sha1:1000$GZVQ4zFDV0kD5WQT$3ce27281d3722f6c29a3f2b10633c7f4ad714441"
WERKZEUG_SCRYPT = (
    "scrypt:1024:8:1$X0JGWd0Ws7JCCfyD$82784a9a015a503deb0db6b71a1b191231659b5a954a13ea3617ac575e41359"
    "24962fe9ca3d0c75e047ad02f0e37e5c28409be5a42e4bde7760d4b29d99901db"
)
WERKZEUG_SCRYPT_DEFAULT = (
    "scrypt:32768:8:1$UtMs7BUhMRiCzTPi$a17ae45f875f2cd0ea95d679ce9a8b41a449aeec71cc4ff7478a4df00ba890b"
    "fb77bfea62ee98a4c3032d7fafd43d5710c351550429731323158808c7bc4d288"
)
# Also by passlib, of "pässwörd".
PASSLIB_SHA512 = (
    "$pbkdf2-sha512$1000$9J4zpvQeQwiBMMbYe6.VMg$2MPu38O9D89YXOudcbPOmj1vQe5lQyiExBXVdwyGOmJZm9C9DX1iqiLvKmiJnLAY9A7/"
    "Ed3yhlcjQ6y2wApe4Q"
)
BCRYPT = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"

LECTURE = """
    CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80) UNIQUE, password VARCHAR(80));
    CREATE TABLE stores (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80));
    CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80), price FLOAT, store_id INTEGER,
        FOREIGN KEY(store_id) REFERENCES stores (id));
"""
LATER = """
    CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80) NOT NULL UNIQUE,
        password VARCHAR(80) NOT NULL);
    CREATE TABLE stores (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE);
    CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE, price FLOAT NOT NULL,
        store_id INTEGER NOT NULL, FOREIGN KEY(store_id) REFERENCES stores (id));
"""
ACTIVATED = LATER.replace("password VARCHAR(80) NOT NULL", "password VARCHAR(80) NOT NULL, activated BOOLEAN")
CONFIRMED = (
    LATER.replace("password VARCHAR(80) NOT NULL", "password VARCHAR(80) NOT NULL, email VARCHAR(80) NOT NULL UNIQUE")
    + """
    CREATE TABLE confirmations (id VARCHAR(50) NOT NULL PRIMARY KEY, expire_at INTEGER NOT NULL,
        confirmed BOOLEAN NOT NULL, user_id INTEGER NOT NULL, FOREIGN KEY(user_id) REFERENCES users (id));
"""
)
GITHUB = CONFIRMED.replace("password VARCHAR(80) NOT NULL", "password VARCHAR(80)").replace(
    "email VARCHAR(80) NOT NULL UNIQUE", "email VARCHAR(80)"
)
ORDERS = (
    GITHUB
    + """
    CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, status VARCHAR(20) NOT NULL);
    CREATE TABLE items_in_order (id INTEGER NOT NULL PRIMARY KEY, item_id INTEGER, order_id INTEGER, quantity INTEGER);
    INSERT INTO orders VALUES (1, 'complete'), (2, 'failed');
    INSERT INTO items_in_order VALUES (1, 1, 1, 2), (2, 1, 2, 1), (3, 2, 2, 1);
"""
)
TODAY = """
    CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('8ca023a4a4b0');
    CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80) NOT NULL UNIQUE,
        password VARCHAR(256) NOT NULL);
    CREATE TABLE stores (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE);
    CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, price FLOAT NOT NULL,
        store_id INTEGER NOT NULL, FOREIGN KEY(store_id) REFERENCES stores (id));
    CREATE TABLE tags (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE, store_id INTEGER);
    CREATE TABLE items_tags (id INTEGER NOT NULL PRIMARY KEY, item_id INTEGER, tag_id INTEGER);
"""
DESCRIBED = TODAY + "ALTER TABLE items ADD COLUMN description VARCHAR;"  # as Alembic does it
# By db.create_all() of the current edition's models after its section 12; its migrations need PostgreSQL.
MAILED = """
    CREATE TABLE stores (id INTEGER NOT NULL, name VARCHAR(80) NOT NULL, PRIMARY KEY (id), UNIQUE (name));
    CREATE TABLE users (id INTEGER NOT NULL, username VARCHAR(80) NOT NULL, email VARCHAR NOT NULL,
        password VARCHAR(256) NOT NULL, PRIMARY KEY (id), UNIQUE (username), UNIQUE (email));
    CREATE TABLE items (id INTEGER NOT NULL, name VARCHAR(80) NOT NULL, description VARCHAR, price FLOAT NOT NULL,
        store_id INTEGER NOT NULL, PRIMARY KEY (id), FOREIGN KEY(store_id) REFERENCES stores (id));
    CREATE TABLE tags (id INTEGER NOT NULL, name VARCHAR(80) NOT NULL, store_id INTEGER NOT NULL, PRIMARY KEY (id),
        FOREIGN KEY(store_id) REFERENCES stores (id));
    CREATE TABLE items_tags (id INTEGER NOT NULL, item_id INTEGER, tag_id INTEGER, PRIMARY KEY (id),
        FOREIGN KEY(item_id) REFERENCES items (id), FOREIGN KEY(tag_id) REFERENCES tags (id));
"""
SHAPES = {
    "lecture": LECTURE,
    "later": LATER,
    "activated": ACTIVATED,
    "confirmed": CONFIRMED,
    "github": GITHUB,
    "orders": ORDERS,
    "today": TODAY,
}


def make(path: Path, shape: str, **rows: Iterable[tuple[Any, ...]]) -> Path:
    """A database of that shape, with rows for its tables."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(shape)
        for table, values in rows.items():
            fill(db, table, values)
    return path


def fill(db: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def usual(path: Path, name: str) -> Path:
    """A database as the lessons leave it: two users, two stores, three items, and what the shape has beside."""
    shape = SHAPES[name]
    passwords = [PASSLIB, WERKZEUG_SHA256] if name == "today" else [CLEAR, "jose"]
    more: dict[str, list[tuple[Any, ...]]] = {"users": [(1, "jose", passwords[0]), (2, "rolf", passwords[1])]}
    if name == "activated":
        more["users"] = [(*row, row[0] == 1) for row in more["users"]]
    if "confirmations" in shape:
        more["users"] = [(*row, f"{row[1]}@shop.example") for row in more["users"]]
        more["confirmations"] = [("a" * 32, 1, True, 1), ("b" * 32, 1, False, 2), ("c" * 32, 1, False, 1)]
    if "items_tags" in shape:
        more |= {"tags": [(1, "Garden", 1), (2, "wood", 1)], "items_tags": [(1, 1, 2), (2, 1, 1), (3, 99, 1)]}
    if name in ("github", "orders"):
        more["users"].append((3, "octocat", None, None))
    return make(
        path,
        shape,
        stores=[(1, "ikea"), (2, "tesco")],
        items=[(1, "chair", 15.99, 1), (2, "desk", 15.989999771118164, 1), (3, "bread", 19.990000000000002, 2)],
        **more,
    )
