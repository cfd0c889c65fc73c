"""Makes calls with openapi-generator's Python client: `python pydantic_client.py ADDRESS CALLS`, in its folder."""

import base64
import inspect
import json
import re
import sys

import storekeeper_client
from pydantic import BaseModel


def main(address: str, path: str) -> None:
    with open(path, encoding="utf-8") as file:
        calls = json.load(file)
    for call in calls:
        configuration = storekeeper_client.Configuration(host=address, access_token=call["token"] or None)
        api = getattr(storekeeper_client, f"{call['tag'].title()}Api")(storekeeper_client.ApiClient(configuration))
        method = getattr(api, snake(call["operation"]))
        print(json.dumps(plain(method(**arguments(call, method)))), flush=True)


def arguments(call: dict, method: object) -> dict:
    """Of what is not declared as a parameter, one is the body."""
    given = {snake(name): value for name, value in call["given"].items()}
    if call["body"]:
        declared = {snake(name) for name in call["declared"]}
        names = [name for name in inspect.signature(method).parameters if not name.startswith("_")]
        (given[next(name for name in names if name not in declared)],) = [content(call)]
    if call["media_type"].startswith(("image/", "text/")):
        given["_content_type"] = call["media_type"]
    return given


def content(call: dict) -> object:
    if not call["body_type"]:
        return base64.b64decode(call["body"])
    kind, body = getattr(storekeeper_client, call["body_type"]), json.loads(call["body"])
    # Not `from_dict`, which sets what is left out to null.
    return [kind.model_validate(each) for each in body] if isinstance(body, list) else kind.model_validate(body)


def plain(value: object) -> object:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    assert isinstance(value, BaseModel), value
    return value.to_dict()


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()


if __name__ == "__main__":
    main(*sys.argv[1:])
