"""Signatures of webhooks: the vector of Standard Webhooks, and its own library, take them."""

import time

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from storekeeper.security.webhook_signatures import new_secret, sign

BODY = b'{"type": "ping", "data": {"name": "Sess\xc3\xa4l"}}'


def test_the_vector_of_the_specification() -> None:
    secret, id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = sign(secret, id, 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_library_verifies_what_is_signed_and_nothing_else() -> None:
    secret, other = new_secret(), new_secret()
    now = int(time.time())
    headers = {"webhook-id": "msg_1_2", "webhook-timestamp": str(now)}
    headers["webhook-signature"] = " ".join(sign(each, "msg_1_2", now, BODY) for each in (other, secret))
    for each in (secret, other):
        Webhook(each).verify(BODY, headers)
    for wrong in ({"webhook-id": "msg_1_3"}, {"webhook-timestamp": str(now + 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(BODY, headers | wrong)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


def test_no_two_secrets_are_the_same() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
