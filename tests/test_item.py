"""/item/{name}, /items and /store/{name}/item/{item_name}"""

from tests.conftest import Person


def test_read_an_item(alice: Person) -> None:
    answer = alice.get("/item/chair")
    assert answer.status_code == 200
    assert answer.text == '{"id":1,"name":"chair","price":15.99,"store_id":1,"currency":"EUR"}'


def test_a_slash_in_a_name(alice: Person) -> None:
    assert alice.put("/item/a%2Fb", {"price": 5, "store_id": 1}).status_code == 201
    assert alice.get("/store/ikea/item/a%2Fb").json["name"] == "a/b"
