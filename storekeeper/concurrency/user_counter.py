"""The amount of running work of each user, in one process. Users without running work take no memory."""


class UserCounter:
    def __init__(self) -> None:
        self.total = 0
        self._by_user: dict[int, int] = {}

    def add(self, user_id: int, amount: int) -> int:
        """Add to the amount of a user, or subtract from it. Return the new amount."""
        self.total += amount
        now = self._by_user.get(user_id, 0) + amount
        if now:
            self._by_user[user_id] = now
        else:
            self._by_user.pop(user_id, None)
        return now
