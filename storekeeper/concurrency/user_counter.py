"""How much of something is under way for each user, in one process. Whoever has nothing under way is not remembered."""


class UserCounter:
    def __init__(self) -> None:
        self.total = 0
        self._by_user: dict[int, int] = {}

    def add(self, user_id: int, amount: int) -> int:
        """Add to a user's, or take from it: how much it is now."""
        self.total += amount
        now = self._by_user.get(user_id, 0) + amount
        if now:
            self._by_user[user_id] = now
        else:
            self._by_user.pop(user_id, None)
        return now
