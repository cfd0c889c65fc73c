"""What the compression of an answer costs, and what it saves: `python -m benchmarks.compression`.

The least time of many runs in one thread, without requests. Items have three words as name, every other one a
description of 40 words, and a price, SKU, barcode and stock of their own.
"""

import random
import timeit
import zlib

from storekeeper.http import responses
from storekeeper.http.compression import LEVEL, MIN_BYTES, WINDOW_BITS
from storekeeper.models.item import Item

COUNTS = (1, 2, 3, 5, 20, 200)
LEVELS = (LEVEL, 6)
WORDS = [
    first + second
    for first in ("oak", "pine", "steel", "garden", "desk", "wall", "floor", "glass", "round", "small")
    for second in ("lamp", "chair", "frame", "board", "light", "stand", "box", "mat", "leg", "top")
]


def answer(count: int) -> bytes:
    """A page of so many items, as it is sent."""
    chance = random.Random(count)
    return responses.encode({"items": [_item(chance, number) for number in range(1, count + 1)]})


def _item(chance: random.Random, number: int) -> Item:
    return Item(
        id=number,
        name=" ".join(chance.choices(WORDS, k=3)),
        price=chance.randrange(1, 100_000) / 100,  # type: ignore[arg-type]
        store_id=1,
        currency="EUR",
        sku=f"A{chance.randrange(10**6)}",
        barcode=f"{chance.randrange(10**13):013}",
        description=" ".join(chance.choices(WORDS, k=40)) if number % 2 else "",
        tags=chance.sample(("home", "garden", "sale", "new"), 2),
        stock=chance.randrange(500),
        archived=False,
        image=None,
        updated_at=1_790_000_000 + chance.randrange(10**6),
        version=chance.randrange(1, 20),
    )


def microseconds(data: bytes, level: int) -> float:
    runs = timeit.repeat(lambda: zlib.compress(data, level, WINDOW_BITS), number=10, repeat=30)
    return min(runs) / 10 * 1e6


def main() -> None:
    heads = "".join(f" level {level}: bytes | µs |" for level in LEVELS)
    print(f"Compressed from {MIN_BYTES} bytes on, at level {LEVEL}.\n\n| items | bytes |{heads}")
    print("|---:|---:|" + "---:|---:|" * len(LEVELS))
    for count in COUNTS:
        data = answer(count)
        cells = [
            f" {len(zlib.compress(data, level, WINDOW_BITS)):,} | {microseconds(data, level):,.0f} |"
            for level in LEVELS
        ]
        print(f"| {count} | {len(data):,} |{''.join(cells)}")


if __name__ == "__main__":
    main()
