"""The console's pages for webhooks and their deliveries."""

import re

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.models import journal, store_member, webhook, webhook_delivery
from storekeeper.models.paging import PageRequest
from storekeeper.models.webhook import MAX_OF_USER, deliveries, webhooks
from storekeeper.models.webhook_delivery import NewDelivery
from tests.support.console_browser import Browser, said, values, wrong
from tests.support.databases import transaction
from tests.support.webhook_senders import agree

URL = "https://shop.example/hook?key=1&b"
OF_IKEA = "/console/store/ikea/webhooks"
HOOK = "/console/webhooks/1"


@pytest.fixture
def hook(engine: sa.Engine) -> int:
    """The operator's, for Alice's store."""
    with transaction(engine) as conn:
        id = webhook.add(conn, None, "https://shop.example/hook", "ikea").id
        agree(conn)
    return id


def rows(engine: sa.Engine) -> list[webhook.Webhook]:
    with engine.connect() as conn:
        return webhook.page(conn, None, PageRequest()).rows


def sent(engine: sa.Engine, hook: int) -> list[tuple[str, str, int]]:
    """Of each message its type, its state and its attempts, the newest first."""
    with engine.connect() as conn:
        found = webhook_delivery.page(conn, None, hook, None, PageRequest(sort="-id"))
    return [(each.type, each.state, each.attempts) for each in found.rows]


def give_up(engine: sa.Engine, hook: int) -> None:
    """What a sender writes down when nothing arrives."""
    given = {
        "state": "failed",
        "attempts": 10,
        "status": 503,
        "ms": 1234,
        "tried_at": 0,
        "next_at": None,
        "ended_at": 2**40,
    }
    with transaction(engine) as conn:
        conn.execute(sa.update(deliveries).where(deliveries.c.webhook_id == hook).values(given))
        conn.execute(sa.update(webhooks).values(is_active=False, reason="All attempts have failed."))


def test_an_owner_adds_one_and_sees_the_secret_once(alices: Browser, engine: sa.Engine) -> None:
    assert "There are no webhooks yet." in said(alices.get(OF_IKEA))
    page = alices.post(OF_IKEA, {"url": f" {URL} "})
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    secret = values(page)["secret"]
    with engine.connect() as conn:
        known = conn.execute(sa.select(webhooks.c.secret, webhooks.c.url, webhooks.c.user_id)).all()
    assert known == [(secret, URL, 1)]
    for path in (HOOK, OF_IKEA, "/console/webhooks"):
        again = alices.get(path)
        assert URL in said(again)
        assert secret not in again.text
    assert secret not in str(alices.cookies)


def test_each_sees_his_own_and_administrators_all(alices: Browser, roots: Browser, engine: sa.Engine) -> None:
    assert roots.post("/console/webhooks", {"url": "https://all.example/", "store": ""}).status_code == 200
    assert alices.post("/console/webhooks", {"url": URL, "store": " ikea "}).status_code == 200
    everywhere = said(roots.get("/console/webhooks"))
    assert "https://all.example/ all stores waiting for its receiver's consent" in everywhere
    assert f"{URL} ikea waiting for its receiver's consent" in everywhere
    assert "all.example" not in said(alices.get("/console/webhooks"))
    assert "all.example" not in said(roots.get(OF_IKEA))
    assert alices.get(HOOK).status_code == 404
    assert "all stores" in said(roots.get(HOOK))
    assert alices.post("/console/webhooks", {"url": URL}).status_code == 403
    assert wrong(alices.post("/console/webhooks", {"url": URL, "store": "nowhere"})) == {"store": "Store not found."}
    assert len(rows(engine)) == 2


def test_owners_and_administrators_are_led_there(alices: Browser, roots: Browser, client: testing.TestClient) -> None:
    store, link = "/console/store/ikea", f'href="{OF_IKEA}"'
    assert link in alices.get(store).text
    assert link not in Browser(client, "bob").get(store).text
    assert 'href="/console/webhooks"' in roots.get(store).text
    assert 'href="/console/webhooks"' not in alices.get(store).text


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/", "https://me:secret@shop.example/", "shop.example", "https://a/<b>", ""]
)
def test_a_url_that_may_not_be_is_refused_beside_its_field(
    alices: Browser, engine: sa.Engine, hook: int, target: str
) -> None:
    for place in (OF_IKEA, "/console/webhooks", HOOK):
        page = alices.post(place, {"url": target, "store": "ikea"})
        assert (page.status_code, wrong(page).keys()) == (400, {"url"})
        assert values(page)["url"] == target
    assert [each.url for each in rows(engine)] == ["https://shop.example/hook"]


