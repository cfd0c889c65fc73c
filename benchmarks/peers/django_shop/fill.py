"""The user and the stores, as Django itself makes them. Runs in a process with its settings: `python -m`."""

import django
from django.contrib.auth import get_user_model

from benchmarks import data


def fill() -> None:
    # Models can be imported only once Django is set up.
    from benchmarks.peers.django_shop.models import Store  # noqa: PLC0415

    user = get_user_model().objects.create_user(data.USERNAME, password=data.PASSWORD)
    for store in Store.objects.bulk_create([Store(name=name) for name in data.STORE_NAMES]):
        store.members.add(user)


if __name__ == "__main__":
    django.setup()
    fill()
