"""Fills a database of an older version with what its users do there, and writes it down: see README.md.

    python -m tests.older.fill VERSION CHECKOUT PYTHON

CHECKOUT is a folder with that version's code, and PYTHON an interpreter that has what its requirements.txt names.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.older import dumps
from tests.older.old_server import PASSWORD, PORT, OldServer, Person, await_that, claims, segment, start_receiver
from tests.support import databases
from tests.support import images as pictures

LONG = "y" * 79


class Story:
    """What happens, and the facts that are noted of it."""

    def __init__(self, server: OldServer) -> None:
        self.server = server
        self.facts: dict[str, Any] = {"password": PASSWORD, "users": {}, "gone_users": {}, "stores": {}, "items": []}
        self.people: dict[str, Person] = {}

    def register(self, *names: str, **more: str) -> None:
        for name in names:
            body = {"username": name, "password": PASSWORD} | more
            self._note_user(name, self.server.call("POST", "/register", body).json["id"], "register")

    def add(self, command: str, name: str) -> None:
        """By the operator."""
        told = self.server.run(*command.split(), name, "--password-stdin", stdin=f"{PASSWORD}\n")
        self._note_user(name, int(told.rpartition("id ")[2].strip(" .\n")), command)

    def _note_user(self, name: str, id: int, made_by: str) -> None:
        self.people[name] = Person(self.server, name, f"192.0.2.{id}" if id % 2 else f"2001:db8:0:{id}::1")
        self.facts["users"][name] = {"id": id, "made_by": made_by}

    def set_roles(self, name: str, **roles: bool) -> None:
        self.people["root"].call("PATCH", f"/user/{self.facts['users'][name]['id']}", roles)

    def delete(self, name: str, by: str) -> None:
        told = self.facts["users"].pop(name)
        self.people[by].call("DELETE", f"/user/{told['id']}")
        self.facts["gone_users"][name] = told

    def found(self, owner: str, name: str, **body: Any) -> None:
        told = self.people[owner].call("POST", f"/store/{segment(name)}", body or None)
        self.facts["stores"][name] = {"id": told["id"], "currency": told["currency"], "founder": owner}

    def put(self, by: str, store: str, name: str, price: Any) -> None:
        path = f"/store/{segment(store)}/item/{segment(name)}"
        told = self.people[by].call("PUT", path, {"price": price})
        self.facts["items"] = [each for each in self.facts["items"] if each["id"] != told["id"]]
        self.facts["items"].append({"store": store} | told)

    def ask_once(self, by: str, key: str, path: str, body: Any = None) -> Any:
        """With an Idempotency-Key."""
        told = self.people[by].call("POST", path, body, Idempotency_Key=key)
        self.facts.setdefault("idempotency", {})[key] = {"user": by, "path": path, "body": body, "told": told}
        return told


def add_people(story: Story) -> None:
    story.register("root", setup_token=story.server.setup_token)
    story.add("create-admin", "olga")
    story.register("alice", "bob")
    story.add("users add", "carol")
    story.register("dave", "erin", "frank")
    story.add("users add", "grace")
    story.register("heidi", "\u0430dmin", "Ivan", "judy", "course", "kim", "leo")  # the first letter is Cyrillic
    story.add("create-admin", "olivia")
    story.add("create-admin", "pete")
    story.register("quinn", "ruth")


def add_stores(story: Story) -> None:
    story.found("alice", "ikea")
    story.found("alice", "Tokyo / Ginza", currency="JPY")
    story.found("frank", "orphan")
    story.found("erin", "closed")
    story.found("judy", "judys")
    for name in (".", "..", "shed", "shed ", "shed (2)", "\u00a0", LONG, f"{LONG} "):
        story.found("carol", name)
    story.found("bob", "\u00a0shed")
    story.found("bob", "gone")
    members = {
        "ikea": {"bob": "clerk", "carol": "clerk", "leo": "owner", "grace": "clerk"},
        "judys": {"alice": "owner"},
    }
    for store, roles in members.items():
        founder = story.facts["stores"][store]["founder"]
        for name, role in roles.items():
            story.people[founder].call("PUT", f"/store/{store}/members/{name}", {"role": role})


def add_items(story: Story) -> None:
    for price in ("15.90", "14.90"):
        story.put("alice", "ikea", "chair", price)
    story.put("bob", "ikea", "table", 129)
    story.put("bob", "ikea", "lamp", "24.90")
    story.put("bob", "ikea", "rug", "9.90")
    story.put("alice", "Tokyo / Ginza", "chair", 2000)
    story.put("frank", "orphan", "lost umbrella", 5)
    story.put("erin", "closed", "key", 1)
    story.put("judy", "judys", "hat", 30)
    for name in ("chair", " chair", "chair\u00a0", "chair (2)", ".", "..", "\u2003", "  two  words ", LONG, f"{LONG} "):
        story.put("carol", "shed", name, "1.50")
    story.put("bob", "gone", "sand", 1)
    story.people["alice"].call("DELETE", "/store/ikea/item/rug")
    story.people["bob"].call("DELETE", "/store/gone?with_items=true")
    story.facts["items"] = [each for each in story.facts["items"] if each["name"] not in ("rug", "sand")]
    del story.facts["stores"]["gone"]


PICTURED = {
    "chair": "/store/ikea/item/chair",
    "lamp, removed": "/store/ikea/item/lamp",
    "lost umbrella": "/store/orphan/item/lost%20umbrella",
}


def add_catalogue(story: Story) -> None:
    """What 0.1.0 does not have."""
    alice = story.people["alice"]
    chair = {"sku": "CH-15", "barcode": "4006381333931", "description": "Oak, oiled.", "tags": ["garden", "oak"]}
    alice.call("PATCH", "/store/ikea/item/chair", chair)
    alice.call("POST", "/store/ikea/item/chair/stock", {"delta": 12})
    alice.call("PATCH", "/store/ikea", {"negative_stock": True})
    alice.call("POST", "/store/ikea/item/lamp/stock", {"delta": -3})
    alice.call("PATCH", "/store/ikea/item/table", {"archived": True})
    images = {}
    for width, (item, path) in enumerate(PICTURED.items(), 8):
        png = pictures.encoded(pictures.two_colours(width, 4), "PNG")
        by = story.people["frank"] if "orphan" in path else alice
        images[item] = by.call("PUT", f"{path}/image", png, Content_Type="image/png")["image"]
    alice.call("DELETE", "/store/ikea/item/lamp/image")
    story.put("alice", "ikea", "poster", 3)
    png = pictures.encoded(pictures.two_colours(20, 4), "PNG")
    images["poster, deleted"] = alice.call("PUT", "/store/ikea/item/poster/image", png, Content_Type="image/png")[
        "image"
    ]
    alice.call("DELETE", "/store/ikea/item/poster")
    story.facts["items"] = [each for each in story.facts["items"] if each["name"] != "poster"]
    story.facts["images"] = images
    rows = [{"store_id": 1, "name": name, "price": price} for name, price in (("shelf", 49), ("bed\u00a0", 199))]
    for told in story.ask_once("carol", "bulk-1", "/items/bulk", rows)["results"]:
        story.facts["items"].append({"store": "ikea"} | told["item"])
    story.facts["items"] = [_read(story, each) for each in story.facts["items"]]


def _read(story: Story, item: dict[str, Any]) -> dict[str, Any]:
    path = f"/store/{segment(item['store'])}/item/{segment(item['name'])}"
    return {"store": item["store"]} | story.people["root"].call("GET", path)


IMPORTS = (
    ("done", "alice", "", "name,price,stock\ncushion,12.50,4\nvase,7,1\n"),
    ("planned", "bob", "&dry_run=true", "name,price\nmirror,80\n"),
    ("refused", "bob", "", "name,price\nclock,many\nclock 2,1\n"),
    ("cancelled", "carol", "&dry_run=true", "name,price\nplant,5\n"),
    ("planned by a clerk who has left", "grace", "&dry_run=true", "name,price\nframe,3\n"),
)


def add_imports(story: Story) -> None:
    kept = story.facts["imports"] = {}
    for label, name, query, file in IMPORTS:
        by = story.people[name]
        path = f"/imports?store=ikea&file_name={label.split()[0]}.csv{query}"
        told = by.call("POST", path, file.encode(), Content_Type="text/csv")
        kept[label] = _await_import(by, f"/imports/{told['id']}")
        if label == "cancelled":
            kept[label] = by.call("DELETE", f"/imports/{told['id']}")


def _await_import(by: Person, path: str) -> Any:
    await_that(lambda: by.call("GET", path)["ended_at"])
    return by.call("GET", path)


WEBHOOKS = (
    ("active", "alice", "ikea", "/ok"),
    ("failing", "alice", "ikea", "/fails"),
    ("paused", "alice", "ikea", "/ok"),
    ("stopped", "alice", "ikea", "/gone"),
    ("rotated", "alice", "ikea", "/ok"),
    ("of an administrator", "root", None, "/ok"),
    ("of an administrator who was demoted", "heidi", None, "/ok"),
    ("of an owner who was removed", "leo", "ikea", "/ok"),
    ("of a user who was deactivated", "erin", "closed", "/ok"),
    ("of a user who was deleted", "judy", "judys", "/ok"),
)


def add_webhooks(story: Story) -> None:
    hooks = story.facts["webhooks"] = {}
    for label, by, store, target in WEBHOOKS:
        hooks[label] = story.people[by].call("POST", "/webhooks", _hook(target, store))
    body = _hook("/ok", "ikea")
    hooks["with a key"] = story.ask_once("alice", "webhook-1", "/webhooks", body)
    for label, more in (("of the operator", ["--store", "ikea"]), ("of the operator, all stores", [])):
        id, secret = story.server.run("webhooks", "add", f"http://127.0.0.1:{PORT}/ok", *more).split()
        hooks[label] = {"id": int(id), "secret": secret}
    id = hooks["rotated"]["id"]
    hooks["rotated"] |= {"old_secret": hooks["rotated"]["secret"]}
    hooks["rotated"] |= story.ask_once("alice", "rotate-1", f"/webhooks/{id}/rotate")
    story.people["alice"].call("PATCH", f"/webhooks/{hooks['paused']['id']}", {"is_active": False})
    story.people["alice"].call("POST", f"/webhooks/{hooks['active']['id']}/test")


def _hook(target: str, store: str | None) -> dict[str, Any]:
    return {"url": f"http://127.0.0.1:{PORT}{target}"} | ({"store": store} if store else {})


def tell_of_changes(story: Story) -> None:
    """Changes that go to the webhooks; and wait until the messages were sent."""
    told = story.ask_once("alice", "stock-1", "/store/ikea/item/chair/stock", {"delta": -1})
    story.put("erin", "closed", "key", 2)
    story.put("judy", "judys", "hat", 31)
    _note(story, told)
    root = story.people["root"]

    def are_tried() -> bool:
        pages = [root.call("GET", f"/webhooks/{id}/deliveries")["deliveries"] for id in ids]
        return all(pages) and all(each["attempts"] for page in pages for each in page)

    ids = [each["id"] for label, each in story.facts["webhooks"].items() if label != "paused"]
    await_that(are_tried)


def note_webhooks(story: Story) -> None:
    for told in story.facts["webhooks"].values():
        told.update(story.people["root"].call("GET", f"/webhooks/{told['id']}"))


def _note(story: Story, item: dict[str, Any]) -> None:
    (known,) = [each for each in story.facts["items"] if each["id"] == item["id"]]
    known |= item


def change_people(story: Story) -> None:
    alice, root = story.people["alice"], story.people["root"]
    alice.call("DELETE", "/store/ikea/members/leo")
    story.set_roles("dave", is_admin=True)
    for name in ("dave", "heidi"):
        story.set_roles(name, is_admin=False)
    story.server.run("users", "set", "olivia", "--no-admin")
    story.server.run("users", "set", "grace", "--admin")
    story.set_roles("quinn", is_active=False)
    story.set_roles("quinn", is_active=True)
    story.set_roles("erin", is_active=False)
    story.delete("frank", by="frank")
    story.delete("judy", by="judy")
    story.delete("grace", by="root")
    story.delete("pete", by="root")
    kim = story.people["kim"]
    body = {"current_password": PASSWORD, "new_password": "another " + PASSWORD}
    kim.call("PUT", f"/user/{story.facts['users']['kim']['id']}/password", body)
    story.server.run("users", "reset-password", "ruth", "--password-stdin", stdin=f"another {PASSWORD}\n")
    for name, told in story.facts["users"].items():
        password = f"another {PASSWORD}" if name in ("kim", "ruth") else PASSWORD
        told.update(root.call("GET", f"/user/{told['id']}") | {"password": password})


def add_sessions(story: Story, has_console: bool) -> None:
    """The last thing, so that the access tokens are good for a quarter of an hour after it."""
    kept = story.facts["sessions"] = {}
    alice = story.people["alice"]
    uses = {
        "tablet": ("alice", 0),
        "till": ("alice", 1),
        "phone": ("alice", 2),
        "laptop": ("alice", 5),
        "desk": ("bob", 2),
    }
    for device, (name, count) in uses.items():
        person = story.people[name]
        pairs = [person.log_in(device)]
        for _ in range(count):
            pairs.append(person.refresh(pairs[-1]["refresh_token"]))
        kept[device] = _session(name, pairs)
    course = story.people["course"]
    first = course.log_in("python-requests/2.31")
    for _ in range(4):  # it keeps its first refresh token, as the course's client does
        access = course.refresh(first["refresh_token"])["access_token"]
    kept["course"] = _session("course", [first, {"access_token": access, "refresh_token": first["refresh_token"]}])
    kept["root"] = _session("root", [story.people["root"].log_in("desk")])
    if has_console:
        cookie = alice.sign_in_to_console()
        kept["console"] = {"user": "alice", "session_id": claims(cookie.partition("=")[2])["sid"], "cookie": cookie}
    over = alice.log_in("lost phone")
    kept["lost phone"] = _session("alice", [over]) | {"is_ended": True}
    alice.call("DELETE", f"/sessions/{kept['lost phone']['session_id']}")


def _session(name: str, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """`refresh` are its refresh tokens: all of them but the last were used."""
    told = claims(pairs[0]["access_token"])
    return {
        "user": name,
        "session_id": int(told["sid"]),
        "fresh_access": pairs[0]["access_token"],
        "access": pairs[-1]["access_token"],
        "refresh": [pair["refresh_token"] for pair in pairs],
    }


def fail_to_log_in(story: Story) -> None:
    for name, address in (("alice", "192.0.2.99"), ("nobody", "192.0.2.99"), ("root", "2001:db8:9::1")):
        body = {"username": name, "password": "wrong"}
        assert story.server.call("POST", "/login", body, X_Forwarded_For=address).status == 401


def tell(version: str, server: OldServer) -> dict[str, Any]:
    """All that happens; the facts."""
    story, has_all = Story(server), version != "0.1.0"
    add_people(story)
    add_stores(story)
    add_items(story)
    story.set_roles("heidi", is_admin=True)
    if has_all:
        add_catalogue(story)
        add_imports(story)
        add_webhooks(story)
        tell_of_changes(story)
    change_people(story)
    if has_all:
        note_webhooks(story)
    fail_to_log_in(story)
    add_sessions(story, has_all)
    return story.facts | {"filled_at": int(time.time())}


def fill(version: str, kind: str, checkout: Path, python: Path) -> None:
    target = dumps.folder(version, kind)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    keys = target.parent / "keys.json"
    with TemporaryDirectory() as folder, databases.postgresql("older") as url:
        data = Path(folder, "data")
        data.mkdir()
        if keys.exists():
            shutil.copy(keys, data)
        path = data / "storekeeper.db"
        with OldServer(checkout, python, data, f"sqlite:///{path}" if kind == "sqlite" else url) as server:
            told = tell(version, server)
        if kind == "sqlite":
            dumps.write_sqlite(path, target / "dump.sql")
        else:
            dumps.write_postgresql(url, target / "dump.sql")
        (target / "facts.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
        shutil.copy(data / "keys.json", keys)
        if (data / "files").exists():
            shutil.copytree(data / "files", target / "files")


def main() -> None:
    version, checkout, python = sys.argv[1:]
    receiver = start_receiver()
    for kind in ("sqlite", "postgresql"):
        fill(version, kind, Path(checkout).absolute(), Path(python).absolute())
    receiver.shutdown()


if __name__ == "__main__":
    main()
