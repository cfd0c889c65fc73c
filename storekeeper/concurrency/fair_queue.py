"""A fair queue: a sender with many items waits behind senders with few."""

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A queue whose senders take turns, on each level of their paths.

    A path identifies the sender of an item, such as a network and an address in it. All paths of a queue have the same
    length. For example, after `push(["a"], 1)`, `push(["a"], 2)` and `push(["b"], 3)`, `pop` returns 1, 3, 2.
    """

    def __init__(self) -> None:
        self.size = 0
        self._items: deque[T] = deque()  # where a path ends
        self._parts: dict[str, FairQueue[T]] = {}  # elsewhere; the first has the next turn

    def push(self, path: Sequence[str], item: T) -> None:
        """Add an item of the sender with this path."""
        self.size += 1
        if path:
            self._parts.setdefault(path[0], FairQueue()).push(path[1:], item)
        else:
            self._items.append(item)

    def pop(self) -> T:
        """Remove and return the oldest item of the sender whose turn it is."""
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
        """Remove and return the newest item of the sender with the most items, in favour of a new item of this path.

        Return None if no sender has more items than this one would have with the new item: then the new item has no
        better claim than the waiting ones. With items a: 3 and b: 1, a new item of b (2) takes the place of one of a
        (3).
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
        """Remove and return the newest item of the largest part."""
        self.size -= 1
        if self._items:
            return self._items.pop()
        name, most = max(self._parts.items(), key=lambda part: part[1].size)
        dropped = most._drop()
        if not most.size:
            del self._parts[name]
        return dropped
