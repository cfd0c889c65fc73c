"""Places for exports: so many at once, a few of each user, and each is given back once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from storekeeper.concurrency.slots import Slots
from storekeeper.errors import TooManyExports, Unavailable

ALICE, BOB, CAROL, DAVE = 1, 2, 3, 4

GiveBack = Callable[[], None]
Taking = asyncio.Task[GiveBack]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


async def start(places: Slots, *user_ids: int) -> list[Taking]:
    """Have them ask one after the other, and go on as far as they get."""
    tasks = [asyncio.create_task(places.take(user_id)) for user_id in user_ids]
    await turn()
    return tasks


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_place_is_handed_to_whoever_has_waited_longest() -> None:
    async def test() -> None:
        places = Slots(2, 2)
        first, second, *waiting = await start(places, ALICE, ALICE, BOB, CAROL)
        assert [each.done() for each in waiting] == [False, False]
        first.result()()
        await turn()
        assert [each.done() for each in waiting] == [True, False]
        waiting[0].result()()
        await turn()
        assert waiting[1].done()
        second.result()()
        assert (await start(places, ALICE))[0].done()

    run(test)


def test_who_has_all_of_his_places_waits_behind_nobody_and_others_do_not_wait_for_him() -> None:
    async def test() -> None:
        places = Slots(3, 1)
        hers, more, his = await start(places, ALICE, ALICE, BOB)
        assert (hers.done(), more.done(), his.done()) == (True, False, True)
        his.result()()
        await turn()
        assert not more.done(), "it is hers that she waits for"
        hers.result()()
        await turn()
        assert more.done()

    run(test)


def test_who_has_waited_too_long_is_refused() -> None:
    async def test() -> None:
        places = Slots(2, 1, seconds=0)
        await places.take(ALICE)
        with pytest.raises(TooManyExports):
            await places.take(ALICE)
        give_back = await places.take(BOB)
        with pytest.raises(Unavailable):
            await places.take(CAROL)
        give_back()
        await places.take(CAROL)

    run(test)


def test_as_many_wait_as_may_be_under_way() -> None:
    async def test() -> None:
        places = Slots(2, 1)
        *_, hers, more_of_hers, carols, daves = await start(places, ALICE, BOB, ALICE, ALICE, CAROL, DAVE)
        assert (hers.done(), carols.done()) == (False, False)
        assert isinstance(more_of_hers.exception(), TooManyExports)
        assert isinstance(daves.exception(), Unavailable)

    run(test)


def test_who_gives_up_waiting_has_no_place_and_hinders_nobody() -> None:
    async def test() -> None:
        places = Slots(2, 1)
        _, held, gone, next_ = await start(places, DAVE, ALICE, BOB, CAROL)
        gone.cancel()
        held.result()()  # the one that is gone has not noticed yet
        await turn()
        assert gone.cancelled()
        assert next_.done()
        late = (await start(places, ALICE))[0]
        next_.result()()  # the place is on its way
        late.cancel()
        await turn()
        assert late.cancelled()
        assert (await start(places, BOB))[0].done()

    run(test)
