"""A webhook receiver: verifies signatures, processes each message once, and prints the change.

    WEBHOOK_SECRET=whsec_... python receiver.py 8000

Messages may come more than once and in any order: `seen.db` has the ids of processed messages, and the `version` in a
message shows whether it is newer than the data you have. Needs Python 3.11 or newer and nothing else.
"""

import hmac
import json
import os
import sqlite3
import sys
import time
from argparse import ArgumentParser
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

MOST_BYTES = 1_000_000
LEEWAY_SECONDS = 300  # an older message may be a replay


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """Return the id of a message. Raises ValueError if it is too old or not signed with this secret."""
    id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > LEEWAY_SECONDS:
        raise ValueError("too old, or the clocks differ")
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
    expected = "v1," + b64encode(digest).decode()
    if not any(hmac.compare_digest(each, expected) for each in headers["webhook-signature"].split()):
        raise ValueError("not signed with this secret")
    return id


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        try:
            body = self.rfile.read(min(MOST_BYTES, int(self.headers["content-length"])))
            id = verify(os.environ["WEBHOOK_SECRET"], self.headers, body)
        except (KeyError, TypeError, ValueError):
            self.answer(400)
            return
        message = json.loads(body)
        if message["type"] == "webhook.challenge":  # repeating it consents to messages
            self.answer(200, json.dumps({"challenge": message["data"]["challenge"]}).encode())
            return
        # Process the message in the same transaction as its id: after a crash, both are there or neither.
        with closing(sqlite3.connect("seen.db")) as seen, seen:
            seen.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY)")
            if seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (id,)).rowcount:
                take(message)
        self.answer(204)

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def take(message: dict) -> None:
    print(message["type"], json.dumps(message["data"].get("after")), flush=True)


if __name__ == "__main__":
    parser = ArgumentParser(description="Receive webhooks, and print the changes.")
    parser.add_argument("port", type=int, help="the port to listen on, on this machine")
    args = parser.parse_args()
    if not os.environ.get("WEBHOOK_SECRET"):
        parser.error("the environment has no WEBHOOK_SECRET")
    try:
        server = HTTPServer(("127.0.0.1", args.port), Receiver)
    except (OSError, OverflowError) as error:
        sys.exit(f"Cannot listen on port {args.port}: {error}")
    server.serve_forever()
