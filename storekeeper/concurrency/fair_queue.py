"""A fair queue: a sender with many items waits behind senders with few."""

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Whose turn it is goes round: among the parts of the queue, and within each among its own.

    A path says whose an item is, such as a network and an address in it. All paths of one queue have one length.
    """

    def __init__(self) -> None:
        self.size = 0
        self._items: deque[T] = deque()  # where a path ends
        self._parts: dict[str, FairQueue[T]] = {}  # elsewhere; the first has the next turn

    def push(self, path: Sequence[str], item: T) -> None:
        self.size += 1
        if path:
            self._parts.setdefault(path[0], FairQueue()).push(path[1:], item)
        else:
            self._items.append(item)

    def pop(self) -> T:
        """The oldest item of whoever has the turn."""
        self.size -= 1
        if self._items:
            return self._items.popleft()
        name = next(iter(self._parts))
        part = self._parts.pop(name)
        item = part.pop()
        if part.size:
            self._parts[name] = part  # behind all others
        return item

    def make_room(self, path: Sequence[str]) -> T | None:
        """Take out the newest item of whoever has most, if they have more than an item of this path would leave them.

        None where nobody has: then the item of this path has no better claim than those that wait.
        """
        if not path or not self._parts:
            return None
        largest = max(part.size for part in self._parts.values())
        own = self._parts.get(path[0])
        if largest > (own.size if own else 0) + 1:
            return self._drop()
        dropped = own.make_room(path[1:]) if own and own.size == largest else None
        self.size -= dropped is not None
        return dropped

    def _drop(self) -> T:
        """Take out the newest item of the largest part."""
        self.size -= 1
        if self._items:
            return self._items.pop()
        name, most = max(self._parts.items(), key=lambda part: part[1].size)
        dropped = most._drop()
        if not most.size:
            del self._parts[name]
        return dropped
