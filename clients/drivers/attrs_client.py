"""Makes calls with openapi-python-client's client: `python attrs_client.py ADDRESS CALLS`, in its folder."""

import base64
import importlib
import io
import json
import re
import sys
import typing
from enum import EnumType

import python_httpx.models
from python_httpx.client import AuthenticatedClient, Client
from python_httpx.types import File


def main(address: str, path: str) -> None:
    with open(path, encoding="utf-8") as file:
        calls = json.load(file)
    for call in calls:
        options = {"base_url": address, "raise_on_unexpected_status": True}
        client = AuthenticatedClient(token=call["token"], **options) if call["token"] else Client(**options)
        module = importlib.import_module(f"python_httpx.api.{call['tag']}.{snake(call['operation'])}")
        kinds = typing.get_type_hints(module.sync)
        given = {snake(name): converted(value, kinds[snake(name)]) for name, value in call["given"].items()}
        if call["body"]:
            given["body"] = content(call)
        print(json.dumps(plain(module.sync(client=client, **given))), flush=True)


def converted(value: object, kind: object) -> object:
    """Of an enumeration, the member."""
    known = [each for each in typing.get_args(kind) if isinstance(each, EnumType)]
    return known[0](value) if known else value


def content(call: dict) -> object:
    if not call["body_type"]:
        return File(io.BytesIO(base64.b64decode(call["body"])), mime_type=call["media_type"])
    kind, body = getattr(python_httpx.models, call["body_type"]), json.loads(call["body"])
    return [kind.from_dict(each) for each in body] if isinstance(body, list) else kind.from_dict(body)


def plain(value: object) -> object:
    return base64.b64encode(value.payload.read()).decode() if isinstance(value, File) else value.to_dict()


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()


if __name__ == "__main__":
    main(*sys.argv[1:])