def test_a_form_of_another_site_changes_nothing(alices: Browser, engine: sa.Engine, hook: int) -> None:
    before = rows(engine)
    for place in (OF_IKEA, HOOK, *(f"{HOOK}/{what}" for what in ("state", "test", "replay", "rotate", "delete"))):
        form = {"url": URL, "is_active": "no", "cursor": "0"}
        assert alices.post(place, form, {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert (rows(engine), sent(engine, hook)) == (before, [])


def test_there_are_so_many_at_the_most(alices: Browser, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        for _ in range(MAX_OF_USER):
            webhook.add(conn, 1, URL, "ikea")
    page = alices.post(OF_IKEA, {"url": URL})
    assert page.status_code == 409
    assert len(rows(engine)) == MAX_OF_USER
    assert "Next →" not in said(page)


def test_the_list_has_pages(roots: Browser, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        for number in range(51):
            webhook.add(conn, None, f"https://shop.example/{number}/", "ikea")
    for place in ("/console/webhooks", OF_IKEA):
        assert "https://shop.example/50/" in said(roots.get(following(roots.get(place))))


def following(page: testing.Result) -> str:
    (link,) = re.findall(r'rel="next" href="([^"#]*)', page.text)
    return str(link).replace("&amp;", "&")


def test_a_webhook_leads_elsewhere_pauses_and_goes_on(alices: Browser, engine: sa.Engine, hook: int) -> None:
    assert "Saved." in said(alices.follow(alices.post(HOOK, {"url": URL})))
    paused = said(alices.follow(alices.post(f"{HOOK}/state", {"is_active": "no"})))
    assert "It pauses." in paused
    assert "It is paused" in paused
    assert "Send a ping" not in paused
    (known,) = rows(engine)
    assert (known.url, known.is_active) == (URL, False)
    assert alices.post(f"{HOOK}/test").status_code == 409
    assert alices.post(f"{HOOK}/replay", {"cursor": "0"}).status_code == 409
    assert "It is active" in said(alices.follow(alices.post(f"{HOOK}/state", {"is_active": "yes"})))
    alices.post(f"{HOOK}/state", {"is_active": "perhaps"})
    assert rows(engine)[0].is_active


def test_why_it_has_stopped_is_told(alices: Browser, engine: sa.Engine, hook: int) -> None:
    alices.post(f"{HOOK}/test")
    give_up(engine, hook)
    page = said(alices.get(HOOK))
    assert "It is stopped All attempts have failed." in page
    assert "ping msg_1_ping_2 failed 10 503 1970-01-01 00:00 UTC , in 1,234 ms" in page
    alices.post(f"{HOOK}/state", {"is_active": "yes"})
    assert "All attempts have failed." not in said(alices.get(HOOK))


def test_the_secret_is_replaced_once_that_is_confirmed(alices: Browser, engine: sa.Engine, hook: int) -> None:
    assert "Replace the secret?" in said(alices.get(f"{HOOK}/rotate"))
    page = alices.post(f"{HOOK}/rotate")
    assert "signed with the old one, too" in said(page)
    with engine.connect() as conn:
        secret, old = conn.execute(sa.select(webhooks.c.secret, webhooks.c.old_secret)).one()
    assert (values(page)["secret"], old is None) == (secret, False)
    assert secret not in alices.get(HOOK).text


def test_it_is_deleted_once_that_is_confirmed(alices: Browser, engine: sa.Engine, hook: int) -> None:
    assert "Delete this webhook?" in said(alices.get(f"{HOOK}/delete"))
    assert len(rows(engine)) == 1
    assert "The webhook is deleted." in said(alices.follow(alices.post(f"{HOOK}/delete")))
    assert rows(engine) == []


def test_a_ping_is_sent_and_sent_again(alices: Browser, engine: sa.Engine, hook: int) -> None:
    assert "No messages yet" in said(alices.get(HOOK))
    page = said(alices.follow(alices.post(f"{HOOK}/test")))
    assert "A ping is on its way." in page
    assert "ping msg_1_ping_2 waiting next try 20" in page
    with transaction(engine) as conn:
        conn.execute(
            sa.update(deliveries).values(state="delivered", attempts=1, status=204, ms=12, tried_at=0, next_at=None)
        )
    assert "ping msg_1_ping_2 delivered 1 204 1970-01-01 00:00 UTC , in 12 ms" in said(alices.get(HOOK))
    again = said(alices.follow(alices.post(f"{HOOK}/deliveries/2/replay")))
    assert "msg_1_ping_2 will be sent again." in again
    assert sent(engine, hook) == [("ping", "pending", 0)]
    assert alices.post(f"{HOOK}/deliveries/9/replay").status_code == 404


def test_what_came_after_a_change_is_sent_again(alices: Browser, engine: sa.Engine, hook: int) -> None:
    with engine.connect() as conn:
        last = journal.last(conn)
    assert "after change 0 will be sent" in said(alices.follow(alices.post(f"{HOOK}/replay", {"cursor": " 0 "})))
    assert rows(engine)[0].cursor == 0
    for cursor in ("", "-1", "1.5", "x", "9" * 17, str(last + 1000)):
        page = alices.post(f"{HOOK}/replay", {"cursor": cursor})
        assert (page.status_code, wrong(page).keys(), values(page)["cursor"]) == (400, {"cursor"}, cursor), cursor
    assert rows(engine)[0].cursor == 0


def test_messages_have_pages_and_are_chosen_by_their_state(alices: Browser, engine: sa.Engine, hook: int) -> None:
    with transaction(engine) as conn:
        webhook_delivery.add(conn, hook, [NewDelivery("item.update", number) for number in range(1, 61)])
        conn.execute(sa.update(deliveries).where(deliveries.c.change_id == 1).values(state="failed", next_at=None))
    first = alices.get(HOOK)
    assert first.text.count('<td class="name">') == 50
    assert "msg_1_60" in said(first)
    second = said(alices.get(following(first)))
    assert "msg_1_10 " in second
    assert "msg_1_11 " not in second
    waiting = following(alices.get(f"{HOOK}?state=pending"))
    assert "msg_1_1 " not in said(alices.get(waiting))
    failed = said(alices.get(f"{HOOK}?state=failed"))
    assert ("msg_1_1 " in failed, "msg_1_2 " in failed) == (True, False)
    assert "No messages in this state" in said(alices.get(f"{HOOK}?state=delivered"))


def test_of_a_store_that_is_no_more_administrators_see_it(
    alices: Browser, roots: Browser, engine: sa.Engine, hook: int
) -> None:
    with transaction(engine) as conn:
        store_member.create_store(conn, 1, "shed", "EUR")
        webhook.add(conn, 1, URL, "shed")
    alices.post("/console/store/shed/delete", {"name": "shed"})
    assert alices.get("/console/webhooks/2").status_code == 404
    assert "a deleted store" in said(roots.get("/console/webhooks"))
    assert "a deleted store" in said(roots.get("/console/webhooks/2"))


def test_a_pending_one_is_verified_by_what_the_challenge_said(alices: Browser, engine: sa.Engine) -> None:
    alices.post(OF_IKEA, {"url": URL})
    page = said(alices.get(HOOK))
    assert "It is waiting for its receiver's consent" in page
    assert "Send a ping" not in page
    wrong_page = alices.post(f"{HOOK}/verify", {"challenge": "no"})
    assert (wrong_page.status_code, wrong(wrong_page).keys()) == (400, {"challenge"})
    assert "The challenge is sent again." in said(alices.follow(alices.post(f"{HOOK}/verify", {})))
    with engine.connect() as conn:
        nonce = conn.scalars(sa.select(webhooks.c.nonce)).one()
    done = said(alices.follow(alices.post(f"{HOOK}/verify", {"challenge": f" {nonce} "})))
    assert "It sends from now on." in done
    assert "It is active" in done
    assert "has to agree" not in done
    assert "is asked for its consent" in said(alices.follow(alices.post(HOOK, {"url": "https://other.example/"})))
    assert rows(engine)[0].state == "pending"


def test_an_orphaned_one_is_taken_over(alices: Browser, roots: Browser, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        webhook.add(conn, 1, URL, "ikea")
        agree(conn)
        store_member.put(conn, 1, "ikea", "bob", "owner")
        store_member.delete(conn, 1, "ikea", "alice")
    page = said(roots.get(HOOK))
    assert "It is stopped Its owner no longer owns the store." in page
    assert "Owner alice" in page
    assert "Take over this webhook?" in said(roots.get(f"{HOOK}/takeover"))
    with engine.connect() as conn:
        old = conn.scalars(sa.select(webhooks.c.secret)).one()
    shown = roots.post(f"{HOOK}/takeover")
    assert values(shown)["secret"] != old
    assert (rows(engine)[0].state, rows(engine)[0].user_id) == ("active", 4)
    assert "Owner root" in said(roots.get(HOOK))
