"""Texts that are shown to their owner once, and otherwise nowhere: in no log, no trace and no answer that is stored."""

from typing import Any


class Secret:
    """Shows itself only to who asks for its `value`."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(...)"


def reveal(value: Any) -> str:
    """For the encoder of answers: the secret itself."""
    return _checked(value).value


def conceal(value: Any) -> None:
    """For the encoder of what is stored: null stands for a secret."""
    _checked(value)


def _checked(value: Any) -> Secret:
    """The encoders hand over whatever they do not know: anything else is a bug."""
    if not isinstance(value, Secret):
        raise NotImplementedError(type(value))
    return value
